#pragma once

#include <string_view>

namespace vipauth {

/// Compares in a time that does not depend on where the two differ; only on their lengths, which are no
/// secret. For whatever a peer may guess: tokens, proofs, fingerprints of passwords.
bool are_equal_secrets(std::string_view left, std::string_view right) noexcept;

}  // namespace vipauth
