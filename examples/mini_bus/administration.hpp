#pragma once

#include <string>
#include <string_view>

#include <vipauth/vipauth.hpp>

namespace mini_bus {

/// The agent that offers administration is the bus itself. Source: VOLTTRON's name for it.
constexpr std::string_view kAdministrator = "platform.auth";

/// Runs an operation of the authorization server for a peer, by what the peer holds: `approve_authorization`
/// with
/// `{"user_id": ..., "capabilities": ...}`, and so on.
/// \param params  a list or an object
/// \return the result as JSON; what vipauth::Administration returns; kNotFound  there is no such operation
vipauth::Result<std::string> administer(vipauth::AuthService& service, vipauth::Session& caller,
                                        std::string_view method, const vipauth::Json& params);

}  // namespace mini_bus
