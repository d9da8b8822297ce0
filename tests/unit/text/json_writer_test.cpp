#include "text/json_writer.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

/// Hands over each member of the root by its parts, where it has some.
void hand_over(const Json& document, JsonPartSink& sink) {
  sink.on_begin(document.as_object().size());
  for (const Json::Member& member : document.as_object()) {
    if (member.value.is_array()) {
      sink.on_list(member.name, member.value.as_array().size());
      for (const Json& item : member.value.as_array()) sink.on_item(item);
      sink.on_close();
    } else if (member.value.is_object()) {
      sink.on_object(member.name, member.value.as_object().size());
      for (const Json::Member& inner : member.value.as_object()) sink.on_member(inner.name, inner.value);
      sink.on_close();
    } else {
      sink.on_value(member.name, member.value);
    }
  }
  sink.on_end();
}

/// The blocks that are written of a document.
std::vector<std::string> blocks_of(const Json& document) {
  std::vector<std::string> blocks;
  const WriteBytes write = [&](std::string_view block) {
    blocks.emplace_back(block);
    return true;
  };
  JsonWriter writer(write);
  hand_over(document, writer);
  return blocks;
}

std::string text_of(const Json& document) {
  std::string text;
  for (const std::string& block : blocks_of(document)) text += block;
  return text;
}

Json large_document() {
  Json::Array items;
  for (int i = 0; i < 20'000; ++i) items.push_back(Json::Object{{"number", i}, {"text", "J\xc3\xb6rg \x7f"}});
  return Json::Object{{"list", std::move(items)}, {"end", nullptr}};
}

}  // namespace

TEST_CASE("JsonWriter: the bytes of dump_pretty and a line end") {
  for (const char* text :
       {"{}", "{'a': []}", "{'a': {}}", "{'a': [[], {}, [1, [2]], 'x']}", "{'a': {'b': {}, 'c': [null]}}",
        "{'a': 1, 'b': [-1.50, 1e3], 'c': 'text', 'd': true, 'e': null}", "{'': {'': ''}}",
        "{'\\u00e9\\u007f\\u0001\\ud83d\\ude00': ['\\u00e9\\u007f\\n', {'\\u20ac': 0}]}"}) {
    CAPTURE(text);
    CHECK(text_of(json(text)) == json(text).dump_pretty() + "\n");
  }
  CHECK(text_of(large_document()) == large_document().dump_pretty() + "\n");
}

TEST_CASE("JsonWriter: writes whole blocks, and none after one that could not be written") {
  const auto blocks = blocks_of(large_document());
  REQUIRE(blocks.size() > 2);
  CHECK(std::all_of(blocks.begin(), blocks.end() - 1,
                    [](const std::string& block) { return block.size() == std::size_t{64} * 1024; }));
  CHECK(blocks.back().size() <= std::size_t{64} * 1024);

  int asked = 0;
  const WriteBytes fails = [&](std::string_view) { return ++asked < 2; };
  JsonWriter writer(fails);
  hand_over(large_document(), writer);
  CHECK(asked == 2);
}
