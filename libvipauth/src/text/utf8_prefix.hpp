#pragma once

#include <cstddef>
#include <string_view>

namespace vipauth {

/// The beginning of a UTF-8 text, of at most `most` bytes, with no character cut in two.
inline std::string_view utf8_prefix(std::string_view text, std::size_t most) noexcept {
  if (text.size() <= most) return text;
  const auto continues = [&] { return (static_cast<unsigned char>(text[most]) & 0xc0U) == 0x80U; };
  while (most > 0 && continues()) --most;
  return text.substr(0, most);
}

}  // namespace vipauth
