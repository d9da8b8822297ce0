#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace vipauth {

/// What a thread remembers of the topics that it asked about: which rules cover them, and memory to find out
/// with. Of a size that does not grow with the number of topics, and no other thread's: asking takes no lock.
class TopicMemory {
 public:
  using RuleIds = std::span<const std::uint32_t>;

  static constexpr std::size_t kSlots = 2048;
  /// Of longer topics, and of those that more rules cover, nothing is kept.
  static constexpr std::size_t kMaxTopicBytes = 192;
  static constexpr std::size_t kMaxRules = 13;

  /// nullptr where the thread is ending, or without memory. Good until the thread ends.
  static TopicMemory* of_this_thread() noexcept;

  TopicMemory(const TopicMemory&) = delete;
  TopicMemory& operator=(const TopicMemory&) = delete;

  /// What was kept for the topic; good until something else is kept. `index` is the number of the index whose
  /// rules they are: not 0, and never that of another one.
  std::optional<RuleIds> find(std::uint64_t index, std::string_view topic) const noexcept;
  void keep(std::uint64_t index, std::string_view topic, RuleIds rules) noexcept;

  /// What TopicIndex works with.
  struct Workspace {
    std::vector<std::uint32_t> rules;
    std::vector<std::uint32_t> texts;
    std::vector<bool> has_text;  // true for those in `texts` alone
  };
  Workspace workspace;

 private:
  struct Slot {
    std::uint64_t index;  // 0: empty
    std::uint16_t topic_size;
    std::uint16_t rule_count;
    std::array<std::uint32_t, kMaxRules> rules;
    std::array<char, kMaxTopicBytes> topic;
  };
  static_assert(std::is_trivial_v<Slot> && sizeof(Slot) == 256);
  static constexpr std::size_t kWays = 2;

  struct Free {
    void operator()(Slot* slots) const noexcept;
  };
  using Slots = std::unique_ptr<Slot[], Free>;

  explicit TopicMemory(Slots slots) : slots_(std::move(slots)) {}
  friend struct TopicMemoryOwner;

  /// The slots that the topic may be in.
  Slot* slots_of(std::uint64_t index, std::string_view topic) const noexcept;

  Slots slots_;
  std::size_t turn_ = 0;
};

}  // namespace vipauth
