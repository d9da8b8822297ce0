#include "text/json_comments.hpp"

#include <algorithm>

namespace vipauth {
namespace {

/// The offset behind the string that begins at `begin`, or the text's end where it does not end.
std::size_t end_of_string(std::string_view text, std::size_t begin) {
  for (std::size_t i = begin + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return text.size();
}

void blank(std::string& text, std::size_t begin, std::size_t end) {
  std::replace_if(
      text.begin() + static_cast<std::ptrdiff_t>(begin), text.begin() + static_cast<std::ptrdiff_t>(end),
      [](char c) { return c != '\n'; }, ' ');
}

}  // namespace

std::string line_and_column(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  return std::to_string(line) + ":" + std::to_string(before.size() - line_begin + 1);
}

Result<BlankedComments> blank_comments(std::string_view text) {
  BlankedComments out{std::string(text), false};
  std::size_t i = 0;
  while (i < text.size()) {
    const std::string_view rest = text.substr(i);
    if (rest.front() == '"') {
      i = end_of_string(text, i);
    } else if (rest.front() == '#' || rest.starts_with("//")) {
      const std::size_t end = std::min(text.find('\n', i), text.size());
      blank(out.text, i, end);
      out.found = true;
      i = end;
    } else if (rest.starts_with("/*")) {
      const std::size_t close = text.find("*/", i + 2);  // "/*/" only opens
      if (close == std::string_view::npos) {
        return Error{ErrorCode::kParseError, "a comment begins with '/*' and does not end",
                     line_and_column(text, i)};
      }
      blank(out.text, i, close + 2);
      out.found = true;
      i = close + 2;
    } else {
      ++i;
    }
  }
  return out;
}

}  // namespace vipauth
