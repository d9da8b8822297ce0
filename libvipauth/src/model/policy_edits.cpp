// Edits of the lists of records.

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include <vipauth/policy.hpp>
#include <vipauth/record_secrets.hpp>

#include "model/policy_parts.hpp"

namespace vipauth {
namespace {

/// The fields that VOLTTRON writes, in its order. Source: VOLTTRON auth_entry.py, AuthEntry.__init__.
Json::Object default_fields() {
  return {{"domain", Json()},
          {"address", Json()},
          {"mechanism", Json("CURVE")},
          {"credentials", Json()},
          {"groups", Json(Json::Array())},
          {"roles", Json(Json::Array())},
          {"capabilities", Json(Json::Object())},
          {"rpc_method_authorizations", Json(Json::Object())},
          {"comments", Json()},
          {"user_id", Json()},
          {"identity", Json()},
          {"enabled", Json(true)}};
}

/// `given` with every field that VOLTTRON writes: known fields first, in its order, then the others as given.
Json complete_record(const Json& given) {
  Json out(default_fields());
  for (const Json::Member& member : given.as_object()) out.set(member.name, member.value);
  return out;
}

bool is_absent(const Json* json) {
  return json == nullptr || json->is_null() || (json->is_string() && json->as_string().empty());
}

/// The same field of two records, where null, missing and "" are one and the same.
bool same_field(const Json& a, const Json& b, std::string_view name) {
  const Json* left = a.find(name);
  const Json* right = b.find(name);
  if (is_absent(left) || is_absent(right)) return is_absent(left) && is_absent(right);
  return *left == *right;
}

const CurveKey* key_of(const Policy::Entry& entry) {
  return entry.record ? std::get_if<CurveKey>(&entry.record->credentials) : nullptr;
}

/// Keys are compared as keys, whichever text form the file holds; patterns as they are written. What may be a
/// password is equal to nothing: who edits must not learn it by trying.
bool same_credentials(const Policy::Entry& a, const Policy::Entry& b) {
  const CurveKey* left = key_of(a);
  const CurveKey* right = key_of(b);
  if (left != nullptr && right != nullptr) return *left == *right;
  if (password_stand_in(a) || password_stand_in(b)) return false;
  return same_field(a.source, b.source, "credentials");
}

bool same_mechanism(const Policy::Entry& a, const Policy::Entry& b) {
  return !a.record || !b.record || a.record->mechanism == b.record->mechanism;
}

bool same_peer(const Policy::Entry& a, const Policy::Entry& b) {
  return same_mechanism(a, b) && same_field(a.source, b.source, "domain") &&
         same_field(a.source, b.source, "address") && same_credentials(a, b);
}

Error taken(const std::string& what, const std::vector<std::size_t>& indices) {
  std::string list;
  for (const std::size_t index : indices) list += (list.empty() ? "" : ", ") + std::to_string(index);
  return Error{ErrorCode::kAlreadyExists, what + " at index [" + list + "]", ""};
}

/// The places of the entries for which `predicate` holds, but for `changed`, which is about to be replaced.
template <typename Predicate>
std::vector<std::size_t> indices_where(const std::vector<Policy::Entry>& entries,
                                       std::optional<std::size_t> changed, Predicate predicate) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i != changed && predicate(entries[i])) out.push_back(i);
  }
  return out;
}

Result<void> check_user_is_new(const std::vector<Policy::Entry>& entries, const Policy::Entry& added,
                               std::optional<std::size_t> changed = std::nullopt) {
  const std::string& user_id = added.record->user_id;
  const auto users = indices_where(entries, changed, [&](const Policy::Entry& entry) {
    return entry.record && entry.record->user_id == user_id;
  });
  if (!users.empty()) return taken("user_id " + user_id + " is already in use", users);
  return {};
}

Result<void> check_peer_is_new(const std::vector<Policy::Entry>& entries, const Policy::Entry& added,
                               std::optional<std::size_t> changed = std::nullopt) {
  const auto peers =
      indices_where(entries, changed, [&](const Policy::Entry& entry) { return same_peer(entry, added); });
  if (!peers.empty()) return taken("entry matches domain, address and credentials", peers);
  return {};
}

Result<void> check_unique(const std::vector<Policy::Entry>& entries, const Policy::Entry& added) {
  if (auto user = check_user_is_new(entries, added); !user) return user;
  return check_peer_is_new(entries, added);
}

void make_key_canonical(Json& source, const AuthRecord& record) {
  if (const auto* key = std::get_if<CurveKey>(&record.credentials)) {
    source.set("credentials", Json(key->to_base64url()));
  }
}

/// An entry ready to be appended: completed, its key canonical, its user_id there.
Result<Policy::Entry> prepare(const Json& given) {
  if (!given.is_object()) return AuthRecord::parse(given).error();
  Json source = complete_record(given);
  if (is_absent(source.find("user_id"))) source.set("user_id", Json(make_user_id()));
  auto record = AuthRecord::parse(source);
  if (!record) return record.error();
  make_key_canonical(source, *record);
  return Policy::Entry{std::move(source), std::move(record)};
}

/// Sets a field of a record that exists; null is what the field has where nothing was entered.
void set_field(Json& source, const Json::Member& field) {
  const Json defaults(default_fields());
  const Json* empty = defaults.find(field.name);
  if (!field.value.is_null()) {
    source.set(field.name, field.value);
  } else if (empty == nullptr) {
    source.erase(field.name);
  } else if (source.find(field.name) != nullptr) {
    source.set(field.name, *empty);
  }
}

Json mechanism_of(const Json& source) {
  const Json* mechanism = source.find("mechanism");
  return mechanism == nullptr ? Json(to_string(Mechanism::kCurve)) : *mechanism;
}

/// Credentials of one mechanism mean nothing in another: a key must not become a password.
Result<void> check_credentials_fit(const Json& before, Json& after, const Json& fields) {
  const Json mechanism = mechanism_of(after);
  if (mechanism_of(before) == mechanism || fields.find("credentials") != nullptr) return {};
  if (mechanism == Json(to_string(Mechanism::kNull))) {
    set_field(after, {"credentials", Json()});
    return {};
  }
  return Error{ErrorCode::kInvalidArgument, "another mechanism needs other credentials", "/credentials"};
}

/// `present` with other values in some fields.
Result<Policy::Entry> changed_entry(const Policy::Entry& present, const Json& fields) {
  if (!present.source.is_object()) return AuthRecord::parse(present.source).error();
  if (!fields.is_object()) {
    return Error{ErrorCode::kInvalidArgument, "changes must be an object", ""};
  }
  Json source = present.source;
  for (const Json::Member& field : fields.as_object()) set_field(source, field);
  if (fields.find("user_id") != nullptr && is_absent(source.find("user_id"))) {
    source.set("user_id", Json(make_user_id()));
  }
  if (auto fit = check_credentials_fit(present.source, source, fields); !fit) return fit.error();
  auto record = AuthRecord::parse(source);
  if (!record) return record.error();
  if (fields.find("credentials") != nullptr) make_key_canonical(source, *record);
  return Policy::Entry{std::move(source), std::move(record)};
}

Error invalid_index(std::size_t index) {
  return Error{ErrorCode::kNotFound, "invalid index " + std::to_string(index), ""};
}

/// Removes entries and gives the remaining ones their new places.
Result<void> remove_entries(std::vector<Policy::Entry>& entries, std::vector<std::size_t> indices,
                            std::string_view list) {
  std::sort(indices.begin(), indices.end());
  indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
  for (const std::size_t index : indices) {
    if (index >= entries.size()) return invalid_index(index);
  }
  std::vector<Policy::Entry> kept;
  kept.reserve(entries.size() - indices.size());
  auto next = indices.begin();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (next != indices.end() && *next == i) {
      ++next;
    } else if (entries[i].record || kept.size() == i) {
      kept.push_back(std::move(entries[i]));
    } else {  // its error names its place
      kept.push_back(make_entry(std::move(entries[i].source), list, kept.size()));
    }
  }
  entries = std::move(kept);
  return {};
}

}  // namespace

Result<std::size_t> Policy::add_allow(const Json& record) {
  auto entry = prepare(record);
  if (!entry) return entry.error();
  if (auto unique = check_unique(allow_, *entry); !unique) return unique.error();
  allow_.push_back(std::move(*entry));
  return allow_.size() - 1;
}

Result<void> Policy::add_allow_together(const std::vector<Json>& records) {
  std::vector<Entry> entries;
  for (const Json& record : records) {
    auto entry = prepare(record);
    if (!entry) return entry.error();
    if (auto unique = check_unique(allow_, *entry); !unique) return unique.error();
    entries.push_back(std::move(*entry));
  }
  std::move(entries.begin(), entries.end(), std::back_inserter(allow_));
  return {};
}

Result<std::size_t> Policy::add_deny(const Json& record) {
  auto entry = prepare(record);
  if (!entry) return entry.error();
  deny_.push_back(std::move(*entry));
  return deny_.size() - 1;
}

Result<void> Policy::update_allow(std::size_t index, const Json& fields) {
  if (index >= allow_.size()) return invalid_index(index);
  const Entry& present = allow_[index];
  auto entry = changed_entry(present, fields);
  if (!entry) return entry.error().at(json_pointer(json_pointer("", kAllow), index));
  // What a hand-made file holds twice already does not stand in the way of another change.
  const bool is_other_user = !present.record || present.record->user_id != entry->record->user_id;
  if (is_other_user) {
    if (auto unique = check_user_is_new(allow_, *entry, index); !unique) return unique;
  }
  if (!present.record || !same_peer(present, *entry)) {
    if (auto unique = check_peer_is_new(allow_, *entry, index); !unique) return unique;
  }
  allow_[index] = std::move(*entry);
  return {};
}

Result<void> Policy::update_deny(std::size_t index, const Json& fields) {
  if (index >= deny_.size()) return invalid_index(index);
  auto entry = changed_entry(deny_[index], fields);
  if (!entry) return entry.error().at(json_pointer(json_pointer("", kDeny), index));
  deny_[index] = std::move(*entry);
  return {};
}

Result<void> Policy::remove_allow(std::vector<std::size_t> indices) {
  return remove_entries(allow_, std::move(indices), kAllow);
}

Result<void> Policy::remove_deny(std::vector<std::size_t> indices) {
  return remove_entries(deny_, std::move(indices), kDeny);
}

}  // namespace vipauth
