#pragma once

#include <string>
#include <string_view>

#include <vipauth/result.hpp>

namespace vipauth {

/// The RE2 form of a regular expression that is to mean what Python's `re.fullmatch` would make of it.
///
/// `\d \w \s` become the Unicode classes that Python means. What the two read differently, and what RE2
/// cannot do in linear time, is refused with a message that says so. Syntax errors are left for RE2 to find.
/// \return kParseError  names the construct and its position (a byte offset from 1)
/// Source: semantics 1; RE2 syntax page; Python `re` documentation.
Result<std::string> translate_regex(std::string_view regex);

}  // namespace vipauth
