#include <vipauth/curve_key.hpp>

#include <algorithm>

#include <sodium.h>

#include "base/sodium_ready.hpp"
#include "text/curve_key_text.hpp"

namespace vipauth {
namespace {

using Bytes = CurveKey::Bytes;

/// Bytes of a secret on the stack, wiped on the way out.
struct WipedBytes {
  Bytes bytes{};
  WipedBytes() = default;
  WipedBytes(const WipedBytes&) = delete;
  WipedBytes& operator=(const WipedBytes&) = delete;
  ~WipedBytes() { sodium_memzero(bytes.data(), bytes.size()); }
};

// Source: ZeroMQ RFC 32.
constexpr std::string_view kZ85Alphabet =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

std::string encode_z85(std::span<const std::uint8_t> bytes) {
  std::string text(bytes.size() / 4 * 5, '\0');
  for (std::size_t block = 0; block * 4 < bytes.size(); ++block) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = (value << 8U) | bytes[block * 4 + i];
    for (std::size_t i = 5; i-- > 0; value /= 85) text[block * 5 + i] = kZ85Alphabet[value % 85];
  }
  return text;
}

bool decode_z85(std::string_view text, Bytes& out) {
  for (std::size_t block = 0; block * 5 < text.size(); ++block) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 5; ++i) {
      const std::size_t digit = kZ85Alphabet.find(text[block * 5 + i]);
      if (digit == std::string_view::npos) return false;
      value = value * 85 + digit;
    }
    if (value > 0xffff'ffffU) return false;
    for (std::size_t i = 4; i-- > 0; value >>= 8U)
      out[block * 4 + i] = static_cast<std::uint8_t>(value & 0xffU);
  }
  return true;
}

bool decode_base64url(std::string_view text, Bytes& out) {
  // libsodium takes a byte beyond ASCII for '_' (1.0.18, where char is signed).
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) > 0x7f; }))
    return false;
  std::size_t length = 0;
  return sodium_base642bin(out.data(), out.size(), text.data(), text.size(), nullptr, &length, nullptr,
                           sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
         length == out.size();
}

/// In place: a copy of a secret would stay on the stack, or in what the dynamic linker saves there.
std::string encode_base64url(std::span<const std::uint8_t, kCurveKeyBytes> bytes) {
  std::string out(CurveKey::kBase64UrlLength + 1, '\0');
  sodium_bin2base64(out.data(), out.size(), bytes.data(), bytes.size(),
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  out.pop_back();
  return out;
}

/// Reads a key, public or secret; the text never goes into the error.
Result<void> decode_key(std::string_view text, Bytes& out) {
  if (text.size() == CurveKey::kBase64UrlLength) {
    if (decode_base64url(text, out)) return {};
    return Error{ErrorCode::kParseError,
                 "not a CURVE key: 43 characters, but not the base64url form of 32 bytes", ""};
  }
  if (text.size() == CurveKey::kZ85Length) {
    if (decode_z85(text, out)) return {};
    return Error{ErrorCode::kParseError, "not a CURVE key: 40 characters, but not the Z85 form of 32 bytes",
                 ""};
  }
  return Error{ErrorCode::kParseError,
               "not a CURVE key: expected 43 characters of base64url or 40 of Z85, found " +
                   std::to_string(text.size()),
               ""};
}

CurveKeyPair derive_pair(const Bytes& secret) {
  Bytes public_bytes{};
  crypto_scalarmult_base(public_bytes.data(), secret.data());
  return CurveKeyPair{CurveKey(public_bytes),
                      SecretKey(std::span<const std::uint8_t, kCurveKeyBytes>(secret))};
}

}  // namespace

Result<CurveKey> CurveKey::parse(std::string_view text) {
  Bytes bytes{};
  if (auto decoded = decode_key(text, bytes); !decoded) return decoded.error();
  return CurveKey(bytes);
}

Result<CurveKey> CurveKey::from_bytes(std::string_view bytes) {
  if (bytes.size() != kCurveKeyBytes) {
    return Error{ErrorCode::kInvalidArgument, "a CURVE key has 32 bytes, not " + std::to_string(bytes.size()),
                 ""};
  }
  Bytes copy{};
  std::copy(bytes.begin(), bytes.end(), copy.begin());
  return CurveKey(copy);
}

std::string CurveKey::to_base64url() const { return encode_base64url(bytes_); }

CurveKeyText::CurveKeyText(const CurveKey& key) noexcept : text_() {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  static_assert(kCurveKeyBytes % 3 == 2);
  const CurveKey::Bytes& bytes = key.bytes();
  char* out = text_.data();
  const auto put = [&](std::uint32_t three, unsigned characters) {
    for (unsigned i = 0; i < characters; ++i) *out++ = kAlphabet[(three >> (18 - 6 * i)) & 0x3fU];
  };
  std::size_t at = 0;
  for (; at + 3 <= bytes.size(); at += 3)
    put(std::uint32_t{bytes[at]} << 16U | std::uint32_t{bytes[at + 1]} << 8U | bytes[at + 2], 4);
  put(std::uint32_t{bytes[at]} << 16U | std::uint32_t{bytes[at + 1]} << 8U, 3);
}

std::string CurveKey::to_z85() const { return encode_z85(bytes_); }

std::string CurveKey::fingerprint() const {
  std::array<std::uint8_t, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(digest.data(), bytes_.data(), bytes_.size());
  char text[sodium_base64_ENCODED_LEN(crypto_hash_sha256_BYTES, sodium_base64_VARIANT_ORIGINAL_NO_PADDING)];
  sodium_bin2base64(text, sizeof text, digest.data(), digest.size(),
                    sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
  return std::string("SHA256:") + text;
}

CurveKeyPair CurveKeyPair::generate() {
  make_sodium_ready();
  WipedBytes secret;
  randombytes_buf(secret.bytes.data(), secret.bytes.size());
  return derive_pair(secret.bytes);
}

Result<CurveKeyPair> CurveKeyPair::from_secret(std::string_view text) {
  WipedBytes secret;
  if (auto decoded = decode_key(text, secret.bytes); !decoded) return decoded.error();
  return derive_pair(secret.bytes);
}

std::string reveal_base64url(const SecretKey& key) { return encode_base64url(key.bytes()); }

std::string reveal_z85(const SecretKey& key) { return encode_z85(key.bytes()); }

}  // namespace vipauth
