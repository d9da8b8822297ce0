#pragma once

#include <vipauth/authorization.hpp>
#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

// Remote peers as `platform.auth` tells of them.

/// `{"domain", "address", "mechanism", "credentials", "user_id", "retries"}`, as VOLTTRON, and `status`,
/// `first_seen` and `last_seen`; `site` where it is not here.
VIPAUTH_EXPORT Json to_json(const Authorization& peer);

/// \param status  where the text does not say it, as VOLTTRON's does not
/// \return kParseError  not of that form
VIPAUTH_EXPORT Result<Authorization> parse_authorization(const Json& json, AuthorizationStatus status);

}  // namespace vipauth
