// Strangers, and what administrators do about them, through the AuthService that offers it.

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <vipauth/auth_service.hpp>

#include "support/asking.hpp"
#include "support/catch.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

using Status = AuthorizationStatus;

const std::string kVersion = R"("version": {"major": 1, "minor": 4})";

/// A home with a service that reads only when told to, or when it has changed something itself.
class Remote {
 public:
  Remote() : service_(open()) {}
  /// \param lists  the members of auth.json but the version
  explicit Remote(const std::string& lists) {
    write(lists);
    service_ = open();
  }

  void write(const std::string& lists) const { home.write("auth.json", "{" + lists + ", " + kVersion + "}"); }
  void restart() {
    service_.reset();
    service_ = open();
  }

  AuthService& service() { return *service_; }
  std::string ask(const std::string& key, const std::string& address = "10.0.0.1") {
    return ask_curve(service_->zap_authenticator(), key, address).status_code;
  }
  /// The user_id under which the stranger waits.
  std::string stranger(const std::string& key, const std::string& address = "10.0.0.1") {
    REQUIRE(ask(key, address) == "300");
    for (const Authorization& pending : pending_list()) {
      if (pending.credentials == key) return pending.user_id;
    }
    FAIL("not pending: " << key);
    return {};
  }

  std::vector<Authorization> pending_list() { return *service_->get_pending_authorizations(); }
  std::vector<Authorization> approved_list() { return *service_->get_approved_authorizations(); }
  std::vector<Authorization> denied_list() { return *service_->get_denied_authorizations(); }
  /// How many are pending, approved and denied.
  std::vector<std::size_t> counts() {
    return {pending_list().size(), approved_list().size(), denied_list().size()};
  }
  Json record(std::string_view list, std::size_t index = 0) const {
    const Json document = *Json::parse(home.read("auth.json"));
    REQUIRE(document.find(list)->as_array().size() > index);
    return document.find(list)->as_array()[index];
  }
  std::size_t size_of(std::string_view list) const {
    return Json::parse(home.read("auth.json"))->find(list)->as_array().size();
  }

  TempHome home;

 private:
  std::optional<AuthService> open() const {
    AuthService::Options options;
    options.watch = false;
    options.clock = [] { return kNow; };
    auto opened = AuthService::open(home.path(), options);
    REQUIRE(opened);
    return std::move(*opened);
  }

  std::optional<AuthService> service_;
};

std::string text_in(const Json& record, std::string_view member) {
  const Json* value = record.find(member);
  return value != nullptr && value->is_string() ? value->as_string()
                                                : "(" + (value ? value->dump() : "nothing") + ")";
}

std::string record(const std::string& user_id, const std::string& key, const std::string& more = "") {
  return R"({"user_id": ")" + user_id + R"(", "credentials": ")" + key + "\"" +
         (more.empty() ? "" : ", " + more) + "}";
}

std::string list(const std::string& one, const std::string& other) { return one + ", " + other; }
std::string allow(const std::string& records) { return "\"allow\": [" + records + "]"; }
std::string deny(const std::string& records) { return "\"deny\": [" + records + "]"; }

ErrorCode code_of(const Result<Authorization>& result) {
  REQUIRE_FALSE(result);
  return result.error().code;
}

}  // namespace

TEST_CASE("RemotePeers: a stranger is listed once, with its retries") {
  Remote remote;
  for (int i = 0; i < 3; ++i) CHECK(remote.ask(kKeyA, "::ffff:10.0.0.1") == "300");
  REQUIRE(remote.pending_list().size() == 1);
  const Authorization pending = remote.pending_list().front();
  CHECK(pending.status == Status::kPending);
  CHECK(to_string(pending.status) == "PENDING");
  CHECK(pending.user_id.size() == 36);
  CHECK(pending.domain == "vip");
  CHECK(pending.address == "10.0.0.1");
  CHECK(pending.mechanism == Mechanism::kCurve);
  CHECK(pending.credentials == kKeyA);
  CHECK(pending.retries == 3);
  CHECK(pending.first_seen == kNow);
  CHECK(pending.last_seen == kNow);
}

TEST_CASE("RemotePeers: only strangers with a key wait") {
  Remote remote(allow(record("alice", kKeyA)) + ", " + deny(record("eve", kKeyB)));
  CHECK(remote.ask(kKeyA) == "200");
  CHECK(remote.ask(kKeyB) == "400");
  ask_plain(remote.service().zap_authenticator(), "bob", "x");
  ask_null(remote.service().zap_authenticator());
  CHECK(remote.pending_list().empty());
  CHECK(remote.ask(kKeyC) == "300");
  CHECK(remote.pending_list().size() == 1);
}

TEST_CASE("RemotePeers: an approved stranger gets in from where it asked, and from nowhere else") {
  Remote remote;
  const std::string user_id = remote.stranger(kKeyA);
  remote.stranger(kKeyB);
  const auto approved = remote.service().approve_authorization(user_id);
  REQUIRE(approved);
  CHECK(approved->status == Status::kApproved);
  CHECK(approved->user_id == user_id);
  CHECK(approved->credentials == kKeyA);
  CHECK(remote.ask(kKeyA) == "200");
  CHECK(remote.ask(kKeyA, "10.0.0.2") == "300");
  CHECK(remote.ask(kKeyB) == "300");
  const Json record = remote.record("allow");
  CHECK(text_in(record, "address") == "10.0.0.1");
  CHECK(text_in(record, "domain") == "vip");
  CHECK(text_in(record, "mechanism") == "CURVE");
  CHECK(text_in(record, "user_id") == user_id);
  REQUIRE(remote.approved_list().size() == 1);
  CHECK(remote.approved_list().front().status == Status::kApproved);
  CHECK(remote.approved_list().front().address == "10.0.0.1");
}

TEST_CASE("RemotePeers: the approver sets what the record gives") {
  Remote remote("\"roles\": {\"reader\": [\"READ\"]}");
  Approval approval;
  approval.user_id = "alice";
  approval.identity = "agent.a";
  approval.roles = {"reader"};
  approval.groups = std::vector<std::string>{"staff"};
  approval.capabilities = Json(Json::Object{{"CAP", Json(Json::Object{{"x", 1}})}});
  const auto approved = remote.service().approve_authorization(remote.stranger(kKeyA), approval);
  REQUIRE(approved);
  CHECK(approved->user_id == "alice");
  const Json record = remote.record("allow");
  CHECK(text_in(record, "user_id") == "alice");
  CHECK(text_in(record, "identity") == "agent.a");
  CHECK(record.find("roles")->dump() == R"(["reader"])");
  CHECK(record.find("groups")->dump() == R"(["staff"])");
  CHECK(record.find("capabilities")->dump() == R"({"CAP":{"x":1}})");
  CHECK(remote.service().policy()->current().snapshot->capabilities.capabilities_of("alice") ==
        std::vector<std::string>{"CAP", "READ"});
}

TEST_CASE("RemotePeers: approved for any address it stays listed, also after a restart") {
  Remote remote;
  Approval approval;
  approval.any_address = true;
  const std::string user_id = remote.stranger(kKeyA);
  REQUIRE(remote.service().approve_authorization(user_id, approval));
  CHECK(remote.record("allow").find("address")->is_null());
  CHECK(remote.ask(kKeyA, "10.9.9.9") == "200");
  CHECK(remote.approved_list().size() == 1);
  remote.restart();
  REQUIRE(remote.approved_list().size() == 1);
  CHECK(remote.approved_list().front().user_id == user_id);
  CHECK(remote.approved_list().front().address == "10.0.0.1");  // where it asked from
  REQUIRE(remote.service().deny_authorization(user_id));
  CHECK(remote.ask(kKeyA) == "400");
}

TEST_CASE("RemotePeers: an approval that is refused leaves the stranger waiting") {
  Remote remote(allow(record("alice", kKeyB)));
  const std::string before = remote.home.read("auth.json");
  const std::string user_id = remote.stranger(kKeyA);
  Approval approval;
  approval.user_id = "alice";
  CHECK(code_of(remote.service().approve_authorization(user_id, approval)) == ErrorCode::kAlreadyExists);
  approval.user_id = "bad\nname";
  CHECK(code_of(remote.service().approve_authorization(user_id, approval)) == ErrorCode::kInvalidArgument);
  approval.user_id = "carol";
  approval.capabilities = Json(5);
  CHECK(code_of(remote.service().approve_authorization(user_id, approval)) == ErrorCode::kInvalidArgument);
  CHECK(remote.home.read("auth.json") == before);
  CHECK(remote.counts() == std::vector<std::size_t>{1, 0, 0});
  CHECK(remote.pending_list().front().user_id == user_id);
}

TEST_CASE("RemotePeers: a denied stranger is refused from every address, and asks in vain") {
  Remote remote;
  const std::string user_id = remote.stranger(kKeyA);
  const auto denied = remote.service().deny_authorization(user_id);
  REQUIRE(denied);
  CHECK(denied->status == Status::kDenied);
  CHECK(remote.ask(kKeyA) == "400");
  CHECK(remote.ask(kKeyA, "10.0.0.2") == "400");
  CHECK(remote.ask(kKeyB) == "300");
  CHECK(remote.counts() == std::vector<std::size_t>{1, 0, 1});
  const Json record = remote.record("deny");
  CHECK(record.find("address")->is_null());
  CHECK(record.find("domain")->is_null());
  CHECK(text_in(record, "credentials") == kKeyA);
  CHECK(text_in(record, "user_id") == user_id);
  CHECK(remote.denied_list().front().address == "10.0.0.1");
  CHECK(remote.denied_list().front().domain == "vip");
}

TEST_CASE(
    "RemotePeers: a peer that is denied after approval is revoked at once, and keeps its roles for later") {
  Remote remote("\"roles\": {\"reader\": [\"READ\"]}");
  Approval approval;
  approval.user_id = "alice";
  approval.roles = {"reader"};
  REQUIRE(remote.service().approve_authorization(remote.stranger(kKeyA), approval));
  Session alice = remote.service().session({"alice", Mechanism::kCurve, kKeyA, "vip", "10.0.0.1"});
  REQUIRE(alice.check().allowed());
  std::vector<std::string> revoked;
  remote.service().on_change([&](const PolicyChange& change) { revoked = change.revoked; });

  REQUIRE(remote.service().deny_authorization("alice"));
  CHECK(revoked == std::vector<std::string>{"alice"});
  CHECK(alice.check().reason() == Reason::kRevoked);
  CHECK(remote.ask(kKeyA) == "400");
  CHECK(remote.counts() == std::vector<std::size_t>{0, 0, 1});
  CHECK(remote.size_of("allow") == 0);
  CHECK(remote.service().policy()->current().snapshot->capabilities.capabilities_of("alice").empty());
  CHECK(remote.record("deny").find("roles")->dump() == R"(["reader"])");

  REQUIRE(remote.service().approve_authorization("alice"));
  CHECK(remote.ask(kKeyA) == "200");
  CHECK(remote.ask(kKeyA, "10.0.0.2") == "300");  // pinned to where it was before
  CHECK(alice.check().allowed());
  CHECK(remote.approved_list().size() == 1);
  CHECK(remote.size_of("deny") == 0);
  CHECK(remote.record("allow").find("roles")->dump() == R"(["reader"])");
}

TEST_CASE("RemotePeers: a denied peer can be approved with other settings") {
  Remote remote;
  const std::string user_id = remote.stranger(kKeyA);
  REQUIRE(remote.service().deny_authorization(user_id));
  Approval approval;
  approval.user_id = "alice";
  approval.roles = std::vector<std::string>{"reader"};
  approval.any_address = true;
  const auto approved = remote.service().approve_authorization(user_id, approval);
  REQUIRE(approved);
  CHECK(approved->user_id == "alice");
  CHECK(remote.ask(kKeyA, "10.9.9.9") == "200");
  CHECK(remote.record("allow").find("roles")->dump() == R"(["reader"])");
  CHECK(remote.approved_list().size() == 1);
}

TEST_CASE("RemotePeers: a list of addresses survives denial and approval") {
  const std::string places = R"("domain": ["vip", "other"], "address": ["10.0.0.1", "/10\\.1\\..*/"])";
  Remote remote(allow(record("alice", kKeyA, places)));
  REQUIRE(remote.approved_list().size() == 1);
  CHECK(remote.approved_list().front().address == "['10.0.0.1', '/10\\\\.1\\\\..*/']");
  REQUIRE(remote.service().deny_authorization("alice"));
  CHECK(remote.ask(kKeyA) == "400");
  remote.restart();
  REQUIRE(remote.service().approve_authorization("alice"));
  CHECK(remote.record("allow").find("address")->dump() == R"(["10.0.0.1","/10\\.1\\..*/"])");
  CHECK(remote.record("allow").find("domain")->dump() == R"(["vip","other"])");
  CHECK(remote.ask(kKeyA, "10.1.2.3") == "200");
  CHECK(remote.ask(kKeyA, "10.2.2.3") == "300");
}

TEST_CASE("RemotePeers: a hand-made deny record with places is approved for those places") {
  Remote remote(deny(record("alice", kKeyA, R"("address": ["10.0.0.1", "10.0.0.2"])")));
  CHECK(remote.ask(kKeyA) == "400");
  REQUIRE(remote.service().approve_authorization("alice"));
  CHECK(remote.ask(kKeyA, "10.0.0.2") == "200");
  CHECK(remote.ask(kKeyA, "10.0.0.3") == "300");
}

TEST_CASE("RemotePeers: a deleted request must be made again") {
  Remote remote;
  for (int i = 0; i < 3; ++i) remote.ask(kKeyA);
  const std::string user_id = remote.stranger(kKeyA);
  REQUIRE(remote.service().delete_authorization(user_id));
  CHECK(remote.counts() == std::vector<std::size_t>{0, 0, 0});
  CHECK_FALSE(remote.home.has("auth.json"));
  CHECK(remote.ask(kKeyA) == "300");
  REQUIRE(remote.pending_list().size() == 1);
  CHECK(remote.pending_list().front().retries == 1);
  CHECK(remote.pending_list().front().user_id != user_id);
}

TEST_CASE("RemotePeers: a deleted approval is gone, and the peer must ask again") {
  Remote remote;
  const std::string user_id = remote.stranger(kKeyA);
  REQUIRE(remote.service().approve_authorization(user_id));
  const auto deleted = remote.service().delete_authorization(user_id);
  REQUIRE(deleted);
  CHECK(deleted->status == Status::kApproved);  // what it was
  CHECK(remote.counts() == std::vector<std::size_t>{0, 0, 0});
  CHECK(remote.ask(kKeyA) == "300");
  CHECK(remote.pending_list().size() == 1);
  // Nothing remembers that it was approved once.
  remote.write(allow(record("alice", kKeyA)));
  REQUIRE(remote.service().reload());
  CHECK(remote.approved_list().empty());
}

TEST_CASE("RemotePeers: a deleted denial lets the peer ask again, and not in") {
  Remote remote;
  const std::string user_id = remote.stranger(kKeyA);
  REQUIRE(remote.service().deny_authorization(user_id));
  REQUIRE(remote.service().delete_authorization(user_id));
  CHECK(remote.counts() == std::vector<std::size_t>{0, 0, 0});
  CHECK(remote.ask(kKeyA) == "300");
  CHECK(remote.pending_list().size() == 1);
}

TEST_CASE("RemotePeers: deleting a denial wakes no allow record of the same key") {
  Remote remote(allow(record("alice", kKeyA) + ", " + record("bob", kKeyB)) + ", " +
                deny(record("mallory", kKeyA)));
  CHECK(remote.ask(kKeyA) == "400");
  REQUIRE(remote.service().delete_authorization("mallory"));
  CHECK(remote.ask(kKeyA) == "300");
  CHECK(remote.ask(kKeyB) == "200");
  CHECK(remote.size_of("allow") == 1);
}

TEST_CASE("RemotePeers: deleting never lets in by another record, wherever that one holds") {
  for (const std::string& other :
       {record("anyone", "/.*/"), record("anyone", "/.*/", R"("address": "10.7.7.7")"),
        record("anyone", "/.*/", R"("domain": "elsewhere")"),
        record("anyone", "/.*/", R"("not_before": "2030-01-01T00:00:00Z")"),
        record("second", kKeyA, R"("address": "10.7.7.7")")}) {
    INFO(other);
    const std::string mine = record("alice", kKeyA, R"("address": "10.0.0.1")");
    Remote approved(allow(list(mine, other)));
    std::string before = approved.home.read("auth.json");
    CHECK(code_of(approved.service().delete_authorization("alice")) == ErrorCode::kConflict);
    CHECK(approved.home.read("auth.json") == before);
    if (other.find("second") != std::string::npos) continue;  // goes with the denial of its key
    Remote denied(allow(other) + ", " + deny(record("alice", kKeyA)));
    before = denied.home.read("auth.json");
    CHECK(code_of(denied.service().delete_authorization("alice")) == ErrorCode::kConflict);
    CHECK(denied.home.read("auth.json") == before);
    CHECK(denied.ask(kKeyA) == "400");
  }
  Remote harmless(allow(record("alice", kKeyA, R"("address": "10.0.0.1")") + ", " +
                        record("others", "/B.*/") + ", " + record("off", "/.*/", R"("enabled": false)")));
  REQUIRE(harmless.service().delete_authorization("alice"));
  CHECK(harmless.ask(kKeyA) == "300");
}

TEST_CASE("RemotePeers: of a user with two denied keys deleting checks both") {
  Remote remote(allow(record("anyone", "/B.*/")) + ", " +
                deny(record("alice", kKeyA) + ", " + record("alice", kKeyB)));
  const std::string before = remote.home.read("auth.json");
  CHECK(code_of(remote.service().delete_authorization("alice")) == ErrorCode::kConflict);
  CHECK(remote.home.read("auth.json") == before);
}

TEST_CASE("RemotePeers: a record that stands for many peers is not moved or dropped for one") {
  for (const std::string& many :
       {record("many", "/.*/", R"("address": "10.0.0.1")"),
        std::string(R"({"user_id": "many", "mechanism": "NULL", "address": "10.0.0.1"})")}) {
    INFO(many);
    Remote approved(allow(many));
    REQUIRE(approved.approved_list().size() == 1);
    std::string before = approved.home.read("auth.json");
    CHECK(code_of(approved.service().deny_authorization("many")) == ErrorCode::kConflict);
    CHECK(code_of(approved.service().delete_authorization("many")) == ErrorCode::kConflict);
    CHECK(approved.home.read("auth.json") == before);

    Remote denied(deny(many));
    REQUIRE(denied.denied_list().size() == 1);
    before = denied.home.read("auth.json");
    CHECK(code_of(denied.service().approve_authorization("many")) == ErrorCode::kConflict);
    CHECK(code_of(denied.service().delete_authorization("many")) == ErrorCode::kConflict);
    CHECK(denied.home.read("auth.json") == before);
  }
}

TEST_CASE("RemotePeers: two records of one user are moved and dropped together") {
  const std::string two = record("alice", kKeyA, R"("address": "10.0.0.1")") + ", " +
                          record("alice", kKeyB, R"("address": "10.0.0.2")");
  Remote remote(allow(two));
  CHECK(remote.counts() == std::vector<std::size_t>{0, 2, 0});
  REQUIRE(remote.service().deny_authorization("alice"));
  CHECK(remote.counts() == std::vector<std::size_t>{0, 0, 2});
  CHECK(remote.ask(kKeyA) == "400");
  CHECK(remote.ask(kKeyB, "10.0.0.2") == "400");
  REQUIRE(remote.service().approve_authorization("alice"));
  CHECK(remote.counts() == std::vector<std::size_t>{0, 2, 0});
  CHECK(remote.ask(kKeyA) == "200");
  CHECK(remote.ask(kKeyB, "10.0.0.2") == "200");
  CHECK(remote.ask(kKeyB, "10.0.0.1") == "300");
  REQUIRE(remote.service().delete_authorization(remote.pending_list().front().user_id));
  REQUIRE(remote.service().delete_authorization("alice"));
  CHECK(remote.counts() == std::vector<std::size_t>{0, 0, 0});
  CHECK(remote.ask(kKeyA) == "300");
  CHECK(remote.ask(kKeyB, "10.0.0.2") == "300");
}

TEST_CASE("RemotePeers: approving and denying again changes nothing") {
  Remote remote;
  const std::string user_id = remote.stranger(kKeyA);
  REQUIRE(remote.service().approve_authorization(user_id));
  std::string before = remote.home.read("auth.json");
  CHECK(remote.service().approve_authorization(user_id)->status == Status::kApproved);
  CHECK(remote.home.read("auth.json") == before);
  Approval approval;
  approval.roles = std::vector<std::string>{"admin"};
  CHECK(code_of(remote.service().approve_authorization(user_id, approval)) == ErrorCode::kConflict);
  CHECK(remote.home.read("auth.json") == before);
  REQUIRE(remote.service().deny_authorization(user_id));
  before = remote.home.read("auth.json");
  CHECK(remote.service().deny_authorization(user_id)->status == Status::kDenied);
  CHECK(remote.home.read("auth.json") == before);
}

TEST_CASE("RemotePeers: a name that is not listed is an error that says so") {
  Remote remote(allow(record("local", kKeyA)));  // no address, and nobody approved it here
  const std::string before = remote.home.read("auth.json");
  CHECK(remote.approved_list().empty());
  for (const std::string name : {"nobody", "local", "", "bad\x1b[2J"}) {
    INFO(name);
    for (const auto& result :
         {remote.service().approve_authorization(name), remote.service().deny_authorization(name),
          remote.service().delete_authorization(name)}) {
      CHECK(code_of(result) == ErrorCode::kNotFound);
      CHECK(result.error().message.find('\x1b') == std::string::npos);
    }
  }
  CHECK(remote.home.read("auth.json") == before);
  CHECK_FALSE(remote.home.has("auth.json.bak"));
  CHECK(remote.ask(kKeyA) == "200");
}

TEST_CASE("RemotePeers: records with an address count as approved, as with VOLTTRON") {
  Remote remote(allow(record("pinned", kKeyA, R"("address": "10.0.0.1")") + ", " + record("local", kKeyB) +
                      ", " + record("empty", kKeyC, R"("address": "")")));
  REQUIRE(remote.approved_list().size() == 1);
  CHECK(remote.approved_list().front().user_id == "pinned");
}

TEST_CASE("RemotePeers: a user by name and password never has the password in pending.json") {
  const std::string bob =
      R"({"user_id": "bob", "mechanism": "PLAIN", "credentials": "hunter2", "address": "10.0.0.1"})";
  const std::string carl =
      R"({"user_id": "carl", "mechanism": "PLAIN", "credentials": "hunter2", "address": "10.0.0.1"})";
  Remote remote(allow(bob + ", " + carl));
  const auto ask = [&](const std::string& name) {
    return ask_plain(remote.service().zap_authenticator(), name, "hunter2", "10.0.0.1").status_code;
  };
  REQUIRE(remote.approved_list().size() == 2);
  CHECK(remote.approved_list().front().credentials.empty());
  REQUIRE(remote.service().deny_authorization("bob"));
  CHECK(remote.home.read("pending.json").find("hunter2") == std::string::npos);
  CHECK(ask("bob") == "400");
  CHECK(ask("carl") == "200");
  CHECK(remote.denied_list().front().credentials.empty());
  REQUIRE(remote.service().approve_authorization("bob"));
  CHECK(ask("bob") == "200");
  CHECK(text_in(remote.record("allow", 1), "address") == "10.0.0.1");
  REQUIRE(remote.service().deny_authorization("bob"));
  REQUIRE(remote.service().delete_authorization("bob"));
  CHECK(ask("bob") == "400");
  CHECK(ask("carl") == "200");  // who happens to have the same password
}

TEST_CASE("RemotePeers: deleting the denial of a user name lets it in by no other record") {
  const std::string hash = *hash_password("hunter2");
  Remote remote(allow(R"({"user_id": "bob", "mechanism": "PLAIN", "credentials": ")" + hash + "\"}") + ", " +
                deny(R"({"user_id": "bob", "mechanism": "PLAIN", "credentials": "hunter2"})"));
  const auto ask = [&] {
    return ask_plain(remote.service().zap_authenticator(), "bob", "hunter2").status_code;
  };
  CHECK(ask() == "400");
  CHECK(code_of(remote.service().delete_authorization("bob")) == ErrorCode::kConflict);
  CHECK(ask() == "400");
}

TEST_CASE("RemotePeers: an auth.json that cannot be read is left alone, and the stranger waits on") {
  Remote remote;
  const std::string user_id = remote.stranger(kKeyA);
  remote.home.write("auth.json", "{ broken");
  CHECK(code_of(remote.service().approve_authorization(user_id)) == ErrorCode::kParseError);
  CHECK(code_of(remote.service().deny_authorization(user_id)) == ErrorCode::kParseError);
  CHECK(remote.service().get_approved_authorizations().error().code == ErrorCode::kParseError);
  CHECK(remote.service().get_denied_authorizations().error().code == ErrorCode::kParseError);
  CHECK(remote.pending_list().size() == 1);
  CHECK(remote.home.read("auth.json") == "{ broken");
}

TEST_CASE("RemotePeers: where auth.json cannot be written the stranger waits on") {
  Remote remote;
  const std::string user_id = remote.stranger(kKeyA);
  std::filesystem::create_directory(remote.home / "auth.json.tmp");
  CHECK_FALSE(remote.service().approve_authorization(user_id));
  CHECK(remote.ask(kKeyA) == "300");
  REQUIRE(remote.pending_list().size() == 1);
  CHECK(remote.pending_list().front().user_id == user_id);
  CHECK(remote.pending_list().front().retries == 2);
  std::filesystem::remove(remote.home / "auth.json.tmp");
  REQUIRE(remote.service().approve_authorization(user_id));
  CHECK(remote.ask(kKeyA) == "200");
}

TEST_CASE("RemotePeers: two services of one home see each other's strangers and decisions") {
  Remote bus;
  AuthService::Options options;
  options.watch = false;
  auto admin = AuthService::open(bus.home.path(), options);  // as the command line does
  REQUIRE(admin);
  const std::string user_id = bus.stranger(kKeyA);
  REQUIRE(bus.service().flush());
  REQUIRE(admin->get_pending_authorizations()->size() == 1);
  REQUIRE(admin->approve_authorization(user_id));
  CHECK(bus.ask(kKeyA) == "300");  // does not know yet, and notes it again
  REQUIRE(bus.service().reload());
  CHECK(bus.ask(kKeyA) == "200");
  CHECK(bus.pending_list().empty());
  CHECK(bus.approved_list().size() == 1);
  REQUIRE(bus.service().flush());
  CHECK(admin->get_pending_authorizations()->empty());
}

TEST_CASE("RemotePeers: who is let in or shut out by an edit of the file waits no longer") {
  Remote remote;
  remote.stranger(kKeyA);
  remote.stranger(kKeyB);
  const std::string waiting = remote.stranger(kKeyC);
  remote.write(allow(record("alice", kKeyA)) + ", " + deny(record("eve", kKeyB)));
  REQUIRE(remote.service().reload());
  REQUIRE(remote.pending_list().size() == 1);
  CHECK(remote.pending_list().front().user_id == waiting);
}

TEST_CASE("RemotePeers: a peer whose records are disabled may ask, and be listed") {
  Remote remote(allow(record("alice", kKeyA, R"("enabled": false, "address": "10.0.0.1")")));
  CHECK(remote.ask(kKeyA) == "300");
  CHECK(remote.pending_list().size() == 1);
}

TEST_CASE("RemotePeers: says where the comments of auth.json are kept") {
  const TempHome home;
  LogBook log;
  std::optional<AuthService> service;
  AuthService::Options options;
  options.watch = false;
  options.log = [&](LogLevel level, const std::string& text) {
    log.sink()(level, text);
    if (service) static_cast<void>(service->get_pending_authorizations());  // no lock is held
  };
  service = std::move(*AuthService::open(home.path(), options));
  ask_curve(service->zap_authenticator(), kKeyA);
  home.write("auth.json", "# mine\n{" + kVersion + "}");
  REQUIRE(service->approve_authorization(service->get_pending_authorizations()->front().user_id));
  CHECK(log.count(LogLevel::kWarning, "auth.json.commented.bak") == 1);
  CHECK(home.read("auth.json.commented.bak") == "# mine\n{" + kVersion + "}");
}

TEST_CASE("RemotePeers: what is not understood survives decisions") {
  Remote remote(
      allow(record("keep", kKeyB, R"("mine": [1.50], "capabilities": "CAP")") + ", \"not a record\"") +
      R"(, "extra": {"b": 1, "a": 2})");
  const std::string user_id = remote.stranger(kKeyA);
  REQUIRE(remote.service().approve_authorization(user_id));
  REQUIRE(remote.service().deny_authorization(user_id));
  REQUIRE(remote.service().delete_authorization(user_id));
  const Json document = *Json::parse(remote.home.read("auth.json"));
  CHECK(document.find("extra")->dump() == R"({"b":1,"a":2})");
  REQUIRE(document.find("allow")->as_array().size() == 2);
  CHECK(remote.record("allow").find("mine")->dump() == "[1.50]");
  CHECK(remote.record("allow").find("capabilities")->dump() == R"("CAP")");
  CHECK(remote.record("allow", 1) == Json("not a record"));
}
