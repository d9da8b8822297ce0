#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vipauth {

/// A keyed hash table hash (SipHash-2-4). The key is drawn once per process: nobody outside can aim at one
/// bucket.
std::uint64_t seeded_hash(std::span<const std::uint8_t> bytes) noexcept;
std::uint64_t seeded_hash(std::string_view text) noexcept;

/// The same of 128 bits (SipHashx-2-4), which stand for the text itself: nobody finds two of one hash.
using SeededDigest = std::array<std::uint64_t, 2>;
SeededDigest seeded_digest(std::string_view text) noexcept;

/// A fingerprint of a secret, for telling whether it has changed within this process: a keyed BLAKE2b as
/// base64url. The key is drawn once per process, so that the fingerprint says nothing outside of it.
std::string secret_fingerprint(std::string_view secret);

/// A keyed BLAKE2b of 128 bits, to keep instead of a text that is only to be compared. The key is drawn once
/// per process: nobody outside can make two texts look the same.
using TextDigest = std::array<std::uint8_t, 16>;
TextDigest keyed_digest(std::string_view text) noexcept;

}  // namespace vipauth
