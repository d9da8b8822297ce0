#include "engine/record_table.hpp"

#include <vector>

#include "support/catch.hpp"

using namespace vipauth;

TEST_CASE("RecordTable: knows who has passwords, each once, and whose they are") {
  RecordTable records;
  const auto add = [&](NameTable::Id user, const char* password) {
    CompactRecord record;
    record.user = user;
    return records.add(record, StoredPassword{password});
  };
  CHECK(records.users_with_password().empty());
  add(7, "a");
  add(5, "b");
  add(7, "c");
  add(7, "d");
  CHECK(records.users_with_password() == std::vector<NameTable::Id>{7, 5});
  CHECK(records.with_password(7) == std::vector<RecordTable::Id>{0, 2, 3});
  CHECK(records.with_password(5) == std::vector<RecordTable::Id>{1});
  CHECK(records.with_password(6).empty());
  CHECK(records.password(2) == "c");
}
