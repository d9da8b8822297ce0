#include <vipauth/csr_names.hpp>

#include <vipauth/policy_snapshot.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

TEST_CASE("names_in: names of records and of the platform are taken as the policy in force has them") {
  const auto compiled = [](const char* text) {
    return *PolicySnapshot::compile(policy(text), TopicProtector(topic_rules("{}")), kNow);
  };
  const auto live = std::make_shared<LivePolicy>(
      compiled("{'allow': [{'credentials': 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'user_id': "
               "'alice', 'identity': "
               "'remote.one'}, {'credentials': 'BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA', 'user_id': "
               "'remote.two', "
               "'enabled': false}, {'credentials': 'CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA', 'user_id': "
               "'v1.central.admin'}], 'version': {'major': 1, 'minor': 3}}"));
  const CsrStore::Taken taken = names_in(live);
  CHECK(taken("alice"));
  CHECK(taken("remote.one"));
  CHECK(taken("remote.two"));
  CHECK(taken("v1.central.admin"));
  CHECK(taken("platform"));
  CHECK(taken("platform.web"));
  CHECK(taken(""));
  CHECK_FALSE(taken("remote.three"));
  CHECK_FALSE(taken("remote.platform.agent"));
  live->publish(compiled("{'allow': [], 'version': {'major': 1, 'minor': 3}}"));
  CHECK_FALSE(taken("remote.one"));
  CHECK(taken("control"));
}
