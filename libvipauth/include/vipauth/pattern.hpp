#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <vipauth/result.hpp>

namespace vipauth {

/// A literal, or `/a regular expression/` that must match a whole value.
///
/// A text that starts and ends with `/` and has at least two characters is a regular expression (RE2, whose
/// time is linear in the input); any other text, `/.*` too, is a literal, compared byte by byte. What
/// Python's `re` would read differently from RE2 is refused. Immutable; copies share the compiled form; const
/// members are thread-safe.
/// Source: semantics 1.
class Pattern {
 public:
  static constexpr std::size_t kMaxBytes = 1024;
  /// Bound on the compiled form.
  static constexpr std::size_t kMaxCompiledBytes = std::size_t{1} << 20;

  /// \return kParseError     not an expression RE2 knows, or one that Python reads differently; says which part
  /// \return kLimitExceeded  longer than kMaxBytes, or too large when compiled
  VIPAUTH_EXPORT static Result<Pattern> parse(std::string_view text);

  /// True where `text` has the form of a regular expression, be it valid or not.
  VIPAUTH_EXPORT static bool looks_like_regex(std::string_view text) noexcept;

  /// What was probably meant by a text with a slash at one end only. For `/.*` that is `/.*/`; nothing for a
  /// text that does not look like a regular expression, or is one.
  VIPAUTH_EXPORT static std::optional<std::string> likely_intent(std::string_view text);

  /// `value`, escaped so that it stands for itself inside a regular expression.
  VIPAUTH_EXPORT static std::string quote(std::string_view value);

  /// `value` must be valid UTF-8. Does not allocate for a literal.
  VIPAUTH_EXPORT bool matches(std::string_view value) const;

  bool is_regex() const noexcept { return regex_ != nullptr; }
  /// As it was written, slashes included.
  const std::string& text() const noexcept { return text_; }

  friend bool operator==(const Pattern& a, const Pattern& b) { return a.text_ == b.text_; }

 private:
  struct Regex;
  Pattern(std::string text, std::shared_ptr<const Regex> regex);

  std::string text_;
  std::shared_ptr<const Regex> regex_;
};

}  // namespace vipauth
