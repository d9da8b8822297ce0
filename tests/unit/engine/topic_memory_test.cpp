#include "engine/topic_memory.hpp"

#include <string>
#include <thread>

#include "support/catch.hpp"

namespace vipauth::test {
namespace {

std::vector<std::uint32_t> found(const TopicMemory& memory, std::uint64_t index, std::string_view topic) {
  const auto rules = memory.find(index, topic);
  return rules ? std::vector<std::uint32_t>(rules->begin(), rules->end()) : std::vector<std::uint32_t>{404};
}

const std::vector<std::uint32_t> kNothing{404};

// Nobody else's: those of an index are counted from 1.
constexpr std::uint64_t kIndex = std::uint64_t{1} << 60;

}  // namespace

TEST_CASE("TopicMemory: finds what was kept, for the index and the topic alone") {
  TopicMemory& memory = *TopicMemory::of_this_thread();
  CHECK(&memory == TopicMemory::of_this_thread());
  CHECK(found(memory, kIndex, "a") == kNothing);
  const std::vector<std::uint32_t> rules{3, 7};
  memory.keep(kIndex, "a", rules);
  memory.keep(kIndex, "none", {});
  CHECK(found(memory, kIndex, "a") == rules);
  CHECK(found(memory, kIndex, "none").empty());
  CHECK(found(memory, kIndex + 1, "a") == kNothing);
  CHECK(found(memory, kIndex, "b") == kNothing);
  CHECK(found(memory, kIndex, std::string_view("a\0", 2)) == kNothing);
  CHECK(found(memory, kIndex, "") == kNothing);
  memory.keep(kIndex, "", rules);
  CHECK(found(memory, kIndex, "") == rules);
}

TEST_CASE("TopicMemory: keeps no more than a slot holds, and not a part of it") {
  TopicMemory& memory = *TopicMemory::of_this_thread();
  const std::string longest(TopicMemory::kMaxTopicBytes, 'x');
  const std::vector<std::uint32_t> most(TopicMemory::kMaxRules, 5);
  memory.keep(kIndex, longest, most);
  CHECK(found(memory, kIndex, longest) == most);
  memory.keep(kIndex, longest + "x", most);
  CHECK(found(memory, kIndex, longest + "x") == kNothing);
  memory.keep(kIndex, "crowded", std::vector<std::uint32_t>(TopicMemory::kMaxRules + 1, 5));
  CHECK(found(memory, kIndex, "crowded") == kNothing);
}

TEST_CASE("TopicMemory: what is too long to be kept takes the place of nothing") {
  TopicMemory& memory = *TopicMemory::of_this_thread();
  const auto kept = [&] {
    std::size_t count = 0;
    for (std::uint32_t i = 0; i < 10 * TopicMemory::kSlots; ++i) {
      count += found(memory, kIndex, std::to_string(i)) == std::vector<std::uint32_t>{i} ? 1U : 0U;
    }
    return count;
  };
  for (std::uint32_t i = 0; i < 10 * TopicMemory::kSlots; ++i) {
    memory.keep(kIndex, std::to_string(i), std::vector<std::uint32_t>{i});
  }
  const std::size_t before = kept();
  CHECK(before > TopicMemory::kSlots / 2);
  memory.keep(kIndex, std::string(60'000, 'x'), std::vector<std::uint32_t>{1});
  memory.keep(kIndex, "crowded", std::vector<std::uint32_t>(10'000, 5));
  CHECK(kept() == before);
}

TEST_CASE("TopicMemory: of very many topics the last is there, and whatever is there is right") {
  TopicMemory& memory = *TopicMemory::of_this_thread();
  constexpr std::uint32_t kTopics = 100'000;
  for (std::uint32_t i = 0; i < kTopics; ++i) {
    const std::vector<std::uint32_t> rules{i};
    memory.keep(kIndex, std::to_string(i), rules);
    REQUIRE(found(memory, kIndex, std::to_string(i)) == rules);
  }
  std::size_t still_there = 0;
  for (std::uint32_t i = 0; i < kTopics; ++i) {
    const auto rules = found(memory, kIndex, std::to_string(i));
    if (rules == kNothing) continue;
    ++still_there;
    REQUIRE(rules == std::vector<std::uint32_t>{i});
  }
  CHECK(still_there > TopicMemory::kSlots / 2);
  CHECK(still_there <= TopicMemory::kSlots);
}

TEST_CASE("TopicMemory: each thread has its own, until all that ends with it has ended") {
  struct AsksAtTheEnd {
    bool* has_memory = nullptr;
    ~AsksAtTheEnd() { *has_memory = TopicMemory::of_this_thread() != nullptr; }
  };
  TopicMemory* const mine = TopicMemory::of_this_thread();
  bool other_is_mine = true;
  bool has_memory_at_the_end = true;
  std::thread([&] {
    static thread_local AsksAtTheEnd last;  // made first, it ends last
    last.has_memory = &has_memory_at_the_end;
    other_is_mine = TopicMemory::of_this_thread() == mine;
  }).join();
  CHECK_FALSE(other_is_mine);
  CHECK_FALSE(has_memory_at_the_end);
}

}  // namespace vipauth::test
