#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vipauth::web {

/// Source: RFC 4648, section 4: with padding, in one line.
std::string to_base64(std::string_view bytes);

/// Nothing where the text is not what encoding makes.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace vipauth::web
