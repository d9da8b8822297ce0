#pragma once

#include <algorithm>
#include <string_view>

namespace vipauth {

/// ASCII's: below a space, and DEL.
inline bool is_control_character(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

inline bool has_control_character(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), is_control_character);
}

}  // namespace vipauth
