#include "engine/named_key.hpp"

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

TEST_CASE("names_key: a record names its key or those of its pattern, understood or not") {
  const auto names = [](const std::string& members) {
    const Policy of_one = policy("{'allow':[" + members + "]}");
    return names_key(of_one.allow().front(), key(kKeyA));
  };
  for (const std::string& mistake : {std::string(), std::string("'domain':5,")}) {
    CAPTURE(mistake);
    CHECK(names("{" + mistake + "'credentials':'" + kKeyA + "'}"));
    CHECK_FALSE(names("{" + mistake + "'credentials':'" + kKeyB + "'}"));
    CHECK(names("{" + mistake + "'credentials':'/A+/'}"));
    CHECK_FALSE(names("{" + mistake + "'credentials':'/B+/'}"));
    CHECK_FALSE(names("{" + mistake + "'mechanism':'NULL'}"));
    CHECK_FALSE(names("{" + mistake + "'mechanism':'PLAIN','user_id':'u','credentials':'x'}"));
  }
  for (const std::string bad : {"5", "null", "''", "'/(/'", "'short'"}) {
    CAPTURE(bad);
    CHECK_FALSE(names("{'credentials':" + bad + "}"));
  }
  CHECK_FALSE(names("5"));
}
