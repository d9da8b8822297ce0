#include "service/revocation.hpp"

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

std::string record(const std::string& user_id, const std::string& key, const std::string& more = "") {
  return "{'user_id':'" + user_id + "','credentials':'" + key + "'" + more + "}";
}

PolicySnapshot accepted(const std::string& allow, const std::string& deny = "") {
  auto compiled = PolicySnapshot::compile(policy("{'allow':[" + allow + "],'deny':[" + deny + "]}"),
                                          TopicProtector(), kNow);
  REQUIRE(compiled);
  return *std::move(compiled);
}

using Users = std::vector<std::string>;

const std::string kAlice = record("alice", kKeyA);
const std::string kBob = record("bob", kKeyB);

}  // namespace

TEST_CASE("revoked_users: who is removed, disabled, expired, denied or has another key") {
  const PolicySnapshot before = accepted(kAlice + "," + kBob);
  CHECK(revoked_users(before, accepted(kAlice)) == Users{"bob"});
  CHECK(revoked_users(before, accepted("")) == Users{"alice", "bob"});
  CHECK(revoked_users(before, accepted(kAlice + "," + record("bob", kKeyB, ",'enabled':false"))) ==
        Users{"bob"});
  CHECK(revoked_users(before,
                      accepted(kAlice + "," + record("bob", kKeyB, ",'not_after':'2020-01-01T00:00:00Z'"))) ==
        Users{"bob"});
  CHECK(revoked_users(before, accepted(kAlice + "," + record("bob", kKeyC))) == Users{"bob"});
  CHECK(revoked_users(before, accepted(kAlice + "," + record("robert", kKeyB))) == Users{"bob"});
  CHECK(revoked_users(before, accepted(kAlice + "," + kBob, record("x", kKeyB))) == Users{"bob"});
}

TEST_CASE("revoked_users: nobody where nothing is taken away") {
  const PolicySnapshot before = accepted(kAlice + "," + kBob);
  CHECK(revoked_users(before, before).empty());
  CHECK(revoked_users(before, accepted(kBob + "," + kAlice)).empty());
  CHECK(revoked_users(before, accepted(kAlice + "," + kBob + "," + record("carol", kKeyC))).empty());
  CHECK(revoked_users(before, accepted(record("alice", kKeyA, ",'roles':['r'],'comments':'x'") + "," + kBob))
            .empty());
  CHECK(revoked_users(accepted(""), before).empty());
}

TEST_CASE("revoked_users: one of two keys is enough, and each user is told once") {
  const PolicySnapshot before =
      accepted(kAlice + "," + record("alice", kKeyB) + "," + record("alice", kKeyC));
  CHECK(revoked_users(before, accepted(kAlice)) == Users{"alice"});
}

TEST_CASE("revoked_users: a record that is not understood accepts nobody") {
  CHECK(revoked_users(accepted(record("alice", "short") + ",5"), accepted("")).empty());
}

TEST_CASE("revoked_users: the same key from another place, or in another form") {
  const PolicySnapshot before = accepted(record("alice", kKeyA, ",'address':'10.0.0.1'"));
  CHECK(revoked_users(before, accepted(record("alice", kKeyA, ",'address':'10.0.0.2'"))) == Users{"alice"});
  CHECK(revoked_users(before, accepted(record("alice", kKeyA, ",'address':['10.0.0.1']"))).empty());
  const PolicySnapshot pattern = accepted(record("any", "/.*/"));
  CHECK(revoked_users(pattern, accepted(record("any", "/A.*/"))) == Users{"any"});
}
