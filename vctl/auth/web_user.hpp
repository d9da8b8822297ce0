#pragma once

#include <optional>
#include <string>

#include "context.hpp"

namespace vipauth::vctl::auth {

struct WebUserAddOptions {
  std::string name;
  std::optional<std::string> groups;  ///< with commas; else "admin"
  bool replaces = false;
};

struct WebUserName {
  std::string name;
};

/// Adds a user of the web service. The password is asked for twice at a terminal, else it is the first line
/// of the standard input. --json: {"added": {"name": "...", "groups": ["admin"]}}
int web_user_add(const WebUserAddOptions& options, const Context& context);

/// --json: {"users": [{"name": "...", "groups": ["admin"]}]}
int web_user_list(const Context& context);

/// --json: {"removed": "<name>"}
int web_user_remove(const WebUserName& user, const Context& context);

}  // namespace vipauth::vctl::auth
