#include <vipauth/topic_protector.hpp>

#include <span>
#include <utility>

#include "engine/topic_index.hpp"
#include "engine/topic_memory.hpp"
#include "text/control_characters.hpp"

namespace vipauth {

struct TopicProtector::Index {
  Index() = default;
  explicit Index(TopicRules rules)
      : write(std::move(rules.write_protect)), read(std::move(rules.read_protect)) {}

  TopicIndex write;
  TopicIndex read;
  bool refuse_all = false;

  Decision authorize(const TopicIndex& rules, std::string_view action, const CapabilityResolver& capabilities,
                     const UserRef& user, std::string_view topic) const {
    const auto ask = [&](std::span<const std::string> required) {
      return capabilities.authorize_topic(user, action, topic, required);
    };
    TopicMemory* const memory = rules.empty() ? nullptr : TopicMemory::of_this_thread();
    if (memory != nullptr) {
      // What was kept is a topic that is well formed.
      if (const auto known = memory->find(rules.number(), topic)) return judge(rules, *known, ask);
    }
    if (!is_valid_utf8(topic)) return Decision::refuse(Reason::kMalformed, "a topic that is not valid UTF-8");
    if (has_control_character(topic)) {
      return Decision::refuse(Reason::kMalformed, "a topic that holds a control character");
    }
    if (refuse_all) {
      return Decision::refuse(Reason::kNoPolicy, "the rules for protected topics could not be read");
    }
    if (Decision decision = ask({}); !decision || rules.empty()) return decision;
    if (memory == nullptr) {
      TopicMemory::Workspace workspace;
      return judge(rules, rules.covering(topic, workspace), ask);
    }
    const TopicIndex::RuleIds covering = rules.covering(topic, memory->workspace);
    memory->keep(rules.number(), topic, covering);
    return judge(rules, covering, ask);
  }

 private:
  /// Asks for what each of the rules requires.
  template <typename Ask>
  static Decision judge(const TopicIndex& rules, TopicIndex::RuleIds covering, Ask ask) {
    if (covering.empty()) return ask({});  // which refuses a user who is not known
    Decision allowed = Decision::allow(Reason::kUnprotected);
    for (const std::uint32_t id : covering) {
      const TopicRule& rule = rules.rule(id);
      Decision decision = ask(rule.capabilities);
      if (decision) {
        if (!rule.capabilities.empty()) allowed = std::move(decision);
        continue;
      }
      if (decision.reason() == Reason::kUnknown) return decision;
      std::vector<std::string> source{rule.location};
      source.insert(source.end(), decision.source().begin(), decision.source().end());
      return Decision::refuse(decision.reason(), decision.message(), std::move(source));
    }
    return allowed;
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
