#pragma once

#include <memory>
#include <span>
#include <string_view>

#include <vipauth/pattern.hpp>

namespace vipauth {

/// Several regular expressions as one: tells at once that none of them matches. Immutable; const members are
/// thread-safe.
class PatternUnion {
 public:
  /// Matches everything, so that it tells nothing, where they are too large together.
  explicit PatternUnion(std::span<const Pattern* const> patterns);
  ~PatternUnion();
  PatternUnion(PatternUnion&&) noexcept;

  /// False: none of the patterns matches. `value` must be valid UTF-8.
  bool matches(std::string_view value) const;

 private:
  struct Regex;
  std::unique_ptr<const Regex> regex_;
};

}  // namespace vipauth
