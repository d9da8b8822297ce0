// Authorizations by name, capabilities and topics, as AuthService offers them to its embedder.

#include <string>
#include <vector>

#include <vipauth/auth_service.hpp>

#include "support/asking.hpp"
#include "support/catch.hpp"
#include "support/homes.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

using Status = AuthorizationStatus;

ErrorCode code_of(const Result<void>& result) {
  REQUIRE_FALSE(result);
  return result.error().code;
}

}  // namespace

TEST_CASE("AuthService: a remote peer is found by its name, and says how it stands") {
  const TempHome home;
  home.write("auth.json", auth_file({user_record("local", kKeyA),
                                     user_record("remote", kKeyB, "{'address':'10.0.0.2'}")}));
  AuthService service = open_service(home);
  REQUIRE(ask_curve(service.zap_authenticator(), kKeyC, "10.0.0.3").status_code == "300");
  const std::string stranger = service.get_pending_authorizations()->at(0).user_id;
  const auto status = [&](const std::string& user_id) {
    return service.get_authorization_status(user_id).value();
  };

  CHECK(status(stranger) == Status::kPending);
  CHECK(service.get_authorization(stranger)->address == "10.0.0.3");
  CHECK(status("remote") == Status::kApproved);
  CHECK(service.get_authorization("remote")->credentials == kKeyB);
  for (const std::string name : {"local", "nobody", ""}) {
    CAPTURE(name);
    CHECK(status(name) == Status::kUnknown);
    CHECK(service.get_authorization(name).error().code == ErrorCode::kNotFound);
  }
  REQUIRE(service.deny_authorization(stranger));
  CHECK(status(stranger) == Status::kDenied);
  REQUIRE(service.approve_authorization(stranger));
  CHECK(status(stranger) == Status::kApproved);
  REQUIRE(service.delete_authorization(stranger));
  CHECK(status(stranger) == Status::kUnknown);

  home.write("auth.json", "{");
  CHECK(service.get_authorization_status("remote").error().code == ErrorCode::kParseError);
}

TEST_CASE("AuthService: gives users other capabilities of their own, all of them or none") {
  const TempHome home;
  home.write("auth.json",
             auth_file({user_record("alice", kKeyA, "{'capabilities':['old'],'roles':['r']}"),
                        user_record("alice", kKeyB, "{'capabilities':['other']}"),
                        user_record("bob", kKeyC, "{'capabilities':['bobs'],'comments':'kept'}")},
                       "{'roles':{'r':['by.role']}}"));
  AuthService service = open_service(home);
  const auto holds = [&](const std::string& user) {
    return service.policy()->current().snapshot->capabilities.capabilities_of(user);
  };
  REQUIRE(service.update_user_capabilities(json("{'alice':{'can_x':null,'can_y':{'p':1}}}")));
  CHECK(holds("alice") == std::vector<std::string>{"by.role", "can_x", "can_y"});
  CHECK(holds("bob") == std::vector<std::string>{"bobs"});
  CHECK(stored(home, "allow", 0, "capabilities") == json("{'can_x':null,'can_y':{'p':1}}"));
  CHECK(stored(home, "allow", 1, "capabilities") == json("{'can_x':null,'can_y':{'p':1}}"));

  const std::string written = home.read("auth.json");
  REQUIRE(service.update_user_capabilities(json("{'alice':{'can_x':null,'can_y':{'p':1}}}")));
  CHECK(code_of(service.update_user_capabilities(json("{'bob':['a'],'nobody':['b']}"))) ==
        ErrorCode::kNotFound);
  CHECK(code_of(service.update_user_capabilities(json("{'bob':5}"))) == ErrorCode::kInvalidArgument);
  CHECK(code_of(service.update_user_capabilities(json("['bob']"))) == ErrorCode::kInvalidArgument);
  CHECK(home.read("auth.json") == written);

  REQUIRE(service.update_user_capabilities(json("{'bob':{}}")));
  CHECK(holds("bob").empty());
  CHECK(stored(home, "allow", 2, "comments") == Json("kept"));
}

TEST_CASE("AuthService: topics are loaded and replaced list by list, and the rest of the file stays") {
  const TempHome home;
  home.write("auth.json", auth_file({user_record("alice", kKeyA)}));
  AuthService service = open_service(home);
  CHECK(service.load_protected_topics()->write_protect.empty());

  home.write("protected_topics.json",
             R"({"read-protect": [{"topic": "r", "capabilities": ["c"]}], "note": "kept"})");
  const auto rules = service.load_protected_topics();
  REQUIRE(rules);
  CHECK(rules->read_protect.size() == 1);
  CHECK_FALSE(service.authorize_receive("alice", "r").allowed());

  REQUIRE(service.update_protected_topics(json("{'write-protect':[{'topic':'w','capabilities':['c']}]}")));
  CHECK_FALSE(service.authorize_publish("alice", "w").allowed());
  CHECK_FALSE(service.authorize_receive("alice", "r").allowed());
  CHECK(service.authorize_publish("alice", "other").allowed());
  CHECK(Json::parse(home.read("protected_topics.json"))->find("note") != nullptr);

  const std::string written = home.read("protected_topics.json");
  for (const std::string_view bad :
       {"5", "{'write-protect':5}", "{'write-protect':[{'topic':'/(/','capabilities':[]}]}",
        "{'writeprotect':[]}"}) {
    CAPTURE(bad);
    CHECK_FALSE(service.update_protected_topics(json(bad)));
  }
  CHECK(home.read("protected_topics.json") == written);
  REQUIRE(service.update_protected_topics(json("{'write-protect':[]}")));
  CHECK(service.authorize_publish("alice", "w").allowed());
}

TEST_CASE("AuthService: topics that cannot be loaded leave the last good ones in force") {
  const TempHome home;
  home.write("auth.json", auth_file({user_record("alice", kKeyA)}));
  home.write("protected_topics.json", R"({"write-protect": [{"topic": "w", "capabilities": ["c"]}]})");
  AuthService service = open_service(home);
  home.write("protected_topics.json", "{");
  CHECK(service.load_protected_topics().error().code == ErrorCode::kParseError);
  CHECK_FALSE(service.authorize_publish("alice", "w").allowed());
  CHECK_FALSE(service.update_protected_topics(json("{'write-protect':[]}")));
  CHECK(home.read("protected_topics.json") == "{");
  std::filesystem::remove(home / "protected_topics.json");
  CHECK(service.load_protected_topics().error().code == ErrorCode::kNotFound);
  CHECK_FALSE(service.authorize_publish("alice", "w").allowed());

  home.write("protected_topics.json", "{}");
  home.write("auth.json", "{");  // another file's problem
  CHECK(service.load_protected_topics());
  CHECK(service.authorize_publish("alice", "w").allowed());
}

TEST_CASE(
    "AuthService: a user is told as revoked when removed, disabled, denied or expired, and refused at once") {
  const TempHome home;
  Timestamp now = kNow;
  AuthService::Options options;
  options.clock = [&] { return now; };
  const std::string expiring = auth_file(
      {user_record("alice", kKeyA, "{'not_after':'2026-11-21T12:00:00Z'}"), user_record("bob", kKeyB)});
  home.write("auth.json", expiring);
  AuthService service = open_service(home, options);
  std::vector<std::string> revoked;
  service.on_change([&](const PolicyChange& change) { revoked = change.revoked; });
  for (const std::string how : {"removed", "disabled", "denied", "expired"}) {
    CAPTURE(how);
    now = kNow;
    home.write("auth.json", expiring);
    REQUIRE(service.reload());
    Session alice = session_for(service, "alice", kKeyA);
    REQUIRE(alice.authorize_publish("t").allowed());
    if (how == "removed") home.write("auth.json", auth_file({user_record("bob", kKeyB)}));
    if (how == "disabled") {
      home.write("auth.json",
                 auth_file({user_record("alice", kKeyA, "{'enabled':false}"), user_record("bob", kKeyB)}));
    }
    if (how == "denied") {
      home.write("auth.json", auth_file({user_record("alice", kKeyA), user_record("bob", kKeyB)},
                                        "{'deny':[{'credentials':'" + kKeyA + "'}]}"));
    }
    if (how == "expired") now = *parse_timestamp("2026-11-21T12:00:00Z");
    REQUIRE(service.reload());
    CHECK(revoked == std::vector<std::string>{"alice"});
    CHECK(alice.authorize_publish("t").reason() == Reason::kRevoked);
    CHECK(alice.authorize_receive("t").reason() == Reason::kRevoked);
    CHECK(alice.authorize_call(UnboundCall{"bob", "m", Json()}).reason() == Reason::kRevoked);
    CHECK_FALSE(service.authorize_publish("alice", "t").allowed());
    CHECK(service.authorize_publish("bob", "t").allowed());
  }
}
