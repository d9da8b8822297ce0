#include "service/revocation.hpp"

#include <algorithm>
#include <iterator>

#include "base/hash.hpp"
#include "engine/active_records.hpp"
#include "model/peer_name.hpp"

namespace vipauth {

AcceptedPeers accepted_peers(const Policy& policy, Timestamp now) {
  AcceptedPeers out;
  const std::vector<bool> active = active_allow_records(policy, now);
  for (std::size_t i = 0; i < active.size(); ++i) {
    if (!active[i]) continue;
    const Policy::Entry& entry = policy.allow()[i];
    out.emplace_back(entry.record->user_id, seeded_hash(peer_name(entry.source)));
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> revoked_users(const AcceptedPeers& before, const AcceptedPeers& after) {
  AcceptedPeers gone;
  std::set_difference(before.begin(), before.end(), after.begin(), after.end(), std::back_inserter(gone));
  std::vector<std::string> users;
  for (auto& [user_id, accepted] : gone) {
    if (users.empty() || users.back() != user_id) users.push_back(std::move(user_id));
  }
  return users;
}

}  // namespace vipauth
