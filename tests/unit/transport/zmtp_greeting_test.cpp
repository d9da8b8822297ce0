#include "transport/zmtp_greeting.hpp"

#include <string>

#include "support/catch.hpp"

using namespace vipauth;

namespace {

/// RFC 37: signature, version, mechanism, as-server, filler.
std::string greeting(std::string mechanism, char major = 3) {
  mechanism.resize(20, '\0');
  return std::string("\xff\0\0\0\0\0\0\0\1\x7f", 10) + major + '\1' + mechanism + '\1' +
         std::string(31, '\0');
}

}  // namespace

TEST_CASE("mechanism_in_greeting: what a server greets with") {
  CHECK(mechanism_in_greeting(greeting("CURVE")).value() == "CURVE");
  CHECK(mechanism_in_greeting(greeting("NULL")).value() == "NULL");
  CHECK(mechanism_in_greeting(greeting("CURVE").substr(0, kGreetingBytes)).value() == "CURVE");
  CHECK(mechanism_in_greeting(greeting("TWENTY-CHARACTERS_20")).value() == "TWENTY-CHARACTERS_20");
}

TEST_CASE("mechanism_in_greeting: nothing of what is no greeting, or names no mechanism") {
  for (const std::string& text :
       {std::string(), greeting("CURVE").substr(0, kGreetingBytes - 1), greeting("CURVE", 2), greeting("", 3),
        greeting("\x1b[2J"), greeting("CURVE\n"), greeting("curve"), std::string(64, 'x')}) {
    CAPTURE(text);
    const auto mechanism = mechanism_in_greeting(text);
    REQUIRE_FALSE(mechanism);
    CHECK(mechanism.error().code == ErrorCode::kUnavailable);
  }
}
