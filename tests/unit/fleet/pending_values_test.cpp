#include "fleet/pending_values.hpp"

#include <limits>

#include "support/catch.hpp"
#include "support/policies.hpp"

namespace vipauth::test {
namespace {

PendingRequest request() {
  PendingRequest out;
  out.credentials = kKeyB;
  out.domain = "vip";
  out.address = "10.0.0.1";
  out.user_id = "f6c5a6a6-2f60-4c35-9b8f-0c0a3a2b1c0d";
  out.first_seen = kNow;
  out.last_seen = kNow + std::chrono::milliseconds(1500);
  out.retries = 3;
  return out;
}

/// The value with another member.
Result<PendingRequest> parse_with(std::string_view name, const Json& value) {
  Json changed = *Json::parse(fleet::pending_value(request()));
  changed.set(name, value);
  return fleet::parse_pending(changed.dump());
}

}  // namespace

TEST_CASE("PendingValues: a request is read as it was written") {
  const PendingRequest before = request();
  const auto after = fleet::parse_pending(fleet::pending_value(before));
  REQUIRE(after);
  CHECK(after->mechanism == before.mechanism);
  CHECK(after->credentials == before.credentials);
  CHECK(after->domain == before.domain);
  CHECK(after->address == before.address);
  CHECK(after->user_id == before.user_id);
  CHECK(after->first_seen == before.first_seen);
  CHECK(after->last_seen == before.last_seen);
  CHECK(after->retries == before.retries);
  CHECK(fleet::pending_value(*after) == fleet::pending_value(before));
}

TEST_CASE("PendingValues: members are those of pending.json, and others do not matter") {
  const Json value = *Json::parse(fleet::pending_value(request()));
  CHECK(value.as_object().size() == 8);
  CHECK(value.find("site") == nullptr);
  CHECK(parse_with("of a newer program", Json::Array()));
}

TEST_CASE("PendingValues: more retries than a number holds are written as many") {
  PendingRequest many = request();
  many.retries = std::numeric_limits<std::uint64_t>::max();
  const auto after = fleet::parse_pending(fleet::pending_value(many));
  REQUIRE(after);
  CHECK(after->retries == static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
}

TEST_CASE("PendingValues: what would be more than one peer once it is approved is refused") {
  for (const Json& credentials :
       {Json("/.*/"), Json("//"), Json(""), Json(kKeyB + "="), Json(kKeyB.substr(1)), Json(kKeyB + "\n"),
        Json(7), Json(), Json(Json::Array{kKeyB}), Json("0000000000000000000000000000000000000000")}) {
    CAPTURE(credentials.dump());
    const auto refused = parse_with("credentials", credentials);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().location == "/credentials");
  }
  for (const Json& mechanism : {Json("NULL"), Json("PLAIN"), Json("curve"), Json(""), Json(), Json(1)}) {
    CAPTURE(mechanism.dump());
    CHECK_FALSE(parse_with("mechanism", mechanism));
  }
  for (const std::string name : {"domain", "address"}) {
    CAPTURE(name);
    CHECK_FALSE(parse_with(name, Json("")));  // from anywhere
    CHECK_FALSE(parse_with(name, Json("/.*/")));
    CHECK_FALSE(parse_with(name, Json("//")));
    CHECK_FALSE(parse_with(name, Json::Array{"10.0.0.1"}));
    CHECK_FALSE(parse_with(name, Json()));
    CHECK(parse_with(name, Json("/.*")));
    CHECK(parse_with(name, Json("/")));
  }
}

TEST_CASE("PendingValues: a stranger has the name that a bus gives, and nobody else's") {
  for (const std::string& name :
       {std::string(""), std::string("alice"), std::string("platform.historian"), std::string("/.*/"),
        std::string("F6C5A6A6-2F60-4C35-9B8F-0C0A3A2B1C0D"), std::string("f6c5a6a62f604c359b8f0c0a3a2b1c0d"),
        std::string("{f6c5a6a6-2f60-4c35-9b8f-0c0a3a2b1c0d}"),
        std::string("f6c5a6a6-2f60-4c35-9b8f-0c0a3a2b1c0d\n"),
        std::string("f6c5a6a6-2f60-4c35-9b8f-0c0a3a2b1c0g"),
        std::string("f6c5a6a6-2f60-4c35-9b8f0-c0a3a2b1c0d")}) {
    CAPTURE(name);
    const auto refused = parse_with("user_id", Json(name));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().location == "/user_id");
  }
  CHECK(parse_with("user_id", Json(make_user_id())));
  CHECK_FALSE(parse_with("user_id", Json()));
}

TEST_CASE("PendingValues: hostile texts, times and counts are refused with their place") {
  for (const std::string name : {"domain", "address"}) {
    for (const std::string& text : {std::string("a\x1b[2J"), std::string("a\n"), std::string("a\0b", 3),
                                    std::string("\x7f"), std::string(256, 'x')}) {
      const auto refused = parse_with(name, Json(text));
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == ErrorCode::kInvalidArgument);
      CHECK(refused.error().location == "/" + name);
    }
    CHECK(parse_with(name, Json(std::string(255, 'x'))));
  }
  for (const std::string name : {"first_seen", "last_seen"}) {
    for (const Json& time :
         {Json("2026-11-21"), Json(""), Json(5), Json("2026-11-21T00:00:00+01:00"), Json()})
      CHECK_FALSE(parse_with(name, time));
  }
  for (const Json& count : {Json(-1), Json(Json::Number{"1.5"}), Json(Json::Number{"1e3"}), Json("3"), Json(),
                            Json(Json::Number{"9223372036854775808"})}) {
    CAPTURE(count.dump());
    CHECK_FALSE(parse_with("retries", count));
  }
}

TEST_CASE("PendingValues: what is no object, or too long, is refused") {
  for (const std::string text :
       {"", "{", "[]", "null", "7", "\xff", "{\"user_id\": \"a\", \"user_id\": \"b\"}", "{}"}) {
    CAPTURE(text);
    CHECK_FALSE(fleet::parse_pending(text));
  }
  const std::string value = fleet::pending_value(request());
  CHECK(fleet::parse_pending(value + std::string(fleet::kMaxPendingBytes - value.size(), ' ')));
  const auto refused =
      fleet::parse_pending(value + std::string(fleet::kMaxPendingBytes - value.size() + 1, ' '));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLimitExceeded);
  CHECK_FALSE(fleet::parse_pending(std::string(3000, '[')));
}

}  // namespace vipauth::test
