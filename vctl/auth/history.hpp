#pragma once

#include "context.hpp"

namespace vipauth::vctl::auth {

/// The files that have a history.
enum class HistoryOf { kAuth, kTopics };

struct HistoryOptions {
  HistoryOf file = HistoryOf::kAuth;
};

/// Lists the edits of a file that can be undone, the newest first.
/// --json: {"history": [{"generation": 7, "time": "...", "user": "...", "command": "...", "bytes": 812}]}
int history(const HistoryOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
