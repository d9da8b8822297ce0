#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vipauth {

/// The IPv4 address that is mapped to this IPv6 address; nothing of any other text.
std::optional<std::string> unmapped_address(std::string_view address);

}  // namespace vipauth
