#pragma once

#include <optional>
#include <string>

#include "context.hpp"

namespace vipauth::vctl::auth {

struct PublicKeyOptions {
  std::optional<std::string> pattern;  ///< a part of the identity, or the whole with `*` and `?`
  bool as_z85 = false;
};

/// Prints the public key of each agent that has a key store.
/// --json: {"agents": [{"identity": "...", "publickey": "..."}]}
int publickey(const PublicKeyOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
