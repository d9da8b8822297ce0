#include <vipauth/fleet_csrs.hpp>

#include <atomic>
#include <cctype>
#include <csignal>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include <vipauth/auth_record.hpp>
#include <vipauth/csr_relay.hpp>

#include "etcd_cluster.hpp"
#include "fleet/checked_keys.hpp"
#include "fleet/csr_values.hpp"
#include "fleet/etcd_client.hpp"
#include "fleet/fleet_layout.hpp"
#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/eventually.hpp"
#include "support/signals.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;
using Catch::Contains;
using fleet::CsrAsked;
using fleet::CsrKey;
using fleet::CsrVerb;

namespace {

constexpr std::chrono::seconds kPatience{30};
constexpr std::chrono::milliseconds kShort{500};
constexpr const char* kFleet = "/vipauth/acme";
const std::string kName = "oracle1.there.agent";
const fleet::FleetLayout kLayout("vipauth/acme", "");

/// One of the fleet's sites, of the instance "oracle1", with an authority of its own.
struct Site {
  explicit Site(std::string a_name, CsrStore::Options options = {})
      : name(std::move(a_name)),
        store(std::make_shared<CsrStore>(
            (home.make_folder("audit"), authority_in(home, CertificateAuthority::Options())),
            std::move(options))) {}

  /// Somebody asks for a certificate, with a new key. \return the key's fingerprint
  std::string ask(const std::string& common_name = kName) const {
    const auto entry = store->request(Asker(common_name).request, "10.0.0.1");
    INFO((entry ? std::string() : entry.error().to_string()));
    REQUIRE(entry);
    return entry->key_fingerprint;
  }
  void relay_to(const EtcdCluster& cluster, const std::string& user = {}) {
    CsrRelay::Options options;
    options.address = cluster.store_address(kFleet + std::string("?site=") + name);
    options.etcd = cluster.client_options(user);
    options.etcd.timeout = std::chrono::seconds(2);
    options.check_interval = std::chrono::milliseconds(100);
    options.log = [this](LogLevel, const std::string& line) {
      const std::lock_guard lock(log_mutex);
      log += line + "\n";
    };
    auto started = CsrRelay::start(store, std::move(options));
    if (!started) throw std::runtime_error(started.error().to_string());
    relay = *std::move(started);
  }
  std::string logged() const {
    const std::lock_guard lock(log_mutex);
    return log;
  }
  std::string status(const std::string& common_name = kName) const {
    const auto entry = store->get(name_of(common_name));
    return entry ? std::string(to_string(entry->status)) : entry.error().message;
  }
  /// Of the certificates that were issued for a request.
  std::vector<std::string> serials() const {
    std::vector<std::string> out;
    const auto issued = store->authority().list();
    REQUIRE(issued);
    for (const IssuedCertificate& one : *issued) {
      if (one.certificate.common_name == kName) out.push_back(one.certificate.serial);
    }
    return out;
  }

  const std::string name;
  TempHome home;
  mutable std::mutex log_mutex;
  std::string log;
  std::shared_ptr<CsrStore> store;
  std::unique_ptr<CsrRelay> relay;  // before the others: it uses them
};

std::unique_ptr<FleetCsrs> desk_of(const EtcdCluster& cluster, const std::string& path = kFleet,
                                   const std::string& user = {}) {
  auto desk = FleetCsrs::open(cluster.store_address(path), cluster.client_options(user));
  if (!desk) throw std::runtime_error(desk.error().to_string());
  return *std::move(desk);
}

FleetCsrs::Options by(const std::string& who, std::chrono::milliseconds patience = kPatience) {
  FleetCsrs::Options out;
  out.note = {who, "auth remote", false};
  out.patience = patience;
  return out;
}

/// "berlin oracle1.there.agent PENDING", of each that is listed.
std::vector<std::string> listed(const FleetCsrs& desk) {
  const auto all = desk.list();
  if (!all) return {all.error().to_string()};
  std::vector<std::string> out;
  for (const FleetCsr& one : *all) {
    out.push_back(one.site + " " + one.request.common_name.text() + " " +
                  std::string(to_string(one.request.status)));
  }
  return out;
}

using Lines = std::vector<std::string>;

fleet::EtcdClient client_of(const EtcdCluster& cluster, const std::string& user = {}) {
  auto client = fleet::EtcdClient::create(cluster.store_address(kFleet), cluster.client_options(user));
  if (!client) throw std::runtime_error(client.error().to_string());
  return *std::move(client);
}

std::string key_of(const std::string& site, CsrKey::Kind kind, const std::string& common_name = kName) {
  return kLayout.csr_key(site, kind, name_of(common_name));
}

std::int64_t put(const EtcdCluster& cluster, const std::string& key, const std::string& value) {
  const auto done = client_of(cluster).txn({}, {{.key = key, .value = value}});
  REQUIRE(done);
  return done->revision;
}

bool is_there(const EtcdCluster& cluster, const std::string& key) {
  const auto answer = client_of(cluster).range({.key = key});
  return answer && !answer->values.empty();
}

/// A decision as somebody writes it who may, whatever its program checks.
CsrAsked decision(CsrVerb verb, const std::string& fingerprint) {
  return {make_user_id(), verb, fingerprint, CsrStatus::kPending, "mallory", "by hand", system_now()};
}

/// What became of the last decision.
std::optional<fleet::CsrAnswer> answer_at(const EtcdCluster& cluster, const std::string& site,
                                          const std::string& common_name = kName) {
  const auto answer = client_of(cluster).range({.key = key_of(site, CsrKey::Kind::kAnswer, common_name)});
  if (!answer || answer->values.empty()) return std::nullopt;
  auto parsed = fleet::parse_answer(answer->values.front().value);
  REQUIRE(parsed);
  return *std::move(parsed);
}

}  // namespace

TEST_CASE("CsrRelay: a request waits at its site, is approved from a desk, denied, and deleted") {
  const EtcdCluster cluster;
  Site berlin("berlin");
  const std::string key = berlin.ask();
  berlin.relay_to(cluster);
  const auto desk = desk_of(cluster);
  REQUIRE(eventually([&] { return listed(*desk) == Lines{"berlin " + kName + " PENDING"}; }));
  const FleetCsr waiting = desk->list()->front();
  CHECK(waiting.request.key_fingerprint == key);
  CHECK(waiting.request.address == "10.0.0.1");
  CHECK(waiting.request.retries == 1);
  CHECK_FALSE(waiting.asked.has_value());

  const auto approved = desk->approve(name_of(kName), by("alice"));
  INFO((approved ? std::string() : approved.error().to_string()));
  REQUIRE(approved);
  CHECK(approved->site == "berlin");
  CHECK(approved->decision.entry.status == CsrStatus::kApproved);
  REQUIRE(approved->decision.entry.certificate.has_value());
  CHECK(berlin.serials() == Lines{approved->decision.entry.certificate->serial});
  CHECK(berlin.status() == "APPROVED");
  CHECK(listed(*desk) == Lines{"berlin " + kName + " APPROVED"});
  CHECK(desk->approve(name_of(kName), by("alice")));  // so it stays
  CHECK(berlin.serials().size() == 1);

  const auto denied = desk->deny(name_of(kName), by("bob"));
  REQUIRE(denied);
  CHECK(denied->decision.entry.status == CsrStatus::kDenied);
  CHECK_FALSE(denied->decision.entry.certificate.has_value());
  CHECK(berlin.status() == "DENIED");

  const auto removed = desk->remove(name_of(kName), by("carol"));
  REQUIRE(removed);
  CHECK(removed->decision.entry.key_fingerprint == key);
  CHECK(listed(*desk).empty());
  CHECK_THAT(berlin.status(), Contains("there is no request"));
  CHECK(desk->approve(name_of(kName), by("alice")).error().code == ErrorCode::kNotFound);

  const auto status = berlin.relay->status();
  CHECK(status.carried_out == 4);
  CHECK(status.refused == 0);
  CHECK(status.requests <= 1);
  CHECK_FALSE(status.problem.has_value());
  std::string audited;
  for (const auto& file : std::filesystem::directory_iterator(berlin.home / "audit")) {
    if (file.is_regular_file()) audited += berlin.home.read("audit/" + file.path().filename().string());
  }
  for (const char* who : {"alice", "bob", "carol"}) CHECK_THAT(audited, Contains(who));
  CHECK_THAT(audited, Contains("fleet: auth remote"));
}

TEST_CASE("CsrRelay: what is new at a site, and what is decided there, is told to the store") {
  const EtcdCluster cluster;
  Site berlin("berlin");
  berlin.relay_to(cluster);
  const auto desk = desk_of(cluster);
  REQUIRE(eventually([&] { return berlin.relay->status().synced_at.has_value(); }));
  CHECK(listed(*desk).empty());
  berlin.ask();
  REQUIRE(eventually([&] { return listed(*desk) == Lines{"berlin " + kName + " PENDING"}; }));
  REQUIRE(berlin.store->approve(name_of(kName)));
  REQUIRE(eventually([&] { return listed(*desk) == Lines{"berlin " + kName + " APPROVED"}; }));
  REQUIRE(berlin.store->remove(name_of(kName)));
  REQUIRE(eventually([&] { return listed(*desk).empty(); }));
  // Whatever somebody else has put where the site tells of its own.
  berlin.ask();
  REQUIRE(eventually([&] { return listed(*desk).size() == 1; }));
  put(cluster, key_of("berlin", CsrKey::Kind::kRequest), "nonsense");
  put(cluster, key_of("berlin", CsrKey::Kind::kRequest, "oracle1.made.up"), "nonsense");
  CHECK(eventually([&] { return listed(*desk) == Lines{"berlin " + kName + " PENDING"}; }));
  CHECK(eventually(
      [&] { return !is_there(cluster, key_of("berlin", CsrKey::Kind::kRequest, "oracle1.made.up")); }));
}

TEST_CASE("CsrRelay: more requests than one transaction holds are told") {
  const EtcdCluster cluster;
  CsrStore::Options options;
  options.new_per_minute = 1000;
  Site berlin("berlin", std::move(options));
  for (int i = 0; i < 120; ++i) berlin.ask("oracle1.there.agent" + std::to_string(i));
  berlin.relay_to(cluster);
  const auto desk = desk_of(cluster);
  CHECK(eventually([&] { return listed(*desk).size() == 120; }));
  CHECK(eventually([&] { return berlin.relay->status().requests == 120; }));
}

TEST_CASE("FleetCsrs: a decision waits for a site that is away, and is carried out when it is back") {
  const EtcdCluster cluster;
  Site berlin("berlin");
  berlin.ask();
  berlin.relay_to(cluster);
  const auto desk = desk_of(cluster);
  REQUIRE(eventually([&] { return listed(*desk).size() == 1; }));
  berlin.relay.reset();

  const auto asked = desk->approve(name_of(kName), by("alice", kShort));
  REQUIRE_FALSE(asked);
  CHECK(asked.error().code == ErrorCode::kBusy);
  CHECK(asked.error().location == "berlin");
  CHECK(berlin.status() == "PENDING");
  const FleetCsr waiting = desk->list()->front();
  REQUIRE(waiting.asked.has_value());
  CHECK(waiting.asked->decision == "approve");
  CHECK(waiting.asked->who == "alice");

  SECTION("as it was asked for") {
    berlin.relay_to(cluster);
    CHECK(eventually([&] { return berlin.status() == "APPROVED"; }));
    CHECK(eventually([&] { return listed(*desk) == Lines{"berlin " + kName + " APPROVED"}; }));
    CHECK_FALSE(desk->list()->front().asked.has_value());
  }
  SECTION("unless it was taken back meanwhile") {
    CHECK(desk->deny(name_of(kName), by("alice", kShort)).error().code == ErrorCode::kBusy);
    CHECK(desk->list()->front().asked->decision == "deny");
    berlin.relay_to(cluster);
    CHECK(eventually([&] { return berlin.status() == "DENIED"; }));
    CHECK(berlin.serials().empty());
  }
}

TEST_CASE("FleetCsrs: of two administrators the later one counts, and the other one is told") {
  const EtcdCluster cluster;
  Site berlin("berlin");
  berlin.ask();
  berlin.relay_to(cluster);
  const auto desk = desk_of(cluster);
  REQUIRE(eventually([&] { return listed(*desk).size() == 1; }));
  berlin.relay.reset();

  auto first = std::async(std::launch::async, [&] { return desk->approve(name_of(kName), by("alice")); });
  REQUIRE(eventually([&] { return desk->list()->front().asked.has_value(); }));
  const auto other_desk = desk_of(cluster);
  auto second = std::async(std::launch::async, [&] { return other_desk->deny(name_of(kName), by("bob")); });
  const auto of_first = first.get();
  REQUIRE_FALSE(of_first);
  CHECK(of_first.error().code == ErrorCode::kConflict);
  CHECK_THAT(of_first.error().message, Contains("bob has decided otherwise"));
  berlin.relay_to(cluster);
  const auto of_second = second.get();
  REQUIRE(of_second);
  REQUIRE(of_second->decision.warnings.size() == 1);
  CHECK_THAT(of_second->decision.warnings.front(), Contains("alice") && Contains("approve"));
  CHECK(berlin.status() == "DENIED");
  CHECK(berlin.serials().empty());

  // Who approves what was denied since they looked is told, too.
  REQUIRE(desk->remove(name_of(kName), by("bob")));
  const std::string key = berlin.ask();
  REQUIRE(berlin.store->deny(name_of(kName)));
  const CsrAsked stale = decision(CsrVerb::kApprove, key);
  put(cluster, key_of("berlin", CsrKey::Kind::kDecision), fleet::asked_value(stale));
  REQUIRE(eventually([&] {
    const auto answer = answer_at(cluster, "berlin");
    return answer && answer->id == stale.id;
  }));
  REQUIRE(answer_at(cluster, "berlin")->problem.has_value());
  CHECK_THAT(answer_at(cluster, "berlin")->problem->message, Contains("denied meanwhile"));
  CHECK(berlin.status() == "DENIED");
  CHECK(eventually([&] { return listed(*desk) == Lines{"berlin " + kName + " DENIED"}; }));
  CHECK(desk->approve(name_of(kName), by("alice")));
  CHECK(berlin.status() == "APPROVED");
}

TEST_CASE("FleetCsrs: a decision is for the key that was seen, and for no other") {
  const EtcdCluster cluster;
  Site berlin("berlin");
  const std::string key = berlin.ask();
  berlin.relay_to(cluster);
  const auto desk = desk_of(cluster);
  REQUIRE(eventually([&] { return listed(*desk).size() == 1; }));

  // A key that the administrator has compared, and that is not the one.
  auto how = by("alice");
  how.key_fingerprint = Asker(kName).request.key_fingerprint();
  const auto refused = desk->approve(name_of(kName), how);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kConflict);
  CHECK(berlin.relay->status().refused == 0);  // it was not even asked for

  // The key is another one by the time that the site reads what was asked.
  berlin.relay.reset();
  auto asked = std::async(std::launch::async, [&] { return desk->approve(name_of(kName), by("alice")); });
  REQUIRE(eventually([&] { return desk->list()->front().asked.has_value(); }));
  REQUIRE(berlin.store->remove(name_of(kName)));
  const std::string other_key = berlin.ask();
  REQUIRE(other_key != key);
  berlin.relay_to(cluster);
  const auto answered = asked.get();
  REQUIRE_FALSE(answered);
  CHECK(answered.error().code == ErrorCode::kConflict);
  CHECK(answered.error().location == "berlin");
  CHECK_THAT(answered.error().message, Contains(other_key));
  CHECK(berlin.status() == "PENDING");
  CHECK(berlin.serials().empty());
  // So of those that take away.
  for (const CsrVerb verb : {CsrVerb::kDeny, CsrVerb::kDelete}) {
    const CsrAsked old = decision(verb, key);
    put(cluster, key_of("berlin", CsrKey::Kind::kDecision), fleet::asked_value(old));
    REQUIRE(eventually([&] {
      const auto answer = answer_at(cluster, "berlin");
      return answer && answer->id == old.id;
    }));
    CHECK(berlin.status() == "PENDING");
  }
  const auto failed = desk->list()->front().failed;
  REQUIRE(failed.has_value());
  CHECK(failed->asked.decision == "delete");
  CHECK(failed->problem.code == ErrorCode::kConflict);

  how.key_fingerprint.clear();
  for (const char c : other_key) {
    if (c != ':') how.key_fingerprint += static_cast<char>(std::tolower(c));
  }
  CHECK(desk->approve(name_of(kName), how));
  CHECK_FALSE(desk->list()->front().failed.has_value());
}

TEST_CASE("FleetCsrs: a decision about what is gone at the site ends with a problem") {
  const EtcdCluster cluster;
  Site berlin("berlin");
  berlin.ask();
  berlin.relay_to(cluster);
  const auto desk = desk_of(cluster);
  REQUIRE(eventually([&] { return listed(*desk).size() == 1; }));
  berlin.relay.reset();
  REQUIRE(berlin.store->remove(name_of(kName)));
  const auto decide = GENERATE(&FleetCsrs::approve, &FleetCsrs::deny, &FleetCsrs::remove);
  auto asked = std::async(std::launch::async, [&] { return ((*desk).*decide)(name_of(kName), by("alice")); });
  REQUIRE(eventually([&] { return is_there(cluster, key_of("berlin", CsrKey::Kind::kDecision)); }));
  berlin.relay_to(cluster);
  const auto answered = asked.get();
  REQUIRE_FALSE(answered);
  CHECK(answered.error().code == ErrorCode::kNotFound);
  CHECK_FALSE(is_there(cluster, key_of("berlin", CsrKey::Kind::kDecision)));
  CHECK(listed(*desk).empty());
}

TEST_CASE("CsrRelay: one that was stopped in the middle of a decision signs no second certificate") {
  const EtcdCluster cluster;
  Site berlin("berlin");
  const std::string key = berlin.ask();
  berlin.relay_to(cluster);
  const auto desk = desk_of(cluster);
  REQUIRE(eventually([&] { return listed(*desk).size() == 1; }));
  berlin.relay.reset();
  auto asked = std::async(std::launch::async, [&] { return desk->approve(name_of(kName), by("alice")); });
  REQUIRE(eventually([&] { return desk->list()->front().asked.has_value(); }));
  // It was carried out, and nothing of that was told.
  const auto before = berlin.store->approve(name_of(kName), {}, key);
  REQUIRE(before);

  SECTION("and tells that it is done") {
    berlin.relay_to(cluster);
    const auto answered = asked.get();
    REQUIRE(answered);
    CHECK(answered->decision.entry.certificate->serial == before->entry.certificate->serial);
    CHECK(berlin.serials().size() == 1);
  }
  SECTION("nor takes back what was decided there since") {
    REQUIRE(berlin.store->deny(name_of(kName)));
    berlin.relay_to(cluster);
    const auto answered = asked.get();
    REQUIRE_FALSE(answered);
    CHECK(answered.error().code == ErrorCode::kConflict);
    CHECK(berlin.status() == "DENIED");
    CHECK(berlin.serials().size() == 1);
  }
}

TEST_CASE("CsrRelay: the site's own rules hold, whoever writes its decisions") {
  const EtcdCluster cluster;
  CsrStore::Options options;
  bool is_taken = false;
  options.taken = [&](std::string_view name) -> std::optional<std::string> {
    if (is_taken && name == "there.agent") return "it is an agent's";
    return std::nullopt;
  };
  Site berlin("berlin", std::move(options));
  const std::string key = berlin.ask();
  is_taken = true;
  for (const char* name : {"oracle1.there.agent", "oracle1.nobody.asked", "other.there.agent", "oracle1"}) {
    put(cluster, key_of("berlin", CsrKey::Kind::kDecision, name),
        fleet::asked_value(decision(CsrVerb::kApprove, key)));
  }
  put(cluster, key_of("paris", CsrKey::Kind::kDecision),
      fleet::asked_value(decision(CsrVerb::kApprove, key)));
  berlin.relay_to(cluster);
  REQUIRE(eventually([&] { return berlin.relay->status().refused == 4; }));
  const auto answer = answer_at(cluster, "berlin");
  REQUIRE((answer && answer->problem));
  CHECK(answer->problem->code == ErrorCode::kPermissionDenied);
  CHECK(answer_at(cluster, "berlin", "other.there.agent")->problem->code == ErrorCode::kNotFound);
  CHECK(berlin.status() == "PENDING");
  CHECK(berlin.serials().empty());
  CHECK(is_there(cluster, key_of("paris", CsrKey::Kind::kDecision)));  // another site's
}

TEST_CASE("CsrRelay: decisions that are none are thrown away, and keep no other waiting") {
  const EtcdCluster cluster;
  Site berlin("berlin");
  const std::string key = berlin.ask();
  const std::string decisions = kLayout.csr_prefix("berlin", CsrKey::Kind::kDecision);
  const CsrAsked good = decision(CsrVerb::kApprove, key);
  Json no_key = *Json::parse(fleet::asked_value(good));
  no_key.set("key_fingerprint", Json(""));
  put(cluster, key_of("berlin", CsrKey::Kind::kDecision), no_key.dump());
  put(cluster, decisions + "\x1b[2J", fleet::asked_value(good));
  put(cluster, decisions + "../x", "");
  put(cluster, decisions, "");
  put(cluster, decisions + "oracle1.there.long", std::string(1'000'000, 'x'));
  berlin.relay_to(cluster);
  REQUIRE(eventually([&] { return berlin.relay->status().refused == 5; }));
  CHECK(client_of(cluster)
            .range({.key = decisions, .range_end = fleet::prefix_end(decisions)})
            ->values.empty());
  CHECK(berlin.status() == "PENDING");
  CHECK_THAT(berlin.logged(), Contains("thrown away") && !Contains("\x1b"));

  put(cluster, key_of("berlin", CsrKey::Kind::kDecision), fleet::asked_value(good));
  CHECK(eventually([&] { return berlin.status() == "APPROVED"; }));
  CHECK(eventually([&] { return berlin.relay->status().carried_out == 1; }));
}

TEST_CASE("CsrRelay: a decision that etcd takes nobody's answer to keeps no other waiting") {
  const EtcdCluster cluster;
  Site berlin("berlin");
  const std::string key = berlin.ask();
  const std::string decisions = kLayout.csr_prefix("berlin", CsrKey::Kind::kDecision);
  const std::string large = decisions + std::string(1'000'000, '!');  // it is before the other
  put(cluster, large, "");
  put(cluster, key_of("berlin", CsrKey::Kind::kDecision),
      fleet::asked_value(decision(CsrVerb::kApprove, key)));
  berlin.relay_to(cluster);
  CHECK(eventually([&] { return berlin.status() == "APPROVED"; }, kPatience));
  CHECK(eventually([&] { return berlin.relay->status().synced_at.has_value(); }, kPatience));
  CHECK_FALSE(is_there(cluster, large));
}

TEST_CASE("CsrRelay: a store that has another history is told all again") {
  EtcdCluster cluster;
  Site berlin("berlin");
  berlin.ask();
  for (int i = 0; i < 50; ++i) put(cluster, "/other", std::to_string(i));  // what comes is far before that
  berlin.relay_to(cluster);
  const auto desk = desk_of(cluster);
  REQUIRE(eventually([&] { return listed(*desk).size() == 1; }));
  cluster.wipe();
  cluster.restart(0);
  cluster.wait_until_healthy();
  CHECK(eventually([&] { return listed(*desk) == Lines{"berlin " + kName + " PENDING"}; }, kPatience));
  CHECK(desk->approve(name_of(kName), by("alice", std::chrono::seconds(10))));
}

TEST_CASE("CsrRelay: goes on where there was no memory, and takes no signal of the embedder's") {
  EtcdCluster cluster;
  Site berlin("berlin");
  berlin.ask();
  std::atomic<int> failures = 0;
  std::atomic<bool> takes_signals = false;
  CsrRelay::Options options;
  options.address = cluster.store_address(kFleet + std::string("?site=berlin"));
  options.etcd = cluster.client_options();
  options.check_interval = std::chrono::milliseconds(100);
  options.clock = [&] {
    takes_signals = takes_signals || takes_signal_here(SIGTERM);
    if (++failures <= 2) throw std::bad_alloc();
    return system_now();
  };
  options.log = [&](LogLevel, const std::string&) { throw std::bad_alloc(); };
  const auto relay = CsrRelay::start(berlin.store, std::move(options));
  REQUIRE(relay);
  const auto desk = desk_of(cluster);
  CHECK(eventually([&] { return listed(*desk).size() == 1; }, kPatience));
  CHECK(desk->approve(name_of(kName), by("alice")));
  CHECK(eventually([&] { return (*relay)->status().synced_at && !(*relay)->status().problem; }));
  CHECK_FALSE(takes_signals);
}

TEST_CASE("FleetCsrs: what a hostile site tells hides nothing of others, and means nothing to a terminal") {
  const EtcdCluster cluster;
  Site berlin("berlin");
  berlin.ask();
  berlin.relay_to(cluster);
  const auto desk = desk_of(cluster);
  REQUIRE(eventually([&] { return listed(*desk).size() == 1; }));
  const std::string good = fleet::csr_value(desk->list()->front().request);
  const std::string requests = kLayout.csr_prefix("mallory", CsrKey::Kind::kRequest);
  put(cluster, requests + kName, "nonsense");
  put(cluster, requests + "oracle1.other.name", good);
  put(cluster, requests + "\x1b[2J", good);
  put(cluster, requests + "oracle1.too.long", good + std::string(1'400'000, ' '));
  Json odd = *Json::parse(good);
  odd.set("address", Json("\x1b[2J"));
  put(cluster, requests + "oracle1.odd.address", odd.dump());
  put(cluster, "/vipauth/acme/certificates/\x1b[2J/requests/" + kName, good);
  put(cluster, "/vipauth/acme/certificates/mallory/answers/" + kName, "nonsense");
  put(cluster, "/vipauth/acme/certificates/mallory/decisions/" + kName, "nonsense");
  std::vector<std::string> warnings;
  const auto all = desk->list(&warnings);
  REQUIRE(all);
  CHECK(all->size() == 1);
  CHECK(warnings.size() == 5);
  for (const std::string& warning : warnings) {
    CHECK_THAT(warning, Contains("mallory: ") && !Contains("\x1b"));
    CHECK(warning.size() < 1000);
  }
  // Nor is there an end of it.
  for (int i = 0; i < 20; ++i) put(cluster, requests + "oracle1.n" + std::to_string(i) + ".x", "");
  warnings.clear();
  CHECK(desk->list(&warnings)->size() == 1);
  CHECK(warnings.size() == 11);
  CHECK(desk->approve(name_of(kName), by("alice")));
}

TEST_CASE("FleetCsrs: a site that floods is read so far, whatever its keys are") {
  const EtcdCluster cluster;
  const auto client = client_of(cluster);
  fleet::CheckedWrites writes(client, {});
  for (int i = 0; i < 10'001; ++i)
    REQUIRE(writes.add("/vipauth/acme/certificates/mallory/x" + std::to_string(i), "", 0));
  REQUIRE(*writes.finish());
  std::vector<std::string> warnings;
  REQUIRE(desk_of(cluster)->list(&warnings));
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings.front(), Contains("mallory: there is more"));
}

TEST_CASE("FleetCsrs: values that no answer can hold together are read one by one") {
  const EtcdCluster cluster;
  Site berlin("zeta");  // behind the others
  berlin.ask();
  berlin.relay_to(cluster);
  const std::string requests = kLayout.csr_prefix("mallory", CsrKey::Kind::kRequest);
  for (int i = 0; i < 16; ++i) {
    put(cluster, requests + "oracle1.n" + std::to_string(i) + ".x", std::string(1'000'000, 'x'));
  }
  const auto desk = desk_of(cluster);
  CHECK(eventually([&] { return listed(*desk) == Lines{"zeta " + kName + " PENDING"}; }));
}

TEST_CASE("FleetCsrs: a name that waits at two sites is decided where the administrator says") {
  const EtcdCluster cluster;
  Site berlin("berlin");
  Site paris("paris");
  berlin.ask();
  paris.ask();
  berlin.relay_to(cluster);
  paris.relay_to(cluster);
  const auto desk = desk_of(cluster);
  REQUIRE(eventually([&] { return listed(*desk).size() == 2; }));
  const auto refused = desk->approve(name_of(kName), by("alice"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kConflict);
  CHECK_THAT(refused.error().message, Contains("berlin, paris") && Contains("?site=berlin"));
  const auto at_paris = desk_of(cluster, std::string(kFleet) + "?site=paris");
  CHECK(listed(*at_paris) == Lines{"paris " + kName + " PENDING"});
  REQUIRE(at_paris->approve(name_of(kName), by("alice")));
  CHECK(berlin.status() == "PENDING");
  CHECK(paris.status() == "APPROVED");
  auto how = by("alice");
  how.site = "berlin";
  REQUIRE(desk->deny(name_of(kName), how));
  CHECK(listed(*desk) == Lines{"berlin " + kName + " DENIED", "paris " + kName + " APPROVED"});
  how.site = "rome";
  CHECK(desk->deny(name_of(kName), how).error().code == ErrorCode::kNotFound);
}

TEST_CASE("CsrRelay: goes on when etcd is back, and nobody at the site waits for it") {
  EtcdCluster cluster;
  Site berlin("berlin");
  berlin.ask();
  berlin.relay_to(cluster);
  const auto desk = desk_of(cluster);
  REQUIRE(eventually([&] { return listed(*desk).size() == 1; }));
  cluster.kill(0);
  REQUIRE(eventually([&] { return berlin.relay->status().problem.has_value(); }));
  berlin.ask("oracle1.there.second");
  REQUIRE(berlin.store->approve(name_of(kName)));
  cluster.restart(0);
  cluster.wait_until_healthy();
  CHECK(eventually([&] {
    return listed(*desk) == Lines{"berlin " + kName + " APPROVED", "berlin oracle1.there.second PENDING"};
  }));
  CHECK(desk->approve(name_of("oracle1.there.second"), by("alice")));
  CHECK(eventually([&] { return !berlin.relay->status().problem; }));

  SECTION("and ends at once where it is not") {
    cluster.pause(0);
    berlin.relay.reset();
    cluster.resume(0);
  }
}

TEST_CASE("CsrRelay: an address without a site is refused") {
  const EtcdCluster cluster;
  Site berlin("berlin");
  CsrRelay::Options options;
  options.address = cluster.store_address(kFleet);
  const auto started = CsrRelay::start(berlin.store, std::move(options));
  REQUIRE_FALSE(started);
  CHECK(started.error().code == ErrorCode::kInvalidArgument);
  CHECK_THAT(started.error().message, Contains("?site=NAME"));
}

TEST_CASE("CsrRelay: decisions whose history is compacted while etcd is silent are carried out") {
  EtcdCluster cluster;
  Site berlin("berlin");
  std::string key = berlin.ask();
  berlin.relay_to(cluster);
  const auto desk = desk_of(cluster);
  REQUIRE(eventually([&] { return listed(*desk).size() == 1; }));
  // The watch comes back a while after the member: mostly after what is compacted here.
  const auto is_compacted = [&] { return berlin.logged().find("compacted") != std::string::npos; };
  for (int round = 0; round < 10 && !is_compacted(); ++round) {
    const std::size_t logged = berlin.logged().size();
    cluster.pause(0);
    REQUIRE(
        eventually([&] { return berlin.logged().find("cannot be followed", logged) != std::string::npos; }));
    cluster.resume(0);
    for (const CsrVerb verb : {CsrVerb::kDeny, CsrVerb::kApprove}) {
      CsrAsked asked = decision(verb, key);
      asked.seen = CsrStatus::kDenied;
      put(cluster, key_of("berlin", CsrKey::Kind::kDecision), fleet::asked_value(asked));
    }
    const std::int64_t last = put(cluster, "/other", std::to_string(round));
    cluster.etcdctl("compact " + std::to_string(last));
    REQUIRE(eventually([&] { return berlin.status() == "APPROVED"; }));
    REQUIRE(eventually([&] { return !is_there(cluster, key_of("berlin", CsrKey::Kind::kDecision)); }));
    REQUIRE(eventually([&] { return !berlin.relay->status().problem; }));
  }
  CHECK(is_compacted());
  CHECK(desk->deny(name_of(kName), by("alice")));
}

TEST_CASE("CsrRelay: each decision is carried out once, whichever members of the cluster are killed") {
  EtcdCluster cluster({.members = 3});
  constexpr int kNames = 20;
  CsrStore::Options options;
  options.new_per_minute = 1000;
  Site berlin("berlin", std::move(options));
  const auto name = [](int i) { return "oracle1.there.agent" + std::to_string(i); };
  for (int i = 0; i < kNames; ++i) berlin.ask(name(i));
  berlin.relay_to(cluster);
  const auto desk = desk_of(cluster);
  REQUIRE(eventually([&] { return listed(*desk).size() == kNames; }));
  std::atomic<bool> is_over = false;
  std::jthread killer([&] {
    for (int i = 0; i < 3 && !is_over; ++i) {
      const std::size_t leader = cluster.leader();
      cluster.kill(leader);
      cluster.restart(leader);
      cluster.wait_until_healthy();
    }
  });
  for (int i = 0; i < kNames; ++i) {
    // Where it is not known whether it was asked for, it is asked for again.
    const bool is_approved = eventually([&] {
      const auto approved = desk->approve(name_of(name(i)), by("alice"));
      return approved && approved->decision.entry.certificate.has_value();
    });
    CHECK(is_approved);
  }
  is_over = true;
  killer.join();
  std::map<std::string, int> certificates;
  const auto issued = berlin.store->authority().list();
  REQUIRE(issued);
  for (const IssuedCertificate& one : *issued) ++certificates[one.certificate.common_name];
  for (int i = 0; i < kNames; ++i) {
    CHECK(berlin.status(name(i)) == "APPROVED");
    CHECK(certificates[name(i)] == 1);
  }
}

TEST_CASE("FleetCsrs: etcd itself keeps who may only read from deciding, and a site to itself") {
  EtcdCluster cluster(
      {.tls = true,
       .users = {
           {.name = "berlin",
            .password = "a-password-of-berlin",
            .prefix = "/vipauth/acme/certificates/berlin/"},
           {.name = "reader",
            .password = "a-password-of-readers",
            .prefix = "/vipauth/acme/certificates/",
            .may_write = false},
           {.name = "boss", .password = "a-password-of-bosses", .prefix = "/vipauth/acme/certificates/"}}});
  Site berlin("berlin");
  Site paris("paris");
  berlin.ask();
  paris.ask("oracle1.there.other");
  berlin.relay_to(cluster, "berlin");
  paris.relay_to(cluster, "berlin");  // with the wrong one's password
  const auto reader = desk_of(cluster, kFleet, "reader");
  REQUIRE(eventually([&] { return listed(*reader) == Lines{"berlin " + kName + " PENDING"}; }));
  REQUIRE(eventually([&] { return paris.relay->status().problem.has_value(); }));
  CHECK(paris.relay->status().problem->code == ErrorCode::kPermissionDenied);
  const auto refused = reader->approve(name_of(kName), by("mallory"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kPermissionDenied);
  CHECK_THAT(refused.error().to_string(), !Contains("a-password"));
  CHECK(berlin.status() == "PENDING");
  CHECK(desk_of(cluster, kFleet, "berlin")->list().error().code == ErrorCode::kPermissionDenied);
  CHECK(desk_of(cluster, kFleet, "boss")->approve(name_of(kName), by("boss")));
  CHECK(berlin.status() == "APPROVED");
  CHECK(listed(*reader) == Lines{"berlin " + kName + " APPROVED"});
}
