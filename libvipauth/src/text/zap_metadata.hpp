#pragma once

#include <cstddef>
#include <string_view>

namespace vipauth {

/// One property of a ZAP reply: a byte of name length, name, four bytes of value length, value.
/// Source: ZeroMQ RFC 27, RFC 23.
struct ZapProperty {
  std::string_view name;
  std::string_view value;

  std::size_t size() const noexcept { return 1 + name.size() + 4 + value.size(); }
  /// \param out  has room for size() bytes
  /// \return what is behind them
  char* write(char* out) const noexcept;
};

}  // namespace vipauth
