#pragma once

#include <string>
#include <vector>

#include "context.hpp"

namespace vipauth::vctl::auth {

struct AddRoleOptions {
  std::string name;
  std::vector<std::string> capabilities;  ///< names, or JSON
};

/// Adds a role.
/// --json: {"role": "X", "capabilities": [...]}
int add_role(const AddRoleOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
