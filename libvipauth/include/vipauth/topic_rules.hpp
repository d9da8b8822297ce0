#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <vipauth/json.hpp>
#include <vipauth/pattern.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// One line of protected_topics.json: who speaks (or listens) on the topics that it covers needs all
/// `capabilities`.
///
/// A literal covers the topic and every topic it is a prefix of, as subscriptions match; a pattern, what it
/// matches as a whole. No capabilities: it requires nothing.
struct TopicRule {
  Pattern topic;
  std::vector<std::string> capabilities;
  std::string location;  ///< JSON Pointer from the file's root: "/write-protect/0"

  VIPAUTH_EXPORT bool covers(std::string_view a_topic) const;
};

/// The content of protected_topics.json. `read_protect` is this library's own; VOLTTRON has no such list.
/// Source: semantics 6; VOLTTRON pubsubservice.py, _load_protected_topics.
struct TopicRules {
  static constexpr std::size_t kMaxRules = 100'000;

  std::vector<TopicRule> write_protect;
  std::vector<TopicRule> read_protect;

  /// All or nothing: one bad rule fails the whole, since ignoring it would unprotect a topic.
  /// \return kInvalidArgument or a Pattern's error  with the JSON Pointer of the rule
  /// \return kLimitExceeded    more than kMaxRules
  VIPAUTH_EXPORT static Result<TopicRules> parse(const Json& document);
};

}  // namespace vipauth
