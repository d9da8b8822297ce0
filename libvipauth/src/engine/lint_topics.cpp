#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/string_hash.hpp"
#include "engine/lint_report.hpp"
#include "engine/topic_index.hpp"

namespace vipauth {
namespace {

/// Whether anybody holds all of several capabilities; asked often for the same ones.
class Holders {
 public:
  explicit Holders(const LintReport& report) : report_(report) {}

  /// Nothing: it would take too long to tell.
  std::optional<bool> any_with_all(std::vector<std::string> names) {
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    const auto [found, is_new] = known_.try_emplace(Json::strings(names).dump());
    if (is_new) found->second = find(names);
    return found->second;
  }

 private:
  std::optional<bool> find(const std::vector<std::string>& names) {
    std::vector<const std::vector<std::size_t>*> lists;
    for (const std::string& name : names) {
      const auto holders = report_.holders.find(name);
      if (holders == report_.holders.end()) return false;
      lists.push_back(&holders->second);
    }
    if (lists.empty()) return !report_.users.empty();
    std::sort(lists.begin(), lists.end(), [](const auto* a, const auto* b) { return a->size() < b->size(); });
    for (const std::size_t user : *lists.front()) {
      if (steps_left_ < lists.size()) return std::nullopt;
      steps_left_ -= lists.size();
      const bool has_all = std::all_of(lists.begin() + 1, lists.end(), [&](const auto* list) {
        return std::binary_search(list->begin(), list->end(), user);
      });
      if (has_all) return true;
    }
    return false;
  }

  const LintReport& report_;
  StringMap<std::optional<bool>> known_;
  std::size_t steps_left_ = 5'000'000;
};

/// What a literal rule requires together with all that are a prefix of it.
class Prefixes {
 public:
  explicit Prefixes(const std::vector<TopicRule>& rules) {
    for (const TopicRule& rule : rules) {
      if (rule.topic.is_regex()) continue;
      rules_[rule.topic.text()].push_back(&rule);
      lengths_.push_back(rule.topic.text().size());
    }
    std::sort(lengths_.begin(), lengths_.end());
    lengths_.erase(std::unique(lengths_.begin(), lengths_.end()), lengths_.end());
  }

  std::vector<std::string> required(const TopicRule& rule) {
    const std::string_view topic = rule.topic.text();
    std::vector<std::string> out = rule.capabilities;
    for (const std::size_t length : lengths_) {
      if (length >= topic.size() || out.size() > kMostNames || bytes_left_ < length) break;
      bytes_left_ -= length;
      add(topic.substr(0, length), out);
    }
    add(topic, out);
    return out;
  }

 private:
  static constexpr std::size_t kMostNames = 1000;

  void add(std::string_view topic, std::vector<std::string>& out) const {
    const auto found = rules_.find(topic);
    if (found == rules_.end()) return;
    for (const TopicRule* rule : found->second) {
      if (out.size() > kMostNames) return;
      out.insert(out.end(), rule->capabilities.begin(), rule->capabilities.end());
    }
  }

  StringMap<std::vector<const TopicRule*>> rules_;
  std::vector<std::size_t> lengths_;      // each once, ascending
  std::size_t bytes_left_ = 100'000'000;  // of prefixes to look up
};

void check_text(LintReport& report, const LintPlace& place, const std::string& text) {
  if (const auto intent = Pattern::likely_intent(text)) {
    report.warning(place, {"half-slashed-pattern",
                           quoted(text) + " is compared as plain text: it has a slash at one end only",
                           "write " + quoted(*intent) + " for a regular expression"});
  } else if (const auto difference = PatternCheck::difference_to_volttron(text)) {
    report.warning(place,
                   {"anchoring", quoted(text) + ": " + *difference,
                    "write " + quoted(PatternCheck::same_in_both(text)) + ", which means the same in both"});
  }
}

/// Patterns that are found neither by how topics begin nor by a text in them, or of which many are found by
/// the same: the more of them, the longer each new topic takes.
void check_speed(LintReport& report, LintSection section, const std::vector<TopicRule>& rules) {
  constexpr std::uint32_t kMany = 100;
  if (rules.size() <= kMany) return;
  const std::vector<std::uint32_t> together = TopicIndex(rules).tried_together();
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (together[i] <= kMany) continue;
    report.warning({section, i, "/topic"},
                   {"slow-pattern",
                    quoted(rules[i].topic.text()) + " is one of " + std::to_string(together[i]) +
                        " patterns that are tried one by one, whatever else a topic holds",
                    "put three characters in a row into it, as plain text, that others do not have"});
  }
}

void check_rules(LintReport& report, LintSection section, const std::vector<TopicRule>& rules,
                 Holders& holders) {
  const bool is_write = section == LintSection::kWriteProtect;
  check_speed(report, section, rules);
  Prefixes prefixes(rules);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const TopicRule& rule = rules[i];
    check_text(report, {section, i, "/topic"}, rule.topic.text());
    const LintPlace place{section, i, "/capabilities"};
    if (rule.capabilities.empty()) {
      report.warning(
          place, {"no-requirement", "an empty list requires nothing: the topic is not protected by this rule",
                  "name a capability, or remove the rule"});
      continue;
    }
    if (!report.resolver) continue;
    const auto held =
        holders.any_with_all(rule.topic.is_regex() ? rule.capabilities : prefixes.required(rule));
    if (held.value_or(true)) continue;
    report.warning(place, {is_write ? "unpublishable-topic" : "unreceivable-topic",
                           "nobody can " + std::string(is_write ? "publish to " : "receive ") +
                               quoted(rule.topic.text()) + ": no user holds all that is required for it",
                           "grant it to whoever should"});
  }
}

}  // namespace

void lint_topics(LintReport& report) {
  Holders holders(report);
  check_rules(report, LintSection::kWriteProtect, report.rules.write_protect, holders);
  check_rules(report, LintSection::kReadProtect, report.rules.read_protect, holders);
}

}  // namespace vipauth
