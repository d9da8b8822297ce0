#pragma once

#include <string>
#include <vector>

#include <vipauth/json.hpp>

namespace vipauth {

/// A value as Python's repr() prints it: None, True, 42, 'text', ['a', 'b'], {'x': 1}. The messages and lists
/// that VOLTTRON's users know have this form. Characters that a terminal would obey are escaped.
VIPAUTH_EXPORT std::string python_repr(const Json& value);
VIPAUTH_EXPORT std::string python_repr(const std::vector<std::string>& values);

/// As python_repr, but a string on its own stands without quotes (Python's str()).
VIPAUTH_EXPORT std::string python_str(const Json& value);

}  // namespace vipauth
