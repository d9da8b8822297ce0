// The peer platform.auth: who may call which method, and what it answers.

#include <vipauth/auth_peer.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/json_rpc.hpp>

#include "support/asking.hpp"
#include "support/catch.hpp"
#include "support/homes.hpp"
#include "support/vectors.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

constexpr const char* kPassword = "correct horse";

/// A home with an editor, an approver, an agent, and a user with a password; and its platform.auth.
class Platform {
 public:
  Platform() {
    Json plain(Json::Object{{"user_id", "plain"}, {"mechanism", "PLAIN"}, {"credentials", kPassword}});
    home.write("auth.json",
               auth_file({user_record("editor", kKeyA, "{'capabilities':['allow_auth_modifications']}"),
                          user_record("agent", kKeyB, "{'identity':'an.agent','roles':['r'],'groups':['g']}"),
                          user_record("narrow", kKeyC,
                                      "{'capabilities':{'allow_auth_modifications':{'user_id':'agent'}}}"),
                          plain},
                         "{'roles':{'r':['can_r'],'s':['can_s']},'groups':{'g':['s']}}"));
    service.emplace(open_service(home));
    peer.emplace(*service);
  }

  std::string call_text(const std::string& user, std::string_view method, const Json& params) {
    Session session = session_for(*service, user, user == "editor" ? kKeyA : user == "agent" ? kKeyB : kKeyC);
    const std::string identity = user == "agent" ? "an.agent" : user;
    const auto answers = peer->answer(session, identity, {rpc_request("1", method, params)});
    return answers.size() == 1 ? answers.front() : "";
  }

  Result<Json> call(const std::string& user, std::string_view method, const Json& params = {}) {
    RpcFrame frame = RpcFrame::parse(call_text(user, method, params));
    auto& response = std::get<RpcResponse>(frame.parts.at(0).item);
    if (const auto* error = std::get_if<RpcError>(&response.outcome)) return error->to_error();
    return std::get<Json>(response.outcome);
  }

  std::optional<ErrorCode> refusal(const std::string& user, std::string_view method,
                                   std::string_view params) {
    const auto done = call(user, method, json(params));
    if (done) return std::nullopt;
    return done.error().code;
  }

  TempHome home;
  std::optional<AuthService> service;
  std::optional<AuthPeer> peer;
};

}  // namespace

TEST_CASE("AuthPeer: every peer may ask who holds what") {
  Platform platform;
  CHECK(platform.call("agent", "get_user_to_capabilities").value() ==
        json("{'editor':{'allow_auth_modifications':null},'agent':{'can_r':null,'can_s':null},'narrow':"
             "{'allow_auth_modifications':{'user_id':'agent'}},'plain':{}}"));
  CHECK(platform.call("agent", "get_capabilities", json("['agent']")).value() ==
        json("{'can_r':null,'can_s':null}"));
  CHECK(platform.call("agent", "get_groups", json("['agent']")).value() == json("['g']"));
  CHECK(platform.call("agent", "get_roles", json("['agent']")).value() == json("['r']"));
  CHECK(platform.call("agent", "get_authorizations", json("['agent']")).value() ==
        json("[{'can_r':null,'can_s':null},['g'],['r']]"));
  CHECK(platform.call("agent", "get_authorizations", json("['nobody']")).value() == Json());
  CHECK(platform.call("agent", "get_capabilities", json("['nobody']")).value() == json("[]"));
}

TEST_CASE("AuthPeer: agrees with the recorded answers on authorizations") {
  for (const Json& vector : recorded_cases("get_authorizations.json")) {
    INFO(vector.text_at("name"));
    if (vector.find("upstream_bug") != nullptr) continue;
    const TempHome home;
    home.write("auth.json", vector.find("policy")->dump());
    AuthService service = open_service(home);
    AuthPeer peer(service);
    Session caller = session_for(service, "u0", kKeyA);
    const auto answers = peer.answer(
        caller, "u0", {rpc_request("1", "get_authorizations", Json::Array{*vector.find("user_id")})});
    const RpcFrame frame = RpcFrame::parse(answers.at(0));
    CHECK(std::get<Json>(std::get<RpcResponse>(frame.parts.at(0).item).outcome) ==
          *vector.find("upstream")->find("result"));
  }
}

TEST_CASE("AuthPeer: the file is for those who may change it, without a restriction, and shows no password") {
  Platform platform;
  const std::string text = platform.call_text("editor", "auth_file.read", {});
  CHECK(text.find(kPassword) == std::string::npos);
  const auto content = platform.call("editor", "auth_file.read");
  REQUIRE(content);
  CHECK(content->find("allow_list")->as_array().size() == 4);
  CHECK(content->find("allow_list")->as_array()[3].text_at("credentials") == "(password)");
  CHECK(content->find("deny_list")->as_array().empty());
  CHECK(*content->find("roles") == json("{'r':['can_r'],'s':['can_s']}"));
  CHECK(*content->find("version") == json("{'major':1,'minor':4}"));

  const std::string before = platform.home.read("auth.json");
  for (const std::string user : {"agent", "narrow"}) {
    for (const auto& [method, params] : std::vector<std::pair<std::string, std::string>>{
             {"auth_file.read", "[]"},
             {"auth_file.find_by_credentials", "['x']"},
             {"auth_file.add", "[{'credentials':'/.*/'}]"},
             {"auth_file.update_by_index", "[{'user_id':'x'},1]"},
             {"auth_file.remove_by_index", "[0]"},
             {"auth_file.remove_by_indices", "[[0]]"},
             {"auth_file.remove_by_credentials", "['" + kKeyA + "']"},
             {"auth_file.set_roles", "[{}]"},
             {"auth_file.set_groups", "[{}]"},
             {"auth_file.apply", "[[{'method':'auth_file.set_roles','params':[{}]}]]"},
             {"update_user_capabilities", "[{'agent':['x']}]"},
             {"update_protected_topics", "[{'write-protect':[]}]"},
             {"get_pending_authorizations", "[]"},
             {"update_id_rpc_authorizations", "['editor',{'m':['c']}]"},
             {"add_rpc_authorizations", "['an.agent','m',['c']]"}}) {
      INFO(user << " " << method);
      CHECK(platform.refusal(user, method, params) == ErrorCode::kPermissionDenied);
    }
  }
  CHECK(platform.home.read("auth.json") == before);
}

TEST_CASE("AuthPeer: auth_file edits the file as the methods of VOLTTRON do") {
  Platform platform;
  const auto did = [&](std::string_view method, std::string_view params) {
    const auto done = platform.call("editor", method, json(params));
    if (!done) FAIL_CHECK(done.error().to_string());
  };
  did("auth_file.add", "[{'user_id':'new','credentials':'/new.*/','comments':'c'}]");
  CHECK(stored(platform.home, "allow", 4, "user_id") == Json("new"));
  CHECK(platform.refusal("editor", "auth_file.add", "[{'user_id':'new','credentials':'/other/'}]") ==
        ErrorCode::kAlreadyExists);
  did("auth_file.update_by_index", "{'auth_entry':{'user_id':'newer','credentials':'/new.*/'},'index':4}");
  CHECK(stored(platform.home, "allow", 4, "user_id") == Json("newer"));
  CHECK(stored(platform.home, "allow", 4, "comments") == Json());
  did("auth_file.add", "{'entry':{'user_id':'bad','credentials':'/bad/'},'is_allow':false}");
  CHECK(stored(platform.home, "deny", 0, "user_id") == Json("bad"));
  did("auth_file.update_by_index", "[{'comments':'why'},0,false,true]");
  CHECK(stored(platform.home, "deny", 0, "comments") == Json("why"));
  CHECK(stored(platform.home, "deny", 0, "user_id") == Json("bad"));
  CHECK(platform.call("editor", "auth_file.find_by_credentials", json("['/new.*/']"))->as_array().size() ==
        1);
  CHECK(
      platform.call("editor", "auth_file.find_by_credentials", json("['/bad/',false]"))->as_array().size() ==
      1);
  CHECK(platform.call("editor", "auth_file.find_by_credentials", json("['/bad/']"))->as_array().empty());
  did("auth_file.remove_by_credentials", "['/bad/',false]");
  CHECK(platform.refusal("editor", "auth_file.remove_by_credentials", "['/bad/',false]") ==
        ErrorCode::kNotFound);
  did("auth_file.remove_by_index", "[4]");
  CHECK(platform.refusal("editor", "auth_file.remove_by_index", "[4]") == ErrorCode::kNotFound);
  CHECK(platform.refusal("editor", "auth_file.remove_by_index", "[-1]") == ErrorCode::kInvalidArgument);
  CHECK(platform.refusal("editor", "auth_file.remove_by_indices", "[[1,'2']]") ==
        ErrorCode::kInvalidArgument);
  did("auth_file.set_roles", "[{'r':['can_q']}]");
  CHECK(platform.call("agent", "get_capabilities", json("['agent']")).value() == json("{'can_q':null}"));
  CHECK(platform.refusal("editor", "auth_file.set_roles", "[{'r':5}]") == ErrorCode::kInvalidArgument);
  CHECK(platform.refusal("editor", "auth_file.set_groups", "[[]]") == ErrorCode::kInvalidArgument);
  did("auth_file.set_groups", "[{}]");
  CHECK(platform.call("agent", "get_groups", json("['agent']")).value() == json("['g']"));
}

TEST_CASE("AuthPeer: a password that was not shown stays when its record comes back") {
  Platform platform;
  Json record = platform.call("editor", "auth_file.read")->find("allow_list")->as_array().at(3);
  record.set("comments", "seen");
  REQUIRE(platform.call("editor", "auth_file.update_by_index", Json::Array{record, 3}));
  CHECK(stored(platform.home, "allow", 3, "credentials") == Json(kPassword));
  CHECK(stored(platform.home, "allow", 3, "comments") == Json("seen"));
  record.set("user_id", "another");
  CHECK_FALSE(platform.call("editor", "auth_file.add", Json::Array{record}));
  CHECK_FALSE(platform.call("editor", "auth_file.update_by_index", Json::Array{record, 1}));
  CHECK(platform.call("editor", "auth_file.find_by_credentials", Json::Array{kPassword})->as_array().empty());
  CHECK_FALSE(platform.call("editor", "auth_file.remove_by_credentials", Json::Array{kPassword}));
}

TEST_CASE("AuthPeer: an edit of what was read is not made on what somebody else left") {
  Platform platform;
  const Json digest = *platform.call("editor", "auth_file.read")->find("digest");
  const auto set_roles = [&](std::string_view roles) {
    return platform.call("editor", "auth_file.set_roles",
                         Json::Object{{"roles", json(roles)}, {"expected", digest}});
  };
  REQUIRE(set_roles("{'a':[]}"));
  const std::string before = platform.home.read("auth.json");
  const auto late = set_roles("{'b':[]}");
  REQUIRE_FALSE(late);
  CHECK(late.error().code == ErrorCode::kConflict);
  CHECK(platform.home.read("auth.json") == before);
}

TEST_CASE("AuthPeer: several changes are one edit, or none") {
  Platform platform;
  const std::string before = platform.home.read("auth.json");
  CHECK(platform.refusal("editor", "auth_file.apply",
                         "[[{'method':'auth_file.set_roles','params':[{}]},"
                         "{'method':'auth_file.remove_by_index','params':[99]}]]") == ErrorCode::kNotFound);
  CHECK(platform.refusal("editor", "auth_file.apply", "[[{'method':'auth_file.read','params':[]}]]") ==
        ErrorCode::kInvalidArgument);
  CHECK(platform.refusal("editor", "auth_file.apply", "[[]]") == ErrorCode::kInvalidArgument);
  CHECK(platform.home.read("auth.json") == before);
  CHECK_FALSE(platform.refusal("editor", "auth_file.apply",
                               "[[{'method':'auth_file.remove_by_index','params':[3]},"
                               "{'method':'auth_file.remove_by_index','params':{'index':2}}]]"));
  CHECK(Json::parse(platform.home.read("auth.json"))->find("allow")->as_array().size() == 2);
}

TEST_CASE("AuthPeer: an agent declares its own methods, and nobody else's") {
  Platform platform;
  CHECK(platform.call("agent", "update_id_rpc_authorizations", json("['an.agent',{'m':['cap'],'open':[]}]"))
            .value() == json("{'m':['cap'],'open':[]}"));
  CHECK(stored(platform.home, "allow", 1, "rpc_method_authorizations") == json("{'m':['cap'],'open':[]}"));
  CHECK(platform.refusal("agent", "update_id_rpc_authorizations", "['another',{'m':[]}]") ==
        ErrorCode::kPermissionDenied);
  CHECK(platform.call("editor", "update_id_rpc_authorizations", json("['an.agent',{'n':['x']}]")).value() ==
        json("{'m':['cap'],'n':['x'],'open':[]}"));
  CHECK_FALSE(platform.refusal("editor", "add_rpc_authorizations", "['an.agent','m',['more']]"));
  CHECK_FALSE(platform.refusal("editor", "delete_rpc_authorizations", "['an.agent','m',['cap']]"));
  CHECK(stored(platform.home, "allow", 1, "rpc_method_authorizations") ==
        json("{'m':['more'],'open':[],'n':['x']}"));
}

TEST_CASE("AuthPeer: decides on strangers") {
  Platform platform;
  const std::string key = "DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDA";
  CHECK(ask_curve(platform.service->zap_authenticator(), key, "10.0.0.1").status_code == "300");
  const auto pending = platform.call("editor", "get_pending_authorizations");
  REQUIRE(pending);
  REQUIRE(pending->as_array().size() == 1);
  const Json stranger = pending->as_array()[0];
  CHECK(stranger.text_at("credentials") == key);
  CHECK(stranger.text_at("address") == "10.0.0.1");
  CHECK(*stranger.find("retries") == Json(1));
  const Json name = Json::Array{stranger.text_at("user_id")};
  CHECK(platform.call("editor", "get_authorization_status", name).value() == Json("PENDING"));
  CHECK(platform.call("editor", "get_authorization", name)->text_at("status") == "PENDING");
  CHECK_FALSE(platform.call("agent", "approve_authorization", name));
  REQUIRE(platform.call(
      "editor", "approve_authorization",
      Json::Object{{"user_id", stranger.text_at("user_id")}, {"new_user_id", "bob"}, {"roles", "r"}}));
  CHECK(stored(platform.home, "allow", 4, "user_id") == Json("bob"));
  CHECK(stored(platform.home, "allow", 4, "roles") == json("['r']"));
  CHECK(platform.call("editor", "get_approved_authorizations")->as_array().size() == 1);
  REQUIRE(platform.call("editor", "deny_authorization", json("['bob']")));
  CHECK(platform.call("editor", "get_denied_authorizations")->as_array().size() == 1);
  REQUIRE(platform.call("editor", "delete_authorization", json("['bob']")));
  CHECK(platform.call("editor", "get_authorization_status", json("['bob']")).value() == Json("UNKNOWN"));
}

TEST_CASE("AuthPeer: topics are read and replaced where they are what was expected") {
  Platform platform;
  CHECK(platform.call("editor", "get_protected_topics").has_value());
  CHECK(platform.refusal("agent", "get_protected_topics", "[]") == ErrorCode::kPermissionDenied);
  CHECK_FALSE(platform.refusal("editor", "update_protected_topics",
                               "[{'write-protect':[{'topic':'t','capabilities':['c']}]}]"));
  const auto now = platform.call("editor", "get_protected_topics");
  REQUIRE(now);
  CHECK(*now->find("write-protect") == json("[{'topic':'t','capabilities':['c']}]"));
  CHECK(platform.refusal("editor", "update_protected_topics",
                         "{'rules':{'write-protect':[]},'expected':{}}") == ErrorCode::kConflict);
  CHECK(platform.call("editor", "update_protected_topics",
                      Json::Object{{"rules", json("{'write-protect':[]}")}, {"expected", *now}}));
}

TEST_CASE("AuthPeer: whatever comes is answered, and harms nothing") {
  Platform platform;
  Session session = session_for(*platform.service, "editor", kKeyA);
  const std::string before = platform.home.read("auth.json");
  for (const std::string& text :
       std::vector<std::string>{"", "{", "[]", "5", "null", "\xff\xfe", std::string(5000, '['),
                                R"({"jsonrpc":"2.0","method":"nothing","id":1})"}) {
    CHECK(platform.peer->answer(session, "editor", {text}).size() == 1);
  }
  CHECK(platform.peer->answer(session, "editor", {}).empty());
  for (const char* params :
       {"[]", "[5]", "[null]", "[[]]", "[{}]", "[true]", "[1,2,3,4,5,6,7,8]", "{'x':1}"}) {
    for (const char* method : {"auth_file.add", "auth_file.update_by_index", "auth_file.remove_by_indices",
                               "auth_file.apply", "approve_authorization", "deny_authorization",
                               "get_capabilities", "update_id_rpc_authorizations", "add_rpc_authorizations",
                               "update_user_capabilities", "update_protected_topics", "get_authorization"}) {
      if (std::string(method) == "auth_file.add" && std::string(params) == "[{}]") continue;
      const bool is_harmless = std::string(params) == "[{}]" || std::string(params) == "[[]]";
      INFO(method << params);
      const auto done = platform.call("editor", method, json(params));
      CHECK((!done || is_harmless));
    }
  }
  CHECK(platform.home.read("auth.json") == before);
}

TEST_CASE("AuthPeer: one message of an agent that holds nothing is not answered with gigabytes") {
  const TempHome home;
  std::vector<Json> records{user_record("agent", kKeyB, "{'identity':'an.agent'}")};
  for (int i = 0; i < 500; ++i) {
    records.push_back(json("{'user_id':'u" + std::to_string(i) + "','credentials':'/" + std::to_string(i) +
                           "/','capabilities':['can_do_this','can_do_that']}"));
  }
  home.write("auth.json", auth_file(records));
  AuthService service = open_service(home);
  AuthPeer peer(service);
  Session session = session_for(service, "agent", kKeyB);
  const Json call = json("{'jsonrpc':'2.0','id':1,'method':'get_user_to_capabilities'}");
  const std::string list = Json(Json::Array(RpcFrame::kMaxItems, call)).dump();
  const std::vector<std::string> frames(20, list);
  std::size_t bytes = 0;
  for (const std::string& answer : peer.answer(session, "an.agent", frames)) bytes += answer.size();
  INFO("asked with " << frames.size() * list.size() << " bytes, answered with " << bytes);
  CHECK(bytes < std::size_t{16} * 1024 * 1024);
}

TEST_CASE("AuthPeer: what an approver grants never makes the file unreadable over the bus") {
  const std::string stranger = "DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDA";
  for (int depth = 90; depth < 97; ++depth) {
    const TempHome home;
    home.write("auth.json",
               auth_file({user_record("editor", kKeyA, "{'capabilities':['allow_auth_modifications']}"),
                          user_record("approver", kKeyC, "{'capabilities':['approve_auth','x']}")}));
    AuthService service = open_service(home);
    AuthPeer peer(service);
    CHECK(ask_curve(service.zap_authenticator(), stranger, "10.0.0.1").status_code == "300");
    const auto call = [&](const std::string& user, const std::string& key, std::string_view method,
                          const Json& params) {
      Session session = session_for(service, user, key);
      return peer.answer(session, user, {rpc_request("1", method, params)}).at(0);
    };
    const auto pending = Json::parse(call("approver", kKeyC, "get_pending_authorizations", {}));
    const std::string name = pending->find("result")->as_array().at(0).text_at("user_id");
    Json nested = 1;
    for (int i = 0; i < depth; ++i) nested = Json::Array{nested};
    const std::string answer = call(
        "approver", kKeyC, "approve_authorization",
        Json::Object{{"user_id", name}, {"capabilities", Json::Object{{"x", Json::Object{{"a", nested}}}}}});
    INFO(depth << ": " << answer);
    CHECK(Json::parse(call("editor", kKeyA, "auth_file.read", {})));
    CHECK(Json::parse(call("editor", kKeyA, "get_user_to_capabilities", {})));
  }
}

TEST_CASE("AuthPeer: nobody tries by an edit what a record without a readable password holds") {
  const TempHome home;
  home.write("auth.json",
             auth_file({user_record("editor", kKeyA, "{'capabilities':['allow_auth_modifications']}"),
                        json("{'user_id':'old','credentials':'hunter2'}")}));
  AuthService service = open_service(home);
  AuthPeer peer(service);
  Session session = session_for(service, "editor", kKeyA);
  const auto answer_to_guess = [&](const std::string& guess) {
    return peer
        .answer(
            session, "editor",
            {rpc_request("1", "auth_file.apply",
                         Json::Array{Json::Array{
                             json("{'method':'auth_file.add','params':[{'user_id':'n','mechanism':'PLAIN',"
                                  "'credentials':'" +
                                  guess + "'}]}"),
                             json("{'method':'auth_file.remove_by_index','params':[999]}")}})})
        .at(0);
  };
  const std::string before = home.read("auth.json");
  CHECK(answer_to_guess("hunter2") == answer_to_guess("hunter3"));
  CHECK(home.read("auth.json") == before);
}

TEST_CASE(
    "AuthPeer: a file written from what was read lets nobody in by the text that stands for a password") {
  Platform platform;
  const auto content = platform.call("editor", "auth_file.read");
  REQUIRE(content);
  const TempHome copy;
  copy.write("auth.json", Json(Json::Object{{"allow", *content->find("allow_list")},
                                            {"deny", *content->find("deny_list")},
                                            {"roles", *content->find("roles")},
                                            {"groups", *content->find("groups")},
                                            {"version", *content->find("version")}})
                              .dump());
  AuthService service = open_service(copy);
  const auto asked = service.policy()->current().snapshot->authenticator.authenticate(
      AuthenticationRequest{"vip", "10.0.0.1", AuthenticationRequest::Plain{"plain", "(password)"}});
  CHECK_FALSE(asked.decision.allowed());
}

TEST_CASE("AuthPeer: who was revoked a moment ago learns nothing any more") {
  Platform platform;
  Session session = session_for(*platform.service, "agent", kKeyB);
  REQUIRE(platform.call("editor", "auth_file.remove_by_index", json("[1]")));
  REQUIRE_FALSE(session.check());
  const auto answers =
      platform.peer->answer(session, "an.agent", {rpc_request("1", "get_user_to_capabilities", {})});
  for (const std::string& answer : answers) CHECK(answer.find("editor") == std::string::npos);
}
