// A policy that is compiled of its parts.

#include <vipauth/policy_snapshot.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

using Sinks = std::function<PolicySink&()>;

Policy policy_with(const std::string& user_id) {
  Policy policy;
  REQUIRE(policy.add_allow(
      Json(Json::Object{{"user_id", Json(user_id)}, {"credentials", Json(std::string(kKeyA))}})));
  return policy;
}

}  // namespace

TEST_CASE("PolicySnapshot: of its parts a policy is what it is as a whole") {
  const Policy policy = policy_with("alice");
  const auto compiled = PolicySnapshot::compile_parts(
      [&](const Sinks& make_sink) -> Result<void> {
        read_parts(policy_with("mallory"),
                   make_sink());  // begun, and worth nothing when another is asked for
        read_parts(policy, make_sink());
        return {};
      },
      TopicProtector(), kNow);
  REQUIRE(compiled);
  CHECK(compiled->capabilities.knows("alice"));
  CHECK_FALSE(compiled->capabilities.knows("mallory"));
}

TEST_CASE("PolicySnapshot: what cannot be handed over by parts is no policy") {
  const auto failed = PolicySnapshot::compile_parts(
      [](const Sinks&) -> Result<void> { return Error{ErrorCode::kIoError, "gone", ""}; }, TopicProtector(),
      kNow);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message == "gone");
  const auto empty =
      PolicySnapshot::compile_parts([](const Sinks&) { return Result<void>(); }, TopicProtector(), kNow);
  REQUIRE(empty);
  CHECK_FALSE(empty->capabilities.knows("alice"));
}
