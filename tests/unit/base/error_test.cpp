#include <vipauth/error.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace vipauth;

namespace {

Error located(std::string location) { return {ErrorCode::kParseError, "went wrong", std::move(location)}; }

}  // namespace

TEST_CASE("Error: without a location its text is the message alone") {
  CHECK(located("").to_string() == "went wrong");
  CHECK(located("auth.json:3:14").to_string() == "auth.json:3:14: went wrong");
}

TEST_CASE("Error: a place goes before the location, joined as the two kinds ask for") {
  CHECK(located("").at("auth.json").location == "auth.json");
  CHECK(located("3:14").at("auth.json").location == "auth.json:3:14");
  CHECK(located("/roles").at("/allow/3").location == "/allow/3/roles");
  CHECK(located("/allow/3").at("auth.json").location == "auth.json: /allow/3");
  CHECK(located("--credentials").at("vctl").location == "vctl: --credentials");
  CHECK(located("").at("/credentials").at("/allow/3").at("auth.json").location ==
        "auth.json: /allow/3/credentials");
}

TEST_CASE("Error: an empty place changes nothing") {
  CHECK(located("/allow/3").at("").location == "/allow/3");
  CHECK(located("").at("").location.empty());
}

TEST_CASE("Error: seen from further out it keeps its code and message") {
  const Error moved = located("1:1").at("auth.json");
  CHECK(moved.code == ErrorCode::kParseError);
  CHECK(moved.message == "went wrong");
}

TEST_CASE("ErrorCode: each has a name of its own") {
  std::vector<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(ErrorCode::kUnavailable); ++i) {
    names.push_back(to_string(static_cast<ErrorCode>(i)));
    CHECK(names.back() != "unknown");
  }
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
}
