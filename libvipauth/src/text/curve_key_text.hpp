#pragma once

#include <array>
#include <string_view>

#include <vipauth/curve_key.hpp>

namespace vipauth {

/// CurveKey::to_base64url() without allocating, and in a time that depends on the key: it is a public one.
class CurveKeyText {
 public:
  explicit CurveKeyText(const CurveKey& key) noexcept;
  std::string_view view() const noexcept { return {text_.data(), text_.size()}; }

 private:
  std::array<char, CurveKey::kBase64UrlLength> text_;
};

}  // namespace vipauth
