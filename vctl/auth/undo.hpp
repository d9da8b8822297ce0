#pragma once

#include <cstdint>
#include <optional>

#include "context.hpp"

namespace vipauth::vctl::auth {

struct UndoOptions {
  bool topics = false;  ///< protected_topics.json, not auth.json
  std::optional<std::uint64_t> to;
  bool is_sure = false;  ///< do not ask
};

/// Puts a former version of a file back, as a new edit, having shown what that changes and asked; no answer
/// is no.
/// --json: {"generation": 7, "changes": [{"change": "change", "what": "allow record", "name": "alice",
///          "fields": ["enabled"]}]}
int undo(const UndoOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
