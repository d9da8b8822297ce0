#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <vipauth/result.hpp>

#include "context.hpp"

namespace vipauth::vctl::auth {

struct RotateOptions {
  std::string who;  ///< an identity, or "server"
  std::optional<std::chrono::seconds> keep;
  bool activate = false;
};

/// Gives an agent a second key, and lets the first one end after a while; or prepares the next key of the
/// server, and puts it in force. Each step leaves the agent able to connect, and a run that was cut off is
/// completed by the next.
/// --json, of an agent: {"identity": "...", "publickey": "...", "fingerprint": "SHA256:...", "previous":
/// "...", "previous_until": "2026-11-28T21:30:00Z"}; of the server: {"serverkey": "...", "fingerprint":
/// "SHA256:...", "previous": "...", "active": false, "addresses": ["..."]}
int rotate(const RotateOptions& options, const Context& context);

/// "90s", "30m", "12h", "7d", "2w".
Result<std::chrono::seconds> parse_period(const std::string& text);

}  // namespace vipauth::vctl::auth
