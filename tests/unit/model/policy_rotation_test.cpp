#include <vipauth/policy.hpp>

#include "support/catch.hpp"

using namespace vipauth;

namespace {

const Timestamp kUntil = *parse_timestamp("2026-11-28T00:00:00Z");

CurveKey some_key() { return CurveKeyPair::generate().public_key; }

Policy policy_with(Json::Object fields, const CurveKey& key) {
  fields.push_back({"credentials", Json(key.to_base64url())});
  auto policy = Policy::parse(Json::Object{{"allow", Json::Array{Json(std::move(fields))}}});
  REQUIRE(policy);
  return *policy;
}

const Json* field_of(const Policy& policy, std::size_t index, std::string_view name) {
  return policy.allow()[index].source.find(name);
}

}  // namespace

TEST_CASE("Policy: a second key has all that the first one has, which ends") {
  const CurveKey old_key = some_key();
  const CurveKey new_key = some_key();
  Policy policy = policy_with(
      {{"user_id", "a"}, {"roles", Json::Array{Json("r")}}, {"x-own", Json(1)}, {"address", "10.0.0.1"}},
      old_key);
  const auto added = policy.add_second_key(0, new_key, kUntil);
  REQUIRE(added);
  CHECK(*added == 1);
  const AuthRecord& first = *policy.allow()[0].record;
  const AuthRecord& second = *policy.allow()[1].record;
  CHECK(first.not_after == kUntil);
  CHECK(std::get<CurveKey>(first.credentials) == old_key);
  CHECK_FALSE(second.not_after);
  CHECK(std::get<CurveKey>(second.credentials) == new_key);
  CHECK(second.user_id == "a");
  CHECK(second.roles == first.roles);
  CHECK(*field_of(policy, 1, "x-own") == Json(1));
  CHECK(*field_of(policy, 1, "address") == Json("10.0.0.1"));
}

TEST_CASE("Policy: a second key does not prolong anything") {
  const CurveKey old_key = some_key();
  Policy policy =
      policy_with({{"user_id", "a"}, {"not_after", "2026-11-23T00:00:00Z"}, {"enabled", false}}, old_key);
  REQUIRE(policy.add_second_key(0, some_key(), kUntil));
  CHECK(*field_of(policy, 0, "not_after") == Json("2026-11-23T00:00:00Z"));
  CHECK(*field_of(policy, 1, "not_after") == Json("2026-11-23T00:00:00Z"));
  CHECK(*field_of(policy, 1, "enabled") == Json(false));

  Policy later = policy_with({{"user_id", "a"}, {"not_after", "2027-01-01T00:00:00Z"}}, old_key);
  REQUIRE(later.add_second_key(0, some_key(), kUntil));
  CHECK(*field_of(later, 0, "not_after") == Json("2026-11-28T00:00:00Z"));
  CHECK(*field_of(later, 1, "not_after") == Json("2027-01-01T00:00:00Z"));
}

TEST_CASE("Policy: a user_id that was derived from the key stays with the user") {
  Policy policy = policy_with({}, some_key());
  const std::string user_id = policy.allow()[0].record->user_id;
  REQUIRE(policy.add_second_key(0, some_key(), kUntil));
  CHECK(policy.allow()[0].record->user_id == user_id);
  CHECK(policy.allow()[1].record->user_id == user_id);
}

TEST_CASE("Policy: a second key that cannot be leaves the policy as it was") {
  const CurveKey key = some_key();
  Policy policy = policy_with({{"user_id", "a"}}, key);
  REQUIRE(policy.add_allow(Json::Object{{"user_id", "p"}, {"credentials", "/.*/"}}));
  const CurveKey other = some_key();
  REQUIRE(policy.add_allow(Json::Object{{"user_id", "b"}, {"credentials", other.to_base64url()}}));
  const Json before = policy.to_json();
  CHECK(policy.add_second_key(9, some_key(), kUntil).error().message == "invalid index 9");
  CHECK(policy.add_second_key(1, some_key(), kUntil).error().code == ErrorCode::kInvalidArgument);
  CHECK(policy.add_second_key(0, other, kUntil).error().code == ErrorCode::kAlreadyExists);
  CHECK(policy.add_second_key(0, key, kUntil).error().code == ErrorCode::kAlreadyExists);
  CHECK(policy.to_json() == before);
}
