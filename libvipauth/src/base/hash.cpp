#include "base/hash.hpp"

#include <sodium.h>

#include "base/sodium_ready.hpp"

namespace vipauth {
namespace {

template <std::size_t Size>
struct RandomKey {
  std::array<std::uint8_t, Size> bytes{};
  RandomKey() {
    make_sodium_ready();
    randombytes_buf(bytes.data(), bytes.size());
  }
};

}  // namespace

std::uint64_t seeded_hash(std::span<const std::uint8_t> bytes) noexcept {
  static const RandomKey<crypto_shorthash_KEYBYTES> key;
  std::uint64_t hash = 0;
  static_assert(sizeof hash == crypto_shorthash_BYTES);
  crypto_shorthash(reinterpret_cast<unsigned char*>(&hash), bytes.data(), bytes.size(), key.bytes.data());
  return hash;
}

std::uint64_t seeded_hash(std::string_view text) noexcept {
  return seeded_hash(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

SeededDigest seeded_digest(std::string_view text) noexcept {
  static const RandomKey<crypto_shorthash_siphashx24_KEYBYTES> key;
  SeededDigest digest{};
  static_assert(sizeof digest == crypto_shorthash_siphashx24_BYTES);
  crypto_shorthash_siphashx24(reinterpret_cast<unsigned char*>(digest.data()),
                              reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                              key.bytes.data());
  return digest;
}

std::string secret_fingerprint(std::string_view secret) {
  static const RandomKey<crypto_generichash_KEYBYTES> key;
  std::array<std::uint8_t, crypto_generichash_BYTES> digest{};
  crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const unsigned char*>(secret.data()),
                     secret.size(), key.bytes.data(), key.bytes.size());
  std::string text(
      sodium_base64_ENCODED_LEN(crypto_generichash_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING), '\0');
  sodium_bin2base64(text.data(), text.size(), digest.data(), digest.size(),
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  text.resize(text.find('\0'));
  return text;
}

TextDigest keyed_digest(std::string_view text) noexcept {
  static const RandomKey<crypto_generichash_KEYBYTES> key;
  TextDigest digest{};
  static_assert(std::tuple_size_v<TextDigest> >= crypto_generichash_BYTES_MIN);
  crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const unsigned char*>(text.data()),
                     text.size(), key.bytes.data(), key.bytes.size());
  return digest;
}

}  // namespace vipauth
