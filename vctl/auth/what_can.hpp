#pragma once

#include <string>

#include "context.hpp"

namespace vipauth::vctl::auth {

struct WhatCanOptions {
  std::string user_id;
};

/// Lists what a user holds, and what that allows: methods that records list, and protected topics. Topics
/// that no rule covers are open to every user, and are not listed.
/// --json: {"user_id": "A", "records": ["/allow/0"],
///          "grants": [{"capability": "CAP", "restrictions": {"x": 1}, "source": "/roles/x"}],
///          "methods": [{"identity": "I", "method": "m", "requires": ["CAP"], "only_with": [...]}],
///          "publish": [{"topic": "foo", "requires": ["CAP"], "only_with": [...]}], "receive": [...]}
int what_can(const WhatCanOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
