#pragma once

#include <string>

#include <vipauth/json.hpp>

namespace vipauth {

/// What Json::dump writes of Json::canonical, without the copy.
std::string canonical_text(const Json& json);

}  // namespace vipauth
