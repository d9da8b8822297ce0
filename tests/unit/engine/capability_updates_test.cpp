#include <vipauth/capability_updates.hpp>

#include <set>
#include <string>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "support/vectors.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

PolicySnapshot snapshot(const std::string& allow, const std::string& more = "") {
  auto compiled =
      PolicySnapshot::compile(policy("{'allow':[" + allow + "]" + more + "}"), TopicProtector(), kNow);
  REQUIRE(compiled);
  return *compiled;
}

std::string user(const std::string& name, const std::string& key, const std::string& capabilities) {
  return "{'user_id':'" + name + "','credentials':'" + key + "','capabilities':" + capabilities + "}";
}

/// What an agent does that keeps a copy.
Json applied(Json copy, const Json& update) {
  for (const Json::Member& changed : update.find("changed")->as_object())
    copy.set(changed.name, changed.value);
  for (const Json& removed : update.find("removed")->as_array()) copy.erase(removed.as_string());
  return copy;
}

Json form(const PolicySnapshot& policy) { return user_to_capabilities(policy.capabilities).map; }

}  // namespace

TEST_CASE("user_to_capabilities: says what each user holds, as VOLTTRON recorded it") {
  // No restrictions are null here, and a user_id that is empty is none.
  const std::set<std::string> named_differences = {"dict value empty dict", "user_id empty"};
  std::size_t compared = 0;
  for (const Json& recorded : recorded_cases("capabilities.json")) {
    INFO(text_at(recorded, "name"));
    const Json* theirs = at(recorded, "upstream").find("user_to_capabilities");
    if (recorded.find("upstream_bug") != nullptr || theirs == nullptr) continue;
    if (named_differences.contains(text_at(recorded, "name"))) continue;
    const auto parsed = policy_of(at(recorded, "policy"));
    REQUIRE(parsed);
    if (!parsed->problems().empty()) continue;  // what is not understood here grants nothing
    const auto resolver = CapabilityResolver::create(*parsed, kNow);
    REQUIRE(resolver);
    const UserToCapabilities ours = user_to_capabilities(*resolver);
    if (ours.left_out.empty()) CHECK(ours.map == *theirs);
    ++compared;
  }
  CHECK(compared > 15);
}

TEST_CASE("user_to_capabilities: several grants become the one that covers them, or none") {
  const UserToCapabilities out = user_to_capabilities(
      snapshot(
          user(
              "u", kKeyA,
              "[{'a':{'x':1}},{'a':null},{'b':{'x':1}},{'b':{'x':1,'y':2}},{'c':{'x':1}},{'c':{'x':2}},'d']"))
          .capabilities);
  CHECK(out.map == json("{'u':{'a':null,'b':{'x':1},'d':null}}"));
  REQUIRE(out.left_out.size() == 1);
  CHECK(out.left_out[0].user_id == "u");
  CHECK(out.left_out[0].capability == "c");
}

TEST_CASE("auth_update_body: is the parameters of the call that agents know") {
  CHECK(auth_update_body(snapshot(user("u", kKeyA, "{'edit':{'identity':'{user_id}'}}")).capabilities) ==
        json("[{'u':{'edit':{'identity':'u'}}}]"));
  CHECK(auth_update_body(snapshot("").capabilities) == json("[{}]"));
}

TEST_CASE("rpc_authorizations_body: holds every method, and a list that was cleared as an empty one") {
  const PolicySnapshot policy = snapshot("{'identity':'ag','credentials':'" + kKeyA +
                                         "','rpc_method_authorizations':{'m':['a','b'],'cleared':['']}}");
  CHECK(rpc_authorizations_body(policy.methods, "ag") ==
        json("{'rpc_authorizations':{'cleared':[],'m':['a','b']}}"));
  CHECK(rpc_authorizations_body(policy.methods, "other") == json("{'rpc_authorizations':{}}"));
}

TEST_CASE("capability_update: makes a copy of the old what the new is") {
  const std::string a = user("a", kKeyA, "['x']");
  const std::string b = user("b", kKeyB, "['x',{'y':{'p':1}}]");
  const std::vector<PolicySnapshot> policies = {
      snapshot(""),
      snapshot(a),
      snapshot(a + "," + b),
      snapshot(a + "," + user("b", kKeyB, "['x']")),
      snapshot(user("a", kKeyA, "[]") + "," + b),
      snapshot(b + "," + user("c", kKeyC, "[]")),
      snapshot(a + "," + user("b", kKeyB, "[{'y':{'p':1}},{'y':{'p':2}}]")),
      snapshot(a + "," + "{'user_id':'b','credentials':'" + kKeyB + "','roles':['r']}",
               ",'roles':{'r':['x']}")};
  for (const PolicySnapshot& before : policies) {
    for (const PolicySnapshot& after : policies) {
      CHECK(applied(form(before), capability_update(before, after)) == form(after));
    }
    CHECK(capability_changes(before, before).empty());
  }
}

TEST_CASE("capability_changes: names who gained and who lost, and nobody else") {
  const PolicySnapshot before = snapshot(user("a", kKeyA, "['x','y']") + "," + user("b", kKeyB, "['x']"));
  const PolicySnapshot after = snapshot(user("a", kKeyA, "['y','z']") + "," + user("c", kKeyC, "['x']"));
  const CapabilityChanges changes = capability_changes(before, after);
  CHECK(changes.users_gained == std::vector<std::string>{"c"});
  CHECK(changes.users_lost == std::vector<std::string>{"b"});
  REQUIRE(changes.users.size() == 3);
  CHECK(changes.users[0].user_id == "a");
  REQUIRE(changes.users[0].gained.size() == 1);
  CHECK(changes.users[0].gained[0].name == "z");
  REQUIRE(changes.users[0].lost.size() == 1);
  CHECK(changes.users[0].lost[0].name == "x");
  CHECK(capability_changes(before, snapshot(user("b", kKeyB, "['x']") + "," + user("a", kKeyA, "['y','x']")))
            .empty());  // the order of records is nobody's grant
}
