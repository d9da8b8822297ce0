#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <vipauth/clock.hpp>
#include <vipauth/policy.hpp>

namespace vipauth {

/// Who was allowed by a policy at a moment: pairs of user_id and a hash of what was accepted as it, sorted.
using AcceptedPeers = std::vector<std::pair<std::string, std::uint64_t>>;

AcceptedPeers accepted_peers(const Policy& policy, Timestamp now);

/// The users of whom something is in `before` and not in `after`, sorted, each once.
std::vector<std::string> revoked_users(const AcceptedPeers& before, const AcceptedPeers& after);

}  // namespace vipauth
