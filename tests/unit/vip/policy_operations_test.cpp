#include "vip/policy_operations.hpp"

#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "vip/auth_file_operations.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

const Policy kBefore = policy(
    "{'allow':[{'user_id':'a','credentials':'/a/','comments':'x'},{'user_id':'b','credentials':'/b/'},"
    "{'user_id':'c','mechanism':'PLAIN','credentials':'secret'}],'deny':[{'user_id':'d','credentials':'/d/"
    "'}],"
    "'roles':{'r':['x']},'groups':{'g':['r']},'version':{'major':1,'minor':4}}");

/// What the operations make of kBefore is what the change makes of it.
template <typename Change>
Json::Array check_same(Change change, RecordForm form = RecordForm::kChanges) {
  Policy after = kBefore;
  change(after);
  const auto operations = policy_operations(kBefore, after, form);
  REQUIRE(operations);
  Policy replayed = kBefore;
  if (!operations->empty()) REQUIRE(apply_operations(replayed, Json(*operations)));
  CHECK(replayed.to_json() == after.to_json());
  return *operations;
}

}  // namespace

TEST_CASE("policy_operations: say what a change of a policy does, and nothing more") {
  CHECK(check_same([](Policy&) {}).empty());
  CHECK(check_same([](Policy& p) { CHECK(p.update_allow(0, json("{'comments':'y'}"))); }) ==
        json("[{'method':'auth_file.update_by_index','params':{'auth_entry':{'comments':'y'},'index':0,"
             "'is_allow':true,'keep_rest':true}}]")
            .as_array());
  CHECK(check_same([](Policy& p) {
          CHECK(p.add_allow(json("{'user_id':'n','credentials':'/n/'}")));
        }).size() == 1);
  CHECK(check_same([](Policy& p) {
          CHECK(p.add_deny(json("{'user_id':'n','credentials':'/n/'}")));
        }).size() == 1);
  CHECK(check_same([](Policy& p) { CHECK(p.remove_allow({0, 2})); }) ==
        json("[{'method':'auth_file.remove_by_indices','params':{'indices':[0,2],'is_allow':true}}]")
            .as_array());
  CHECK(check_same([](Policy& p) { CHECK(p.remove_deny({0})); }).size() == 1);
  CHECK(check_same([](Policy& p) { CHECK(p.add_role("q", json("['y']"))); }) ==
        json("[{'method':'auth_file.set_roles','params':{'roles':{'r':['x'],'q':['y']}}}]").as_array());
  CHECK(check_same([](Policy& p) { CHECK(p.remove_group("g")); }).size() == 1);
}

TEST_CASE("policy_operations: several things at once") {
  const auto operations = check_same([](Policy& p) {
    CHECK(p.add_role("q", json("['y']")));
    CHECK(p.update_allow(1, json("{'roles':['q']}")));
    CHECK(p.add_allow(json("{'user_id':'n','credentials':'/n/','roles':['q']}")));
  });
  CHECK(operations.size() == 3);
}

TEST_CASE("policy_operations: a whole record for a platform of VOLTTRON") {
  const auto operations =
      check_same([](Policy& p) { CHECK(p.update_allow(1, json("{'domain':'vip'}"))); }, RecordForm::kChanges);
  Policy after = kBefore;
  REQUIRE(after.update_allow(1, json("{'domain':'vip'}")));
  const auto whole = policy_operations(kBefore, after, RecordForm::kWhole);
  REQUIRE(whole);
  CHECK(*whole->at(0).find("params")->find("auth_entry") ==
        json("{'user_id':'b','credentials':'/b/','domain':'vip'}"));
  CHECK(whole->at(0).find("params")->find("keep_rest") == nullptr);
}

TEST_CASE("policy_operations: refuse what they cannot say") {
  Policy after = kBefore;
  REQUIRE(after.remove_allow({0}));
  REQUIRE(after.update_allow(0, json("{'comments':'changed'}")));
  const auto operations = policy_operations(kBefore, after, RecordForm::kChanges);
  REQUIRE_FALSE(operations);
  CHECK(operations.error().code == ErrorCode::kUnsupported);
}

TEST_CASE("policy_operations: a password that is not shown never becomes that of another user") {
  const std::string_view held = GENERATE(
      "{'allow':[],'deny':[{'user_id':'a','mechanism':'PLAIN','credentials':'of a'},"
      "{'user_id':'b','mechanism':'PLAIN','credentials':'of b'}]}",
      "{'allow':[{'user_id':'b','mechanism':'PLAIN','credentials':'of b'},"
      "{'user_id':'c','mechanism':'PLAIN','credentials':'of c'}],'deny':[]}");
  const Policy there = policy(held);
  Json told = there.to_json();
  for (const std::string_view list : {"allow", "deny"}) {
    for (Json& record : told.find(list)->as_array()) record.set("credentials", "(password)");
  }
  const Policy before = Policy::parse(told).value();
  Policy after = before;
  if (!before.deny().empty()) {
    REQUIRE(after.remove_deny({0}));
    REQUIRE(after.add_deny(json("{'user_id':'n','credentials':'/n/'}")));
  } else {  // somebody writes a record in front, and takes the last one away
    Json::Array& records = told.find("allow")->as_array();
    records.insert(records.begin(), json("{'user_id':'n','mechanism':'CURVE','credentials':'/n/'}"));
    records.pop_back();
    after = Policy::parse(told).value();
  }
  const auto operations = policy_operations(before, after, RecordForm::kChanges);
  if (!operations) {
    CHECK(operations.error().code == ErrorCode::kUnsupported);
    return;
  }
  Policy replayed = there;
  if (!apply_operations(replayed, Json(*operations))) return;
  for (const auto& entries : {replayed.allow(), replayed.deny()}) {
    for (const Policy::Entry& entry : entries) {
      INFO(entry.source.dump());
      if (entry.source.text_at("user_id") == "b") CHECK(entry.source.text_at("credentials") == "of b");
    }
  }
}
