#include "text/uuid.hpp"

#include <set>

#include "support/catch.hpp"

using namespace vipauth;

namespace {

bool has_form(const std::string& uuid, char version) {
  if (uuid.size() != 36 || uuid[14] != version || std::string("89ab").find(uuid[19]) == std::string::npos)
    return false;
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen ? uuid[i] != '-' : std::string("0123456789abcdef").find(uuid[i]) == std::string::npos)
      return false;
  }
  return true;
}

}  // namespace

TEST_CASE("random_uuid: lower case, version 4, never the same") {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string uuid = random_uuid();
    REQUIRE(has_form(uuid, '4'));
    seen.insert(uuid);
  }
  CHECK(seen.size() == 1000);
}

TEST_CASE("named_uuid: version 5, the same in every process and release") {
  CHECK(has_form(named_uuid(""), '5'));
  CHECK(named_uuid("a") == named_uuid("a"));
  CHECK(named_uuid("a") != named_uuid("b"));
  CHECK(named_uuid("a") != named_uuid(std::string_view("a\0", 2)));
  // Must never change: it would rename every user whose record has no user_id.
  CHECK(named_uuid("vipauth") == "c7857a31-d695-5d51-aa52-ab5d59ede073");
}
