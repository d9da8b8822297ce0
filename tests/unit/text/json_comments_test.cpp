#include "text/json_comments.hpp"

#include <vipauth/json.hpp>

#include "support/catch.hpp"

using namespace vipauth;

namespace {

/// The text without comments; it must be as long as before, and say whether there were any.
std::string blanked(std::string_view text) {
  const auto out = blank_comments(text);
  INFO(text);
  REQUIRE(out);
  CHECK(out->text.size() == text.size());
  CHECK(out->found == (out->text != text));
  return out->text;
}

}  // namespace

TEST_CASE("blank_comments: each kind becomes spaces, and lines stay") {
  CHECK(blanked("{} // a\n{}") == "{}     \n{}");
  CHECK(blanked("{} # a\n{}") == "{}    \n{}");
  CHECK(blanked("a/* b\nc */d") == "a    \n    d");
  CHECK(blanked("{}//") == "{}  ");
  CHECK(blanked("{}#") == "{} ");
  CHECK(blanked("/**/{}") == "    {}");
  CHECK(blanked("{} /// x") == "{}      ");
  CHECK(blanked("1#x\r\n2") == "1   \n2");
}

TEST_CASE("blank_comments: a text without comments stays as it is") {
  for (const std::string_view text : {"", "{}", "{\"a\": 1}", "/", "a / b", "*/", "{\n}\n"}) {
    CHECK(blanked(text) == text);
    CHECK_FALSE(blank_comments(text)->found);
  }
}

TEST_CASE("blank_comments: what looks like a comment inside a string is text") {
  for (const std::string_view text :
       {R"({"u":"http://x/#f"})", R"({"c":"/* x */"})", R"({"c":"/*"})", R"({"c":"/.*/"})",
        R"({"a":"x\"//y"})", R"({"a":"x\\"})", R"(["#","//"])", R"({"#":1})"}) {
    CHECK(blanked(text) == text);
  }
  CHECK(blanked(R"({"a":"x\\"}//y)") == R"({"a":"x\\"}   )");
  CHECK(blanked(R"({"a":"x\""}#y)") == R"({"a":"x\""}  )");
}

TEST_CASE("blank_comments: a quote inside a comment opens no string") {
  CHECK(blanked("// say \"hi\n{}") == "          \n{}");
  CHECK(blanked("/* \" */{}/* \" */") == "       {}       ");
  CHECK(blanked("# don't\n{}") == "       \n{}");
}

TEST_CASE("blank_comments: comments do not nest, and one kind hides the other") {
  CHECK(blanked("/* /* */ 1") == "         1");
  CHECK(blanked("// /*\n1 // */") == "     \n1      ");
  CHECK(blanked("/* // */1") == "        1");
  CHECK(blanked("/* # */1") == "       1");
}

TEST_CASE("blank_comments: a slash and star that open a comment do not close it as well") {
  CHECK(blanked("/*/ */{}") == "      {}");
  CHECK_FALSE(blank_comments("/*/"));
  CHECK_FALSE(blank_comments("/*/{}"));
}

TEST_CASE("blank_comments: a comment that does not end is refused with its place") {
  const auto unclosed = blank_comments("{\"a\": 1}\n  /* x");
  REQUIRE_FALSE(unclosed);
  CHECK(unclosed.error().code == ErrorCode::kParseError);
  CHECK(unclosed.error().location == "2:3");
  CHECK_FALSE(blank_comments("/*"));
  CHECK_FALSE(blank_comments("/* *"));
}

TEST_CASE("blank_comments: a string that does not end hides the rest, and is refused by the parser") {
  CHECK(blanked("{\"a\": \"x # y") == "{\"a\": \"x # y");
  CHECK(blanked("\"\\") == "\"\\");
  CHECK_FALSE(Json::parse("{\"a\": \"x # y", Json::Comments::kAccept));
}

TEST_CASE("Json: with comments accepted errors still name the place in the text as it is") {
  const auto bad = Json::parse("// one\n/* two\n three */ {\"a\": tru}", Json::Comments::kAccept);
  REQUIRE_FALSE(bad);
  CHECK(bad.error().location == "3:20");
}

TEST_CASE("Json: says whether a text held comments") {
  CHECK(Json::parse_with_comments("{} # x")->had_comments);
  CHECK_FALSE(Json::parse_with_comments("{\"a\":\"# x\"}")->had_comments);
  CHECK_FALSE(Json::parse("{} # x"));
  CHECK(Json::parse("{} # x", Json::Comments::kAccept));
}

TEST_CASE("line_and_column: count from one, in bytes") {
  CHECK(line_and_column("", 0) == "1:1");
  CHECK(line_and_column("abc", 2) == "1:3");
  CHECK(line_and_column("a\nbc", 2) == "2:1");
  CHECK(line_and_column("a\nbc", 1) == "1:2");
  CHECK(line_and_column("a\n\n", 3) == "3:1");
  CHECK(line_and_column("abc", 99) == "1:4");
}
