#include <vipauth/ipc_trust.hpp>

#include "support/catch.hpp"

using namespace vipauth;

TEST_CASE("IpcTrust: the user_id of a peer is accepted where its address is") {
  const IpcTrust trust{true, 1000};
  for (const std::string_view good : {"localhost:1000:100:7", "localhost:1000:"}) {
    CHECK(trust.accepts_address(good));
    CHECK(trust.accepts_user(location_user_id("vip", good, Mechanism::kNull)));
    CHECK(trust.accepts_user(location_user_id("a,b\\", good, Mechanism::kNull)));
    CHECK_FALSE(trust.accepts_user(location_user_id("vip", good, Mechanism::kCurve)));
    CHECK_FALSE(IpcTrust{}.accepts_address(good));
    CHECK_FALSE(IpcTrust{}.accepts_user(location_user_id("vip", good, Mechanism::kNull)));
  }
  for (const std::string_view bad :
       {"", "localhost:", "localhost:1000", "localhost::1", "localhost:1001:1:1", "localhost:1:1:1",
        "localhost:1000x:1:1", "localhost:1000 :1:1", "localhost:99999999999:1:1", "10.0.0.1"}) {
    CAPTURE(bad);
    CHECK_FALSE(trust.accepts_address(bad));
    CHECK_FALSE(trust.accepts_user(location_user_id("vip", bad, Mechanism::kNull)));
  }
  // A part of a longer text is read to its end.
  CHECK_FALSE(trust.accepts_address(std::string_view("localhost:1000:1:1").substr(0, 14)));
  CHECK_FALSE(IpcTrust{true, 0}.accepts_address("localhost:x:1:1"));
  CHECK_FALSE(IpcTrust{true, 0}.accepts_address("localhost:99999999999:1:1"));
}

TEST_CASE("IpcTrust: a comma in a domain or an address makes no field of a user_id") {
  const IpcTrust trust{true, 1000};
  CHECK(location_user_id("a,b", "c\\d", Mechanism::kNull) == "a\\,b,c\\\\d,NULL");
  CHECK_FALSE(trust.accepts_user(location_user_id("vip,localhost:1000:1:1", "10.0.0.1", Mechanism::kNull)));
  CHECK_FALSE(trust.accepts_user("vip,localhost:1000:1:1,x,NULL"));
  CHECK_FALSE(trust.accepts_user("localhost:1000:1:1,NULL"));
  CHECK_FALSE(trust.accepts_user("vip,localhost:1000:1:1"));
  CHECK_FALSE(trust.accepts_user("vip,localhost:1000:1:1,CURVE"));
}
