#pragma once

#include <string>
#include <string_view>

#include "base/hash.hpp"

namespace vipauth {

/// Joins what makes two events the same. Each part has its length before it, so that no two can run together.
class RepeatKey {
 public:
  /// \param most  bytes of a part, as of a text that is written
  explicit RepeatKey(std::size_t most) : most_(most) {}

  RepeatKey& add(std::string_view part) {
    part = part.substr(0, most_);
    for (std::size_t size = part.size(), i = 0; i < 4; ++i, size >>= 8U)
      text_ += static_cast<char>(size & 0xffU);
    text_ += part;
    return *this;
  }
  /// For the next one, in the same memory.
  void clear() noexcept { text_.clear(); }
  SeededDigest digest() const noexcept { return seeded_digest(text_); }

 private:
  std::size_t most_;
  std::string text_;
};

}  // namespace vipauth
