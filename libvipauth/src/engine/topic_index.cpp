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
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

/// A pattern, while it is decided what it is found by.
struct Unplaced {
  std::uint32_t id = 0;
  std::string prefix;
  std::vector<LiteralGroup> groups;
};

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
  tried_together_.assign(rules_.size(), 0);

  std::vector<std::pair<std::string, std::uint32_t>> prefixes;
  std::vector<Unplaced> patterns;
  Counts prefix_counts;
  for (std::uint32_t id = 0; id < rules_.size(); ++id) {
    const Pattern& topic = rules_[id].topic;
    if (!topic.is_regex()) {
      prefixes.emplace_back(topic.text(), id);
      first_pattern_ = id + 1;
    } else {
      patterns.push_back({id, literal_prefix(topic), {}});
      prefix_counts.add(patterns.back().prefix);
    }
  }
  // To know a pattern's other texts, it is compiled again: not where few begin like it.
  constexpr std::size_t kFew = 4;
  Counts text_counts;
  for (Unplaced& pattern : patterns) {
    if (!pattern.prefix.empty() && prefix_counts.of(pattern.prefix) <= kFew) continue;
    pattern.groups = literal_groups(rules_[pattern.id].topic);
    for (LiteralGroup& group : pattern.groups) {
      for (std::string& text : group) {
        if (text.size() > kMaxTextBytes) text.erase(0, text.size() - kMaxTextBytes);
        text_counts.add(text);
      }
    }
  }

  std::vector<std::pair<std::string, std::uint32_t>> texts;
  Counts found_by_text;
  StringMap<std::vector<std::uint32_t>> by_its_prefix;
  std::vector<std::uint32_t> of_any_topic;
  std::size_t bytes_left = kMaxAllTextBytes;
  for (Unplaced& pattern : patterns) {
    const LiteralGroup* group = rarest(pattern.groups, text_counts);
    const std::size_t by_prefix = pattern.prefix.empty() ? 0 : prefix_counts.of(pattern.prefix);
    if (by_prefix != 0 && (group == nullptr || by_prefix <= text_counts.of(*group))) {
      by_its_prefix[pattern.prefix].push_back(pattern.id);
      tried_together_[order[pattern.id]] = static_cast<std::uint32_t>(by_prefix);
      continue;
    }
    std::size_t bytes = 0;
    if (group != nullptr) {
      for (const std::string& text : *group) bytes += text.size();
    }
    if (group == nullptr || bytes > bytes_left) {
      of_any_topic.push_back(pattern.id);
      continue;
    }
    bytes_left -= bytes;
    for (const std::string& text : *group) {
      texts.emplace_back(text, pattern.id);
      found_by_text.add(text);
    }
  }
  for (const std::uint32_t id : of_any_topic) {
    tried_together_[order[id]] = static_cast<std::uint32_t>(of_any_topic.size());
  }
  bundle(of_any_topic, of_any_topic_);
  for (const auto& [prefix, ids] : by_its_prefix) {
    std::vector<std::uint32_t> values;
    bundle(ids, values);
    for (const std::uint32_t value : values) prefixes.emplace_back(prefix, value);
  }
  prefixes_ = TopicPrefixes(std::move(prefixes));

  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  std::vector<std::string> distinct;
  for (auto& [text, id] : texts) {
    std::uint32_t& together = tried_together_[order[id]];
    together = std::max(together, static_cast<std::uint32_t>(found_by_text.of(text)));
    if (distinct.empty() || distinct.back() != text) {
      first_of_text_.push_back(static_cast<std::uint32_t>(of_texts_.size()));
      distinct.push_back(std::move(text));
    }
    of_texts_.push_back(id);
  }
  first_of_text_.push_back(static_cast<std::uint32_t>(of_texts_.size()));
  texts_ = TopicTexts(distinct);
}

void TopicIndex::bundle(const std::vector<std::uint32_t>& ids, std::vector<std::uint32_t>& out) {
  // What begins with "anything" ends nowhere early, and together has very many states: those are not bundled.
  std::vector<std::uint32_t> left;
  for (const std::uint32_t id : ids) {
    const bool begins_with_anything = rules_[id].topic.text().starts_with("/.");
    (begins_with_anything ? out : left).push_back(id);
  }
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
}

TopicIndex::RuleIds TopicIndex::covering(std::string_view topic, TopicMemory::Workspace& workspace) const {
  std::vector<std::uint32_t>& found = workspace.rules;
  found.clear();
  const auto find = [&](std::uint32_t value) {
    if (value < kFirstBundle) {
      found.push_back(value);
    } else if (const Bundle& bundle = bundles_[value - kFirstBundle]; bundle.any.matches(topic)) {
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
