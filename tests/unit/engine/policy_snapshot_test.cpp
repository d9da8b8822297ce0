#include <vipauth/policy_snapshot.hpp>

#include <utility>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

/// "free" holds the capability, "bound" for x=1 alone, "none" does not.
PolicySnapshot snapshot(std::vector<DeclaredMethod> methods = {}) {
  auto compiled = PolicySnapshot::compile(
      policy(
          "{'allow':[{'user_id':'free','identity':'B','credentials':'" + kKeyA +
          "','capabilities':'c','rpc_method_authorizations':{'m':['c']}},{'user_id':'bound','credentials':'" +
          kKeyB + "','capabilities':{'c':{'x':1}}},{'user_id':'none','credentials':'" + kKeyC + "'}]}"),
      TopicProtector(), kNow);
  REQUIRE(compiled);
  if (!methods.empty()) {
    auto declared = compiled->methods.declare("B", std::move(methods), "free");
    REQUIRE(declared);
    compiled->methods = *std::move(declared);
  }
  return *std::move(compiled);
}

Reason ask(const PolicySnapshot& policy, std::string_view user, std::string_view params,
           std::string_view method = "m") {
  const Json carried = json(params);
  return policy.authorize_call(policy.capabilities.find(user), UnboundCall{"B", method, carried}).reason();
}

}  // namespace

TEST_CASE("PolicySnapshot: arguments by position count where the parameters are declared") {
  const std::vector<Parameter> x{{"x", Parameter::Kind::kPositional, std::nullopt}};
  const PolicySnapshot s = snapshot({{"m", x, {}}, {"open", x, {}}});
  CHECK(ask(s, "bound", "[1]") == Reason::kAllowed);
  CHECK(ask(s, "bound", "{'*args':[1]}") == Reason::kAllowed);
  CHECK(ask(s, "bound", "{'x':1}") == Reason::kAllowed);
  CHECK(ask(s, "bound", "[2]") == Reason::kRestricted);
  CHECK(ask(s, "free", "[2]") == Reason::kAllowed);
  CHECK(ask(s, "none", "[1]") == Reason::kMissingCapability);
  CHECK(ask(s, "nobody", "[1]") == Reason::kUnknown);
}

TEST_CASE("PolicySnapshot: arguments that cannot be bound are refused where something is required") {
  const std::vector<Parameter> x{{"x", Parameter::Kind::kPositional, std::nullopt}};
  const PolicySnapshot s = snapshot({{"m", x, {}}, {"open", x, {}}});
  for (const std::string_view bad : {"[1,2]", "{'y':1}", "{'*args':5}", "5"}) {
    CAPTURE(bad);
    CHECK(ask(s, "free", bad) == Reason::kMalformed);
    CHECK(ask(s, "bound", bad) == Reason::kMalformed);
    CHECK(ask(s, "none", bad) == Reason::kMissingCapability);
    CHECK(ask(s, "nobody", bad) == Reason::kUnknown);
    CHECK(ask(s, "none", bad, "open") == Reason::kUnprotected);
    CHECK(ask(s, "nobody", bad, "open") == Reason::kUnknown);
  }
}

TEST_CASE("PolicySnapshot: by position without declared parameters is enough for who needs no argument") {
  const PolicySnapshot s = snapshot();
  CHECK(ask(s, "free", "[1]") == Reason::kAllowed);
  CHECK(ask(s, "bound", "[1]") == Reason::kMalformed);
  CHECK(ask(s, "bound", "[]") == Reason::kUnknownParameter);
  CHECK(ask(s, "bound", "{'x':1}") == Reason::kAllowed);
  CHECK(ask(s, "none", "[1]") == Reason::kMissingCapability);
  CHECK(ask(s, "none", "[1]", "open") == Reason::kUnprotected);
  CHECK(ask(s, "free", "5") == Reason::kMalformed);
}

TEST_CASE("PolicySnapshot: compiled again it keeps what agents declare, and moves with the time") {
  const PolicySnapshot s = snapshot({{"n", std::nullopt, {"c"}}});
  const auto again = s.compile_again(TopicProtector(), kNow, {});
  REQUIRE(again);
  CHECK(ask(*again, "free", "{}", "n") == Reason::kAllowed);
  CHECK(ask(*again, "none", "{}", "n") == Reason::kMissingCapability);
  PolicySnapshot of_nothing = s;
  of_nothing.records = nullptr;
  CHECK_FALSE(of_nothing.compile_again(TopicProtector(), kNow, {}));
  CHECK_FALSE(PolicySnapshot::compile(policy("{'deny':[{'credentials':'short'}]}"), TopicProtector(), kNow));
}

TEST_CASE("PolicySnapshot: a policy that grants one user too much is not compiled") {
  const auto with = [](std::size_t grants) {
    std::string names;
    for (std::size_t i = 0; i < grants; ++i) names += (i > 0 ? ",'" : "'") + std::to_string(i) + "'";
    return PolicySnapshot::compile(
        policy("{'allow':[{'user_id':'u','credentials':'" + kKeyA + "','capabilities':[" + names + "]}]}"),
        TopicProtector(), kNow);
  };
  CHECK(with(CapabilityResolver::kMaxGrantsPerUser));
  const auto refused = with(CapabilityResolver::kMaxGrantsPerUser + 1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLimitExceeded);
}
