#include "engine/topic_memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

#include "base/string_hash.hpp"

namespace vipauth {

/// Deletes a thread's memory when it ends. Others that end after it may ask all the same: what they look at
/// has no destructor.
struct TopicMemoryOwner {
  static thread_local TopicMemory* memory;
  static thread_local bool is_over;

  TopicMemoryOwner() = default;
  TopicMemoryOwner(const TopicMemoryOwner&) = delete;
  TopicMemoryOwner& operator=(const TopicMemoryOwner&) = delete;
  ~TopicMemoryOwner() {
    is_over = true;
    delete memory;
    memory = nullptr;
  }

  static TopicMemory* create() noexcept {
    if (is_over) return nullptr;
    thread_local const TopicMemoryOwner owner;
    // From calloc, what is not used takes no memory.
    TopicMemory::Slots slots(
        static_cast<TopicMemory::Slot*>(std::calloc(TopicMemory::kSlots, sizeof(TopicMemory::Slot))));
    if (slots != nullptr) memory = new (std::nothrow) TopicMemory(std::move(slots));
    return memory;
  }
};

thread_local constinit TopicMemory* TopicMemoryOwner::memory = nullptr;
thread_local constinit bool TopicMemoryOwner::is_over = false;

void TopicMemory::Free::operator()(Slot* slots) const noexcept { std::free(slots); }

TopicMemory* TopicMemory::of_this_thread() noexcept {
  TopicMemory* memory = TopicMemoryOwner::memory;
  return memory != nullptr ? memory : TopicMemoryOwner::create();
}

TopicMemory::Slot* TopicMemory::slots_of(std::uint64_t index, std::string_view topic) const noexcept {
  const std::uint64_t hash = StringHash()(topic) + index * 0x9e37'79b9'7f4a'7c15U;
  return slots_.get() + (hash ^ hash >> 32U) % (kSlots / kWays) * kWays;
}

std::optional<TopicMemory::RuleIds> TopicMemory::find(std::uint64_t index,
                                                      std::string_view topic) const noexcept {
  if (topic.size() > kMaxTopicBytes) return std::nullopt;
  for (const Slot& slot : std::span(slots_of(index, topic), kWays)) {
    if (slot.index == index && std::string_view(slot.topic.data(), slot.topic_size) == topic) {
      return RuleIds(slot.rules.data(), slot.rule_count);
    }
  }
  return std::nullopt;
}

void TopicMemory::keep(std::uint64_t index, std::string_view topic, RuleIds rules) noexcept {
  if (topic.size() > kMaxTopicBytes || rules.size() > kMaxRules) return;
  Slot& slot = slots_of(index, topic)[++turn_ % kWays];
  slot.index = index;
  slot.topic_size = static_cast<std::uint16_t>(topic.size());
  slot.rule_count = static_cast<std::uint16_t>(rules.size());
  std::copy(rules.begin(), rules.end(), slot.rules.begin());
  std::copy(topic.begin(), topic.end(), slot.topic.begin());
}

}  // namespace vipauth
