#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vipauth {

/// Numbers by the hash of what they stand for: a hash table with open addressing, eight bytes a slot.
///
/// What a number stands for is known to the caller, who compares. Nothing is ever taken out.
class IdSlots {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  /// The number of that hash for which `is_it(number)` holds; kNone.
  template <typename IsIt>
  std::uint32_t find(std::uint32_t hash, IsIt is_it) const {
    if (slots_.empty()) return kNone;
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
      const Slot& slot = slots_[at];
      if (slot.id == kNone) return kNone;
      if (slot.hash == hash && is_it(slot.id)) return slot.id;
    }
  }

  /// Has the memory where a search begins brought near, while its caller does something else.
  void expect(std::uint32_t hash) const noexcept {
    if (!slots_.empty()) __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  }

  /// Adds a number that is not there yet.
  void insert(std::uint32_t hash, std::uint32_t id) {
    if ((size_ + 1) * 3 > slots_.size() * 2) grow();
    place({hash, id});
    ++size_;
  }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t id = kNone;
  };
  static constexpr std::size_t kFewest = 16;

  void place(Slot slot) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = slot.hash & mask;
    while (slots_[at].id != kNone) at = (at + 1) & mask;
    slots_[at] = slot;
  }

  void grow() {
    std::vector<Slot> before(slots_.empty() ? kFewest : slots_.size() * 2);
    before.swap(slots_);
    for (const Slot& slot : before) {
      if (slot.id != kNone) place(slot);
    }
  }

  std::vector<Slot> slots_;  // a power of two of them, at most two thirds taken
  std::size_t size_ = 0;
};

}  // namespace vipauth
