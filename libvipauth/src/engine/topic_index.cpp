#include "engine/topic_index.hpp"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "base/string_hash.hpp"
#include "text/pattern_literals.hpp"

namespace vipauth {
namespace {

std::uint64_t next_number() noexcept {
  static std::atomic<std::uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

/// How many patterns could be found by each text.
class Counts {
 public:
  void add(const std::string& text) { ++counts_[text]; }
  std::size_t of(const std::string& text) const {
    const auto found = counts_.find(text);
    return found == counts_.end() ? 0 : found->second;
  }
  std::size_t of(const LiteralGroup& group) const {
    return std::accumulate(group.begin(), group.end(), std::size_t{0},
                           [&](std::size_t sum, const std::string& text) { return sum + of(text); });
  }

 private:
  StringMap<std::size_t> counts_;
};

/// The group by which the fewest are found; nullptr: there is none.
const LiteralGroup* rarest(const std::vector<LiteralGroup>& groups, const Counts& counts) {
  const auto found = std::min_element(
      groups.begin(), groups.end(),
      [&](const LiteralGroup& a, const LiteralGroup& b) { return counts.of(a) < counts.of(b); });
  return found == groups.end() ? nullptr : &*found;
}

/// A text counts by its last bytes: which bounds the memory for many long ones.
constexpr std::size_t kMaxTextBytes = 64;
/// Of all texts together: patterns beyond it are tried on each topic.
constexpr std::size_t kMaxAllTextBytes = std::size_t{8} << 20U;

/// literal_groups(), with texts of a bounded length.
std::vector<LiteralGroup> cut_groups(const Pattern& pattern) {
  std::vector<LiteralGroup> groups = literal_groups(pattern);
  for (LiteralGroup& group : groups) {
    for (std::string& text : group) {
      if (text.size() > kMaxTextBytes) text.erase(0, text.size() - kMaxTextBytes);
    }
    std::sort(group.begin(), group.end());
    group.erase(std::unique(group.begin(), group.end()), group.end());
  }
  return groups;
}

std::size_t bytes_of(const LiteralGroup& group) {
  return std::accumulate(group.begin(), group.end(), std::size_t{0},
                         [](std::size_t sum, const std::string& text) { return sum + text.size(); });
}

/// By what each pattern is found: each is in one of the three.
struct Places {
  StringMap<std::vector<std::uint32_t>> by_prefix;
  StringMap<std::vector<std::uint32_t>> by_text;
  std::vector<std::uint32_t> of_any_topic;
};

/// Places the rules from `first` on, which are patterns, by what the fewest have.
Places place(std::span<const TopicRule> rules, std::uint32_t first) {
  struct Known {
    std::string prefix;
    std::vector<LiteralGroup> groups;
  };
  std::vector<Known> patterns;
  Counts prefixes;
  for (const TopicRule& rule : rules.subspan(first)) {
    patterns.push_back({literal_prefix(rule.topic), {}});
    prefixes.add(patterns.back().prefix);
  }
  // To know a pattern's other texts, it is compiled again: not where few begin like it.
  constexpr std::size_t kFew = 4;
  Counts texts;
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    if (!patterns[i].prefix.empty() && prefixes.of(patterns[i].prefix) <= kFew) continue;
    patterns[i].groups = cut_groups(rules[first + i].topic);
    for (const LiteralGroup& group : patterns[i].groups) {
      for (const std::string& text : group) texts.add(text);
    }
  }
  Places out;
  std::size_t bytes_left = kMaxAllTextBytes;
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    const auto id = static_cast<std::uint32_t>(first + i);
    const std::string& prefix = patterns[i].prefix;
    const LiteralGroup* group = rarest(patterns[i].groups, texts);
    if (group != nullptr && bytes_of(*group) > bytes_left) group = nullptr;
    if (!prefix.empty() && (group == nullptr || prefixes.of(prefix) <= texts.of(*group))) {
      out.by_prefix[prefix].push_back(id);
    } else if (group != nullptr) {
      bytes_left -= bytes_of(*group);
      for (const std::string& text : *group) out.by_text[text].push_back(id);
    } else {
      out.of_any_topic.push_back(id);
    }
  }
  return out;
}

/// Whether an automaton for several such patterns has few states: none of them can begin anew at each byte.
bool can_be_bundled(const Pattern& pattern) {
  std::string_view text = pattern.text();
  if (text.ends_with(".*/")) text.remove_suffix(3);
  return text.find_first_of(".(") == std::string_view::npos && text.find("[^") == std::string_view::npos;
}

}  // namespace

TopicIndex::TopicIndex(std::vector<TopicRule> rules) : number_(next_number()) {
  std::vector<std::uint32_t> order(rules.size());  // position in the list, of each id
  std::iota(order.begin(), order.end(), 0U);
  const auto rank = [&](std::uint32_t position) {
    const Pattern& topic = rules[position].topic;
    return std::pair(topic.is_regex(), topic.is_regex() ? 0 : topic.text().size());
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return rank(a) < rank(b); });
  rules_.reserve(rules.size());
  for (const std::uint32_t position : order) rules_.push_back(std::move(rules[position]));
  const auto first_pattern = std::partition_point(
      rules_.begin(), rules_.end(), [](const TopicRule& rule) { return !rule.topic.is_regex(); });
  first_pattern_ = static_cast<std::uint32_t>(first_pattern - rules_.begin());

  Places places = place(rules_, first_pattern_);
  tried_together_.assign(rules_.size(), 0);
  const auto tell = [&](const std::vector<std::uint32_t>& ids) {
    for (const std::uint32_t id : ids) {
      std::uint32_t& together = tried_together_[order[id]];
      together = std::max(together, static_cast<std::uint32_t>(ids.size()));
    }
  };
  tell(places.of_any_topic);
  of_any_topic_ = bundled(places.of_any_topic);

  std::vector<std::pair<std::string, std::uint32_t>> prefixes;
  prefixes.reserve(first_pattern_);
  for (std::uint32_t id = 0; id < first_pattern_; ++id) prefixes.emplace_back(rules_[id].topic.text(), id);
  for (const auto& [prefix, ids] : places.by_prefix) {
    tell(ids);
    for (const std::uint32_t value : bundled(ids)) prefixes.emplace_back(prefix, value);
  }
  prefixes_ = TopicPrefixes(std::move(prefixes));

  std::vector<std::string> texts;
  for (const auto& [text, ids] : places.by_text) texts.push_back(text);
  std::sort(texts.begin(), texts.end());
  for (const std::string& text : texts) {
    const std::vector<std::uint32_t>& ids = places.by_text[text];
    tell(ids);
    first_of_text_.push_back(static_cast<std::uint32_t>(of_texts_.size()));
    of_texts_.insert(of_texts_.end(), ids.begin(), ids.end());
  }
  first_of_text_.push_back(static_cast<std::uint32_t>(of_texts_.size()));
  texts_ = TopicTexts(texts);
}

std::vector<std::uint32_t> TopicIndex::bundled(const std::vector<std::uint32_t>& ids) {
  std::vector<std::uint32_t> out;
  std::vector<std::uint32_t> left;
  for (const std::uint32_t id : ids) (can_be_bundled(rules_[id].topic) ? left : out).push_back(id);
  for (std::span<const std::uint32_t> rest = left; !rest.empty();) {
    const auto some = rest.first(std::min(kBundled, rest.size()));
    rest = rest.subspan(some.size());
    if (some.size() < kBundled / 2) {
      out.insert(out.end(), some.begin(), some.end());
      continue;
    }
    std::vector<const Pattern*> patterns;
    for (const std::uint32_t id : some) patterns.push_back(&rules_[id].topic);
    out.push_back(kFirstBundle + static_cast<std::uint32_t>(bundles_.size()));
    bundles_.push_back({{some.begin(), some.end()}, PatternUnion(patterns)});
  }
  return out;
}

TopicIndex::RuleIds TopicIndex::covering(std::string_view topic, TopicMemory::Workspace& workspace) const {
  std::vector<std::uint32_t>& found = workspace.rules;
  found.clear();
  const auto find = [&](std::uint32_t value) {
    if (value < kFirstBundle) {
      found.push_back(value);
      return;
    }
    const Bundle& bundle = bundles_[value - kFirstBundle];
    if (topic.size() > kMaxBundledTopicBytes || bundle.any.matches(topic)) {
      found.insert(found.end(), bundle.ids.begin(), bundle.ids.end());
    }
  };
  prefixes_.for_each(topic, find);
  for (const std::uint32_t value : of_any_topic_) find(value);
  if (!of_texts_.empty()) {
    // Taken back here, not where they were set: whatever has been thrown since.
    std::vector<std::uint32_t>& seen = workspace.texts;
    for (const std::uint32_t text : seen) workspace.has_text[text] = false;
    seen.clear();
    const std::size_t count = first_of_text_.size() - 1;
    if (workspace.has_text.size() < count) workspace.has_text.resize(count);
    TopicTexts::Pass pass(texts_);
    for_each_folded(topic, [&](unsigned char byte) {
      pass.take(byte, [&](std::uint32_t text) {
        if (workspace.has_text[text]) return false;  // and all shorter ones
        seen.push_back(text);
        workspace.has_text[text] = true;
        for (std::uint32_t i = first_of_text_[text]; i < first_of_text_[text + 1]; ++i) {
          found.push_back(of_texts_[i]);
        }
        return true;
      });
    });
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  found.erase(std::remove_if(
                  found.begin(), found.end(),
                  [&](std::uint32_t id) { return id >= first_pattern_ && !rules_[id].topic.matches(topic); }),
              found.end());
  return found;
}

}  // namespace vipauth
