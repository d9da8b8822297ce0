#include "engine/active_records.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace vipauth {
namespace {

/// The credentials that no domain and no address can save.
class DeniedCredentials {
 public:
  DeniedCredentials(const Policy& policy, Timestamp now) {
    for (const Policy::Entry& entry : policy.deny()) {
      if (!entry.record || !entry.record->is_active(now)) continue;
      if (!entry.record->domain.empty() || !entry.record->address.empty()) continue;
      add(*entry.record);
    }
  }

  bool match(const AuthRecord& record) const {
    if (const auto* key = std::get_if<CurveKey>(&record.credentials)) return matches_key(*key);
    if (const auto* password = std::get_if<StoredPassword>(&record.credentials)) {
      return passwords_.contains({record.user_id, password->text});
    }
    return record.mechanism == Mechanism::kNull && null_;
  }

 private:
  void add(const AuthRecord& record) {
    if (const auto* key = std::get_if<CurveKey>(&record.credentials)) keys_.insert(*key);
    if (const auto* pattern = std::get_if<Pattern>(&record.credentials)) patterns_.push_back(*pattern);
    if (const auto* password = std::get_if<StoredPassword>(&record.credentials)) {
      passwords_.insert({record.user_id, password->text});
    }
    null_ = null_ || record.mechanism == Mechanism::kNull;
  }

  bool matches_key(const CurveKey& key) const {
    if (keys_.contains(key)) return true;
    if (patterns_.empty()) return false;
    const std::string text = key.to_base64url();
    return std::any_of(patterns_.begin(), patterns_.end(), [&](const Pattern& p) { return p.matches(text); });
  }

  std::set<CurveKey> keys_;
  std::vector<Pattern> patterns_;
  std::set<std::pair<std::string, std::string>> passwords_;
  bool null_ = false;
};

}  // namespace

std::vector<bool> active_allow_records(const Policy& policy, Timestamp now) {
  const DeniedCredentials denied(policy, now);
  std::vector<bool> active;
  active.reserve(policy.allow().size());
  for (const Policy::Entry& entry : policy.allow()) {
    active.push_back(entry.record && entry.record->is_active(now) && !denied.match(*entry.record));
  }
  return active;
}

std::optional<Timestamp> next_validity_change(const Policy& policy, Timestamp now) {
  std::optional<Timestamp> next;
  for (const auto* list : {&policy.allow(), &policy.deny()}) {
    for (const Policy::Entry& entry : *list) {
      if (!entry.record) continue;
      for (const auto& time : {entry.record->not_before, entry.record->not_after}) {
        if (time && *time > now && (!next || *time < *next)) next = *time;
      }
    }
  }
  return next;
}

}  // namespace vipauth
