#pragma once

#include "context.hpp"

namespace vipauth::vctl::auth {

struct LintOptions {
  bool is_strict = false;  ///< warnings count as errors
};

/// Lists mistakes in auth.json and protected_topics.json, and what is wrong with the certificates of the
/// home's authority, each with its place and how to mend it. Exit kExitFailed where there is an error, or
/// (strict) a warning.
/// --json: {"findings": [{"severity": "error", "check": "bad-key", "file": "auth.json",
///                        "place": "/allow/3/credentials", "message": "...", "remedy": "...",
///                        "command": "vctl auth ..."}]}; `command` is null where there is none
int lint(const LintOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
