#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/json.hpp>
#include <vipauth/policy_snapshot.hpp>
#include <vipauth/topic_rules.hpp>

#include "context.hpp"

namespace vipauth::vctl::auth {

/// Who asks to connect, as texts.
struct ConnectQuestion {
  std::string domain = "vip";
  std::string address = "127.0.0.1";
  std::string mechanism = "CURVE";
  std::vector<std::string> credentials;  ///< CURVE: the key; PLAIN: user name and password; NULL: none
};

/// A call that somebody wants to make.
struct CallQuestion {
  std::string user_id;
  std::string callee;
  std::string method;
  CallArguments arguments;
  std::optional<std::vector<std::string>> required;  ///< else what the callee's records say
};

/// A decision, and what a person wants to know of it.
struct Finding {
  Decision decision;
  std::optional<std::string> user_id;  ///< who it is about; nothing where a peer is refused
  std::vector<std::string> source;     ///< JSON Pointers: what decided, or what the permission comes from
};

/// {"allowed": false, "reason": "...", "user_id": "...", "message": "...", "source": ["/allow/3"]}; `user_id`
/// is null where a peer is refused.
Json document(const Finding& finding);

/// Answers questions by the files of a home, as they stood when it was loaded.
class Checker {
 public:
  /// \return what AuthFile::load, TopicsFile::load and PolicySnapshot::compile return
  static Result<Checker> load(const Context& context);

  Finding connect(const ConnectQuestion& question) const;
  Finding call(const CallQuestion& question) const;
  Finding publish(const std::string& user_id, std::string_view topic) const;
  Finding receive(const std::string& user_id, std::string_view topic) const;

  // What it answers by.

  const Policy& policy() const noexcept { return policy_; }
  const PolicySnapshot& snapshot() const noexcept { return snapshot_; }
  const TopicRules& rules() const noexcept { return rules_; }
  Timestamp now() const noexcept { return now_; }

 private:
  Checker(Policy policy, PolicySnapshot snapshot, TopicRules rules, Timestamp now, bool has_passwords)
      : policy_(std::move(policy)),
        snapshot_(std::move(snapshot)),
        rules_(std::move(rules)),
        now_(now),
        has_passwords_(has_passwords) {}

  Finding about_topic(const std::string& user_id, std::string_view topic, Decision decision,
                      const std::vector<TopicRule>& rules) const;
  void add_grants(const std::string& user_id, const std::vector<std::string>& capabilities,
                  std::vector<std::string>& source) const;

  Policy policy_;
  PolicySnapshot snapshot_;
  TopicRules rules_;  // to say which cover a topic
  Timestamp now_;
  bool has_passwords_;  // a platform does not tell them
};

}  // namespace vipauth::vctl::auth
