#pragma once

#include "auth/keypair.hpp"
#include "context.hpp"

namespace vipauth::vctl::auth {

/// Prints the public key of the home's key store, which is made if there is none.
/// --json: {"serverkey": "..."}
int serverkey(const KeyOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
