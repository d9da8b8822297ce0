#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/error.hpp>
#include <vipauth/json.hpp>

#include "output.hpp"
#include "text/control_characters.hpp"
#include "text/json_items.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

/// What fuzz targets share. One gives what must hold to require(), which ends the process where it does not.
namespace vipauth::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// The texts between bytes 0xFF, which no UTF-8 has; at most `most`, the last with all the rest.
inline std::vector<std::string_view> parts_of(std::string_view text, std::size_t most = SIZE_MAX) {
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < most) {
    const std::size_t end = text.find('\xff');
    if (end == std::string_view::npos) break;
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

/// What the text begins with; 0 where that is no number.
inline std::size_t number_in(std::string_view text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

inline void require(bool holds, std::string_view what = {},
                    const std::source_location& place = std::source_location::current()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%u: does not hold\n%.*s\n", place.file_name(), place.line(),
               static_cast<int>(what.size()), what.data());
  std::abort();
}

inline void require_same(std::string_view a, std::string_view b,
                         const std::source_location& place = std::source_location::current()) {
  if (a != b) require(false, std::string(a) + "\n---- is not ----\n" + std::string(b), place);
}

/// Of what somebody will read: that there is something, that a terminal only shows it, and that it is no
/// longer than what it is about asks for.
inline void require_shown(std::string_view text, std::size_t input_bytes,
                          const std::source_location& place = std::source_location::current()) {
  const std::string shown = vctl::printable(text);
  require(!shown.empty() && is_valid_utf8(shown) && !has_control_character(shown), shown, place);
  require(text.size() <= 4096 + 8 * input_bytes, "too long", place);
}

inline void require_good(const Error& error, std::size_t input_bytes,
                         const std::source_location& place = std::source_location::current()) {
  require(!error.message.empty() && !to_string(error.code).empty(), "an error without a message", place);
  require_shown(error.to_string(), input_bytes, place);
}

/// Reads a text in pieces of at most `piece` bytes. The text outlives what is returned.
inline ReadBytes reader_of(std::string_view text, std::size_t piece = SIZE_MAX) {
  return [text, piece, at = std::size_t{0}](char* buffer, std::size_t size) mutable -> std::ptrdiff_t {
    const std::size_t count = std::min({size, piece, text.size() - at});
    std::copy_n(text.data() + at, count, buffer);
    at += count;
    return static_cast<std::ptrdiff_t>(count);
  };
}

}  // namespace vipauth::fuzz
