#include "base/sodium_ready.hpp"

#include <sodium.h>

namespace vipauth {

void make_sodium_ready() noexcept {
  // It fails only where the system has no random source, and there libsodium ends the process when it needs
  // one.
  [[maybe_unused]] static const int result = ::sodium_init();
}

}  // namespace vipauth
