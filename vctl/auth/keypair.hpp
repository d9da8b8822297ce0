#pragma once

#include "context.hpp"

namespace vipauth::vctl::auth {

struct KeyOptions {
  bool as_z85 = false;
};

/// Prints a new key pair, the only verb to print a secret: {"public": "...", "secret": "..."}, with --json
/// too.
int keypair(const KeyOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
