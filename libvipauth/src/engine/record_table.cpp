#include "engine/record_table.hpp"

#include <algorithm>

#include <vipauth/json.hpp>

#include "base/hash.hpp"

namespace vipauth {
namespace {

bool any_matches(const std::vector<Pattern>& patterns, std::string_view value) {
  return patterns.empty() ||
         std::any_of(patterns.begin(), patterns.end(), [&](const Pattern& p) { return p.matches(value); });
}

Json texts_of(const std::vector<Pattern>& patterns) {
  Json::Array texts;
  for (const Pattern& pattern : patterns) texts.emplace_back(pattern.text());
  return texts;
}

}  // namespace

// ---- What records share ----

RecordTables::RecordTables() : places_(1), place_texts_(1), periods_(1) {}

std::uint32_t RecordTables::place_of(const AuthRecord& record) {
  if (record.domain.empty() && record.address.empty()) return 0;
  std::string text = Json(Json::Array{texts_of(record.domain), texts_of(record.address)}).dump();
  const auto [found, is_new] = place_ids_.emplace(text, places_.size());
  if (is_new) {
    places_.push_back({record.domain, record.address});
    place_texts_.push_back(std::move(text));
  }
  return found->second;
}

std::uint32_t RecordTables::period_of(const AuthRecord& record) {
  if (!record.not_before && !record.not_after) return 0;
  const Period period{record.not_before, record.not_after};
  const auto [found, is_new] = period_ids_.emplace(period, periods_.size());
  if (is_new) periods_.push_back(period);
  return found->second;
}

bool RecordTables::accepts(std::uint32_t place, PeerPlace peer) const {
  if (place == 0) return true;
  return any_matches(places_[place].domain, peer.domain) && any_matches(places_[place].address, peer.address);
}

bool RecordTables::is_within(std::uint32_t period, Timestamp now) const {
  if (period == 0) return true;
  const auto& [not_before, not_after] = periods_[period];
  return (!not_before || *not_before <= now) && (!not_after || now < *not_after);
}

std::optional<Timestamp> RecordTables::next_change(Timestamp now) const {
  std::optional<Timestamp> next;
  for (const Period& period : periods_) {
    for (const auto& time : {period.not_before, period.not_after}) {
      if (time && *time > now && (!next || *time < *next)) next = *time;
    }
  }
  return next;
}

// ---- One list ----

RecordTable::Id RecordTable::add(CompactRecord record, const Credentials& credentials) {
  const Id id = static_cast<Id>(records_.size());
  if (const auto* key = std::get_if<CurveKey>(&credentials)) {
    record.kind = CompactRecord::Kind::kKey;
    record.key = key->bytes();
    records_.push_back(record);
    add_key(id, *key);
    return id;
  }
  if (const auto* pattern = std::get_if<Pattern>(&credentials)) {
    record.kind = CompactRecord::Kind::kPattern;
    with_pattern_.push_back(id);
    patterns_.emplace(id, *pattern);
  } else if (const auto* password = std::get_if<StoredPassword>(&credentials)) {
    record.kind = CompactRecord::Kind::kPassword;
    std::vector<Id>& of_user = with_password_[record.user];
    if (of_user.empty()) users_with_password_.push_back(record.user);
    of_user.push_back(id);
    passwords_.emplace(id, password->text);
  } else {
    record.kind = CompactRecord::Kind::kNull;
    without_credentials_.push_back(id);
  }
  records_.push_back(record);
  return id;
}

RecordTable::Id RecordTable::add_unreadable(CompactRecord record) {
  record.kind = CompactRecord::Kind::kUnreadable;
  records_.push_back(record);
  return static_cast<Id>(records_.size() - 1);
}

void RecordTable::add_key(Id id, const CurveKey& key) {
  const std::uint32_t hash = hash_of(key);
  const Id first = first_of_key(key, hash);
  if (first == kNone) return by_key_.insert(hash, id);
  Id& last = last_of_key_.emplace(first, first).first->second;
  records_[last].next_of_key = id;
  last = id;
}

std::uint32_t RecordTable::hash_of(const CurveKey& key) noexcept {
  return static_cast<std::uint32_t>(seeded_hash(key.bytes()));
}

RecordTable::Id RecordTable::first_of_key(const CurveKey& key, std::uint32_t hash) const noexcept {
  return by_key_.find(hash, [&](Id id) { return records_[id].key == key.bytes(); });
}

const std::vector<RecordTable::Id>& RecordTable::with_password(NameTable::Id user) const noexcept {
  static const std::vector<Id> kNobody;
  const auto found = with_password_.find(user);
  return found == with_password_.end() ? kNobody : found->second;
}

}  // namespace vipauth
