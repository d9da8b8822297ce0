#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <vipauth/capability_resolver.hpp>
#include <vipauth/json.hpp>
#include <vipauth/method_registry.hpp>
#include <vipauth/policy_difference.hpp>
#include <vipauth/policy_snapshot.hpp>

namespace vipauth {

/// Who holds what, in the form in which VOLTTRON's agents take it: user -> capability -> null, or
/// restrictions.
struct UserToCapabilities {
  /// A grant that the form cannot say.
  struct LeftOut {
    std::string user_id;
    std::string capability;
  };

  Json map;
  /// Capabilities that a user holds with different restrictions, of which none covers the others: the form
  /// has room for one. They are not in the map, so that an agent which decides by it refuses. Sorted.
  std::vector<LeftOut> left_out;
};

/// Everybody who is known. Source: VOLTTRON auth_service.py, get_user_to_capabilities.
VIPAUTH_EXPORT UserToCapabilities user_to_capabilities(const CapabilityResolver& resolver);
/// The same of these users; who is not known is not in it.
VIPAUTH_EXPORT UserToCapabilities user_to_capabilities(const CapabilityResolver& resolver,
                                                       const std::vector<std::string>& users);

/// The parameters of the call `auth.update` that VOLTTRON sends to each agent: `[user_to_capabilities]`.
VIPAUTH_EXPORT Json auth_update_body(const CapabilityResolver& resolver);

/// The parameters of the call `auth.set_multiple_rpc_authorizations` that VOLTTRON sends to an agent whose
/// methods changed: `{"rpc_authorizations": {"set_temp": ["CAP_SET_TEMP"], "open": []}}`. A list that was
/// cleared is there, and empty.
VIPAUTH_EXPORT Json rpc_authorizations_body(const MethodRegistry& methods, std::string_view identity);

/// Who gained and lost grants from one policy to the next, such as those of a PolicyChange.
VIPAUTH_EXPORT CapabilityChanges capability_changes(const PolicySnapshot& before,
                                                    const PolicySnapshot& after);

/// What a copy of user_to_capabilities() of `before` needs to become that of `after`:
/// `{"changed": {user: {capability: ...}}, "removed": [user]}`. Each changed user is there with everything.
VIPAUTH_EXPORT Json capability_update(const PolicySnapshot& before, const PolicySnapshot& after);

}  // namespace vipauth
