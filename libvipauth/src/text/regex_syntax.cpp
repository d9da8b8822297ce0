#include "text/regex_syntax.hpp"

#include <algorithm>
#include <optional>

namespace vipauth {
namespace {

// Python's str.isspace(), which its \s matches.
constexpr std::string_view kSpace =
    R"(\t-\r\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr std::string_view kDigit = R"(\p{Nd})";
constexpr std::string_view kWord = R"(\p{L}\p{N}_)";

class Translator {
 public:
  explicit Translator(std::string_view regex) : regex_(regex) {}

  Result<std::string> run() {
    while (at_ < regex_.size() && !error_) step();
    if (error_) return *error_;
    return std::move(out_);
  }

 private:
  bool ahead(std::string_view text) const { return regex_.substr(at_).starts_with(text); }

  void refuse(std::string_view what) {
    error_ =
        Error{ErrorCode::kParseError, std::string(what) + ", at position " + std::to_string(at_ + 1), ""};
  }

  void copy(std::size_t count) {
    out_ += regex_.substr(at_, count);
    at_ += count;
  }

  void replace(std::size_t count, std::string_view text) {
    out_ += text;
    at_ += count;
  }

  void step() {
    switch (regex_[at_]) {
      case '\\': return escape();
      case '[': return open_class();
      case '(': return group();
      case '$': return dollar();
      case '*':
      case '+':
      case '?': return quantifier(1);
      case '{': return braces();
      default: return copy(1);
    }
  }

  // A backslash and what it stands before, outside of brackets.
  void escape() {
    if (at_ + 1 >= regex_.size()) return copy(1);
    switch (const char c = regex_[at_ + 1]) {
      case 'd': return replace(2, kDigit);
      case 'D': return replace(2, R"(\P{Nd})");
      case 'w': return replace(2, std::string("[") + std::string(kWord) + "]");
      case 'W': return replace(2, std::string("[^") + std::string(kWord) + "]");
      case 's': return replace(2, std::string("[") + std::string(kSpace) + "]");
      case 'S': return replace(2, std::string("[^") + std::string(kSpace) + "]");
      default: return common_escape(c);
    }
  }

  // What an escape means both inside and outside of brackets.
  void common_escape(char c) {
    if (c >= '1' && c <= '9')
      return refuse("a back-reference such as '\\1' is not supported: it needs more than linear time");
    switch (c) {
      case 'b':
      case 'B': return refuse("'\\b' and '\\B' are not supported: Python and RE2 disagree on what a word is");
      case 'Z': return refuse("'\\Z' is not supported: a pattern matches the whole value already");
      case 'u':
      case 'U': return refuse("'\\u' is not supported: write the character itself, or '\\x{20ac}'");
      case 'N': return refuse("'\\N' is not supported: write the character itself");
      case 'C': return refuse("'\\C' is not supported: it matches half of a character");
      case 'Q':
      case 'E': return refuse("'\\Q...\\E' is not supported: put a backslash before each special character");
      case 'x':
        if (const std::size_t close = regex_.find('}', at_);
            ahead("\\x{") && close != std::string_view::npos) {
          return copy(close - at_ + 1);
        }
        return copy(2);
      default: return copy(2);
    }
  }

  void open_class() {
    const std::size_t begin = at_;
    copy(ahead("[^") ? 2 : 1);
    if (ahead("]")) copy(1);  // a bracket that comes first stands for itself
    while (at_ < regex_.size() && regex_[at_] != ']' && !error_) class_item();
    if (error_) return;
    if (at_ == regex_.size()) {
      at_ = begin;
      return refuse("a '[' has no ']'");
    }
    copy(1);
  }

  void class_item() {
    if (ahead("[:"))
      return refuse("a class such as '[:alpha:]' is not supported: Python reads it as plain characters");
    for (const std::string_view operation : {"&&", "||", "~~", "--"}) {
      if (ahead(operation)) {
        return refuse("'" + std::string(operation) +
                      "' inside brackets is not supported: its meaning is not settled");
      }
    }
    const bool begins_as_class = ahead_of_class();
    class_character();
    if (error_ || !ahead("-") || ahead("-]")) return;
    if (ahead("--")) return;  // refused as the next item
    copy(1);
    if (begins_as_class || ahead_of_class()) {
      return refuse(
          "a range that begins or ends with a class such as '\\d' is not supported: Python refuses it");
    }
    if (at_ < regex_.size()) class_character();
  }

  bool ahead_of_class() const {
    return ahead("\\d") || ahead("\\D") || ahead("\\w") || ahead("\\W") || ahead("\\s") || ahead("\\S");
  }

  void class_character() {
    if (regex_[at_] != '\\' || at_ + 1 >= regex_.size()) return copy(1);
    switch (const char c = regex_[at_ + 1]) {
      case 'd': return replace(2, kDigit);
      case 'D': return replace(2, R"(\P{Nd})");
      case 'w': return replace(2, kWord);
      case 's': return replace(2, kSpace);
      case 'W':
      case 'S': return refuse("'\\W' and '\\S' inside brackets are not supported: write what is meant");
      case 'b': return refuse("'\\b' inside brackets is not supported: write '\\x08'");
      default: return common_escape(c);
    }
  }

  void group() {
    if (!ahead("(?")) return copy(1);
    for (const std::string_view look : {"(?=", "(?!", "(?<=", "(?<!"}) {
      if (ahead(look))
        return refuse("look-around such as '" + std::string(look) +
                      "' is not supported: it needs more than linear time");
    }
    if (ahead("(?P="))
      return refuse("a back-reference such as '(?P=name)' is not supported: it needs more than linear time");
    if (ahead("(?>")) return refuse("an atomic group '(?>' is not supported");
    if (ahead("(?#")) return refuse("a comment '(?#' is not supported");
    if (ahead("(?(")) return refuse("a conditional '(?(' is not supported");
    // Flags: "(?i)" for the whole expression, "(?i-s:" for a group. A named group has a 'P' there, which is
    // no flag.
    std::size_t end = at_ + 2;
    while (end < regex_.size() &&
           (std::isalpha(static_cast<unsigned char>(regex_[end])) != 0 || regex_[end] == '-'))
      ++end;
    const std::string_view flags = regex_.substr(at_ + 2, end - at_ - 2);
    if (flags.starts_with('P')) return copy(2);
    for (const char flag : flags) {
      if (flag == 'x') return refuse("the flag 'x' is not supported: Python and RE2 disagree on white space");
      if (flag == 'm') return refuse("the flag 'm' is not supported: a pattern matches the whole value");
      if (flag != 'i' && flag != 's' && flag != '-')
        return refuse(std::string("the flag '") + flag + "' is not supported");
    }
    const bool is_for_all = end < regex_.size() && regex_[end] == ')';
    if (is_for_all && (at_ != 0 || flags.find('-') != std::string_view::npos)) {
      return refuse("flags such as '(?i)' are supported at the beginning only: elsewhere write '(?i:...)'");
    }
    copy(end - at_);
  }

  void quantifier(std::size_t length) {
    copy(length);
    if (ahead("+")) return refuse("a possessive quantifier such as '++' is not supported");
    if (ahead("?")) copy(1);
  }

  // "{2}", "{2,}", "{2,3}" repeat; any other brace stands for itself in both.
  void braces() {
    const std::size_t close = regex_.find('}', at_);
    const std::string_view inside =
        close == std::string_view::npos ? std::string_view() : regex_.substr(at_ + 1, close - at_ - 1);
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const std::size_t comma = inside.find(',');
    const std::string_view low = inside.substr(0, comma);
    const std::string_view high =
        comma == std::string_view::npos ? std::string_view() : inside.substr(comma + 1);
    const bool digits =
        std::all_of(low.begin(), low.end(), is_digit) && std::all_of(high.begin(), high.end(), is_digit);
    if (!digits || inside.empty()) return copy(1);
    if (low.empty()) return refuse("'{,n}' is not supported: RE2 reads it as plain text; write '{0,n}'");
    for (const std::string_view count : {low, high}) {
      if (count.size() > 4 || (count.size() > 1 && count.front() == '0')) {
        return refuse(
            "a repetition beyond 1000 or with leading zeros is not supported: RE2 reads it as plain text");
      }
    }
    quantifier(close - at_ + 1);
  }

  // Python's '$' also stands before a newline that ends the value; RE2's does not. At the end of the
  // expression there is no difference, for the whole value is matched; before a final '\n' it can be left
  // out; else it is refused.
  void dollar() {
    const std::string_view rest = regex_.substr(at_ + 1);
    if (rest == "\n" || rest == "\\n") {
      ++at_;
      return;
    }
    if (!ends_branch(at_ + 1)) return refuse("a '$' before the end of a pattern is not supported");
    copy(1);
  }

  /// True where nothing of the expression that could match comes after `from`.
  bool ends_branch(std::size_t from) const {
    std::size_t i = from;
    while (i < regex_.size()) {
      if (regex_[i] == ')') {
        ++i;
      } else if (regex_[i] == '|') {
        const std::optional<std::size_t> close = end_of_group(i);
        if (!close) return true;  // an alternative of the whole expression
        i = *close;
      } else {
        return false;
      }
    }
    return true;
  }

  /// The position of the ')' that closes the group which `from` is in, if it is in one.
  std::optional<std::size_t> end_of_group(std::size_t from) const {
    std::size_t depth = 0;
    for (std::size_t i = from; i < regex_.size(); ++i) {
      if (regex_[i] == '\\') {
        ++i;
      } else if (regex_[i] == '[') {
        i = end_of_class(i);
      } else if (regex_[i] == '(') {
        ++depth;
      } else if (regex_[i] == ')') {
        if (depth == 0) return i;
        --depth;
      }
    }
    return std::nullopt;
  }

  /// The position of the ']' that closes the class which begins at `from`; the expression's end where there
  /// is none.
  std::size_t end_of_class(std::size_t from) const {
    std::size_t i = from + (regex_.substr(from).starts_with("[^") ? 2 : 1);
    if (regex_.substr(std::min(i, regex_.size())).starts_with(']')) ++i;
    for (; i < regex_.size() && regex_[i] != ']'; ++i) {
      if (regex_[i] == '\\') ++i;
    }
    return i;
  }

  std::string_view regex_;
  std::size_t at_ = 0;
  std::string out_;
  std::optional<Error> error_;
};

}  // namespace

Result<std::string> translate_regex(std::string_view regex) { return Translator(regex).run(); }

}  // namespace vipauth
