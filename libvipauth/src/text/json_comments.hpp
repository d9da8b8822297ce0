#pragma once

#include <string>
#include <string_view>

#include <vipauth/result.hpp>

namespace vipauth {

/// A JSON text without its comments.
struct BlankedComments {
  std::string
      text;  ///< as long as the original: comments are spaces, line ends stay, so that positions agree
  bool found = false;
};

/// Blanks `//` and `#` comments (to the end of the line) and `/* */` ones, outside of strings.
/// \return kParseError  a block comment that does not end; `location` "LINE:COLUMN"
/// Source: VOLTTRON agent/utils.py, strip_comments.
Result<BlankedComments> blank_comments(std::string_view text);

/// "LINE:COLUMN" of a byte offset, both from 1; columns count bytes.
std::string line_and_column(std::string_view text, std::size_t offset);

}  // namespace vipauth
