#include "text/pattern_literals.hpp"

#include <algorithm>
#include <cstdint>

#include "support/catch.hpp"

namespace vipauth::test {
namespace {

Pattern pattern(const std::string& text) {
  auto parsed = Pattern::parse(text);
  INFO(text);
  REQUIRE(parsed);
  return *parsed;
}

std::string prefix(const std::string& text) { return literal_prefix(pattern(text)); }

std::vector<LiteralGroup> groups(const std::string& text) { return literal_groups(pattern(text)); }

std::string folded(std::string_view text) {
  std::string out;
  for_each_folded(text, [&](unsigned char byte) { out += static_cast<char>(byte); });
  return out;
}

/// The character as UTF-8.
std::string utf8(std::uint32_t c) {
  const auto byte = [](std::uint32_t value) { return std::string(1, static_cast<char>(value)); };
  if (c < 0x80) return byte(c);
  if (c < 0x800) return byte(0xc0 | c >> 6) + byte(0x80 | (c & 0x3f));
  if (c < 0x10000) return byte(0xe0 | c >> 12) + byte(0x80 | (c >> 6 & 0x3f)) + byte(0x80 | (c & 0x3f));
  return byte(0xf0 | c >> 18) + byte(0x80 | (c >> 12 & 0x3f)) + byte(0x80 | (c >> 6 & 0x3f)) +
         byte(0x80 | (c & 0x3f));
}

}  // namespace

TEST_CASE("literal_prefix: the plain text at the beginning of a pattern, and all of a literal") {
  CHECK(prefix("devices/a.b") == "devices/a.b");
  CHECK(prefix("/devices/") == "devices");
  CHECK(prefix("/devices/.*/") == "devices/");
  CHECK(prefix("/^devices\\/a-b\\.c\\-[0-9]+/") == "devices/a-b.c-");
  CHECK(prefix("/\xc3\xa9t\xc3\xa9.*/") == "\xc3\xa9t\xc3\xa9");
  CHECK(prefix("/Ab_ $/") == "Ab_ ");
}

TEST_CASE("literal_prefix: not what can be missing or different") {
  CHECK(prefix("/abc*/") == "ab");
  CHECK(prefix("/abc?/") == "ab");
  CHECK(prefix("/abc{0,2}/") == "ab");
  CHECK(prefix("/abc+/") == "abc");
  CHECK(prefix("/ab\xc3\xa9?/") == "ab");
  CHECK(prefix("/ab\\.*/") == "ab");
  CHECK(prefix("/ab|cd/").empty());
  CHECK(prefix("/ab(c|d)/").empty());
  CHECK(prefix("/(?i)abc/").empty());
  CHECK(prefix("/(ab)?/").empty());
  CHECK(prefix("/.*abc/").empty());
  CHECK(prefix("/ab\\d/") == "ab");
  CHECK(prefix("/ab\\n/") == "ab");
  CHECK(prefix("//").empty());
}

TEST_CASE("literal_groups: texts of which a value holds one, folded") {
  CHECK(groups("/.*abc.*/") == std::vector<LiteralGroup>{{"abc"}});
  CHECK(groups("/.*ABC[0-9]+xyz.*/") == std::vector<LiteralGroup>{{"xyz"}, {"abc"}});
  CHECK(groups("/.*(abc|xyz).*/") == std::vector<LiteralGroup>{{"abc", "xyz"}});
  CHECK(groups("/.*gr\xc3\xb6\xc3\x9f\x65.*/") == std::vector<LiteralGroup>{{"gr\x80\x80\x65"}});
  CHECK(groups("a Literal") == std::vector<LiteralGroup>{{"a literal"}});
}

TEST_CASE("literal_groups: none where a value may lack them all") {
  for (const char* text :
       {"/.*/", "/.*ab/", "/[a-z]+[0-9]+/", "/(abc)?.*/", "/.*abc|.*/", "/(a+)+$/", "//"}) {
    INFO(text);
    CHECK(groups(text).empty());
  }
  CHECK(groups("").empty());
}

TEST_CASE("literal_groups: long and nested patterns end, with groups that are not too large") {
  std::string words;
  for (int i = 0; i < 200; ++i) words += (i == 0 ? "" : "|") + std::to_string(100 + i) + "x";
  for (const std::string& text :
       {"/.*(" + words + ")/", "/.*" + std::string(1000, 'a') + "/", std::string("/.*((abc){9}){9}.*/"),
        std::string("/.*[abc][abc][abc][abc][abc][abc][abc].*/"),
        "/" + std::string(500, '(') + std::string(500, ')') + "/"}) {
    const auto parsed = Pattern::parse(text);
    if (!parsed) continue;  // RE2's own limits
    for (const LiteralGroup& group : literal_groups(*parsed)) {
      CHECK(group.size() <= kMaxLiteralGroup);
      CHECK_FALSE(group.empty());
    }
  }
}

TEST_CASE("for_each_folded: every character folds as what RE2 takes for its small letter does") {
  CHECK(folded("Ab/Z[`{9") == "ab/z[`{9");
  CHECK(folded("\xc3\x89\xe2\x82\xac\xf0\x9f\x98\x80") == "\x80\x80\x80");
  CHECK(folded("\xe2\x84\xaa\xc4\xb0\xc5\xbf") == "kis");
  // All of the first plane: were there another one like those three, a filter would miss it.
  for (std::uint32_t c = 0x80; c < 0x10000; c += 1) {
    if (c >= 0xd800 && c < 0xe000) continue;
    const std::string character = utf8(c);
    const auto found = groups("/.*xy" + character + "zz.*/");
    if (found != std::vector<LiteralGroup>{{folded("xy" + character + "zz")}}) {
      CAPTURE(c);
      REQUIRE(found == std::vector<LiteralGroup>{{folded("xy" + character + "zz")}});
    }
  }
}

TEST_CASE("literal_groups: letters of which several are the same to a pattern without case") {
  for (const char* text :
       {"/(?i).*kelvin.*/", "/(?i).*strasse.*/", "/(?i).*\xc3\xa9t\xc3\xa9.*/", "/(?i).*I\xc4\xb0i.*/"}) {
    const Pattern p = pattern(text);
    for (const std::string_view value :
         {"kelvin", "KELVIN", "\xe2\x84\xaa\x65lvin", "strasse", "\xc5\xbft ra\xc5\xbf\xc5\xbf\x65",
          "\xc5\xbftra\xc5\xbf\xc5\xbf\x65", "\xc3\x89t\xc3\x89", "\xc3\xa9T\xc3\x89", "i\xc4\xb0I"}) {
      if (!p.matches(value)) continue;
      for (const LiteralGroup& group : literal_groups(p)) {
        INFO(text << " " << value);
        CHECK(std::any_of(group.begin(), group.end(), [&](const std::string& literal) {
          return folded(value).find(literal) != std::string::npos;
        }));
      }
    }
  }
}

}  // namespace vipauth::test
