#pragma once

#include <optional>
#include <string>

#include "context.hpp"

namespace vipauth::vctl::auth {

struct CsrRequestOptions {
  std::string url;
  std::string identity = "vctl";
  std::optional<std::string> instance;     ///< else the one of the configuration
  std::optional<std::string> authorities;  ///< a file; else a fingerprint
  std::optional<std::string> fingerprint;
  bool waits = false;
};

/// Asks another platform for a certificate for an agent of this one. Exit kExitDone where it is approved,
/// kExitDenied where it is denied, kExitFailed while it is pending, and for errors.
/// --json: {"status": "PENDING", "common_name", "key_fingerprint", "certificate", "key", "authority",
/// "message", "reached": true, "discovery": {...}}; "certificate" and "authority" are null unless it is
/// approved
int csr_request(const CsrRequestOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
