#pragma once

#include <string>

#include <vipauth/zap_authenticator.hpp>

namespace vipauth {

/// The line that VOLTTRON writes. Source: VOLTTRON auth_service.py, authenticate.
std::string authentication_line(const ZapAuthenticator::Event& event);

}  // namespace vipauth
