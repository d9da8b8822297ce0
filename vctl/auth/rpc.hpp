#pragma once

#include <string>
#include <vector>

#include "context.hpp"

namespace vipauth::vctl::auth {

struct RpcOptions {
  std::string method;                     ///< IDENTITY.METHOD
  std::vector<std::string> capabilities;  ///< names
};

/// Has callers of a method need capabilities.
/// --json: {"identity": "AgentA", "method": "bar", "capabilities": [...]}, all that it requires afterwards
int rpc_add(const RpcOptions& options, const Context& context);

/// Has them need these no more.
/// --json: as rpc_add
int rpc_remove(const RpcOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
