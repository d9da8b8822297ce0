#include <vipauth/topic_protector.hpp>

#include <algorithm>

#include "base/string_hash.hpp"
#include "text/control_characters.hpp"

namespace vipauth {
namespace {

/// Rules of one list, found by topic.
class RuleSet {
 public:
  RuleSet() = default;
  explicit RuleSet(std::vector<TopicRule> rules) : rules_(std::move(rules)) {
    for (const TopicRule& rule : rules_) {
      if (rule.topic.is_regex()) {
        patterns_.push_back(&rule);
      } else {
        literals_[rule.topic.text()].push_back(&rule);
        lengths_.push_back(rule.topic.text().size());
      }
    }
    std::sort(lengths_.begin(), lengths_.end());
    lengths_.erase(std::unique(lengths_.begin(), lengths_.end()), lengths_.end());
  }
  RuleSet(const RuleSet&) = delete;
  RuleSet& operator=(const RuleSet&) = delete;

  /// Calls `visit` with each rule that covers the topic until it returns false.
  template <typename Visit>
  void for_each_covering(std::string_view topic, Visit visit) const {
    for (const std::size_t length : lengths_) {
      if (length > topic.size()) break;
      const auto found = literals_.find(topic.substr(0, length));
      if (found == literals_.end()) continue;
      for (const TopicRule* rule : found->second) {
        if (!visit(*rule)) return;
      }
    }
    for (const TopicRule* rule : patterns_) {
      if (rule->covers(topic) && !visit(*rule)) return;
    }
  }

 private:
  std::vector<TopicRule> rules_;
  StringMap<std::vector<const TopicRule*>> literals_;
  std::vector<std::size_t> lengths_;  // of the literals, each once, ascending
  std::vector<const TopicRule*> patterns_;
};

}  // namespace

struct TopicProtector::Index {
  Index() = default;
  explicit Index(TopicRules rules)
      : write(std::move(rules.write_protect)), read(std::move(rules.read_protect)) {}

  RuleSet write;
  RuleSet read;
  bool refuse_all = false;

  Decision authorize(const RuleSet& rules, std::string_view action, const CapabilityResolver& capabilities,
                     const UserRef& user, std::string_view topic) const {
    if (!is_valid_utf8(topic)) return Decision::refuse(Reason::kMalformed, "a topic that is not valid UTF-8");
    if (has_control_character(topic)) {
      return Decision::refuse(Reason::kMalformed, "a topic that holds a control character");
    }
    if (refuse_all) {
      return Decision::refuse(Reason::kNoPolicy, "the rules for protected topics could not be read");
    }
    // Requiring nothing refuses a user who is not known.
    Decision decision = capabilities.authorize_topic(user, action, topic, {});
    if (!decision) return decision;
    rules.for_each_covering(topic, [&](const TopicRule& rule) {
      decision = capabilities.authorize_topic(user, action, topic, rule.capabilities);
      if (decision) return true;
      std::vector<std::string> source{rule.location};
      source.insert(source.end(), decision.source().begin(), decision.source().end());
      decision = Decision::refuse(decision.reason(), decision.message(), std::move(source));
      return false;
    });
    return decision;
  }
};

TopicProtector::TopicProtector() : index_(std::make_shared<const Index>()) {}

TopicProtector::TopicProtector(TopicRules rules) : index_(std::make_shared<const Index>(std::move(rules))) {}

TopicProtector::TopicProtector(std::shared_ptr<const Index> index) : index_(std::move(index)) {}

TopicProtector TopicProtector::refuse_all() {
  auto index = std::make_shared<Index>();
  index->refuse_all = true;
  return TopicProtector(std::move(index));
}

Decision TopicProtector::authorize_publish(const CapabilityResolver& capabilities, const UserRef& user,
                                           std::string_view topic) const {
  return index_->authorize(index_->write, "publish to", capabilities, user, topic);
}

Decision TopicProtector::authorize_receive(const CapabilityResolver& capabilities, const UserRef& user,
                                           std::string_view topic) const {
  return index_->authorize(index_->read, "receive", capabilities, user, topic);
}

}  // namespace vipauth
