#include "service/accepted_digest.hpp"

#include <algorithm>
#include <utility>

namespace vipauth {
namespace {

/// Most keys that are counted apart in one interval. As many records has hardly a policy.
constexpr std::size_t kMostKeys = 10'000;

AuditLog::AcceptedPeer peer_of(const AuditEvent& event) {
  return {event.user_id, event.mechanism, event.credentials, event.reason, event.time};
}

}  // namespace

SeededDigest AcceptedDigest::key_of(const AuditLog::AcceptedPeer& peer) {
  key_.clear();
  return key_.add(peer.user_id).add(peer.mechanism).add(peer.credentials).digest();
}

bool AcceptedDigest::may_write(const RepeatTable::Repeated& repeated) const {
  return repeated.written < limits_.per_key && (repeated.written == 0 || again_ < limits_.in_all);
}

bool AcceptedDigest::count(const AuditLog::AcceptedPeer& peer) {
  const auto known = table_.seen.find(key_of(peer));
  if (known != table_.seen.end()) {
    if (may_write(known->second)) return false;
    known->second.hold_back(peer.time);
    return true;
  }
  const auto of_user = table_.singly_of.find(peer.user_id);
  const std::size_t keys = of_user == table_.singly_of.end() ? 0 : of_user->second;
  const bool is_full = table_.seen.size() >= kMostKeys;
  if (keys >= std::max<std::size_t>(limits_.keys_per_user, 1)) {
    count_other_key(peer);
  } else if (is_full) {
    table_.hold_back_rest(AuditEvent::Kind::kAuthentication, true, peer.reason, peer.time);
  } else {
    return false;
  }
  return true;
}

/// Of a user whose share is used up.
void AcceptedDigest::count_other_key(const AuditLog::AcceptedPeer& peer) {
  key_.clear();
  const SeededDigest key = key_.add(peer.user_id).digest();  // shorter than that of any peer
  auto others = table_.seen.find(key);
  if (others == table_.seen.end()) {
    if (table_.seen.size() >= kMostKeys) {
      return table_.hold_back_rest(AuditEvent::Kind::kAuthentication, true, peer.reason, peer.time);
    }
    AuditEvent event;
    event.kind = AuditEvent::Kind::kAuthentication;
    event.time = peer.time;
    event.allowed = true;
    event.reason = peer.reason;
    event.user_id = peer.user_id;
    event.message = "other keys of this user, so many that they were only counted";
    others = table_.seen.emplace(key, RepeatTable::Repeated(std::move(event))).first;
    others->second.written = limits_.per_key;
  }
  others->second.hold_back(peer.time);
}

bool AcceptedDigest::take(const AuditEvent& event) {
  const auto [known, is_new] = table_.seen.try_emplace(key_of(peer_of(event)), RepeatTable::Repeated(event));
  RepeatTable::Repeated& repeated = known->second;
  if (is_new) {
    try {
      ++table_.singly_of[event.user_id];
    } catch (...) {
      table_.seen.erase(known);
      throw;
    }
  }
  if (!may_write(repeated)) {
    repeated.hold_back(event.time);
    return false;
  }
  if (repeated.written++ > 0) ++again_;
  return true;
}

RepeatTable AcceptedDigest::close() {
  again_ = 0;
  return std::exchange(table_, {});
}

}  // namespace vipauth
