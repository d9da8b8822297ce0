#include <algorithm>

#include <vipauth/policy.hpp>

namespace vipauth {
namespace {

const CurveKey* key_of(const Policy::Entry& entry) {
  return entry.record ? std::get_if<CurveKey>(&entry.record->credentials) : nullptr;
}

bool same_field(const Policy::Entry& a, const Policy::Entry& b, std::string_view name) {
  const Json* left = a.source.find(name);
  const Json* right = b.source.find(name);
  return (left == nullptr ? Json() : *left) == (right == nullptr ? Json() : *right);
}

/// The entry with another value of one field. What it said before was understood, and is so with this one.
Result<Policy::Entry> with_field(const Policy::Entry& entry, std::string_view name, Json value) {
  Json source = entry.source;
  source.set(name, std::move(value));
  auto record = AuthRecord::parse(source);
  if (!record) return record.error();
  return Policy::Entry{std::move(source), std::move(record)};
}

}  // namespace

Result<std::size_t> Policy::add_second_key(std::size_t index, const CurveKey& new_key,
                                           Timestamp old_valid_until) {
  if (index >= allow_.size())
    return Error{ErrorCode::kNotFound, "invalid index " + std::to_string(index), ""};
  const Entry& old = allow_[index];
  if (key_of(old) == nullptr) {
    return Error{ErrorCode::kInvalidArgument,
                 "the record at index [" + std::to_string(index) + "] has no CURVE key of its own", ""};
  }
  const auto is_twin = [&](const Entry& entry) {
    if (key_of(entry) == nullptr || *key_of(entry) != new_key) return false;
    return entry.record->user_id != old.record->user_id ||
           (same_field(entry, old, "domain") && same_field(entry, old, "address"));
  };
  const auto twin = std::find_if(allow_.begin(), allow_.end(), is_twin);
  if (twin != allow_.end()) {
    return Error{ErrorCode::kAlreadyExists,
                 "the new key has a record already, at index [" + std::to_string(twin - allow_.begin()) + "]",
                 ""};
  }
  auto added = with_field(old, "credentials", Json(new_key.to_base64url()));
  if (!added) return added.error();
  // A user_id that was derived from the old key is not that of the new one: both get it written down.
  added = with_field(*added, "user_id", Json(old.record->user_id));
  if (!added) return added.error();
  auto limited = with_field(old, "user_id", Json(old.record->user_id));
  if (!limited) return limited.error();
  if (!old.record->not_after || *old.record->not_after > old_valid_until) {
    limited = with_field(*limited, "not_after", Json(format_timestamp(old_valid_until)));
    if (!limited) return limited.error();
  }
  allow_[index] = std::move(*limited);
  allow_.push_back(std::move(*added));
  return allow_.size() - 1;
}

}  // namespace vipauth
