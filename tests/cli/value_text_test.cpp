#include "value_text.hpp"

#include "cli.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

using Names = std::vector<std::string>;
using vctl::parse_capabilities_text;
using vctl::parse_capability_arguments;
using vctl::parse_loose_json;
using vctl::parse_names_text;
using vctl::split_commas;

TEST_CASE("value text: a comma list loses spaces and empty names") {
  CHECK(split_commas("a") == Names{"a"});
  CHECK(split_commas(" a , b ,,c, ") == Names{"a", "b", "c"});
  CHECK(split_commas("a b") == Names{"a b"});
  CHECK(split_commas("").empty());
  CHECK(split_commas(" , ").empty());
}

TEST_CASE("value text: JSON is read as it is") {
  CHECK(*parse_loose_json(R"({"a": [1, true, null, "it's", "\"\\é\u0041"]})") ==
        json(R"({"a": [1, true, null, "it's", "\"\\é\u0041"]})"));
}

TEST_CASE("value text: Python's forms are read, too") {
  CHECK(*parse_loose_json("{'test1_cap2':{'x':'/.*/'}}") == json(R"({"test1_cap2":{"x":"/.*/"}})"));
  CHECK(*parse_loose_json("{'a': None, 'b': [True, False, -1.5e3]}") ==
        json(R"({"a":null,"b":[true,false,-1.5e3]})"));
  CHECK(*parse_loose_json(R"({'a': 'say "hi"', "b": 'it\'s', 'c': '\\d\t'})") ==
        json(R"({"a": "say \"hi\"", "b": "it's", "c": "\\d\t"})"));
  CHECK(*parse_loose_json("['True', \"None\"]") == json(R"(["True","None"])"));
}

TEST_CASE("value text: what is neither is refused, with the place as it was typed") {
  const auto refused_at = [](const std::string& text, const std::string& location) {
    const auto parsed = parse_loose_json(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == ErrorCode::kParseError);
    CHECK(parsed.error().location == location);
  };
  refused_at("{'a': 'b\"c', !}", "1:14");
  refused_at("{a: 1}", "1:2");
  refused_at("{'a': Truex}", "1:7");
  CHECK_FALSE(parse_loose_json("{'a': 'b"));
  CHECK_FALSE(parse_loose_json("{'a': 'b\\"));
  CHECK_FALSE(parse_loose_json(""));
  CHECK_FALSE(parse_loose_json("{'a': 1, 'a': 2}"));
  CHECK_FALSE(parse_loose_json("[1,]"));
  CHECK_FALSE(parse_loose_json(std::string(1000, '[')));
}

TEST_CASE("value text: names are a comma list or a JSON list of names") {
  CHECK(*parse_names_text("r1,r2") == Names{"r1", "r2"});
  CHECK(*parse_names_text("['a,b', \"c\"]") == Names{"a,b", "c"});
  CHECK_FALSE(parse_names_text("['a', 1]"));
  CHECK_FALSE(parse_names_text("['a'"));
}

TEST_CASE("value text: capabilities keep the form that they are written in") {
  CHECK(*parse_capabilities_text("can_a, can_b") == json(R"(["can_a","can_b"])"));
  CHECK(*parse_capabilities_text("") == json("[]"));
  CHECK(*parse_capabilities_text("5") == json(R"(["5"])"));
  CHECK(*parse_capabilities_text("{'a': {'x': 1}}") == json(R"({"a":{"x":1}})"));
  CHECK(*parse_capabilities_text(R"(["x", {"y": {"p": 1}}])") == json(R"(["x",{"y":{"p":1}}])"));
  CHECK(*parse_capabilities_text("\"one, name\"") == json(R"("one, name")"));
}

TEST_CASE("value text: what capabilities cannot be is refused") {
  for (const char* text : {"{'a': 1}", "[1]", "[['a']]", "{'a'}", "{a}", "{'a': {'x': 1}"}) {
    CHECK_FALSE(parse_capabilities_text(text));
  }
}

TEST_CASE("value text: each argument is one capability, or JSON") {
  CHECK(*parse_capability_arguments({"a,b", "é", "a,b"}) == json(R"(["a,b","é"])"));
  CHECK(*parse_capability_arguments({}) == json("[]"));
  CHECK(*parse_capability_arguments({"{'a': {'x': 1}}"}) == json(R"({"a":{"x":1}})"));
  CHECK(*parse_capability_arguments({"n", "{'a': {'x': 1}}", "['p','q']"}) ==
        json(R"(["n",{"a":{"x":1}},"p","q"])"));
  CHECK_FALSE(parse_capability_arguments({"a", ""}));
  CHECK_FALSE(parse_capability_arguments({"{'a': 2}"}));
}

}  // namespace vipauth::test
