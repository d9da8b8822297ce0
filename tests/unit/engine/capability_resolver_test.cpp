#include <vipauth/capability_resolver.hpp>

#include <utility>

#include <vipauth/pattern.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

CapabilityResolver resolver(const std::string& text) {
  auto created = CapabilityResolver::create(policy(text), kNow);
  REQUIRE(created);
  return *created;
}

/// One user "u" whose record has these further members.
CapabilityResolver user(const std::string& members, const std::string& rest = "") {
  return resolver("{'allow':[{'user_id':'u','identity':'agent.u','credentials':'" + kKeyA + "'," + members +
                  "}]" + rest + "}");
}

Decision call(const CapabilityResolver& r, std::vector<std::string> required,
              std::string_view arguments = "{}", std::string_view user_id = "u") {
  return r.authorize_call(user_id, "m", required, CallArguments(json(arguments).as_object()));
}

}  // namespace

TEST_CASE("CapabilityResolver: unknown user is refused, even where nothing is required") {
  const auto r = user("'capabilities':'a'");
  CHECK(call(r, {}).reason() == Reason::kUnprotected);
  CHECK(call(r, {}, "{}", "nobody").reason() == Reason::kUnknown);
  CHECK(call(r, {"a"}, "{}", "").reason() == Reason::kUnknown);
}

TEST_CASE("CapabilityResolver: every required capability must be held") {
  const auto r = user("'capabilities':['a','b']");
  CHECK(call(r, {"a"}).allowed());
  CHECK(call(r, {"a", "b"}).allowed());
  const Decision refused = call(r, {"a", "c"});
  CHECK(refused.reason() == Reason::kMissingCapability);
  CHECK(refused.message() ==
        "method \"m\" requires capabilities ['a', 'c'], but capability list ['a', 'b'] was provided");
  CHECK(refused.source() == std::vector<std::string>{"/allow/0"});
}

TEST_CASE(
    "CapabilityResolver: the message for a user without capabilities is the one that VOLTTRON documents") {
  CHECK(resolver("{'allow':[{'user_id':'AliceAgent','credentials':'" + kKeyA + "'}]}")
            .authorize_call("AliceAgent", "set_temperature", std::vector<std::string>{"CAP_SET_TEMP"},
                            CallArguments())
            .message() ==
        "method \"set_temperature\" requires capabilities ['CAP_SET_TEMP'], but capability list [] was "
        "provided");
}

TEST_CASE("CapabilityResolver: grants add up over record, roles and groups, and never replace each other") {
  const auto r =
      user("'capabilities':{'bar':{'x':1}},'roles':['two'],'groups':['g']",
           ",'roles':{'two':{'bar':{'x':2}},'three':[{'bar':{'x':3}}]},'groups':{'g':['three','nothing']}");
  for (const std::string_view allowed : {"{'x':1}", "{'x':2}", "{'x':3}", "{'x':1.0}"})
    CHECK(call(r, {"bar"}, allowed).allowed());
  for (const std::string_view refused : {"{'x':4}", "{'x':'1'}", "{'x':true}", "{}"})
    CHECK_FALSE(call(r, {"bar"}, refused).allowed());
  const auto widened = user("'capabilities':{'bar':{'x':1}},'roles':['any']", ",'roles':{'any':'bar'}");
  CHECK(call(widened, {"bar"}, "{'x':42}").allowed());
}

TEST_CASE("CapabilityResolver: roles and groups that are unknown, ill-typed or nested grant nothing") {
  const auto r =
      user("'capabilities':[],'roles':['unknown','bad'],'groups':['outer','unknown','ill']",
           ",'roles':{'bad':[5],'deep':['c']},'groups':{'outer':['inner'],'inner':['deep'],'ill':5}");
  CHECK(r.knows("u"));
  CHECK(r.capabilities_of("u").empty());
}

TEST_CASE("CapabilityResolver: several records of one user grant together, inactive ones nothing") {
  const auto r = resolver("{'allow':[{'user_id':'u','credentials':'" + kKeyA +
                          "','capabilities':'a'},{'user_id':'u','credentials':'" + kKeyB +
                          "','capabilities':'b'},{'user_id':'u','credentials':'" + kKeyC +
                          "','capabilities':'c','enabled':false}]}");
  CHECK(r.capabilities_of("u") == std::vector<std::string>{"a", "b"});
  CHECK(r.sources_of("u", "b") == std::vector<std::string>{"/allow/1/capabilities"});
  CHECK(r.records_of("u") == std::vector<std::string>{"/allow/0", "/allow/1"});
  CHECK(call(r, {"c"}).source() == std::vector<std::string>{"/allow/0", "/allow/1"});
}

TEST_CASE("CapabilityResolver: tells all that grants a capability, over records and roles") {
  const auto r = resolver("{'allow':[{'user_id':'u','credentials':'" + kKeyA +
                          "','capabilities':'c','roles':['r']},{'user_id':'u','credentials':'" + kKeyB +
                          "','capabilities':'c'}],'roles':{'r':['c']}}");
  CHECK(r.sources_of("u", "c") ==
        std::vector<std::string>{"/allow/0/capabilities", "/roles/r", "/allow/1/capabilities"});
  CHECK(r.grants_of("u", "c").size() == 3);
}

TEST_CASE("CapabilityResolver: a user of whom every key is denied is not known") {
  const std::string allow = "{'allow':[{'user_id':'u','credentials':'" + kKeyA + "'}]";
  CHECK(resolver(allow + "}").knows("u"));
  CHECK_FALSE(resolver(allow + ",'deny':[{'credentials':'" + kKeyA + "'}]}").knows("u"));
  CHECK_FALSE(resolver(allow + ",'deny':[{'credentials':'/A.*/'}]}").knows("u"));
  CHECK(resolver(allow + ",'deny':[{'credentials':'" + kKeyA + "','address':'10.0.0.1'}]}").knows("u"));
}

TEST_CASE("CapabilityResolver: a record of which a part is for itself alone holds the rest, too") {
  const auto r = user("'capabilities':[{'own':{'x':'a.{user_id}','y':1}},'c'],'roles':['first','last']",
                      ",'roles':{'first':{'see':{'x':'b.{user_id}'}},'last':['d']}");
  CHECK(r.capabilities_of("u") == std::vector<std::string>{"c", "d", "own", "see"});
  for (const auto& [capability, good, bad] :
       {std::tuple("own", "{'x':'a.u','y':1}", "{'x':'a.{user_id}','y':1}"),
        std::tuple("see", "{'x':'b.u'}", "{'x':'b.v'}")}) {
    CHECK(call(r, {capability}, good).allowed());
    CHECK_FALSE(call(r, {capability}, bad).allowed());
  }
}

TEST_CASE("CapabilityResolver: one of several restrictions may be for the holder alone") {
  const auto r = user("'capabilities':{'own':{'x':'a.{user_id}','y':1}}");
  CHECK(call(r, {"own"}, "{'x':'a.u','y':1}").allowed());
  CHECK_FALSE(call(r, {"own"}, "{'x':'a.u','y':2}").allowed());
  CHECK_FALSE(call(r, {"own"}, "{'x':'a.{user_id}','y':1}").allowed());
}

TEST_CASE(
    "CapabilityResolver: of what is denied each pattern, password and absence of one counts by itself") {
  const auto r =
      resolver("{'allow':[{'user_id':'a','credentials':'" + kKeyA + "'},{'user_id':'b','credentials':'" +
               kKeyB + "'},{'user_id':'c','credentials':'" + kKeyC +
               "'},{'user_id':'n','mechanism':'NULL'},{'user_id':'p','mechanism':'PLAIN','credentials':"
               "'pw'},{'user_id':'q','mechanism':'PLAIN','credentials':'pw'}],'deny':[{'credentials':"
               "'/A+/'},{'credentials':'/B+A/'},{'mechanism':'PLAIN','user_id':'p','credentials':'pw'}]}");
  CHECK(r.users() == std::vector<std::string>{"c", "n", "q"});
  CHECK(resolver(
            "{'allow':[{'user_id':'n','mechanism':'NULL'},{'user_id':'p','mechanism':'PLAIN','credentials':"
            "'pw'}],'deny':[{'mechanism':'NULL'}]}")
            .users() == std::vector<std::string>{"p"});
}

TEST_CASE("CapabilityResolver: a restriction must accept the argument, and say what it wants") {
  const auto r = user("'capabilities':{'bar':{'x':1}}");
  CHECK(call(r, {"bar"}, "{'x':1}").allowed());
  CHECK(call(r, {"bar"}, "{'x':42}").message() ==
        "User u can call method m only with x=1 but called with x=42");
  CHECK(call(r, {"bar"}, "{'y':1}").message() ==
        "User u capability is not defined properly. method m does not have a parameter x");
  const auto pattern = user("'capabilities':{'bar':{'x':'/a.*/'}}");
  CHECK(call(pattern, {"bar"}, "{'x':'abc'}").allowed());
  CHECK(call(pattern, {"bar"}, "{'x':'b'}").message() ==
        "User u can call method m only with x matching pattern /a.*/ but called with x=b");
  CHECK_FALSE(call(pattern, {"bar"}, "{'x':5}").allowed());
  CHECK_FALSE(call(pattern, {"bar"}, "{'x':['abc']}").allowed());
}

TEST_CASE("CapabilityResolver: no pattern matches an argument that is not UTF-8") {
  const auto r = user("'capabilities':{'bar':{'x':'/.*/'}}");
  const auto with = [&](const char* text) {
    const CallArguments arguments(Json::Object{{"x", Json(text)}});
    return r.authorize_call("u", "m", std::vector<std::string>{"bar"}, arguments);
  };
  CHECK(with("\xed\x9f\xbf").allowed());
  CHECK_FALSE(with("\xed\xa0\x80").allowed());  // a surrogate
  CHECK_FALSE(with("\xff").allowed());
}

TEST_CASE("CapabilityResolver: a grant whose pattern does not compile grants nothing, others still do") {
  const auto r = user("'capabilities':[{'bar':{'x':'/(/'}},{'bar':{'x':'y'}},{'foo':{'x':'/(/'}}]");
  CHECK(call(r, {"bar"}, "{'x':'y'}").allowed());
  CHECK_FALSE(call(r, {"bar"}, "{'x':'('}").allowed());
  CHECK(r.capabilities_of("u") == std::vector<std::string>{"bar"});
}

TEST_CASE("CapabilityResolver: {user_id} and {identity} stand for the asking user's own") {
  const std::string role =
      ",'roles':{'own':{'edit':{'identity':'{identity}'},'see':{'who':'/{user_id}(\\\\..*)?/'}}}";
  const auto r = resolver("{'allow':[{'user_id':'a.b','identity':'one','credentials':'" + kKeyA +
                          "','roles':['own']},{'user_id':'axb','credentials':'" + kKeyB +
                          "','roles':['own']}]" + role + "}");
  CHECK(call(r, {"edit"}, "{'identity':'one'}", "a.b").allowed());
  CHECK_FALSE(call(r, {"edit"}, "{'identity':'two'}", "a.b").allowed());
  CHECK_FALSE(call(r, {"edit"}, "{'identity':'{identity}'}", "a.b").allowed());
  // No identity: the grant does not count.
  CHECK(r.capabilities_of("axb") == std::vector<std::string>{"see"});
  // Inside a pattern the name is escaped: a dot in it is a dot.
  CHECK(call(r, {"see"}, "{'who':'a.b.c'}", "a.b").allowed());
  CHECK_FALSE(call(r, {"see"}, "{'who':'axb.c'}", "a.b").allowed());
  CHECK(call(r, {"see"}, "{'who':'axb.c'}", "axb").allowed());
}

TEST_CASE("CapabilityResolver: who has no identity holds what asks for its user_id and for something else") {
  const auto r =
      resolver("{'allow':[{'user_id':'u','credentials':'" + kKeyA +
               "','capabilities':[{'c':{'x':'{user_id}','y':1}},{'d':{'x':'{identity}','y':1}}]}]}");
  CHECK(call(r, {"c"}, "{'x':'u','y':1}").allowed());
  CHECK_FALSE(call(r, {"c"}, "{'x':'u','y':2}").allowed());
  CHECK(r.capabilities_of("u") == std::vector<std::string>{"c"});
}

TEST_CASE("CapabilityResolver: templates stand in lists and objects, too") {
  const std::string role = ",'roles':{'own':{'edit':{'what':{'of':['{user_id}',{'by':'{identity}'}]}}}}";
  const auto r = resolver("{'allow':[{'user_id':'a','identity':'one','credentials':'" + kKeyA +
                          "','roles':['own']},{'user_id':'b','credentials':'" + kKeyB +
                          "','roles':['own']}]" + role + "}");
  CHECK(call(r, {"edit"}, "{'what':{'of':['a',{'by':'one'}]}}", "a").allowed());
  CHECK_FALSE(call(r, {"edit"}, "{'what':{'of':['b',{'by':'one'}]}}", "a").allowed());
  CHECK_FALSE(call(r, {"edit"}, "{'what':{'of':['{user_id}',{'by':'{identity}'}]}}", "a").allowed());
  // No identity: the grant does not count.
  CHECK(r.capabilities_of("b").empty());
}

TEST_CASE("CapabilityResolver: a name that looks like a template is not expanded again") {
  const auto r = resolver("{'allow':[{'user_id':'{identity}','identity':'i','credentials':'" + kKeyA +
                          "','capabilities':{'c':{'x':'{user_id}'}}}]}");
  CHECK(call(r, {"c"}, "{'x':'{identity}'}", "{identity}").allowed());
  CHECK_FALSE(call(r, {"c"}, "{'x':'i'}", "{identity}").allowed());
}

TEST_CASE("CapabilityResolver: a name that looks like a pattern stands for nothing") {
  const auto grants = [](const std::string& restriction) {
    const auto r = resolver("{'allow':[{'user_id':'/.*/','identity':'/.*','credentials':'" + kKeyA +
                            "','capabilities':{'c':{'x':'" + restriction + "'}}}]}");
    const bool any = call(r, {"c"}, "{'x':'anything'}", "/.*/").allowed();
    return std::pair(r.capabilities_of("/.*/").size(), any);
  };
  CHECK(grants("{user_id}") == std::pair(std::size_t{0}, false));
  CHECK(grants("{identity}/") == std::pair(std::size_t{0}, false));
  CHECK(grants("/{user_id}/") == std::pair(std::size_t{1}, false));
  CHECK(grants("/.*/") == std::pair(std::size_t{1}, true));  // what the file itself says
}

TEST_CASE("CapabilityResolver: who is restricted to its own name holds that, and no other's") {
  const auto record = [](const std::string& name, const std::string& key, const std::string& of) {
    return "{'user_id':'u." + name + "','identity':'" + name + "','credentials':'" + key +
           "','capabilities':{'edit':{'identity':'" + of + "'}}}";
  };
  const auto r = resolver("{'allow':[" + record("a", kKeyA, "a") + "," + record("b", kKeyB, "b") + "," +
                          record("c", kKeyC, "a") + "]}");
  CHECK(call(r, {"edit"}, "{'identity':'a'}", "u.a").allowed());
  CHECK_FALSE(call(r, {"edit"}, "{'identity':'b'}", "u.a").allowed());
  CHECK(call(r, {"edit"}, "{'identity':'b'}", "u.b").allowed());
  CHECK_FALSE(call(r, {"edit"}, "{'identity':'a'}", "u.b").allowed());
  CHECK(call(r, {"edit"}, "{'identity':'a'}", "u.c").allowed());
  CHECK_FALSE(call(r, {"edit"}, "{'identity':'c'}", "u.c").allowed());
  CHECK_FALSE(call(r, {"edit"}, "{'identity':5}", "u.a").allowed());
  CHECK(r.grants_of("u.b").at(0).capability.restrictions.at(0).constraint == Json("b"));
  const Decision refused = call(r, {"edit"}, "{'identity':'b'}", "u.a");
  CHECK(refused.message().find("identity=a but called with identity=b") != std::string::npos);
  CHECK(refused.source() == std::vector<std::string>{"/allow/0/capabilities"});
}

TEST_CASE("CapabilityResolver: the number of grants is bounded") {
  const auto with = [](std::size_t count) {
    Json::Array names;
    for (std::size_t i = 0; i < count; ++i) names.emplace_back("c" + std::to_string(i));
    return CapabilityResolver::create(
        *Policy::parse(Json(Json::Object{
            {"allow", Json(Json::Array{Json(Json::Object{{"user_id", Json("u")},
                                                         {"credentials", Json(kKeyA)},
                                                         {"capabilities", Json(std::move(names))}})})}})),
        kNow);
  };
  const auto most = with(CapabilityResolver::kMaxGrantsPerUser);
  REQUIRE(most);
  CHECK(most->capabilities_of("u").size() == CapabilityResolver::kMaxGrantsPerUser);
  const auto too_many = with(CapabilityResolver::kMaxGrantsPerUser + 1);
  REQUIRE_FALSE(too_many);
  CHECK(too_many.error().code == ErrorCode::kLimitExceeded);
  CHECK(too_many.error().location == "/allow/0");
}

TEST_CASE("CapabilityResolver: the number of a user's records is bounded, active or not") {
  const auto with = [](std::size_t count) {
    Json::Array records;
    for (std::size_t i = 0; i < count; ++i) {
      records.emplace_back(Json::Object{{"user_id", "u"}, {"credentials", kKeyA}, {"enabled", i == 0}});
    }
    return CapabilityResolver::create(*Policy::parse(Json(Json::Object{{"allow", std::move(records)}})),
                                      kNow);
  };
  CHECK(with(CapabilityResolver::kMaxRecordsPerUser));
  const auto too_many = with(CapabilityResolver::kMaxRecordsPerUser + 1);
  REQUIRE_FALSE(too_many);
  CHECK(too_many.error().code == ErrorCode::kLimitExceeded);
  CHECK(too_many.error().location == "/allow/4096");
}

TEST_CASE("CapabilityResolver: what is too large is refused where it counts, and costs nothing before") {
  std::string names;
  for (int i = 0; i < 20'000; ++i) names += (i > 0 ? ",'" : "'") + std::to_string(i) + "'";
  const auto with = [&](const std::string& enabled) {
    std::string records;
    for (int i = 0; i < 500; ++i) {
      records += (i > 0 ? ",{'user_id':'u" : "{'user_id':'u") + std::to_string(i) + "','credentials':'" +
                 kKeyA + "','roles':['big'],'capabilities':['own" + std::to_string(i) +
                 "'],'enabled':" + enabled + "}";
    }
    return CapabilityResolver::create(policy("{'allow':[" + records + "],'roles':{'big':[" + names + "]}}"),
                                      kNow);
  };
  const auto refused = with("true");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLimitExceeded);
  CHECK(with("false"));
}

TEST_CASE("CapabilityResolver: lists users, their records and their grants") {
  const auto created = CapabilityResolver::create(
      policy("{'allow':[{'user_id':'b','identity':'I','credentials':'" + kKeyA +
             "','roles':['r'],'capabilities':[{'c':{'x':'{identity}'}},'a']},{'user_id':'a','credentials':'" +
             kKeyB + "','roles':['r']},{'user_id':'off','enabled':false,'credentials':'" + kKeyC +
             "','capabilities':'a'}],'roles':{'r':['c',{'t':{'x':'{identity}'}}]}}"),
      kNow);
  REQUIRE(created);
  CHECK(created->users() == std::vector<std::string>{"a", "b"});
  CHECK(created->records_of("b") == std::vector<std::string>{"/allow/0"});
  CHECK(created->records_of("off").empty());
  const std::vector<HeldGrant> grants = created->grants_of("b");
  REQUIRE(grants.size() == 4);
  CHECK(grants[0].capability.name == "a");
  CHECK(grants[1].source == "/allow/0/capabilities");
  CHECK(grants[1].capability.restrictions.at(0).constraint == Json("I"));
  CHECK(grants[2].source == "/roles/r");
  CHECK(created->grants_of("b", "c").size() == 2);
  CHECK(created->grants_of("a").size() == 1);  // without an identity the template grants nothing
  CHECK(created->grants_of("off").empty());
}

TEST_CASE("CapabilityResolver: of capabilities that refuse the first that is required is told") {
  const auto r = user("'capabilities':{'a':{'x':1},'b':{'x':2}}");
  CHECK(call(r, {"a", "b"}, "{'x':3}").message() ==
        "User u can call method m only with x=1 but called with x=3");
  CHECK(call(r, {"b", "a"}, "{'x':3}").message() ==
        "User u can call method m only with x=2 but called with x=3");
}

TEST_CASE("CapabilityResolver: of grants that refuse alike the first in the file is told") {
  const auto r =
      resolver("{'allow':[{'user_id':'u','credentials':'" + kKeyA +
               "','capabilities':[{'bar':{'y':1}},{'bar':{'x':1}},{'bar':{'x':2}}]},{'user_id':'u',"
               "'credentials':'" +
               kKeyB + "','capabilities':{'bar':{'x':3}}}]}");
  const Decision refused = call(r, {"bar"}, "{'x':7}");
  CHECK(refused.message() == "User u can call method m only with x=1 but called with x=7");
  CHECK(refused.source() == std::vector<std::string>{"/allow/0/capabilities"});
}

TEST_CASE("CapabilityResolver: a text that is no pattern is compared as it is, however long") {
  const auto r = user("'capabilities':{'bar':{'x':'a.c'}}");
  CHECK(call(r, {"bar"}, "{'x':'a.c'}").allowed());
  CHECK(call(r, {"bar"}, "{'x':'abc'}").message() ==
        "User u can call method m only with x=a.c but called with x=abc");
  const std::string longer(Pattern::kMaxBytes + 1, 'x');
  CHECK(call(user("'capabilities':{'bar':{'x':'" + longer + "'}}"), {"bar"}, "{'x':'" + longer + "'}")
            .allowed());
}

TEST_CASE("CapabilityResolver: a peer of the own user over IPC is known without a record, another is not") {
  const auto created = CapabilityResolver::create(policy("{}"), kNow, {true, 1000});
  REQUIRE(created);
  const auto name = [](std::string_view address, std::string_view domain = "vip") {
    return location_user_id(domain, address, Mechanism::kNull);
  };
  CHECK(created->knows(name("localhost:1000:1000:42")));
  CHECK(created->knows(name("localhost:1000:1000:42", "a,b\\")));
  CHECK_FALSE(created->knows(name("localhost:1001:1000:42")));
  CHECK_FALSE(created->knows(name("10.0.0.1")));
  CHECK_FALSE(created->knows("vip,more,localhost:1000:1000:42,NULL"));
  CHECK_FALSE(created->knows(location_user_id("vip", "localhost:1000:1000:42", Mechanism::kCurve)));
  const auto without_trust = CapabilityResolver::create(policy("{}"), kNow);
  REQUIRE(without_trust);
  CHECK_FALSE(without_trust->knows(name("localhost:1000:1000:42")));
}
