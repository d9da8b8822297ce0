#pragma once

#include <optional>
#include <string>

#include "context.hpp"

namespace vipauth::vctl::auth {

struct ProbeOptions {
  std::string address;
};

/// Connects as a client would, says what it meets there and what to do about it. Allowed where it is
/// accepted, denied where the server refuses the key or the identity, or lets it wait.
int probe(const ProbeOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
