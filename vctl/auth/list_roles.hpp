#pragma once

#include "context.hpp"

namespace vipauth::vctl::auth {

/// Lists the roles by name.
/// --json: {"roles": {"X": [...]}}, each as auth.json holds it
int list_roles(const Context& context);

}  // namespace vipauth::vctl::auth
