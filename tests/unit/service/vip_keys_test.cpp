#include <vipauth/vip_keys.hpp>

#include <string>

#include <vipauth/agent_key_stores.hpp>
#include <vipauth/key_store.hpp>

#include "support/catch.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

VipAddress address_of(const std::string& text) {
  auto address = VipAddress::parse(text);
  REQUIRE(address);
  return *std::move(address);
}

std::string text_of(const CurveKey& key) { return key.to_base64url(); }

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct Parties {
  TempHome home;
  CurveKey server = CurveKeyPair::generate().public_key;
  KnownHosts known_hosts{home / "known_hosts"};
  CurveKey agent = AgentKeyStores(home.path()).load_or_create("agent")->public_key;

  Result<ClientKeys> find(const std::string& address,
                          std::optional<std::string_view> identity = "agent") const {
    return find_client_keys(home.path(), address_of(address), identity);
  }
};

}  // namespace

TEST_CASE("find_client_keys: the server key comes from known_hosts, the own one from the key store") {
  const Parties parties;
  REQUIRE(parties.known_hosts.add("127.0.0.1:1", parties.server));
  const auto keys = parties.find("tcp://127.0.0.1:1?ipv6=1");
  REQUIRE(keys);
  CHECK(keys->endpoint == "tcp://127.0.0.1:1");
  CHECK(keys->server_key == parties.server);
  CHECK(keys->own.public_key == parties.agent);
  CHECK(keys->identity == "agent");
  CHECK(keys->ipv6 == true);
  CHECK(parties.find("tcp://127.0.0.1:1#agent", std::nullopt)->own.public_key == parties.agent);
}

TEST_CASE("find_client_keys: without a server key nothing is found, and it says what to type") {
  const Parties parties;
  const auto unknown = parties.find("tcp://127.0.0.1:1");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == ErrorCode::kNotFound);
  CHECK(contains(unknown.error().message, "auth add-known-host --host tcp://127.0.0.1:1 --serverkey KEY"));
  CHECK(parties.find("tcp://127.0.0.1:1?serverkey=" + text_of(parties.server))->server_key == parties.server);
  CHECK_FALSE(parties.home.has("known_hosts"));  // trusting once is not trusting for ever
}

TEST_CASE("find_client_keys: a server key that known_hosts contradicts is refused, with both fingerprints") {
  const Parties parties;
  const CurveKey other = CurveKeyPair::generate().public_key;
  REQUIRE(parties.known_hosts.add("127.0.0.1:1", parties.server));
  CHECK(parties.find("tcp://127.0.0.1:1?serverkey=" + text_of(parties.server)));
  const auto refused = parties.find("tcp://127.0.0.1:1?serverkey=" + text_of(other));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kConflict);
  CHECK(contains(refused.error().message, parties.server.fingerprint()));
  CHECK(contains(refused.error().message, other.fingerprint()));
  CHECK(contains(refused.error().message, "vctl --home " + parties.home.path().string() +
                                              " auth add-known-host --host tcp://127.0.0.1:1 --serverkey " +
                                              text_of(other)));
}

TEST_CASE("find_client_keys: an entry that is no key, or a file that cannot be read, is no reason to trust") {
  const Parties parties;
  const std::string address = "tcp://127.0.0.1:1?serverkey=" + text_of(parties.server);
  for (const std::string bad : {R"({"127.0.0.1:1": "not-a-key"})", "{"}) {
    parties.home.write("known_hosts", bad);
    CHECK_FALSE(parties.find(address));
  }
}

TEST_CASE("find_client_keys: own keys of the address count, and must belong together") {
  const Parties parties;
  const CurveKeyPair own = CurveKeyPair::generate();
  const std::string base = "tcp://h:1?serverkey=" + text_of(parties.server);
  const std::string secret = reveal_base64url(own.secret_key);
  const auto given = parties.find(base + "&secretkey=" + secret + "&publickey=" + text_of(own.public_key));
  REQUIRE(given);
  CHECK(given->own.public_key == own.public_key);
  const auto mixed = parties.find(base + "&secretkey=" + secret + "&publickey=" + text_of(parties.agent));
  REQUIRE_FALSE(mixed);
  CHECK(mixed.error().location == "publickey");
  CHECK_FALSE(contains(mixed.error().to_string(), secret));
  CHECK(parties.find(base + "&secretkey=" + secret, std::nullopt));  // who has a key needs no key store

  CHECK(parties.find(base + "&publickey=" + text_of(parties.agent)));
  CHECK_FALSE(parties.find(base + "&publickey=" + text_of(own.public_key)));
}

TEST_CASE("find_client_keys: an agent without a key store is told how to get one, and gets none by the way") {
  const Parties parties;
  const std::string address = "tcp://h:1?serverkey=" + text_of(parties.server);
  const auto missing = parties.find(address, "other agent");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ErrorCode::kNotFound);
  CHECK(contains(missing.error().message, "vctl auth create 'other agent'"));
  CHECK_FALSE(parties.home.has("keystores/other agent"));
  CHECK(parties.find(address, std::nullopt).error().code == ErrorCode::kInvalidArgument);
  CHECK(parties.find(address, "../x").error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("find_client_keys: another mechanism is not taken for CURVE") {
  const Parties parties;
  const std::string key = "&serverkey=" + text_of(parties.server);
  CHECK(parties.find("tcp://h:1?server=CURVE" + key));
  for (const std::string other : {"server=NULL", "server=PLAIN", "username=u", "password=p"}) {
    const auto refused = parties.find("tcp://h:1?" + other + key);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kUnsupported);
  }
}

TEST_CASE("find_server_keys: the key store of the home, unless the address has a key") {
  const TempHome home;
  const auto preset = find_server_keys(home.path(), address_of("tcp://*:1"));
  REQUIRE(preset);
  CHECK(preset->domain == "vip");
  CHECK(preset->own.public_key == KeyStore(home / "keystore").load()->public_key);
  const CurveKeyPair own = CurveKeyPair::generate();
  const std::string secret = "tcp://*:1?domain=lab&secretkey=" + reveal_base64url(own.secret_key);
  const auto given = find_server_keys(home.path(), address_of(secret));
  REQUIRE(given);
  CHECK(given->domain == "lab");
  CHECK(given->own.public_key == own.public_key);
  CHECK(find_server_keys(home.path(), address_of(secret + "&serverkey=" + text_of(own.public_key))));
  CHECK_FALSE(
      find_server_keys(home.path(), address_of(secret + "&serverkey=" + text_of(preset->own.public_key))));
  CHECK_FALSE(find_server_keys(home.path(), address_of("tcp://*:1?server=NULL")));
}

TEST_CASE("add_known_host_command: stands as one command in a shell, whatever the name") {
  const CurveKey key = CurveKeyPair::generate().public_key;
  CHECK(add_known_host_command("h:1", key) ==
        "vctl auth add-known-host --host h:1 --serverkey " + text_of(key));
  CHECK(contains(add_known_host_command("a'; rm -rf ~;'", key), R"(--host 'a'\''; rm -rf ~;'\''' )"));
  CHECK(contains(add_known_host_command("h:1", key, "/a b"), "vctl --home '/a b' auth"));
}
