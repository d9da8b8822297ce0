#include <fstream>
#include <sys/stat.h>

#include <vipauth/agent_key_stores.hpp>
#include <vipauth/auth_file.hpp>
#include <vipauth/key_store.hpp>
#include <vipauth/known_hosts.hpp>
#include <vipauth/pending_store.hpp>
#include <vipauth/platform_start.hpp>
#include <vipauth/web_users.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "writer.hpp"

namespace vipauth::test {

namespace {

namespace fs = std::filesystem;

const std::string kHosts = "known_hosts";
const std::string kKeys = "keystore";
const std::string kPending = "pending.json";
const std::string kUsers = "web-users.json";

template <typename T>
Result<void> without_value(const Result<T>& result) {
  return result ? Result<void>() : result.error();
}

void must(const Result<void>& result) {
  INFO((result ? std::string() : result.error().to_string()));
  REQUIRE(result);
}

void put(const fs::path& file, const std::string& text) {
  std::ofstream(file) << text;
  fs::permissions(file, static_cast<fs::perms>(0600));
}

Result<void> add_host(const fs::path& home, const std::string& address, const std::string& text) {
  return without_value(KnownHosts(home / kHosts).add(address, key(text)));
}

std::string hosts_state(const fs::path& home) {
  const auto entries = KnownHosts(home / kHosts).load();
  if (!entries) return entries.error().to_string();
  std::string out;
  for (const auto& entry : *entries) out += entry.host + "=" + entry.source.dump() + " ";
  return out;
}

/// The public keys of a store, of the one to come, and of the one before.
std::string keys_state(const KeyStore& store) {
  std::string out;
  for (const KeyStore& one : {store, store.next(), store.previous()}) {
    const auto pair = one.load();
    const bool is_missing = !pair && pair.error().code == ErrorCode::kNotFound;
    out += pair ? pair->public_key.to_base64url() : is_missing ? "none" : pair.error().to_string();
    out += " ";
  }
  return out;
}

std::string pending_state(const fs::path& home) {
  const auto state = PendingStore(home / kPending, {}).load();
  if (!state) return state.error().to_string();
  std::string out;
  for (const PendingRequest& request : state->pending) {
    out += request.credentials + "*" + std::to_string(request.retries) + " ";
  }
  return out;
}

Result<void> note_and_flush(const fs::path& home, const std::string& credentials) {
  PendingStore store(home / kPending, {});
  store.note(Mechanism::kCurve, credentials, "vip", "10.0.0.1", kNow);
  return store.flush();
}

std::string users_state(const fs::path& home) {
  const auto users = WebUsers(home / kUsers).list();
  if (!users) return users.error().to_string();
  std::string out;
  for (const auto& user : *users) out += user.name + " ";
  return out;
}

}  // namespace

TEST_CASE("faults: a host is added to known_hosts, replaced and removed") {
  Writer writer;
  writer.name = "a host is added";
  writer.prepare = [](const fs::path& home) { must(add_host(home, "tcp://10.0.0.1:1", kKeyA)); };
  writer.write = [](const fs::path& home) { return add_host(home, "tcp://10.0.0.2:2", kKeyB); };
  writer.state = hosts_state;
  writer.next = [](const fs::path& home) { return add_host(home, "tcp://10.0.0.3:3", kKeyC); };
  writer.files = {kHosts};
  writer.public_files = {kHosts};
  check_faults(writer);

  writer.name = "a key is replaced";
  writer.write = [](const fs::path& home) {
    return without_value(KnownHosts(home / kHosts).replace_key(key(kKeyA), key(kKeyB)));
  };
  check_faults(writer);

  writer.name = "a host is removed";
  writer.write = [](const fs::path& home) {
    return without_value(KnownHosts(home / kHosts).remove("tcp://10.0.0.1:1"));
  };
  check_faults(writer);

  writer.name = "the first host is added";
  writer.prepare = [](const fs::path&) {};
  writer.write = [](const fs::path& home) { return add_host(home, "tcp://10.0.0.2:2", kKeyB); };
  check_faults(writer);
}

TEST_CASE("faults: a key store is made") {
  Writer writer;
  writer.name = "a key store is made";
  writer.prepare = [](const fs::path&) {};
  writer.write = [](const fs::path& home) { return without_value(KeyStore(home / kKeys).load_or_create()); };
  // Each run makes another pair.
  writer.state = [](const fs::path& home) {
    const auto pair = KeyStore(home / kKeys).load();
    return pair ? std::string("a pair") : pair.error().to_string();
  };
  writer.next = [](const fs::path& home) { return without_value(KeyStore(home / kKeys).load_or_create()); };
  writer.files = {kKeys};
  check_faults(writer);
}

TEST_CASE("faults: the next key takes the place of the present one") {
  Writer writer;
  writer.name = "a key is promoted";
  writer.prepare = [](const fs::path& home) {
    must(without_value(KeyStore(home / kKeys).load_or_create()));
    must(without_value(KeyStore(home / kKeys).next().load_or_create()));
  };
  // The one that is to follow, or has followed, is that whose pair is not the first.
  writer.write = [](const fs::path& home) -> Result<void> {
    const auto next = KeyStore(home / kKeys).next().load();
    if (!next) return next.error();
    return KeyStore(home / kKeys).promote_next(next->public_key);
  };
  writer.state = [](const fs::path& home) { return keys_state(KeyStore(home / kKeys)); };
  // The copy of the present pair comes first: the next one is still to follow.
  writer.is_between = [](const std::string& state) {
    const std::size_t first = state.find(' ');
    const std::size_t second = state.find(' ', first + 1);
    const std::string present = state.substr(0, first);
    return state.substr(second + 1) == present + " " && state.substr(first + 1, second - first - 1) != "none";
  };
  writer.next = [write = writer.write](const fs::path& home) {
    return KeyStore(home / kKeys).next().load() ? write(home) : Result<void>();
  };
  writer.files = {kKeys};
  check_faults(writer);
}

TEST_CASE("faults: an agent gets a key store and loses it") {
  const std::string file = "keystores/an.agent/keystore.json";
  Writer writer;
  writer.name = "an agent's pair is made";
  writer.prepare = [](const fs::path&) {};
  writer.write = [](const fs::path& home) {
    return without_value(AgentKeyStores(home).load_or_create("an.agent"));
  };
  writer.state = [=](const fs::path& home) {
    const auto pair = KeyStore(home / file).load();
    return pair ? std::string("a pair") : std::string(to_string(pair.error().code));
  };
  writer.next = writer.write;
  writer.files = {file};
  check_faults(writer);

  writer.name = "an agent's pair is removed";
  writer.prepare = [](const fs::path& home) {
    must(without_value(AgentKeyStores(home).load_or_create("an.agent")));
  };
  writer.write = [=](const fs::path& home) -> Result<void> {
    const auto pair = KeyStore(home / file).load();
    if (!pair) return pair.error();
    return AgentKeyStores(home).remove("an.agent", pair->public_key);
  };
  check_faults(writer);
}

TEST_CASE("faults: strangers are written down") {
  Writer writer;
  writer.name = "a stranger is written down";
  writer.prepare = [](const fs::path& home) { must(note_and_flush(home, kKeyA)); };
  writer.write = [](const fs::path& home) { return note_and_flush(home, kKeyB); };
  writer.state = pending_state;
  writer.next = [](const fs::path& home) { return note_and_flush(home, kKeyC); };
  writer.files = {kPending};
  check_faults(writer);
}

TEST_CASE("faults: a stranger that could not be written down is not forgotten") {
  // The store outlives the failure, and writes it then.
  Writer writer;
  writer.name = "a second attempt";
  writer.prepare = [](const fs::path& home) { must(note_and_flush(home, kKeyA)); };
  writer.write = [](const fs::path& home) -> Result<void> {
    PendingStore store(home / kPending, {});
    store.note(Mechanism::kCurve, kKeyB, "vip", "10.0.0.1", kNow);
    auto first = store.flush();
    if (!store.has_unwritten() && !first && first.error().message.find("in place") == std::string::npos) {
      return Error{ErrorCode::kUnavailable, "a stranger is forgotten", ""};
    }
    return first;
  };
  writer.state = pending_state;
  writer.next = [](const fs::path& home) { return note_and_flush(home, kKeyC); };
  writer.files = {kPending};
  check_faults(writer);
}

TEST_CASE("faults: a web user is removed") {
  Writer writer;
  writer.name = "a web user is removed";
  writer.prepare = [](const fs::path& home) {
    fs::create_directory(home / "audit");
    fs::permissions(home / "audit", static_cast<fs::perms>(0700));
    const std::string hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQxMjM0NTY3OA$aGFzaGhhc2hoYXNoaGFzaA";
    Json users{Json::Object()};
    for (const char* name : {"alice", "bob", "carol"}) {
      users.set(name, Json::Object{{"hashed_password", hash}, {"groups", Json::strings({"admin"})}});
    }
    put(home / kUsers, users.dump_pretty());
  };
  writer.write = [](const fs::path& home) { return without_value(WebUsers(home / kUsers).remove("bob")); };
  writer.state = users_state;
  writer.next = [](const fs::path& home) { return without_value(WebUsers(home / kUsers).remove("carol")); };
  writer.files = {kUsers};
  check_faults(writer);
}

TEST_CASE("faults: a platform starts for the first time") {
  PlatformStart start;
  start.addresses = {"tcp://127.0.0.1:22916"};
  start.records = {PlatformRecord::volttron().at(1), PlatformRecord::volttron().at(2)};
  const auto begin = [=](const fs::path& home) { return without_value(prepare_platform(home, start)); };
  Writer writer;
  writer.name = "a platform starts";
  writer.is_slow = true;
  writer.prepare = [](const fs::path&) {};
  writer.write = begin;
  writer.state = [](const fs::path& home) {
    const auto pair = KeyStore(home / kKeys).load();
    const auto policy = AuthFile(home / "auth.json").load();
    const auto hosts = KnownHosts(home / kHosts).load();
    std::string out = pair ? "keys, " : std::string(to_string(pair.error().code)) + ", ";
    out += policy ? std::to_string(policy->allow().size()) : std::string(to_string(policy.error().code));
    return out + ", " + (hosts ? std::to_string(hosts->size()) : hosts.error().to_string());
  };
  // Keys first, then the policy, then known_hosts: the next start does the rest.
  writer.is_between = [](const std::string& state) {
    return state == "keys, not_found, 0" || state == "keys, 2, 0" || state == "keys, 2, 1";
  };
  writer.next = begin;
  writer.files = {"keystore", "auth.json", kHosts};
  writer.public_files = {kHosts};
  check_faults(writer);
}

}  // namespace vipauth::test
