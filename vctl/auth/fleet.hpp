#pragma once

#include "context.hpp"

namespace vipauth::vctl::auth {

/// Makes what a fleet shares, or a site adds, what the home's auth.json and protected_topics.json say.
/// --json: {"pushed": {"written": true, "keys": 12, "resumed": false}}
int push(const Context& context);

/// Makes the home's auth.json and protected_topics.json what the store says.
/// --json: {"pulled": {"written": true, "records": 12}}
int pull(const Context& context);

/// Ends that the home is a copy of a store; its files stay.
/// --json: {"unfollowed": "etcd://..."}, or null where it was none
int unfollow(const Context& context);

}  // namespace vipauth::vctl::auth
