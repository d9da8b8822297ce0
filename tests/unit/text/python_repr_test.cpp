#include <vipauth/python_repr.hpp>

#include <string>

#include "support/catch.hpp"

using namespace vipauth;
using namespace std::literals;

TEST_CASE("python_repr: plain values as Python prints them") {
  CHECK(python_repr(Json()) == "None");
  CHECK(python_repr(Json(true)) == "True");
  CHECK(python_repr(Json(false)) == "False");
  CHECK(python_repr(Json(42)) == "42");
  CHECK(python_repr(Json(Json::Number{"-1.5"})) == "-1.5");
  CHECK(python_repr(Json("text")) == "'text'");
  CHECK(python_repr(Json("")) == "''");
}

TEST_CASE("python_repr: lists and dictionaries as Python prints them") {
  CHECK(python_repr(Json(Json::Array())) == "[]");
  CHECK(python_repr(Json(Json::Object())) == "{}");
  CHECK(python_repr(Json(Json::Array{"a", 1, Json()})) == "['a', 1, None]");
  CHECK(python_repr(Json(Json::Object{{"x", 1}, {"y", Json(Json::Array{true})}})) == "{'x': 1, 'y': [True]}");
  CHECK(python_repr(std::vector<std::string>{"CAP_A", "CAP_B"}) == "['CAP_A', 'CAP_B']");
  CHECK(python_repr(std::vector<std::string>{}) == "[]");
}

TEST_CASE("python_repr: quotes are chosen and escaped as Python does") {
  CHECK(python_repr(Json("it's")) == "\"it's\"");
  CHECK(python_repr(Json("say \"hi\"")) == "'say \"hi\"'");
  CHECK(python_repr(Json("it's \"hi\"")) == "'it\\'s \"hi\"'");
  CHECK(python_repr(Json("a\\b")) == "'a\\\\b'");
}

TEST_CASE("python_repr: control characters are escaped, letters are not") {
  CHECK(python_repr(Json("a\nb\tc\rd")) == "'a\\nb\\tc\\rd'");
  CHECK(python_repr(Json("\x1b[31m")) == "'\\x1b[31m'");
  CHECK(python_repr(Json("a\0b"s)) == "'a\\x00b'");
  CHECK(python_repr(Json("\x7f")) == "'\\x7f'");
  CHECK(python_repr(Json("\xc2\x9b"
                         "31m")) == "'\\x9b31m'");  // U+009B begins a terminal's command too
  CHECK(python_repr(Json("\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80")) ==
        "'\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80'");
}

TEST_CASE("python_repr: characters that reorder or hide text are escaped as Python does") {
  CHECK(python_repr(Json("\xe2\x80\xae")) == "'\\u202e'");          // right-to-left override
  CHECK(python_repr(Json("\xe2\x80\xa8")) == "'\\u2028'");          // line separator
  CHECK(python_repr(Json("\xf0\x9d\x85\xb3")) == "'\\U0001d173'");  // begin of a beam in music
  CHECK(python_repr(Json("\xf0\x9d\x85\xb2")) == "'\xf0\x9d\x85\xb2'");
  CHECK(python_repr(Json("\xe2\x80\x8b")) == "'\\u200b'");  // zero width space
  CHECK(python_repr(Json("\xe2\x81\xa6")) == "'\\u2066'");  // left-to-right isolate
  CHECK(python_repr(Json("\xef\xbb\xbf")) == "'\\ufeff'");
  CHECK(python_repr(Json("\xc2\xa0")) == "'\\xa0'");
  CHECK(python_repr(Json("\xc2\xad")) == "'\\xad'");
  CHECK(python_repr(Json("\xe2\x80\xa6")) == "'\xe2\x80\xa6'");  // an ellipsis is printable
}

TEST_CASE("python_repr: bytes that are not UTF-8 reach no terminal as they are") {
  CHECK(python_repr(Json("a\x9bz")) == "'a\\x9bz'");
  CHECK(python_repr(Json("\xc3")) == "'\\xc3'");
  CHECK(python_repr(Json("\xc2"
                         "a")) == "'\\xc2a'");
}

TEST_CASE("python_str: a string on its own stands without quotes") {
  CHECK(python_str(Json("it's")) == "it's");
  CHECK(python_str(Json("a\nb")) == "a\\nb");
  CHECK(python_str(Json("a\\b")) == "a\\b");
  CHECK(python_str(Json("\x1b")) == "\\x1b");
  CHECK(python_str(Json(42)) == "42");
  CHECK(python_str(Json(Json::Array{"a"})) == "['a']");
}
