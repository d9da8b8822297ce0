#include <vipauth/method_registry.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

TEST_CASE("MethodRegistry: lists what every method requires") {
  const MethodRegistry registry = MethodRegistry::create(
      policy("{'allow':[{'identity':'B','credentials':'" + kKeyA +
             "','rpc_method_authorizations':{'m':['x'],'open':['']}},{'identity':'B','enabled':false,'"
             "credentials':'" +
             kKeyB + "','rpc_method_authorizations':{'m':['y','x']}},{'identity':'A','credentials':'" +
             kKeyC + "','rpc_method_authorizations':5}]}"));
  const auto requirements = registry.requirements();
  REQUIRE(requirements.size() == 2);
  CHECK(requirements[0].identity == "B");
  CHECK(requirements[0].method == "m");
  CHECK(requirements[0].capabilities == std::vector<std::string>{"x", "y"});
  CHECK(requirements[1].capabilities.empty());
  CHECK(registry.unreadable() == std::vector<std::string>{"A"});
  CHECK(registry.knows("A"));
  CHECK_FALSE(registry.knows("C"));
}

TEST_CASE("MethodRegistry: a record that is not understood still protects the methods of its identity") {
  const std::string rest =
      "'identity':'B','user_id':'b','credentials':'" + kKeyA + "','rpc_method_authorizations':{'m':['x']}}]}";
  for (const std::string mistake :
       {"'domain':5,", "'address':'/(/',", "'enabled':'yes',", "'capabilities':7,"}) {
    CAPTURE(mistake);
    const MethodRegistry registry = MethodRegistry::create(policy("{'allow':[{" + mistake + rest));
    const auto required = registry.required("B", "m");
    REQUIRE(required);
    CHECK(std::vector<std::string>(required->begin(), required->end()) == std::vector<std::string>{"x"});
    CHECK(registry.required("B", "other")->empty());
    CHECK(registry.required("A", "m")->empty());
  }
  const MethodRegistry ill_typed = MethodRegistry::create(policy(
      "{'allow':[{'domain':5,'identity':'B','credentials':'" + kKeyA + "','rpc_method_authorizations':5}]}"));
  CHECK_FALSE(ill_typed.required("B", "m"));
  CHECK(ill_typed.unreadable() == std::vector<std::string>{"B"});
}

TEST_CASE("MethodRegistry: lists what agents declare, beside what records require") {
  const MethodRegistry records = MethodRegistry::create(policy(
      "{'allow':[{'identity':'B','credentials':'" + kKeyA + "','rpc_method_authorizations':{'m':['x']}}]}"));
  const auto both = records.declare("B", {{"n", std::nullopt, {"y"}}}, "");
  REQUIRE(both);
  const auto all = both->declare("A", {{"o", std::nullopt, {"z"}}}, "");
  REQUIRE(all);
  std::vector<std::string> listed;
  for (const MethodRequirement& one : all->requirements()) {
    listed.push_back(one.identity + "." + one.method + " " + one.capabilities.at(0));
  }
  CHECK(listed == std::vector<std::string>{"A.o z", "B.m x", "B.n y"});
  CHECK(all->forget("A").requirements().size() == 2);
}

TEST_CASE("MethodRegistry: keeps the declarations of so many agents, and not of one more") {
  MethodRegistry registry = MethodRegistry::create(policy("{}"));
  for (std::size_t i = 0; i < MethodRegistry::kMaxAgents; ++i) {
    auto next = registry.declare("agent" + std::to_string(i), {}, "");
    REQUIRE(next);
    registry = std::move(*next);
  }
  const auto refused = registry.declare("more", {}, "");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLimitExceeded);
  CHECK(registry.declare("agent0", {{"m"}}, ""));
  CHECK(registry.forget("agent0").declare("more", {}, ""));
}
