// What agents declare of their methods, what records say, and what is in force then.

#include <set>
#include <string>
#include <vector>

#include <vipauth/auth_service.hpp>
#include <vipauth/file_history.hpp>

#include "store/atomic_file.hpp"
#include "support/asking.hpp"
#include "support/catch.hpp"
#include "support/homes.hpp"
#include "support/vectors.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

using Names = std::vector<std::string>;

const Json kCaller = user_record("caller", kKeyA, "{'capabilities':['cap','other']}");
const Json kStranger = user_record("nobody", kKeyC);

DeclaredMethod method(const std::string& name, const Names& capabilities = {}) {
  return {name, std::nullopt, capabilities};
}

std::vector<DeclaredMethod> numbered_methods(std::size_t count) {
  std::vector<DeclaredMethod> out;
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i) out.push_back(method("m" + std::to_string(i)));
  return out;
}

Json agent(std::string_view methods) {
  Json out = user_record("u", kKeyB, "{'identity':'ag'}");
  out.set("rpc_method_authorizations", json(methods));
  return out;
}

Reason call(const AuthService& service, const std::string& user, const std::string& name) {
  return service.authorize_call(user, CallRequest{"ag", name, CallArguments()}).reason();
}

/// Collects what on_change tells.
struct Changes {
  explicit Changes(AuthService& service) {
    service.on_change([this](const PolicyChange& change) { all.push_back(change); });
  }
  Names methods() {
    Names out;
    for (const PolicyChange& change : all)
      out.insert(out.end(), change.methods_changed.begin(), change.methods_changed.end());
    all.clear();
    return out;
  }
  std::vector<PolicyChange> all;
};

}  // namespace

TEST_CASE("AuthService: a registration fills in what the record does not list, and the rest of it rules") {
  const TempHome home;
  home.write("auth.json",
             auth_file({kCaller, kStranger, agent("{'ruled':['cap'],'empty':[],'opened':['']}")}));
  AuthService service = open_service(home);
  Changes changes(service);
  const auto done = service.register_methods(
      "ag", {method("ruled", {"code"}), method("empty", {"cap"}), method("opened", {"cap"}),
             method("fresh", {"cap", "other"}), method("free")});
  REQUIRE(done);
  CHECK(done->stored);
  CHECK_FALSE(done->problem);
  CHECK(done->requirements == std::vector<MethodRequirement>{{"ag", "empty", {"cap"}},
                                                             {"ag", "free", {}},
                                                             {"ag", "fresh", {"cap", "other"}},
                                                             {"ag", "opened", {}},
                                                             {"ag", "ruled", {"cap"}}});
  CHECK(stored(home, "allow", 2, "rpc_method_authorizations") ==
        json("{'ruled':['cap'],'empty':['cap'],'opened':[''],'fresh':['cap','other'],'free':[]}"));
  CHECK(changes.methods() == Names{"ag"});
  for (const std::string name : {"ruled", "empty", "fresh"}) {
    CAPTURE(name);
    CHECK(call(service, "caller", name) == Reason::kAllowed);
    CHECK(call(service, "nobody", name) == Reason::kMissingCapability);
  }
  CHECK(call(service, "nobody", "opened") == Reason::kUnprotected);
  CHECK(call(service, "nobody", "free") == Reason::kUnprotected);
}

TEST_CASE("AuthService: a registration that says nothing new writes nothing, and tells nobody") {
  const TempHome home;
  home.write("auth.json", auth_file({kCaller, agent("{}")}));
  AuthService service = open_service(home);
  REQUIRE(service.register_methods("ag", {method("m", {"cap"})}));
  const std::string written = home.read("auth.json");
  const auto versions = FileHistory(home / "auth.json").list();
  REQUIRE(versions);
  Changes changes(service);
  const auto again = service.register_methods("ag", {method("m", {"cap"})});
  REQUIRE(again);
  CHECK(again->stored);
  CHECK(changes.all.empty());
  CHECK(home.read("auth.json") == written);
  CHECK(FileHistory(home / "auth.json").list()->size() == versions->size());

  // The record rules from then on: what the code says now is not written over it.
  REQUIRE(service.register_methods("ag", {method("m", {"another"})}));
  CHECK(home.read("auth.json") == written);
  CHECK(call(service, "caller", "m") == Reason::kAllowed);

  // Fewer methods: the record keeps the others, so that nothing opens.
  REQUIRE(service.register_methods("ag", {}));
  CHECK(home.read("auth.json") == written);
  CHECK(call(service, "nobody", "m") == Reason::kUnknown);
  CHECK(service.authorize_call("u", CallRequest{"ag", "m", CallArguments()}).reason() ==
        Reason::kMissingCapability);
}

TEST_CASE("AuthService: what an agent without a record declares is enforced, in memory") {
  const TempHome home;
  home.write("auth.json", auth_file({kCaller, kStranger}));
  AuthService service = open_service(home);
  Changes changes(service);
  const auto done = service.register_methods("ag", {method("m", {"cap"})});
  REQUIRE(done);
  CHECK_FALSE(done->stored);
  CHECK(home.read("auth.json") == auth_file({kCaller, kStranger}));
  CHECK(call(service, "caller", "m") == Reason::kAllowed);
  CHECK(call(service, "nobody", "m") == Reason::kMissingCapability);
  CHECK(changes.methods() == Names{"ag"});

  REQUIRE(service.reload());  // a new policy does not forget it
  CHECK(call(service, "nobody", "m") == Reason::kMissingCapability);
  CHECK(changes.methods().empty());

  service.forget_methods("ag");
  CHECK(call(service, "nobody", "m") == Reason::kUnprotected);
  CHECK(changes.methods() == Names{"ag"});
  service.forget_methods("ag");
  CHECK(changes.all.empty());
}

TEST_CASE("AuthService: a declaration counts also where auth.json cannot be edited, and that is said") {
  const TempHome home;
  home.write("auth.json", auth_file({kCaller, kStranger, agent("{}")}));
  LogBook log;
  AuthService::Options options;
  options.log = log.sink();
  AuthService service = open_service(home, options);
  home.write("auth.json", "{");
  const auto done = service.register_methods("ag", {method("m", {"cap"})});
  REQUIRE(done);
  CHECK_FALSE(done->stored);
  REQUIRE(done->problem);
  CHECK(done->problem->code == ErrorCode::kParseError);
  CHECK(log.count(LogLevel::kWarning, "is not written down") == 1);
  CHECK(call(service, "nobody", "m") == Reason::kMissingCapability);
  CHECK(home.read("auth.json") == "{");

  home.write("auth.json", auth_file({kCaller, kStranger, agent("{}")}));
  REQUIRE(service.reload());
  CHECK(call(service, "nobody", "m") == Reason::kMissingCapability);
  CHECK(service.register_methods("ag", {method("m", {"cap"})})->stored);  // now it can be
  CHECK(stored(home, "allow", 2, "rpc_method_authorizations") == json("{'m':['cap']}"));
}

TEST_CASE("AuthService: a registration does not wait long for a lock that somebody keeps") {
  const TempHome home;
  home.write("auth.json", auth_file({kCaller, kStranger, agent("{}")}));
  AuthService service = open_service(home);
  const auto lock = FileLock::acquire(home / "auth.json", std::chrono::seconds(10));
  REQUIRE(lock);
  const auto done = service.register_methods("ag", {method("m", {"cap"})});
  REQUIRE(done);
  REQUIRE(done->problem);
  CHECK(done->problem->code == ErrorCode::kBusy);
  CHECK(call(service, "nobody", "m") == Reason::kMissingCapability);
}

TEST_CASE(
    "AuthService: every call to an agent whose record cannot be read stays refused, whatever it declares") {
  const TempHome home;
  home.write("auth.json", auth_file({kCaller, agent("5")}));
  AuthService service = open_service(home);
  const auto done = service.register_methods("ag", {method("m")});
  REQUIRE(done);
  CHECK(done->problem);
  CHECK(done->requirements.empty());
  CHECK(call(service, "caller", "m") == Reason::kIllTyped);
  CHECK(stored(home, "allow", 1, "rpc_method_authorizations") == Json(5));
}

TEST_CASE("AuthService: an agent registers for the identity that it speaks under, and no other") {
  const TempHome home;
  home.write("auth.json", auth_file({user_record("alice", kKeyA), agent("{}")}));
  AuthService service = open_service(home);
  Session alice = session_for(service, "alice", kKeyA);
  Session own = session_for(service, "u", kKeyB);
  const std::vector<DeclaredMethod> methods = {method("m", {"cap"})};
  for (const std::string identity : {"ag", "u", "platform", "a/b", ""}) {
    CAPTURE(identity);
    const auto refused = service.register_methods(alice, identity, methods);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kPermissionDenied);
  }
  CHECK(service.register_methods(alice, "alice.2", methods));
  CHECK(service.register_methods(own, "ag", methods));
  CHECK_FALSE(service.register_methods(own, "u", methods));  // its record gives it another name
  CHECK(FileHistory(home / "auth.json").list()->back().who == "peer:u");

  home.write("auth.json", auth_file({agent("{}")}));
  REQUIRE(service.reload());
  CHECK_FALSE(service.register_methods(alice, "alice.2", methods));  // revoked
}

TEST_CASE("AuthService: what an agent declared under a free name no other user replaces") {
  const TempHome home;
  home.write("auth.json", auth_file({user_record("alice", kKeyA), user_record("mallory", kKeyB)}));
  AuthService service = open_service(home);
  Session alice = session_for(service, "alice", kKeyA);
  Session mallory = session_for(service, "mallory", kKeyB);
  const auto may_set = [&] { return mallory.authorize_call(CallRequest{"weather", "set", CallArguments()}); };
  REQUIRE(service.register_methods(alice, "weather", {method("set", {"can_set"})}));
  const auto refused = service.register_methods(mallory, "weather", {method("set")});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kConflict);
  CHECK_FALSE(may_set());
  CHECK(service.register_methods(alice, "weather", {method("set", {"can_set"}), method("get")}));
  CHECK(service.register_methods(mallory, "mallory", {method("set")}));

  service.forget_methods("weather");
  CHECK(service.register_methods(mallory, "weather", {method("set")}));

  // The embedder's own word, and what a record gives, go before.
  CHECK(service.register_methods("weather", {method("set", {"can_set"})}));
  CHECK(service.register_methods(alice, "weather", {method("set")}).error().code == ErrorCode::kConflict);
  home.write("auth.json", auth_file({user_record("alice", kKeyA, "{'identity':'weather'}"),
                                     user_record("mallory", kKeyB)}));
  REQUIRE(service.reload());
  CHECK(service.register_methods(alice, "weather", {method("set"), method("get")}));
}

TEST_CASE("AuthService: a user may take back its own name, whoever declared under it before") {
  const TempHome home;
  home.write("auth.json", auth_file({user_record("mallory", kKeyB)}));
  AuthService service = open_service(home);
  Session mallory = session_for(service, "mallory", kKeyB);
  REQUIRE(service.register_methods(mallory, "alice", {method("set")}));
  home.write("auth.json", auth_file({user_record("alice", kKeyA), user_record("mallory", kKeyB)}));
  REQUIRE(service.reload());
  Session alice = session_for(service, "alice", kKeyA);
  CHECK(service.register_methods(alice, "alice", {method("set", {"can_set"})}));
  CHECK_FALSE(service.register_methods(mallory, "alice", {method("set")}));
}

TEST_CASE("AuthService: what one user may declare under free names is bounded") {
  const TempHome home;
  home.write("auth.json", auth_file({user_record("alice", kKeyA), user_record("bob", kKeyB)}));
  AuthService service = open_service(home);
  Session alice = session_for(service, "alice", kKeyA);
  Session bob = session_for(service, "bob", kKeyB);
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < 2 * MethodRegistry::kMaxAgentsOfOwner; ++i) {
    const auto done = service.register_methods(alice, "name" + std::to_string(i), {method("m")});
    accepted += done ? 1U : 0U;
    if (!done) CHECK(done.error().code == ErrorCode::kLimitExceeded);
  }
  CHECK(accepted == MethodRegistry::kMaxAgentsOfOwner);
  CHECK(service.register_methods(alice, "name0", {method("n")}));
  CHECK(service.register_methods(bob, "bob.1", {method("m")}));
  service.forget_methods("name1");
  CHECK(service.register_methods(alice, "another", {method("m")}));
}

TEST_CASE("AuthService: an agent that registers again and again pushes nothing out of the history") {
  const TempHome home;
  home.write("auth.json", auth_file({user_record("u", kKeyB, "{'identity':'ag'}")}));
  AuthService service = open_service(home);
  REQUIRE(service.add_rpc_authorizations("ag", "first", {"cap"}));
  const std::string before = home.read("auth.json");
  Session session = session_for(service, "u", kKeyB);
  for (int i = 0; i < 30; ++i) {
    const auto done = service.register_methods(session, "ag", {method("m" + std::to_string(i))});
    REQUIRE(done);
    CHECK(done->stored);
  }
  REQUIRE(service.add_rpc_authorizations("ag", "m0", {"cap"}));
  const auto versions = FileHistory(home / "auth.json").list();
  REQUIRE(versions);
  REQUIRE(versions->size() == 3);
  CHECK(versions->at(1).who == "peer:u");
  CHECK(versions->at(1).command == "register_methods");
  CHECK(*FileHistory(home / "auth.json").read(versions->at(1).number) == before);
}

TEST_CASE("AuthService: a user changes what its agents declare so often, and then in time") {
  const TempHome home;
  home.write("auth.json", auth_file({user_record("u", kKeyB, "{'identity':'ag'}"), user_record("v", kKeyA)}));
  Timestamp now = kNow;
  AuthService::Options options;
  options.clock = [&now] { return now; };
  AuthService service = open_service(home, options);
  Session session = session_for(service, "u", kKeyB);
  const auto change = [&](int i) {
    return service.register_methods(session, "ag", {method("m" + std::to_string(i))});
  };
  for (int i = 0; i < 30; ++i) REQUIRE(change(i));
  const std::string written = home.read("auth.json");
  const auto generation = service.policy()->generation();
  const auto refused = change(30);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kBusy);
  CHECK_THAT(refused.error().message, Catch::Contains("try again later"));
  CHECK(home.read("auth.json") == written);
  CHECK(service.policy()->generation() == generation);
  CHECK(change(29));  // says nothing new
  Session other = session_for(service, "v", kKeyA);
  CHECK(service.register_methods(other, "vs", {method("m")}));  // another user
  CHECK(service.register_methods("ag", {method("m30")}));       // the embedder
  now += std::chrono::seconds(2);
  CHECK(change(31));
  CHECK_FALSE(change(32));
  now += std::chrono::minutes(10);
  for (int i = 32; i < 62; ++i) REQUIRE(change(i));
  CHECK_FALSE(change(62));
  now -= std::chrono::hours(10);  // a clock that was set back
  CHECK_FALSE(change(62));
  now += std::chrono::minutes(1);
  CHECK(change(62));
}

TEST_CASE("AuthService: what agents declare makes their records grow to a bound") {
  const TempHome home;
  home.write("auth.json", auth_file({user_record("u", kKeyB, "{'identity':'ag'}")}));
  AuthService service = open_service(home);
  const auto declare = [&](char first) {
    std::vector<DeclaredMethod> methods;
    methods.reserve(4);
    for (char last = 'a'; last <= 'd'; ++last) {
      Names capabilities;
      for (int i = 0; i < 60; ++i) capabilities.push_back(std::string(200, 'c') + std::to_string(i));
      methods.push_back(method(std::string{first, last}, capabilities));
    }
    return service.register_methods("ag", methods);
  };
  for (const char first : {'a', 'b', 'c', 'd', 'e'}) CHECK(declare(first)->stored);
  const std::string written = home.read("auth.json");
  const auto refused = declare('f');
  REQUIRE(refused);  // in force, and told why it is not written down
  CHECK_FALSE(refused->stored);
  CHECK(home.read("auth.json") == written);
  CHECK(written.size() < std::size_t{512} * 1024);
}

TEST_CASE("AuthService: what keeps methods from being written down is logged once, and costs no edit again") {
  const TempHome home;
  home.write("auth.json", auth_file({user_record("u", kKeyB, "{'identity':'ag'}")}));
  LogBook log;
  AuthService::Options options;
  options.log = log.sink();
  AuthService service = open_service(home, options);
  std::vector<DeclaredMethod> many = numbered_methods(DeclarationLimits::kMaxMethods);
  REQUIRE(service.register_methods("ag", many)->stored);
  const auto lines = log.lines().size();
  const auto lock = FileLock::acquire(home / "auth.json", std::chrono::milliseconds(0));
  REQUIRE(lock);
  for (int i = 0; i < 5; ++i) {
    const auto done = service.register_methods("ag", {method("x" + std::to_string(i))});
    REQUIRE(done);
    REQUIRE(done->problem);
    CHECK(done->problem->code == ErrorCode::kLimitExceeded);  // not kBusy: nobody waits for the lock
  }
  CHECK(log.lines().size() == lines + 1);
}

TEST_CASE("AuthService: the records of an agent grow to a limit, however often it registers something else") {
  const TempHome home;
  home.write("auth.json", auth_file({kCaller, agent("{}")}));
  AuthService service = open_service(home);
  std::vector<DeclaredMethod> many = numbered_methods(DeclarationLimits::kMaxMethods);
  CHECK(service.register_methods("ag", many)->stored);
  const auto more = service.register_methods("ag", {method("one.more", {"cap"})});
  REQUIRE(more);
  REQUIRE(more->problem);
  CHECK(more->problem->code == ErrorCode::kLimitExceeded);
  CHECK(call(service, "u", "one.more") == Reason::kMissingCapability);
  CHECK(stored(home, "allow", 1, "rpc_method_authorizations").as_object().size() ==
        DeclarationLimits::kMaxMethods);
}

TEST_CASE(
    "AuthService: rpc add and remove take effect on the fly, and the bus is told whose methods changed") {
  const TempHome home;
  home.write("auth.json", auth_file({kCaller, kStranger, agent("{}")}));
  AuthService service = open_service(home);
  REQUIRE(service.register_methods("ag", {method("m")}));
  CHECK(call(service, "nobody", "m") == Reason::kUnprotected);
  Changes changes(service);

  REQUIRE(service.add_rpc_authorizations("ag", "m", {"cap"}));
  CHECK(changes.methods() == Names{"ag"});
  CHECK(call(service, "nobody", "m") == Reason::kMissingCapability);
  CHECK(call(service, "caller", "m") == Reason::kAllowed);

  REQUIRE(service.remove_rpc_authorizations("ag", "m", {"cap"}));  // a list that is cleared propagates
  CHECK(changes.methods() == Names{"ag"});
  CHECK(call(service, "nobody", "m") == Reason::kUnprotected);
  REQUIRE(service.register_methods("ag", {method("m", {"cap"})}));  // and stays cleared
  CHECK(call(service, "nobody", "m") == Reason::kUnprotected);

  REQUIRE(service.add_rpc_authorizations("ag", "m", {"cap"}));
  changes.all.clear();
  REQUIRE(service.add_rpc_authorizations("ag", "m", {"cap"}));  // it has that
  CHECK(changes.all.empty());

  home.write("auth.json", auth_file({kCaller, kStranger, agent("{'m':['by.hand']}")}));
  REQUIRE(service.reload());
  CHECK(changes.methods() == Names{"ag"});
  CHECK(call(service, "caller", "m") == Reason::kMissingCapability);
  home.write("auth.json", auth_file({kStranger, agent("{'m':['by.hand'],'n':['']}")}));
  REQUIRE(service.reload());
  CHECK(changes.methods().empty());
}

TEST_CASE("AuthService: an unknown identity or method is an error that says what there is") {
  const TempHome home;
  home.write("auth.json", auth_file({kCaller, agent("{'listed':['cap']}")}));
  AuthService service = open_service(home);
  REQUIRE(service.register_methods("ag", {method("m"), method("n")}));
  const auto message = [](const Result<void>& result, ErrorCode code) {
    REQUIRE_FALSE(result);
    CHECK(result.error().code == code);
    return result.error().message;
  };
  CHECK(message(service.add_rpc_authorizations("missing", "m", {"cap"}), ErrorCode::kNotFound) ==
        "no record has the identity \"missing\": there are ['ag']");
  CHECK(message(service.add_rpc_authorizations("ag", "missing", {"cap"}), ErrorCode::kNotFound) ==
        "the agent \"ag\" has no method \"missing\": it has ['listed', 'm', 'n']");
  CHECK(message(service.remove_rpc_authorizations("ag", "missing", {"cap"}), ErrorCode::kNotFound) ==
        "\"ag\" lists no method \"missing\": it lists ['listed', 'm', 'n']");
  CHECK(message(service.remove_rpc_authorizations("ag", "listed", {"x"}), ErrorCode::kNotFound) ==
        "\"listed\" of \"ag\" does not require \"x\": it requires ['cap']");
  for (const std::string name : {"platform.auth", "control.connection", "control", "platform.health"}) {
    message(service.add_rpc_authorizations(name, "m", {"c"}), ErrorCode::kConflict);
    message(service.remove_rpc_authorizations(name, "m", {"c"}), ErrorCode::kConflict);
  }
  CHECK(service.add_rpc_authorizations("ag", "listed", {"more"}));
}

TEST_CASE("AuthService: arguments by position are decided by the parameters that the agent declared") {
  const TempHome home;
  home.write("auth.json", auth_file({user_record("one", kKeyA, "{'capabilities':{'cap':{'x':1}}}"),
                                     user_record("all", kKeyC, "{'capabilities':['cap']}"), agent("{}")}));
  AuthService service = open_service(home);
  const auto declared = parse_declaration(
      json("{'bar':{'capabilities':['cap'],'params':{'x':{'kind':'POSITIONAL_OR_KEYWORD','default':1},"
           "'y':{'kind':'KEYWORD_ONLY','default':null}}},'named':['cap'],'free':[]}"));
  REQUIRE(declared);
  REQUIRE(service.register_methods("ag", *declared));
  Session one = session_for(service, "one", kKeyA);
  const auto ask = [&](const std::string& user, std::string_view name, std::string_view params) {
    const Json given = json(params);
    const UnboundCall unbound{"ag", name, given};
    const Decision decision = service.authorize_call(user, unbound);
    if (user == "one") CHECK(one.authorize_call(unbound).reason() == decision.reason());
    CHECK(decision.allowed() ==
          (decision.reason() == Reason::kAllowed || decision.reason() == Reason::kUnprotected));
    return decision.reason();
  };
  CHECK(ask("one", "bar", "[1]") == Reason::kAllowed);
  CHECK(ask("one", "bar", "[42]") == Reason::kRestricted);
  CHECK(ask("one", "bar", "[]") == Reason::kAllowed);  // the default
  CHECK(ask("one", "bar", "null") == Reason::kAllowed);
  CHECK(ask("one", "bar", "{'x':42}") == Reason::kRestricted);
  CHECK(ask("one", "bar", "{'*args':[1],'**kwargs':{'y':2}}") == Reason::kAllowed);
  CHECK(ask("one", "bar", "{'*args':[42],'**kwargs':{}}") == Reason::kRestricted);
  CHECK(ask("one", "bar", "{'*args':[1],'**kwargs':{'x':42}}") == Reason::kMalformed);
  CHECK(ask("one", "bar", "{'x':1,'**kwargs':{'x':42}}") == Reason::kMalformed);
  CHECK(ask("one", "bar", "{'*args':[1],'x':42}") == Reason::kMalformed);
  CHECK(ask("one", "bar", "[1,2]") == Reason::kMalformed);
  CHECK(ask("one", "bar", "5") == Reason::kMalformed);
  CHECK(ask("all", "bar", "[42]") == Reason::kAllowed);
  CHECK(ask("all", "bar", "[1,2,3]") == Reason::kMalformed);
  CHECK(ask("u", "bar", "[1,2,3]") == Reason::kMissingCapability);
  CHECK(ask("who", "bar", "[1]") == Reason::kUnknown);

  CHECK(ask("one", "named", "{'x':1}") == Reason::kAllowed);
  CHECK(ask("one", "named", "[1]") == Reason::kMalformed);  // which parameter that is, is not known
  CHECK(ask("all", "named", "[1]") == Reason::kAllowed);    // and does not matter to whom it may be anything
  CHECK(ask("u", "named", "[1]") == Reason::kMissingCapability);
  CHECK(ask("all", "named", "{'*args':[1],'x':42}") == Reason::kMalformed);
  CHECK(ask("u", "free", "[1]") == Reason::kUnprotected);
  CHECK(ask("u", "undeclared", "[1]") == Reason::kUnprotected);
}

TEST_CASE("check_declaration: several declarations of a method add up") {
  const auto checked = check_declaration({method("m", {"a", "a"}), method("n"), method("m", {"b", "a"})});
  REQUIRE(checked);
  CHECK(*checked == std::vector<DeclaredMethod>{method("m", {"a", "b"}), method("n")});
}

TEST_CASE("check_declaration: refuses what is no declaration, or too much of one") {
  using Kind = Parameter::Kind;
  const auto code = [](std::vector<DeclaredMethod> methods) {
    const auto checked = check_declaration(std::move(methods));
    REQUIRE_FALSE(checked);
    return checked.error().code;
  };
  const auto with = [](std::vector<Parameter> parameters) {
    return std::vector<DeclaredMethod>{{"m", std::move(parameters), {}}};
  };
  for (const std::string bad : {"", "a\nb", "\xff", "\x7f"}) {
    CAPTURE(bad);
    CHECK(code({method(bad)}) == ErrorCode::kInvalidArgument);
    CHECK(code({method("m", {bad})}) == ErrorCode::kInvalidArgument);
    CHECK(code(with({{bad, Kind::kPositional, std::nullopt}})) == ErrorCode::kInvalidArgument);
  }
  CHECK(code(with({{"x", Kind::kPositional, std::nullopt}, {"x", Kind::kKeywordOnly, std::nullopt}})) ==
        ErrorCode::kInvalidArgument);
  CHECK(code(with({{"a", Kind::kVarPositional, std::nullopt}, {"b", Kind::kVarPositional, std::nullopt}})) ==
        ErrorCode::kInvalidArgument);

  CHECK(code({method(std::string(256, 'x'))}) == ErrorCode::kLimitExceeded);
  CHECK(code({method("m", Names(65, "x"))}) == ErrorCode::kLimitExceeded);
  CHECK(code(with(std::vector<Parameter>(65, {"x", Kind::kPositional, std::nullopt}))) ==
        ErrorCode::kLimitExceeded);
  CHECK(code(with({{"x", Kind::kPositional, Json(std::string(70'000, 'x'))}})) == ErrorCode::kLimitExceeded);
  std::vector<DeclaredMethod> many = numbered_methods(257);
  CHECK(code(many) == ErrorCode::kLimitExceeded);
  many.pop_back();
  CHECK(check_declaration(many));
}

TEST_CASE("parse_declaration: reads both forms, and refuses others") {
  const auto read = parse_declaration(
      json("{'m':['a'],'n':{'params':{'x':{'kind':'VAR_POSITIONAL'},'y':{'default':7}}},'o':{}}"));
  REQUIRE(read);
  CHECK(*read == std::vector<DeclaredMethod>{
                     method("m", {"a"}),
                     {"n",
                      std::vector<Parameter>{{"x", Parameter::Kind::kVarPositional, std::nullopt},
                                             {"y", Parameter::Kind::kPositional, Json(7)}},
                      {}},
                     method("o")});
  for (const std::string_view bad :
       {"5", "[]", "{'m':5}", "{'m':'cap'}", "{'m':[5]}", "{'m':{'capabilities':'a'}}", "{'m':{'params':[]}}",
        "{'m':{'params':{'x':5}}}", "{'m':{'params':{'x':{'kind':'odd'}}}}", "{'m':['']}", "{'':[]}"}) {
    CAPTURE(bad);
    const auto refused = parse_declaration(json(bad));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kInvalidArgument);
  }
}

TEST_CASE("AuthService: registers as VOLTTRON recorded it but for named differences") {
  std::size_t registrations = 0;
  for (const Json& recorded : recorded_cases("rpc_authorizations.json")) {
    const std::string& name = text_at(recorded, "name");
    INFO(name);
    const TempHome home;
    home.write("auth.json", at(recorded, "policy").dump());
    AuthService service = open_service(home);
    const Json::Array& results = at(at(recorded, "upstream"), "results").as_array();
    const Json::Array& operations = at(recorded, "ops").as_array();
    for (std::size_t i = 0; i < operations.size(); ++i) {
      const Json::Array& operation = operations[i].as_array();
      if (operation[0].as_string() != "update_id") continue;
      if (!operation[1].is_string()) continue;  // null is no identity
      ++registrations;
      const std::string& identity = operation[1].as_string();
      const auto done = service.register_methods(identity, *parse_declaration(operation[2]));
      REQUIRE(done);
      const Json& theirs = at(results[i], "ok");
      CHECK(done->stored == !theirs.is_null());
      if (theirs.is_null()) continue;
      REQUIRE(done->requirements.size() == theirs.as_object().size());
      for (const MethodRequirement& requirement : done->requirements) {
        const Json::Array& names = at(theirs, requirement.method).as_array();
        REQUIRE(names.size() == requirement.capabilities.size());
        for (std::size_t k = 0; k < names.size(); ++k)
          CHECK(names[k].as_string() == requirement.capabilities[k]);
      }
      // In the first record of the identity, and nowhere else. Nothing derived is written.
      const Json::Array& their_records = at(at(at(recorded, "upstream"), "file"), "allow").as_array();
      for (std::size_t k = 0; k < their_records.size(); ++k) {
        const Json ours = stored(home, "allow", k, "rpc_method_authorizations");
        const Json* wanted = their_records[k].find("rpc_method_authorizations");
        const bool is_empty = wanted == nullptr || wanted->as_object().empty();
        if (is_empty) {
          CHECK(ours == Json("(missing)"));
        } else {
          CHECK(ours == *wanted);
        }
      }
    }
  }
  CHECK(registrations >= 6);
}
