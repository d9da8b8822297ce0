#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <vipauth/audit_trail.hpp>
#include <vipauth/clock.hpp>

#include "context.hpp"

namespace vipauth::vctl::auth {

struct AuditVerifyOptions {
  std::optional<std::string> folder;  ///< default: `audit` in the home
  std::optional<AuditAnchor> head;    ///< a line that must be there
};

/// Follows the chain of the audit log. Exits with 1 where a line was changed, removed or added.
/// --json: {"whole": true, "lines": 812, "first": 1, "head": "812:<hash>", "problems": [{"file": "...",
/// "line": 3, "message": "..."}], "torn": [...]}
int audit_verify(const AuditVerifyOptions& options, const Context& context);

/// "2026-11-21T21:30:00Z", or how long ago: "2h".
struct Since {
  std::optional<Timestamp> time;
  std::chrono::seconds ago{0};
};
Result<Since> parse_since(const std::string& text);

struct AuditShowOptions {
  std::optional<std::string> folder;
  std::optional<std::string> user;
  std::optional<Since> since;
  std::optional<std::string> kind;
  bool refused = false;
  std::size_t last = 1000;
};

/// Lists lines of the audit log, the oldest first.
/// --json: {"lines": [{"seq": 1, "prev": "...", "time": "...", "kind": "...", ..., "hash": "..."}],
/// "earlier": 0}
int audit_show(const AuditShowOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
