#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <vipauth/export.hpp>

namespace vipauth {

/// The 32 secret bytes of a CURVE key: wiped when destroyed or moved from, never printed, never copied.
class SecretKey {
 public:
  static constexpr std::size_t kBytes = 32;

  VIPAUTH_EXPORT explicit SecretKey(std::span<const std::uint8_t, kBytes> bytes) noexcept;
  VIPAUTH_EXPORT SecretKey(SecretKey&& other) noexcept;
  VIPAUTH_EXPORT SecretKey& operator=(SecretKey&& other) noexcept;
  SecretKey(const SecretKey&) = delete;
  SecretKey& operator=(const SecretKey&) = delete;
  VIPAUTH_EXPORT ~SecretKey();

  /// Whoever copies these bytes wipes the copy.
  std::span<const std::uint8_t, kBytes> bytes() const noexcept { return bytes_; }

 private:
  std::array<std::uint8_t, kBytes> bytes_{};
};

}  // namespace vipauth
