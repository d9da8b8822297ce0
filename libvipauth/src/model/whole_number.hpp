#pragma once

#include <optional>

#include <vipauth/json.hpp>

namespace vipauth {

/// 4 and 4.0 are four; what is no whole number is nothing. A million stands for any number beyond.
std::optional<int> whole_number(const Json* json);

}  // namespace vipauth
