#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace vipauth {

/// A text that is wiped when it goes: a private key in PEM form.
class SecretText {
 public:
  explicit SecretText(std::string text) noexcept : text_(std::move(text)) {}
  SecretText(SecretText&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
  SecretText& operator=(SecretText&&) = delete;
  ~SecretText() { wipe(); }

  /// Whoever copies it wipes the copy.
  std::string_view text() const noexcept { return text_; }

 private:
  void wipe() noexcept;

  std::string text_;
};

}  // namespace vipauth
