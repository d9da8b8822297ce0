#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <vipauth/topic_rules.hpp>

#include "engine/topic_memory.hpp"
#include "engine/topic_prefixes.hpp"
#include "engine/topic_texts.hpp"
#include "text/pattern_union.hpp"

namespace vipauth {

/// Finds the rules of a list that cover a topic, without trying all of them.
///
/// A literal, and a pattern that begins with plain text, is found by what a topic starts with; another
/// pattern by a text that a topic must hold; what has neither is tried on each topic. Immutable; const
/// members may be called from any thread.
class TopicIndex {
 public:
  using RuleIds = TopicMemory::RuleIds;

  TopicIndex() : TopicIndex(std::vector<TopicRule>()) {}
  explicit TopicIndex(std::vector<TopicRule> rules);
  TopicIndex(const TopicIndex&) = delete;
  TopicIndex& operator=(const TopicIndex&) = delete;

  /// No other index of the process has it, before or after. Not 0.
  std::uint64_t number() const noexcept { return number_; }
  bool empty() const noexcept { return rules_.empty(); }
  const TopicRule& rule(std::uint32_t id) const { return rules_[id]; }

  /// The rules that cover the topic, which must be valid UTF-8: literals, the shortest first, then patterns
  /// in the order of the list. Good until the workspace is used again. Allocates only where the workspace has
  /// not been used for as many rules before; and what RE2 does.
  RuleIds covering(std::string_view topic, TopicMemory::Workspace& workspace) const;

  /// Of each rule, as they were given: how many patterns are tried whenever it is, itself included, since the
  /// same topics call for them. Literals are not tried: 0.
  const std::vector<std::uint32_t>& tried_together() const noexcept { return tried_together_; }

 private:
  /// Patterns, by their ids, and one expression for all of them.
  struct Bundle {
    std::vector<std::uint32_t> ids;
    PatternUnion any;
  };
  static constexpr std::size_t kBundled = 16;
  /// Prefixes find the ids of rules and, beyond this, bundles.
  static constexpr std::uint32_t kFirstBundle = std::uint32_t{1} << 31;

  /// The automaton of a bundle can have very many states, of which a long topic visits many.
  static constexpr std::size_t kMaxBundledTopicBytes = 512;

  /// What stands for the patterns: bundles, and the ids of those that are not bundled.
  std::vector<std::uint32_t> bundled(const std::vector<std::uint32_t>& ids);

  std::uint64_t number_;
  std::vector<TopicRule> rules_;  // literals, the shortest first, then patterns
  std::uint32_t first_pattern_ = 0;
  TopicPrefixes prefixes_;
  TopicTexts texts_;
  std::vector<std::uint32_t> first_of_text_;  // of each text, and one more: where its patterns begin
  std::vector<std::uint32_t> of_texts_;
  std::vector<std::uint32_t> of_any_topic_;  // as prefixes find them
  std::vector<Bundle> bundles_;
  std::vector<std::uint32_t> tried_together_;
};

}  // namespace vipauth
