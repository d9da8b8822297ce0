#include "engine/name_table.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace vipauth;

TEST_CASE("NameTable: keeps each name once, over many blocks, and finds no other") {
  NameTable names;
  std::vector<std::string> texts{""};
  for (std::size_t i = 0; i < 2000; ++i) {
    texts.push_back(std::to_string(i) + std::string(1 + i % 200, 'x'));
  }
  for (std::size_t i = 0; i < texts.size(); ++i) REQUIRE(names.intern(texts[i]) == i);
  CHECK(names.size() == texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    REQUIRE(names.intern(texts[i]) == i);
    REQUIRE(names.find(texts[i]) == i);
    REQUIRE(names[static_cast<NameTable::Id>(i)] == texts[i]);
  }
  CHECK(names.size() == texts.size());
  CHECK(names.find("x") == NameTable::kNone);
  CHECK(NameTable().find("") == NameTable::kNone);
}

TEST_CASE("NameTable: a block is filled to its last byte and not over it") {
  NameTable names;
  // Each takes a byte for its length: 256 names of 255 bytes are one block of 64 KiB.
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 600; ++i) {
    std::string text = std::to_string(i);
    text.resize(NameTable::kMaxBytes, 'x');
    texts.push_back(text);
    REQUIRE(names.intern(text) == i);
  }
  for (std::size_t i = 0; i < texts.size(); ++i) REQUIRE(names[static_cast<NameTable::Id>(i)] == texts[i]);
}

TEST_CASE("NameTable: takes names of 255 bytes and none that is longer") {
  NameTable names;
  CHECK(names.intern(std::string(255, 'x')) == 0);
  CHECK(names.intern(std::string(256, 'x')) == NameTable::kNone);
  CHECK(names.find(std::string(256, 'x')) == NameTable::kNone);
  CHECK(names.size() == 1);
}
