#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <vipauth/result.hpp>
#include <vipauth/secret_key.hpp>

namespace vipauth {

inline constexpr std::size_t kCurveKeyBytes = 32;

/// A CURVE public key: 32 bytes of Curve25519.
///
/// As text it is 43 characters of unpadded base64url (what VOLTTRON's files hold) or 40 of Z85 (what libzmq
/// prints). Only canonical text is read: a last character with stray bits would give one key two names.
/// Source: semantics 2; RFC 4648 section 5; ZeroMQ RFC 32 (Z85).
class CurveKey {
 public:
  static constexpr std::size_t kBase64UrlLength = 43;
  static constexpr std::size_t kZ85Length = 40;
  using Bytes = std::array<std::uint8_t, kCurveKeyBytes>;

  explicit CurveKey(const Bytes& bytes) noexcept : bytes_(bytes) {}

  /// Reads either text form, told apart by length.
  /// \return kParseError  what is wrong with it; the text itself is not repeated (it may be a secret key)
  VIPAUTH_EXPORT static Result<CurveKey> parse(std::string_view text);

  /// \return kInvalidArgument  unless there are exactly 32 bytes
  VIPAUTH_EXPORT static Result<CurveKey> from_bytes(std::string_view bytes);

  VIPAUTH_EXPORT std::string to_base64url() const;
  VIPAUTH_EXPORT std::string to_z85() const;

  /// "SHA256:" and 43 characters of base64, as OpenSSH shows keys: for people who compare two of them.
  VIPAUTH_EXPORT std::string fingerprint() const;

  const Bytes& bytes() const noexcept { return bytes_; }

  friend bool operator==(const CurveKey&, const CurveKey&) = default;
  friend auto operator<=>(const CurveKey&, const CurveKey&) = default;

 private:
  Bytes bytes_;
};

/// A CURVE key pair.
struct CurveKeyPair {
  CurveKey public_key;
  SecretKey secret_key;

  /// Makes a new pair from the system's random source. The public key is derived from the secret one.
  VIPAUTH_EXPORT static CurveKeyPair generate();

  /// Takes a secret key as text (base64url or Z85) and derives its public key.
  /// \return kParseError  what is wrong with it; never the text
  VIPAUTH_EXPORT static Result<CurveKeyPair> from_secret(std::string_view text);
};

/// The text of a secret key, for the one place that must write it (a key store, `keypair`). Wipe it after
/// use.
VIPAUTH_EXPORT std::string reveal_base64url(const SecretKey& key);
VIPAUTH_EXPORT std::string reveal_z85(const SecretKey& key);

}  // namespace vipauth
