#include <vipauth/clock.hpp>

#include "support/catch.hpp"

using namespace vipauth;
using namespace std::chrono;

namespace {

Timestamp at(sys_days day, milliseconds time = milliseconds(0)) { return Timestamp(day) + time; }

}  // namespace

TEST_CASE("Timestamp: reads RFC 3339 in UTC") {
  const auto parsed = parse_timestamp("2026-11-21T21:30:05Z");
  REQUIRE(parsed);
  CHECK(*parsed == at(2026y / November / 21, 21h + 30min + 5s));
  CHECK(*parse_timestamp("1970-01-01T00:00:00Z") == Timestamp());
  CHECK(*parse_timestamp("1969-12-31T23:59:59.999Z") == Timestamp() - 1ms);
  CHECK(*parse_timestamp("9999-12-31T23:59:59Z") == at(9999y / December / 31, 24h - 1s));
}

TEST_CASE("Timestamp: reads up to three decimals of a second") {
  const Timestamp whole = *parse_timestamp("2026-11-21T21:30:05Z");
  CHECK(*parse_timestamp("2026-11-21T21:30:05.5Z") == whole + 500ms);
  CHECK(*parse_timestamp("2026-11-21T21:30:05.05Z") == whole + 50ms);
  CHECK(*parse_timestamp("2026-11-21T21:30:05.123Z") == whole + 123ms);
  CHECK(*parse_timestamp("2026-11-21T21:30:05.000Z") == whole);
  CHECK_FALSE(parse_timestamp("2026-11-21T21:30:05.Z"));
  CHECK_FALSE(parse_timestamp("2026-11-21T21:30:05.1234Z"));
  CHECK_FALSE(parse_timestamp("2026-11-21T21:30:05,5Z"));
}

TEST_CASE("Timestamp: knows which years have a leap day") {
  CHECK(parse_timestamp("2024-02-29T00:00:00Z"));
  CHECK(parse_timestamp("2000-02-29T00:00:00Z"));
  CHECK_FALSE(parse_timestamp("2023-02-29T00:00:00Z"));
  CHECK_FALSE(parse_timestamp("1900-02-29T00:00:00Z"));
  CHECK(*parse_timestamp("2024-03-01T00:00:00Z") - *parse_timestamp("2024-02-28T00:00:00Z") == 48h);
}

TEST_CASE("Timestamp: refuses what is no time") {
  for (const std::string_view bad :
       {"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z"}) {
    INFO(bad);
    CHECK_FALSE(parse_timestamp(bad));
  }
}

TEST_CASE("Timestamp: refuses every other form") {
  for (const std::string_view bad : {"",
                                     "Z",
                                     "2026-11-21",
                                     "2026-11-21T21:30:05",
                                     "2026-11-21T21:30:05+00:00",
                                     "2026-11-21T21:30:05z",
                                     "2026-11-21t21:30:05Z",
                                     "2026-11-21 21:30:05Z",
                                     "2026-11-21T21:30Z",
                                     "26-11-21T21:30:05Z",
                                     "2026-1-21T21:30:05Z",
                                     "+026-11-21T21:30:05Z",
                                     "-026-11-21T21:30:05Z",
                                     "2026--1-21T21:30:05Z",
                                     "2026-11-21T-1:30:05Z",
                                     "2026-11-21T21:30:05Z ",
                                     " 2026-11-21T21:30:05Z",
                                     "2026-11-21T21:30:05ZZ",
                                     "2026-11-21T 1:30:05Z",
                                     "02026-11-21T21:30:05Z",
                                     "2026-11-21T21:30:0xZ",
                                     "1795469405"}) {
    INFO(bad);
    const auto parsed = parse_timestamp(bad);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == ErrorCode::kParseError);
    CHECK(parsed.error().message.find("2026-11-21T21:30:00Z") != std::string::npos);
  }
}

TEST_CASE("Timestamp: a NUL within is no end of the text") {
  CHECK_FALSE(parse_timestamp(std::string_view("2026-11-21T21:30:05Z\0", 21)));
  CHECK_FALSE(parse_timestamp(std::string_view("2026-11-21T21:30\0:05Z", 21)));
}

TEST_CASE("Timestamp: written and read again it is the same") {
  for (const std::string_view text :
       {"2026-11-21T21:30:05Z", "2024-02-29T23:59:59.999Z", "1969-12-31T23:59:59.001Z",
        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.100Z"}) {
    INFO(text);
    const Timestamp time = *parse_timestamp(text);
    CHECK(*parse_timestamp(format_timestamp(time)) == time);
  }
  CHECK(format_timestamp(*parse_timestamp("2026-11-21T21:30:05Z")) == "2026-11-21T21:30:05Z");
  CHECK(format_timestamp(*parse_timestamp("2026-11-21T21:30:05.5Z")) == "2026-11-21T21:30:05.500Z");
  CHECK(format_timestamp(Timestamp()) == "1970-01-01T00:00:00Z");
}

TEST_CASE("Timestamp: the system's clock moves within the range that can be written") {
  const Timestamp now = system_now();
  CHECK(now > *parse_timestamp("2020-01-01T00:00:00Z"));
  CHECK(*parse_timestamp(format_timestamp(now)) == now);
}
