#include "plain_pattern.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vipauth::test::model {
namespace {

using Character = char32_t;
using Text = std::u32string;
using Places = std::set<std::size_t>;

/// The characters of valid UTF-8.
Text characters(std::string_view utf8) {
  Text out;
  for (std::size_t i = 0; i < utf8.size();) {
    const auto first = static_cast<unsigned char>(utf8[i]);
    const std::size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    Character c = size == 1 ? first : first & (0xffU >> (size + 1));
    for (std::size_t k = 1; k < size && i + k < utf8.size(); ++k) {
      c = (c << 6U) | (static_cast<unsigned char>(utf8[i + k]) & 0x3fU);
    }
    out += c;
    i += size;
  }
  return out;
}

/// The characters that are the same where case is ignored: the Kelvin sign is a k, the long s an s.
Text same_but_for_case(Character c) {
  for (const Text& same : {Text(U"kK\u212a"), Text(U"sS\u017f"), Text(U"\u00e9\u00c9")}) {
    if (same.find(c) != Text::npos) return same;
  }
  if (c >= U'a' && c <= U'z') return {c, c - U'a' + U'A'};
  if (c >= U'A' && c <= U'Z') return {c, c - U'A' + U'a'};
  return {c};
}

bool is_digit(Character c) { return c >= U'0' && c <= U'9'; }

bool is_word(Character c) {
  return is_digit(c) || (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') || c == U'_' || c > 0x7f;
}

/// One character out of several.
struct CharacterSet {
  std::vector<std::pair<Character, Character>> ranges;
  bool digits = false;
  bool words = false;
  bool negated = false;
  bool ignores_case = false;

  bool has(Character c) const {
    return (digits && is_digit(c)) || (words && is_word(c)) ||
           std::any_of(ranges.begin(), ranges.end(),
                       [&](const auto& range) { return range.first <= c && c <= range.second; });
  }

  bool accepts(Character c) const {
    const Text same = ignores_case ? same_but_for_case(c) : Text{c};
    return std::any_of(same.begin(), same.end(), [&](Character one) { return has(one); }) != negated;
  }
};

struct Expression {
  enum class Kind { kCharacter, kSequence, kChoice, kRepeat, kBegin, kEnd };
  static constexpr std::size_t kForever = 10'000;

  Kind kind = Kind::kSequence;
  CharacterSet set = {};
  std::vector<Expression> parts = {};
  std::size_t least = 0;  // of kRepeat
  std::size_t most = 0;
};

/// Where a match that began at one of `from` may have ended.
Places ends(const Expression& expression, const Text& text, const Places& from) {
  Places out;
  switch (expression.kind) {
    case Expression::Kind::kCharacter:
      for (const std::size_t at : from) {
        if (at < text.size() && expression.set.accepts(text[at])) out.insert(at + 1);
      }
      return out;
    case Expression::Kind::kSequence:
      out = from;
      for (const Expression& part : expression.parts) out = ends(part, text, out);
      return out;
    case Expression::Kind::kChoice:
      for (const Expression& part : expression.parts) out.merge(ends(part, text, from));
      return out;
    case Expression::Kind::kRepeat: {
      Places now = from;
      for (std::size_t i = 0; i < expression.least; ++i) now = ends(expression.parts.front(), text, now);
      out = now;
      for (std::size_t i = expression.least; i < expression.most; ++i) {
        now = ends(expression.parts.front(), text, now);
        const std::size_t before = out.size();
        out.insert(now.begin(), now.end());
        if (expression.most == Expression::kForever && out.size() == before) break;
      }
      return out;
    }
    case Expression::Kind::kBegin: return from.contains(0) ? Places{0} : Places();
    case Expression::Kind::kEnd: return from.contains(text.size()) ? Places{text.size()} : Places();
  }
  return out;
}

class Parser {
 public:
  explicit Parser(std::string_view body) : text_(characters(body)) {}

  std::optional<Expression> parse() {
    ignores_case_ = take(U"(?i)");
    Expression out = choice();
    if (at_ != text_.size()) is_bad_ = true;
    if (is_bad_) return std::nullopt;
    return out;
  }

 private:
  bool ahead(const Text& what) const { return text_.compare(at_, what.size(), what) == 0; }

  bool take(const Text& what) {
    if (!ahead(what)) return false;
    at_ += what.size();
    return true;
  }

  bool is_at_end() const { return is_bad_ || at_ >= text_.size(); }

  Expression choice() {
    Expression out{.kind = Expression::Kind::kChoice};
    do {
      out.parts.push_back(sequence());
    } while (take(U"|"));
    return out;
  }

  Expression sequence() {
    Expression out{.kind = Expression::Kind::kSequence};
    while (!is_at_end() && !ahead(U"|") && !ahead(U")")) out.parts.push_back(repeated(single()));
    return out;
  }

  Expression single() {
    if (take(U"(")) return group();
    if (take(U"[")) return char_class();
    if (take(U"^")) return {.kind = Expression::Kind::kBegin};
    if (take(U"$")) return {.kind = Expression::Kind::kEnd};
    if (ahead(U"*") || ahead(U"+") || ahead(U"?")) return bad();
    Expression out{.kind = Expression::Kind::kCharacter};
    if (take(U".")) {
      out.set.ranges.emplace_back(U'\n', U'\n');
      out.set.negated = true;
    } else {
      add_character(out.set);
      out.set.ignores_case = ignores_case_;
    }
    return out;
  }

  Expression group() {
    const bool outer = ignores_case_;
    if (take(U"?i:")) {
      ignores_case_ = true;
    } else if (!take(U"?:") && ahead(U"?")) {
      return bad();
    }
    Expression out = choice();
    ignores_case_ = outer;
    if (!take(U")")) return bad();
    return out;
  }

  Expression char_class() {
    Expression out{.kind = Expression::Kind::kCharacter};
    out.set.negated = take(U"^");
    out.set.ignores_case = ignores_case_;
    while (!is_at_end() && !ahead(U"]")) {
      add_character(out.set);
      if (is_at_end() || !take(U"-")) continue;
      CharacterSet last;
      add_character(last);
      if (is_bad_ || last.ranges.empty()) return bad();
      out.set.ranges.back().second = last.ranges.front().first;
    }
    if (!take(U"]")) return bad();
    return out;
  }

  /// A character, one that a backslash makes plain, a class, or \x{212a}.
  void add_character(CharacterSet& set) {
    if (is_at_end()) {
      is_bad_ = true;
      return;
    }
    Character c = text_[at_++];
    if (c == U'\\') {
      if (take(U"d")) {
        set.digits = true;
        return;
      }
      if (take(U"w")) {
        set.words = true;
        return;
      }
      if (take(U"x{")) {
        c = 0;
        while (!is_at_end() && text_[at_] != U'}') {
          const Character digit = text_[at_++];
          c = c * 16 + (is_digit(digit) ? digit - U'0' : digit - U'a' + 10);
        }
        is_bad_ = is_bad_ || !take(U"}");
      } else if (is_at_end() || is_word(text_[at_])) {
        is_bad_ = true;
        return;
      } else {
        c = text_[at_++];
      }
    }
    set.ranges.emplace_back(c, c);
  }

  Expression repeated(Expression part) {
    std::size_t least = 0;
    std::size_t most = Expression::kForever;
    if (take(U"+")) {
      least = 1;
    } else if (take(U"?")) {
      most = 1;
    } else if (take(U"{")) {
      const auto first = number();
      const auto second = take(U",") ? number() : first;
      if (!first || !second || *second < *first || !take(U"}")) return bad();
      least = *first;
      most = *second;
    } else if (!take(U"*")) {
      return part;
    }
    if (ahead(U"+") || ahead(U"*") || ahead(U"{") || ahead(U"?")) return bad();
    return {.kind = Expression::Kind::kRepeat, .parts = {std::move(part)}, .least = least, .most = most};
  }

  std::optional<std::size_t> number() {
    std::optional<std::size_t> out;
    for (; !is_at_end() && is_digit(text_[at_]); ++at_) out = out.value_or(0) * 10 + (text_[at_] - U'0');
    return out;
  }

  Expression bad() {
    is_bad_ = true;
    return {};
  }

  Text text_;
  std::size_t at_ = 0;
  bool ignores_case_ = false;
  bool is_bad_ = false;
};

std::optional<Expression> expression_of(std::string_view pattern) {
  return Parser(pattern.substr(1, pattern.size() - 2)).parse();
}

}  // namespace

bool is_expression(std::string_view pattern) {
  return pattern.size() >= 2 && pattern.front() == '/' && pattern.back() == '/';
}

bool is_good_pattern(std::string_view pattern) {
  return !is_expression(pattern) || expression_of(pattern).has_value();
}

bool matches_whole(std::string_view pattern, std::string_view value) {
  if (!is_expression(pattern)) return pattern == value;
  const auto expression = expression_of(pattern);
  const Text text = characters(value);
  return expression && ends(*expression, text, {0}).contains(text.size());
}

}  // namespace vipauth::test::model
