#pragma once

#include <optional>
#include <string>

#include "context.hpp"

namespace vipauth::vctl::auth {

struct DiffOptions {
  std::string before;                ///< a file, or a folder: both files in it
  std::optional<std::string> after;  ///< the same; none: the store of --store, else the home
  bool are_topics = false;           ///< files are protected_topics.json, not auth.json
  bool with_exit_code = false;       ///< kExitFailed where something differs
};

/// Lists what two files decide differently: users, grants, who is let in and who is kept out, what methods
/// require, and which topics are protected.
/// --json: {"same": false, "users": {"gained": ["A"], "lost": []},
///          "grants": {"gained": [{"user_id": "A", "capability": "CAP", "restrictions": null}], "lost": []},
///          "peers": {"gained": [{"user_id": "A", "mechanism": "CURVE", "credentials": "...", "domain": null,
///                                "address": null}], "lost": []},
///          "denied": as peers,
///          "methods": [{"identity": "I", "method": "m", "before": null, "after": ["CAP"]}],
///          "unreadable": {"gained": ["I"], "lost": []},
///          "topics": {"gained": [{"list": "write-protect", "topic": "foo", "requires": ["CAP"]}], "lost":
///          []}}
int diff(const DiffOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
