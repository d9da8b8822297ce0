#pragma once

#include <string>
#include <vector>

#include <vipauth/json.hpp>
#include <vipauth/policy.hpp>

namespace vipauth::test {

/// The cases of a file of tests/data/volttron: what VOLTTRON 9.0.4 answered, and, as `expected`, what this
/// library must answer where that differs or is settled.
Json::Array recorded_cases(const std::string& file);

/// A member that must be there.
const Json& at(const Json& object, std::string_view name);
const std::string& text_at(const Json& object, std::string_view name);

/// A policy from an object, or from the text of a file; nothing where it cannot be read.
Result<Policy> policy_of(const Json& recorded);

/// A policy in which each user of the map holds the capabilities given there.
Policy policy_of_users(const Json::Object& user_capabilities);

}  // namespace vipauth::test
