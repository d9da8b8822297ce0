#pragma once

#include <string>
#include <vector>

#include "context.hpp"

namespace vipauth::vctl::auth {

struct TopicsAddOptions {
  std::string topic;
  std::vector<std::string> capabilities;
  bool read = false;              ///< who receives, not who publishes
  bool requires_nothing = false;  ///< no capabilities are meant
};

struct TopicsRemoveOptions {
  std::string topic;
  bool read = false;
};

/// Lists the rules of protected_topics.json.
/// --json: {"write-protect": [{"topic": "foo", "capabilities": [...]}], "read-protect": [...]}
int topics_list(const Context& context);

/// Adds a rule.
/// --json: {"added": {"list": "write-protect", "topic": "foo", "capabilities": [...]}}
int topics_add(const TopicsAddOptions& options, const Context& context);

/// Removes the rules for exactly this topic.
/// --json: {"removed": [{"list": "write-protect", "topic": "foo", "capabilities": [...]}]}
int topics_remove(const TopicsRemoveOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
