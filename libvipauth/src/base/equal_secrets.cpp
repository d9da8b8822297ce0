#include "base/equal_secrets.hpp"

#include <sodium.h>

namespace vipauth {

bool are_equal_secrets(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() && sodium_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace vipauth
