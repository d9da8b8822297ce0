#pragma once

#include <string>
#include <vector>

#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// Reads a list of names: roles of a record, roles of a group, capabilities of a topic or method.
/// Null and the empty string (VOLTTRON's "nothing entered") are the empty list.
/// \return kInvalidArgument  `location` is a JSON Pointer relative to `json`
Result<std::vector<std::string>> parse_name_list(const Json& json);

}  // namespace vipauth
