#include "topic_worlds.hpp"

#include <utility>
#include <vector>

namespace vipauth::test {
namespace {

rc::Gen<std::string> one_of(std::vector<std::string> texts) { return rc::gen::elementOf(std::move(texts)); }

rc::Gen<std::string> joined(rc::Gen<std::string> part, int fewest, int most) {
  return rc::gen::mapcat(rc::gen::inRange(fewest, most + 1), [part = std::move(part)](int count) {
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(static_cast<std::size_t>(count), part),
                        [](const std::vector<std::string>& parts) {
                          std::string out;
                          for (const std::string& one : parts) out += one;
                          return out;
                        });
  });
}

/// Pieces that are in rules and in topics, so that the two meet: capitals, other scripts, and the letters
/// whose small ones are in ASCII.
const std::vector<std::string> kPieces{"devices",
                                       "dev",
                                       "/",
                                       "point",
                                       "Point1",
                                       "abc",
                                       "ABC",
                                       "abcabc",
                                       "a",
                                       "aa",
                                       "1",
                                       "42",
                                       "-",
                                       "kelvin",
                                       "KELVIN",
                                       "\xe2\x84\xaa",
                                       "\xc5\xbf",
                                       "s",
                                       "\xc4\xb0",
                                       "i",
                                       "\xc3\xa9t\xc3\xa9",
                                       "\xc3\x89",
                                       "stra\xc3\x9f\x65",
                                       "\xe6\x97\xa5\xe6\x9c\xac"};

const std::vector<std::string> kPlain{"devices",
                                      "dev",
                                      "/",
                                      "point",
                                      "Point1",
                                      "abc",
                                      "abcabc",
                                      "a",
                                      "1",
                                      "kelvin",
                                      "ss",
                                      "\xc3\xa9t\xc3\xa9",
                                      "stra\xc3\x9f\x65",
                                      "\xe2\x84\xaa",
                                      "\xe6\x97\xa5\xe6\x9c\xac"};

rc::Gen<std::string> plain() { return one_of(kPlain); }

/// A part of an expression, of which any may follow each other.
rc::Gen<std::string> atom() {
  return rc::gen::oneOf(plain(), plain(),
                        one_of({".*",
                                ".",
                                ".+",
                                "[a-z]",
                                "[a-z]*",
                                "[0-9]+",
                                "\\d",
                                "\\w*",
                                "[^/]*",
                                "[kK]",
                                "[abc]",
                                "a*",
                                "a?",
                                "b{0,2}",
                                "1{2}",
                                "\\.",
                                "\\/",
                                "(a+)+",
                                "(abc)*",
                                "(?i:KeLvIn)",
                                "(?i:s)",
                                "[\\x{212a}k]",
                                "(abc|dev)",
                                "(abc|)",
                                "(point1|42|devices)",
                                "(?:ab|cd)?c",
                                "()"}));
}

rc::Gen<std::string> expression() {
  const auto branch = joined(atom(), 0, 6);
  return rc::gen::weightedOneOf<std::string>(
      {{8, branch},
       {2, rc::gen::map(branch, [](const std::string& rest) { return ".*" + rest; })},
       {1, rc::gen::map(branch, [](const std::string& rest) { return "^" + rest + "$"; })},
       {1, rc::gen::map(branch, [](const std::string& rest) { return "(?i)" + rest; })},
       {1, rc::gen::map(rc::gen::pair(branch, branch), [](const std::pair<std::string, std::string>& both) {
          return both.first + "|" + both.second;
        })}});
}

}  // namespace

rc::Gen<std::string> any_topic() { return joined(one_of(kPieces), 0, 8); }

rc::Gen<std::string> any_rule_text() {
  return rc::gen::weightedOneOf<std::string>(
      {{2, joined(one_of(kPieces), 0, 4)},
       {5, rc::gen::map(expression(), [](const std::string& text) { return "/" + text + "/"; })}});
}

}  // namespace vipauth::test
