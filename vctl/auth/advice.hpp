#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/json.hpp>
#include <vipauth/policy.hpp>

namespace vipauth::vctl::auth {

// What is allowed, and probably not meant: one warning each.

/// What was probably meant by a pattern with a slash at one end only; nothing for any other text.
std::optional<std::string> half_slash_hint(std::string_view text);

/// Patterns of a record (domain, address, restrictions) with a slash at one end only.
std::vector<std::string> half_slashed(const AuthRecord& record);

/// The same for restrictions alone.
std::vector<std::string> half_slashed(const std::vector<Capability>& capabilities);

/// Roles and groups that the policy does not know.
std::vector<std::string> unknown_names(const Policy& policy, const AuthRecord& record);

/// All of it about a record that is right, and perhaps not meant.
std::vector<std::string> advice_about(const Policy& policy, const AuthRecord& record);

}  // namespace vipauth::vctl::auth
