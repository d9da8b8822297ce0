#pragma once

#include <string>

#include "context.hpp"

namespace vipauth::vctl::auth {

struct RemoveKnownHostOptions {
  std::string host;
};

/// Removes the entry of a host from known_hosts.
/// --json: {"removed": ["127.0.0.1:22916"]}
int remove_known_host(const RemoveKnownHostOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
