#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>

namespace vipauth::vctl {

/// What read_line() found.
struct Line {
  enum class Kind { kText, kTooLong, kEnd };
  Kind kind = Kind::kEnd;
  std::string text;  ///< without the end of the line; empty unless kText
};

/// Reads one line of at most `limit` bytes; a longer one is skipped as a whole, in bounded memory.
Line read_line(std::istream& in, std::size_t limit);

}  // namespace vipauth::vctl
