#pragma once

#include <string>

#include <vipauth/json.hpp>

namespace vipauth {

/// What a record accepts, as text: the JSON list of its domain, address, mechanism and credentials as
/// written.
std::string peer_name(const Json& record);

}  // namespace vipauth
