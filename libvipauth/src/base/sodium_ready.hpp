#pragma once

namespace vipauth {

/// Makes libsodium ready, once per process: its random numbers for several threads, its fast code for this
/// processor. Whoever draws random bytes or hashes a password calls it first. Source: libsodium
/// documentation, "Usage".
void make_sodium_ready() noexcept;

}  // namespace vipauth
