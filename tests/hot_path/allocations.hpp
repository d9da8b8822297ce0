#pragma once

#include <cstddef>
#include <new>

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

/// Has this thread's `number`th allocation from now on fail, 1 being the next; 0: none any more.
void fail_allocation(std::size_t number) noexcept;

/// Does `action` with its first allocation failing, then with its second, and so on until none is left to
/// fail; each time in a world of its own. `check` learns the number, and whether the action ended.
template <typename Prepare, typename Action, typename Check>
void with_each_allocation_failing(Prepare prepare, Action action, Check check) {
  for (std::size_t number = 1;; ++number) {
    auto world = prepare();
    const std::size_t before = allocations().count;
    bool has_ended = true;
    fail_allocation(number);
    try {
      action(*world);
    } catch (const std::bad_alloc&) {
      has_ended = false;
    }
    fail_allocation(0);
    const bool is_last = allocations().count - before < number;
    check(*world, number, has_ended);
    if (is_last) return;
  }
}

}  // namespace vipauth::test
