#pragma once

#include <array>
#include <cstdint>

#include <vipauth/json.hpp>

namespace vipauth {

/// A digest (BLAKE2b) of everything that writing a value shows: kinds, the order of members, digits, text.
/// Cheaper to keep than a copy of a large value.
using JsonDigest = std::array<std::uint8_t, 32>;
JsonDigest digest_of(const Json& json);

/// True where Json::parse would read what Json::dump writes of `json` as the same value: all text is UTF-8,
/// numbers are numbers, no member is there twice, and nothing is nested deeper than Json::kMaxDepth.
bool survives_writing(const Json& json);

}  // namespace vipauth
