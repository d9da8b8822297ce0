#pragma once

#include "context.hpp"

namespace vipauth::vctl::auth {

/// Lists the entries of known_hosts, by host.
/// --json: {"known_hosts": [{"host": "...", "serverkey": "...", "fingerprint": "SHA256:..."}]}; an entry that
/// is no key has "problem" for a fingerprint
int list_known_hosts(const Context& context);

}  // namespace vipauth::vctl::auth
