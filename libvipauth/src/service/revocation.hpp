#pragma once

#include <string>
#include <vector>

#include <vipauth/policy_snapshot.hpp>

namespace vipauth {

/// The users of whom `before` accepted credentials that `after` does not accept as theirs, sorted, each once.
std::vector<std::string> revoked_users(const PolicySnapshot& before, const PolicySnapshot& after);

}  // namespace vipauth
