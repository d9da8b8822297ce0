#include "text/json_items.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"

using namespace vipauth;

namespace {

/// Writes down what it is given.
class Recorder : public JsonItemHandler {
 public:
  bool on_list(std::string_view name) override { return add("list " + std::string(name)); }
  bool on_object(std::string_view name) override { return add("object " + std::string(name)); }
  bool on_item(Json item) override { return add("item " + item.dump()); }
  bool on_member(std::string_view member, Json value) override {
    return add(std::string(member) + " = " + value.dump());
  }
  bool on_value(std::string_view name, Json value) override {
    return add("value " + std::string(name) + " " + value.dump());
  }

  std::vector<std::string> events;
  std::size_t most = 1'000'000;

 private:
  bool add(std::string event) {
    events.push_back(std::move(event));
    return events.size() < most;
  }
};

/// \param block  most bytes that are given at once
bool read(const std::string& text, Recorder& out, std::size_t block = 1'000'000) {
  std::size_t at = 0;
  return read_json_items(
      [&](char* buffer, std::size_t size) -> std::ptrdiff_t {
        const std::size_t count = std::min({size, block, text.size() - at});
        std::copy_n(text.data() + at, count, buffer);
        at += count;
        return static_cast<std::ptrdiff_t>(count);
      },
      out);
}

bool is_read(const std::string& text) {
  Recorder out;
  return read(text, out);
}

}  // namespace

TEST_CASE("read_json_items: items of lists, members of objects, and values") {
  const std::string text =
      R"({"a": [1, [2, {"x": []}], {"k": "v"}, null, "t"], "n": -1.50, "o": {"p": {"q": [true]}, "r": []},)"
      R"( "empty": [], "none": {}, "s": "text"})";
  const std::vector<std::string> expected{"list a",
                                          "item 1",
                                          R"(item [2,{"x":[]}])",
                                          R"(item {"k":"v"})",
                                          "item null",
                                          R"(item "t")",
                                          "value n -1.50",
                                          "object o",
                                          R"(p = {"q":[true]})",
                                          "r = []",
                                          "list empty",
                                          "object none",
                                          R"(value s "text")"};
  for (const std::size_t block : {1U, 2U, 3U, 7U, 1000U}) {
    Recorder out;
    CHECK(read(text, out, block));
    CHECK(out.events == expected);
  }
}

TEST_CASE("read_json_items: characters that blocks cut") {
  std::string text = "{\"a\": [\"";
  for (int i = 0; i < 50'000; ++i) text += "\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\x8dx";
  text += "\"]}";
  for (const std::size_t block : {1U, 3U, 65535U, 1000000U}) {
    Recorder out;
    REQUIRE(read(text, out, block));
    CHECK(out.events.at(1) == "item " + Json::parse(text)->find("a")->as_array()[0].dump());
  }
}

TEST_CASE("read_json_items: what Json does not take, it does not take") {
  CHECK(is_read("{}"));
  CHECK(is_read(" {\"a\": 1} \n"));
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("5"), std::string("{"), std::string("{}}"),
        std::string("{} x"), std::string("{\"a\": 1,}"), std::string("{\"a\": 1, \"a\": 2}"),
        std::string("{\"a\": {\"b\": 1, \"b\": 2}}"), std::string("{\"a\": [{\"b\": 1, \"b\": 2}]}"),
        std::string("{\"a\": \"\xff\"}"), std::string("{\"a\": \"\xc3\"}"), std::string("{\"a\": 1}\xc3"),
        std::string("{\"a\": [\"\\udc00\"]}"), std::string("{\"\\udc00\": 1}"), std::string("{} // c"),
        std::string("{\"a\": 1}\0", 9), std::string("{\"a\": 1}\0{}", 11), std::string("{\"a\": [1, 2}")}) {
    CAPTURE(text);
    CHECK_FALSE(is_read(text));
    CHECK_FALSE((Json::parse(text) && Json::parse(text)->is_object()));
  }
}

TEST_CASE("read_json_items: a block that ends in what begins no character is refused") {
  constexpr std::size_t kBlock = std::size_t{64} * 1024;
  const std::string begin = "{\"a\": \"";
  for (const char* const end : {"xxx", "\x80\x80\x80"}) {
    const std::string text = begin + std::string(kBlock - begin.size() - 3, 'x') + end + "\"}";
    CHECK(is_read(text) == (end[0] == 'x'));
  }
}

TEST_CASE("read_json_items: nested as deep as Json allows, and no deeper") {
  const auto nested = [](std::size_t levels) {
    const std::size_t inner = levels - 2;
    return "{\"a\": [" + std::string(inner, '[') + std::string(inner, ']') + "]}";
  };
  CHECK(Json::parse(nested(Json::kMaxDepth)));
  CHECK(is_read(nested(Json::kMaxDepth)));
  CHECK_FALSE(Json::parse(nested(Json::kMaxDepth + 1)));
  CHECK_FALSE(is_read(nested(Json::kMaxDepth + 1)));
}

TEST_CASE("read_json_items: stops where the handler or the source does") {
  Recorder out;
  out.most = 2;
  CHECK_FALSE(read(R"({"a": [1, 2, 3]})", out));
  CHECK(out.events == std::vector<std::string>{"list a", "item 1"});
  Recorder unread;
  CHECK_FALSE(read_json_items([](char*, std::size_t) -> std::ptrdiff_t { return -1; }, unread));
  bool first = true;
  CHECK_FALSE(read_json_items(
      [&](char* buffer, std::size_t) -> std::ptrdiff_t {
        if (!std::exchange(first, false)) return -1;
        *buffer = '{';
        return 1;
      },
      unread));
}

TEST_CASE("read_json_items: a character of four bytes may end where any block ends") {
  const std::string text = "{\"a\": [\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\"]}";
  for (std::size_t block = 1; block <= text.size(); ++block) {
    CAPTURE(block);
    Recorder out;
    CHECK(read(text, out, block));
    CHECK(out.events.back() == "item " + Json("\xf0\x9f\x98\x80\xf0\x9f\x98\x80").dump());
  }
}
