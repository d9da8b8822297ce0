#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <vipauth/result.hpp>

namespace vipauth {

/// The name of a certificate's subject, safe as a file name. It has 1 to 64 of `[A-Za-z0-9_.-]`, and no empty
/// part between dots.
///
/// Those that other platforms ask for are `<this instance>.<their instance>.<identity of the agent>`:
/// "volttron1.volttron2.platform.agent".
class CommonName {
 public:
  static constexpr std::size_t kMaxBytes = 64;  ///< RFC 5280, appendix A.1, ub-common-name

  /// \return kInvalidArgument, kLimitExceeded
  VIPAUTH_EXPORT static Result<CommonName> parse(std::string_view text);

  const std::string& text() const noexcept { return text_; }

  /// What stands behind "<instance>."; nothing where the name does not begin so.
  VIPAUTH_EXPORT std::optional<std::string_view> within(std::string_view instance) const noexcept;

  auto operator<=>(const CommonName&) const = default;

 private:
  explicit CommonName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace vipauth
