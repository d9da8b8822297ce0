#pragma once

#include <string>

#include "auth/record_fields.hpp"
#include "context.hpp"

namespace vipauth::vctl::auth {

struct CreateOptions {
  std::string identity;
  FieldTexts fields;  ///< those given
};

/// Makes what a new agent of this host needs: a key store, a record with its identity as user_id, too, and
/// the addresses to connect to. What is there already is used.
/// --json: {"identity": "...", "publickey": "...", "keystore": "...", "index": 3, "addresses": ["..."]}
int create(const CreateOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
