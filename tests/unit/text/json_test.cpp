#include <vipauth/json.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace vipauth;
using namespace std::literals;

namespace {

Json read(std::string_view text) {
  auto parsed = Json::parse(text);
  INFO(text);
  REQUIRE(parsed);
  return *parsed;
}

bool equal(std::string_view a, std::string_view b) {
  const Json left = read(a);
  const Json right = read(b);
  CHECK((left == right) == (right == left));
  return left == right;
}

std::string place_of_error(std::string_view text) {
  const auto parsed = Json::parse(text);
  INFO(text);
  REQUIRE_FALSE(parsed);
  return parsed.error().location;
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("Json: reads every kind of value") {
  const Json json = read(R"({"n":null,"t":true,"f":false,"i":42,"s":"text","a":[1,"x"],"o":{"k":0}})");
  CHECK(json.is_object());
  CHECK(json.find("n")->is_null());
  CHECK(json.find("t")->as_bool());
  CHECK_FALSE(json.find("f")->as_bool());
  CHECK(json.find("i")->as_number().digits == "42");
  CHECK(json.find("s")->as_string() == "text");
  CHECK(json.find("a")->as_array().size() == 2);
  CHECK(json.find("o")->find("k")->is_number());
  CHECK(json.find("missing") == nullptr);
  CHECK(json.find("a")->find("k") == nullptr);
}

TEST_CASE("Json: says its kind in words") {
  CHECK(Json().kind_name() == "null");
  CHECK(Json(true).kind_name() == "a boolean");
  CHECK(Json(1).kind_name() == "a number");
  CHECK(Json("x").kind_name() == "a string");
  CHECK(Json(Json::Array()).kind_name() == "a list");
  CHECK(Json(Json::Object()).kind_name() == "an object");
}

TEST_CASE("Json: a text that is not well-formed is refused with its line and column") {
  CHECK(place_of_error("") == "1:1");
  CHECK(place_of_error("{\"a\": 1,}") == "1:9");
  CHECK(place_of_error("{\n  \"a\": tru\n}") == "2:11");
  CHECK(place_of_error("[1 2]") == "1:4");
  CHECK(place_of_error("{} x") == "1:4");
  CHECK(place_of_error("\n\n  ]") == "3:3");
}

TEST_CASE("Json: what is nearly JSON is refused") {
  for (const std::string_view bad : {"[1,]",
                                     "[,1]",
                                     "{\"a\" 1}",
                                     "{a:1}",
                                     "{'a':1}",
                                     "[01]",
                                     "[+1]",
                                     "[1.]",
                                     "[.5]",
                                     "[1e]",
                                     "[-]",
                                     "[0x10]",
                                     "[NaN]",
                                     "[Infinity]",
                                     "[-Infinity]",
                                     "[True]",
                                     "nul",
                                     "\"a",
                                     "\"\\x41\"",
                                     "\"a\nb\"",
                                     "\"\t\"",
                                     "[\"a\" \"b\"]",
                                     "{\"a\":1 \"b\":2}",
                                     "[",
                                     "{",
                                     "{\"a\"",
                                     "{\"a\":",
                                     "]",
                                     "1 2",
                                     "{}{}",
                                     "\xef\xbb\xbf{}",
                                     "# c\n{}",
                                     "/**/{}"}) {
    INFO(bad);
    const auto parsed = Json::parse(bad);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == ErrorCode::kParseError);
    CHECK(parsed.error().message.find('\n') == std::string::npos);
    CHECK_FALSE(parsed.error().location.empty());
  }
}

TEST_CASE("Json: a NUL does not end the text") {
  CHECK(read("{} \n"sv).is_object());
  for (const std::string_view bad :
       {"{}\0"sv, "{}\0garbage"sv, "{\"a\":1}\0{\"a\":2}"sv, "\0{}"sv, "[1\0]"sv, "1\0"sv}) {
    INFO(std::string(bad));
    CHECK_FALSE(Json::parse(bad));
    CHECK_FALSE(Json::parse(bad, Json::Comments::kAccept));
  }
}

TEST_CASE("Json: a member that is there twice is refused, wherever it is") {
  CHECK(read(R"({"a":{"x":1},"b":{"x":1}})").is_object());
  for (const std::string_view bad : {R"({"a":1,"a":1})", R"({"a":1,"b":2,"a":3})", R"([{"o":{"a":1,"a":2}}])",
                                     R"({"a":1,"\u0061":2})", R"({"":1,"":2})"}) {
    INFO(bad);
    const auto parsed = Json::parse(bad);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == ErrorCode::kParseError);
    CHECK(parsed.error().message.find("twice") != std::string::npos);
    CHECK_FALSE(parsed.error().location.empty());
  }
}

TEST_CASE("Json: a member that is there twice is refused in a large object too") {
  std::string members;
  for (int i = 0; i < 100; ++i) members += "\"m" + std::to_string(i) + "\":0,";
  CHECK(Json::parse("{" + members + "\"new\":0}"));
  for (const std::string name : {"m0", "m15", "m16", "m17", "m99"}) {
    INFO(name);
    std::string text = "{" + members;
    text += Json(name).dump();
    text += ":0}";
    CHECK_FALSE(Json::parse(text));
  }
}

TEST_CASE("Json: the name of a member that is there twice reaches no terminal as it is") {
  const auto parsed = Json::parse("{\"\\u001b[31m\":1,\"\\u001b[31m\":2}");
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().message.find('\x1b') == std::string::npos);
}

TEST_CASE("Json: nested up to the limit is read, deeper is refused") {
  CHECK(Json::parse(nested(Json::kMaxDepth)));
  const auto deeper = Json::parse(nested(Json::kMaxDepth + 1));
  REQUIRE_FALSE(deeper);
  CHECK(deeper.error().code == ErrorCode::kLimitExceeded);
  CHECK(deeper.error().location == "1:" + std::to_string(Json::kMaxDepth + 1));
  // No stack is spent on what is refused.
  CHECK_FALSE(Json::parse(std::string(5'000'000, '[')));
  std::string objects;
  for (int i = 0; i < 200'000; ++i) objects += "{\"a\":";
  CHECK_FALSE(Json::parse(objects));
}

TEST_CASE("Json: numbers are equal by exact value") {
  CHECK(equal("1", "1.0"));
  CHECK(equal("1", "10e-1"));
  CHECK(equal("1", "0.1e1"));
  CHECK(equal("100", "1e2"));
  CHECK(equal("1E+2", "1e2"));
  CHECK(equal("0", "-0"));
  CHECK(equal("0", "0.000e5"));
  CHECK(equal("-0.0", "0e-7"));
  CHECK(equal("-2.50", "-25e-1"));
  CHECK(equal("1e-5", "0.00001"));
  CHECK(equal("12345678901234567890", "1.2345678901234567890e19"));
}

TEST_CASE("Json: numbers that no double tells apart differ") {
  CHECK_FALSE(equal("0.1", "0.10000000000000001"));
  CHECK_FALSE(equal("0.3", "0.30000000000000004"));  // 0.1 + 0.2
  CHECK_FALSE(equal("9007199254740992", "9007199254740993"));
  CHECK_FALSE(equal("123456789012345678901234567890", "123456789012345678901234567891"));
  CHECK_FALSE(equal("1e300", "1.0000000000000000000001e300"));
  CHECK_FALSE(equal("1e-400", "0"));
  CHECK_FALSE(equal("1e-400", "1e-401"));
  CHECK_FALSE(equal("1", "-1"));
  CHECK_FALSE(equal("1e-9999999999999999999", "0"));
}

TEST_CASE("Json: a number that no double can hold is refused") {
  CHECK(Json::parse("1e308"));
  CHECK(Json::parse("-1.7976931348623157e308"));
  CHECK_FALSE(Json::parse("1e309"));
  CHECK_FALSE(Json::parse("[1e99999999999999999999]"));
  CHECK(Json::parse(std::string(300, '9')));
  CHECK_FALSE(Json::parse(std::string(400, '9')));
}

TEST_CASE("Json: values of different kinds are never equal") {
  const std::vector<Json> values = {Json(),    Json(true),           Json(1),
                                    Json("1"), Json(Json::Array{1}), Json(Json::Object{{"1", 1}})};
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = 0; j < values.size(); ++j) CHECK((values[i] == values[j]) == (i == j));
  }
  CHECK_FALSE(equal("true", "1"));
  CHECK_FALSE(equal("false", "0"));
  CHECK_FALSE(equal("null", "false"));
  CHECK_FALSE(equal("\"\"", "null"));
  CHECK_FALSE(equal("[]", "{}"));
}

TEST_CASE("Json: lists are equal in order, objects by their members") {
  CHECK(equal("[1,2.0]", "[1.0,2]"));
  CHECK_FALSE(equal("[1,2]", "[2,1]"));
  CHECK_FALSE(equal("[1]", "[1,1]"));
  CHECK(equal(R"({"a":1,"b":[2]})", R"({"b":[2.0],"a":1e0})"));
  CHECK_FALSE(equal(R"({"a":1})", R"({"a":1,"b":2})"));
  CHECK_FALSE(equal(R"({"a":1})", R"({"b":1})"));
  CHECK_FALSE(equal(R"({"a":null})", "{}"));
  CHECK(equal(R"("\u00e9")", "\"\xc3\xa9\""));
  CHECK_FALSE(equal(R"("\u00e9")", R"("e\u0301")"));
}

TEST_CASE("Json: text that is not UTF-8 is refused") {
  CHECK(Json::parse("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""));
  for (const std::string_view bad : {"\"\xff\"", "\"\xc3\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"",
                                     "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"", "{\"\xff\":1}", "\"\x80\""}) {
    INFO(std::string(bad));
    const auto parsed = Json::parse(bad);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == ErrorCode::kParseError);
  }
}

TEST_CASE("Json: an escaped surrogate stands in a pair or is refused") {
  CHECK(read(R"("\ud83d\ude00")").as_string() == "\xf0\x9f\x98\x80");
  for (const std::string_view bad :
       {R"("\ud83d")", R"("\ud83dx")", R"("\ud83d\u0041")", R"("\ude00")", R"("\udfff\ud83d")",
        R"("\ud83d\ud83d")", R"({"\udc00":1})", R"("\u12")", R"("\u12g4")"}) {
    INFO(bad);
    CHECK_FALSE(Json::parse(bad));
  }
}

TEST_CASE("Json: escapes are read and a NUL may be in a string") {
  CHECK(read(R"("\"\\\/\b\f\n\r\t\u0041")").as_string() == "\"\\/\b\f\n\r\tA");
  CHECK(read(R"("a\u0000b")").as_string() == "a\0b"s);
  CHECK(read(read(R"("a\u0000b")").dump()).as_string() == "a\0b"s);
}

TEST_CASE("Json: written and read again it keeps order and digits") {
  const std::string text =
      R"({"z":1,"a":[1.50,-0,1e30,1E+2,0.10,123456789012345678901234567890],"m":{"y":null,"b":true},"e":[],"o":{},"s":""})";
  CHECK(read(text).dump() == text);
  CHECK(read(read(text).dump_pretty()).dump() == text);
  CHECK(read(read(text).dump_pretty()) == read(text));
}

TEST_CASE("Json: pretty is indented by two") {
  CHECK(read(R"({"a":[1,{"b":null}],"c":{}})").dump_pretty() ==
        "{\n  \"a\": [\n    1,\n    {\n      \"b\": null\n    }\n  ],\n  \"c\": {}\n}");
}

TEST_CASE("Json: only printable ASCII is written") {
  const std::string text = "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x1b[31m\x7f\xc2\x9b\n\0"s;
  const Json json(Json::Object{{text, Json(text)}});
  for (const std::string& written : {json.dump(), json.dump_pretty()}) {
    for (const char c : written) {
      CHECK(static_cast<unsigned char>(c) < 0x7f);
      CHECK((c == '\n' || static_cast<unsigned char>(c) >= 0x20));
    }
    CHECK(read(written) == json);
  }
}

TEST_CASE("Json: what is written is JSON even where a string is not UTF-8") {
  const Json json(Json::Array{"a\xffz", "\xed\xb0\x80", Json(Json::Object{{"\xc3", 1}}), "\xe2\x82"});
  const Json again = read(json.dump());
  REQUIRE(again.as_array().size() == 4);
  CHECK(again.as_array()[0].as_string() == "a\xef\xbf\xbdz");
  CHECK(again.as_array()[2].as_object()[0].value == Json(1));
  CHECK(read(json.dump_pretty()) == again);
  CHECK_FALSE(again == json);
}

TEST_CASE("Json: a member is set in its place, or at the end, and erased") {
  Json json = read(R"({"a":1,"b":2})");
  json.set("a", "new");
  json.set("c", Json());
  CHECK(json.dump() == R"({"a":"new","b":2,"c":null})");
  CHECK(json.erase("b"));
  CHECK_FALSE(json.erase("b"));
  CHECK(json.dump() == R"({"a":"new","c":null})");
  Json empty;
  empty.set("x", 1);
  CHECK(empty.dump() == R"({"x":1})");
  CHECK_FALSE(Json("text").erase("x"));
}

TEST_CASE("Json: integers keep their digits at both ends of the range") {
  CHECK(Json(std::numeric_limits<std::int64_t>::min()).dump() == "-9223372036854775808");
  CHECK(Json(std::numeric_limits<std::int64_t>::max()).dump() == "9223372036854775807");
  CHECK(Json::strings({"a", "b"}).dump() == R"(["a","b"])");
}

TEST_CASE("is_valid_utf8: accepts every length, and the ends of each range") {
  for (const std::string_view good :
       {""sv, "ascii"sv, "\0"sv, "\x7f"sv, "\xc2\x80"sv, "\xdf\xbf"sv, "\xe0\xa0\x80"sv, "\xed\x9f\xbf"sv,
        "\xee\x80\x80"sv, "\xef\xbf\xbf"sv, "\xf0\x90\x80\x80"sv, "\xf4\x8f\xbf\xbf"sv, "a\xc3\xa9z"sv,
        "\0\xc3\xa9\0"sv}) {
    INFO(std::string(good));
    CHECK(is_valid_utf8(good));
  }
}

TEST_CASE("is_valid_utf8: refuses overlong forms, surrogates, what is cut off, and what is out of range") {
  for (const std::string_view bad : {"\x80"sv,
                                     "\xbf"sv,
                                     "\xc0\x80"sv,
                                     "\xc1\xbf"sv,
                                     "\xe0\x80\x80"sv,
                                     "\xe0\x9f\xbf"sv,
                                     "\xf0\x80\x80\x80"sv,
                                     "\xf0\x8f\xbf\xbf"sv,
                                     "\xed\xa0\x80"sv,
                                     "\xed\xbf\xbf"sv,
                                     "\xf4\x90\x80\x80"sv,
                                     "\xf5\x80\x80\x80"sv,
                                     "\xfe"sv,
                                     "\xff"sv,
                                     "\xc3"sv,
                                     "\xe2\x82"sv,
                                     "\xf0\x9f\x98"sv,
                                     "\xf0\x9f"sv,
                                     "\xf0"sv,
                                     "\xc3\x28"sv,
                                     "\xe2\x28\xac"sv,
                                     "\xc3\xa9\xff"sv,
                                     "a\xc3"sv,
                                     "\xc3\0"sv,
                                     "\xe2\x82\0"sv,
                                     "\xf0\x9f\x98\0"sv}) {
    INFO(std::string(bad));
    CHECK_FALSE(is_valid_utf8(bad));
  }
}

TEST_CASE("is_valid_utf8: agrees with the definition on every sequence of two bytes") {
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const std::string text = {static_cast<char>(a), static_cast<char>(b)};
      const bool expected = (a < 0x80 && b < 0x80) || (a >= 0xc2 && a <= 0xdf && b >= 0x80 && b <= 0xbf);
      if (is_valid_utf8(text) != expected) FAIL("wrong about bytes " << a << " and " << b);
    }
  }
}

TEST_CASE("json_pointer: escapes a step as RFC 6901 asks for") {
  CHECK(json_pointer("", "allow") == "/allow");
  CHECK(json_pointer("/allow", 3) == "/allow/3");
  CHECK(json_pointer("/roles", "a/b~c") == "/roles/a~1b~0c");
  CHECK(json_pointer("/roles", "~1") == "/roles/~01");
  CHECK(json_pointer("/roles", "") == "/roles/");
}

TEST_CASE("Json: equal values have one canonical form, others have another") {
  const auto canonical = [](const char* text) { return Json::parse(text)->canonical().dump(); };
  CHECK(canonical(R"({"b": 1.0, "a": [10, true]})") == canonical(R"({"a": [1e1, true], "b": 1})"));
  CHECK(canonical("0.0") == canonical("-0"));
  CHECK(canonical("120") == canonical("12e1"));
  CHECK(canonical("1") != canonical("-1"));
  CHECK(canonical("1") != canonical("true"));
  CHECK(canonical("1") != canonical("\"1\""));
  CHECK(canonical("[1, 2]") != canonical("[2, 1]"));
  CHECK(canonical("0.1") != canonical("0.10000000000000001"));
}

TEST_CASE("Json: control characters are escaped when written and refused when read, wherever they stand") {
  constexpr std::size_t kLongest = 40;  // beyond the vectors that a parser may work in
  for (int c = 0; c < 0x20; ++c) {
    for (std::size_t before = 0; before <= kLongest; ++before) {
      CAPTURE(c, before);
      const std::string text =
          std::string(before, 'a') + static_cast<char>(c) + std::string(kLongest - before, 'b');
      const Json value(Json::Object{{text, text}});
      for (const std::string& written : {value.dump(), value.dump_pretty()}) {
        const auto is_raw = [](char byte) { return static_cast<unsigned char>(byte) < 0x20 && byte != '\n'; };
        CHECK(std::none_of(written.begin(), written.end(), is_raw));
        const auto read = Json::parse(written);
        REQUIRE(read);
        CHECK(*read == value);
      }
      CHECK_FALSE(Json::parse("[\"" + text + "\"]"));
      CHECK_FALSE(Json::parse("{\"" + text + "\": 1}"));
    }
  }
}

TEST_CASE("Json: a text that ends within a character is refused, and not read beyond") {
  for (const std::string& lead : {std::string("\xc3"), std::string("\xe2"), std::string("\xf0")}) {
    for (const std::size_t length : {0U, 1U, 10U, 14U, 15U, 16U, 31U, 207U, 5000U}) {
      const auto parsed = Json::parse("\"" + std::string(length, 'a') + lead);
      REQUIRE_FALSE(parsed);
      CHECK(parsed.error().code == ErrorCode::kParseError);
    }
  }
}
