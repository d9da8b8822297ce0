#include "engine/policy_index.hpp"

#include <string>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

TEST_CASE("PolicyIndex: a record with a name that nobody can have finds nobody") {
  const auto is_found = [](std::size_t user_id, std::size_t identity) {
    AuthRecord record;
    record.user_id = std::string(user_id, 'u');
    record.identity = std::string(identity, 'i');
    record.credentials = key(kKeyA);
    PolicyIndexBuilder builder;
    builder.on_allow(record);
    const auto index = std::move(builder).finish();
    const bool has_key = index->allow().first_of_key(key(kKeyA)) == 0;
    CHECK((index->first_of_user(index->names().find(record.user_id)) == 0) == has_key);
    CHECK(index->gives_identity(index->names().find(record.identity)) == (has_key && identity > 0));
    return has_key;
  };
  CHECK(is_found(255, 255));
  CHECK(is_found(1, 0));
  CHECK_FALSE(is_found(256, 1));
  CHECK_FALSE(is_found(1, 256));
}
