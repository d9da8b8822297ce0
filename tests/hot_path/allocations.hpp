#pragma once

#include <cstddef>

namespace vipauth::test {

/// What this thread has asked of operator new since it began; only ever more.
struct Allocations {
  std::size_t count = 0;
  std::size_t bytes = 0;
};
Allocations allocations() noexcept;

/// How often `action` asks for memory, all libraries included that use operator new.
template <typename Action>
std::size_t allocations_of(Action action) {
  const std::size_t before = allocations().count;
  action();
  return allocations().count - before;
}

}  // namespace vipauth::test
