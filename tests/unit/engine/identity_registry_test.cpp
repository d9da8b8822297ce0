#include <vipauth/identity_registry.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

TEST_CASE("IdentityRegistry: the names of a record without a readable user_id are nobody's") {
  for (const std::string& user_id :
       {std::string("5"), "'" + std::string(256, 'u') + "'", std::string("null")}) {
    CAPTURE(user_id);
    const IdentityRegistry names =
        IdentityRegistry::create(policy("{'allow':[{'user_id':" + user_id +
                                        ",'identity':'agent','domain':5,'credentials':'" + kKeyA + "'}]}"));
    for (const std::string_view user : {"", "u", "agent"}) {
      CHECK(names.verify(user, "", "agent").reason() == Reason::kWrongIdentity);
      CHECK_FALSE(names.belongs_to("agent", user));
      CHECK(names.verify(user, "", "other").allowed());
    }
  }
}

TEST_CASE("IdentityRegistry: a name belongs to the one user whose records give it") {
  const IdentityRegistry names = IdentityRegistry::create(
      policy("{'allow':[{'user_id':'a','identity':'agent','enabled':false,'credentials':'" + kKeyA +
             "'},{'user_id':'a','identity':'agent','credentials':'" + kKeyB +
             "'},{'user_id':'b','identity':'shared','credentials':'" + kKeyC +
             "'},{'user_id':'a','identity':'shared','domain':5}]}"));
  CHECK(names.verify("a", "", "agent").allowed());
  CHECK(names.belongs_to("agent", "a"));
  CHECK(names.verify("b", "", "agent").reason() == Reason::kWrongIdentity);
  CHECK_FALSE(names.belongs_to("agent", "b"));
  CHECK(names.verify("b", "", "a").reason() == Reason::kWrongIdentity);
  for (const std::string_view user : {"a", "b"}) {
    CHECK(names.verify(user, "", "shared").reason() == Reason::kWrongIdentity);
    CHECK_FALSE(names.belongs_to("shared", user));
  }
}

TEST_CASE("IdentityRegistry: a name has 1 to 255 bytes, no slash and no control character") {
  const IdentityRegistry names = IdentityRegistry::create(policy("{}"));
  CHECK(names.verify("u", "", "x").allowed());
  CHECK(names.verify("u", "", std::string(255, 'x')).allowed());
  for (const std::string& bad : {std::string(), std::string(256, 'x'), std::string("a/"), std::string("/a"),
                                 std::string("a\n"), std::string("\xff")}) {
    CAPTURE(bad);
    CHECK(names.verify("u", "", bad).reason() == Reason::kMalformed);
    CHECK(names.verify("u", bad, bad).reason() == Reason::kMalformed);
  }
}

TEST_CASE("IdentityRegistry: who has an identity speaks under it alone, also where the other name is free") {
  const IdentityRegistry names = IdentityRegistry::create(
      policy("{'allow':[{'user_id':'a','identity':'agent','credentials':'" + kKeyA + "'}]}"));
  CHECK(names.verify("a", "agent", "agent").allowed());
  CHECK(names.verify("a", "agent", "free").reason() == Reason::kWrongIdentity);
  CHECK(names.verify("a", "", "free").allowed());
  const Decision taken = names.verify("b", "", "agent");
  CHECK(taken.source() == std::vector<std::string>{"/allow/0"});
  CHECK(names.verify("b", "", "router").message() == "the identity 'router' belongs to the platform");
  CHECK_FALSE(names.belongs_to("free", "a"));
  CHECK_FALSE(names.belongs_to("free", ""));
}
