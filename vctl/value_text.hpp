#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

namespace vipauth::vctl {

// Values as users type them.

/// `text` without spaces around it.
std::string_view trim(std::string_view text);

/// `text` with the letters of ASCII small.
std::string to_lower(std::string_view text);

/// "a, b" as {"a", "b"}: without spaces around each, and without empty ones.
std::vector<std::string> split_commas(std::string_view text);

/// Reads JSON in which Python's forms may stand as well: strings in single quotes, True, False, None.
/// \return kParseError  `location` is "LINE:COLUMN" in `text`
Result<Json> parse_loose_json(std::string_view text);

/// Names with commas between; a JSON list where the text begins with `[`.
Result<std::vector<std::string>> parse_names_text(std::string_view text);

/// Capabilities: names with commas between; JSON (in the loose form) where the text begins with `[`, `{` or a
/// quote. The form they are written in is kept.
/// \return kParseError, or what parse_capabilities returns
Result<Json> parse_capabilities_text(std::string_view text);

/// Capabilities as separate arguments: each is one name, or JSON where it begins with `[` or `{`.
Result<Json> parse_capability_arguments(const std::vector<std::string>& arguments);

/// A method of an agent.
struct MethodName {
  std::string identity;
  std::string method;
};

/// "IDENTITY.METHOD"; the last dot splits, and both must be there.
Result<MethodName> parse_method_text(std::string_view text);

}  // namespace vipauth::vctl
