#include <vipauth/policy.hpp>

#include <algorithm>
#include <iterator>

#include "model/name_list.hpp"
#include "model/whole_number.hpp"

namespace vipauth {
namespace {

constexpr std::string_view kAllow = "allow";
constexpr std::string_view kDeny = "deny";
constexpr std::string_view kGroups = "groups";
constexpr std::string_view kRoles = "roles";
constexpr std::string_view kVersionMember = "version";

Json version_json(Policy::Version version) {
  return Json(Json::Object{{"major", Json(version.major)}, {"minor", Json(version.minor)}});
}

Policy::Entry make_entry(Json source, std::string_view list, std::size_t index) {
  auto record = AuthRecord::parse(source);
  if (!record) record = record.error().at(json_pointer(json_pointer("", list), index));
  return {std::move(source), std::move(record)};
}

/// Moves a member's value out of the document, leaving null in its place so that the order is kept.
Result<Json> take_member(Json& document, std::string_view name, bool (Json::*is_kind)() const noexcept,
                         Json empty) {
  Json* member = document.find(name);
  if (member == nullptr) return empty;
  if (!(member->*is_kind)()) {
    return Error{ErrorCode::kInvalidArgument,
                 "must be " + std::string(empty.kind_name()) + ", not " + std::string(member->kind_name()),
                 json_pointer("", name)};
  }
  return std::exchange(*member, Json());
}

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

bool is_plain(const Policy::Entry& entry) {
  return entry.record && entry.record->mechanism == Mechanism::kPlain;
}

/// Keys are compared as keys, whichever text form the file holds; anything else as it is written. Two user
/// names are two peers, also where they happen to have the same password.
bool same_credentials(const Policy::Entry& a, const Policy::Entry& b) {
  const CurveKey* left = key_of(a);
  const CurveKey* right = key_of(b);
  if (left != nullptr && right != nullptr) return *left == *right;
  if (is_plain(a) && is_plain(b) && a.record->user_id != b.record->user_id) return false;
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

template <typename Predicate>
std::vector<std::size_t> indices_where(const std::vector<Policy::Entry>& entries, Predicate predicate) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (predicate(entries[i])) out.push_back(i);
  }
  return out;
}

Result<void> check_unique(const std::vector<Policy::Entry>& entries, const Policy::Entry& added) {
  const std::string& user_id = added.record->user_id;
  const auto users = indices_where(
      entries, [&](const Policy::Entry& entry) { return entry.record && entry.record->user_id == user_id; });
  if (!users.empty()) return taken("user_id " + user_id + " is already in use", users);
  const auto peers =
      indices_where(entries, [&](const Policy::Entry& entry) { return same_peer(entry, added); });
  if (!peers.empty()) return taken("entry matches domain, address and credentials", peers);
  return {};
}

/// An entry ready to be appended: completed, its key canonical, its user_id there.
Result<Policy::Entry> prepare(const Json& given) {
  if (!given.is_object()) return AuthRecord::parse(given).error();
  Json source = complete_record(given);
  if (is_absent(source.find("user_id"))) source.set("user_id", Json(make_user_id()));
  auto record = AuthRecord::parse(source);
  if (!record) return record.error();
  if (const auto* key = std::get_if<CurveKey>(&record->credentials)) {
    source.set("credentials", Json(key->to_base64url()));
  }
  return Policy::Entry{std::move(source), std::move(record)};
}

/// Removes entries and gives the remaining ones their new places.
Result<void> remove_entries(std::vector<Policy::Entry>& entries, std::vector<std::size_t> indices,
                            std::string_view list) {
  std::sort(indices.begin(), indices.end());
  indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
  for (const std::size_t index : indices) {
    if (index >= entries.size())
      return Error{ErrorCode::kNotFound, "invalid index " + std::to_string(index), ""};
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

template <typename Named>
const Named* find_named(const std::vector<Named>& list, std::string_view name) {
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const Named& item) { return item.name == name; });
  return found == list.end() ? nullptr : &*found;
}

Policy::Role make_role(std::string name, Json source) {
  auto capabilities = parse_capabilities(source);
  if (!capabilities) capabilities = capabilities.error().at(json_pointer("/roles", name));
  return {std::move(name), std::move(source), std::move(capabilities)};
}

Policy::Group make_group(std::string name, Json source) {
  auto roles = parse_name_list(source);
  if (!roles) roles = roles.error().at(json_pointer("/groups", name));
  return {std::move(name), std::move(source), std::move(roles)};
}

template <typename T>
T take(const T& value) {
  return value;
}

template <typename T>
T take(T& value) {
  return std::move(value);
}

/// The sources of records: copied of a const list, else moved.
template <typename Entries>
Json list_of(Entries& entries) {
  Json::Array list;
  list.reserve(entries.size());
  for (auto& entry : entries) list.push_back(take(entry.source));
  return Json(std::move(list));
}

/// The same of roles or groups.
template <typename NamedList>
Json object_of(NamedList& named) {
  Json::Object object;
  for (auto& item : named) object.push_back({take(item.name), take(item.source)});
  return Json(std::move(object));
}

Json join(Json document, Json allow, Json deny, Json groups, Json roles) {
  document.set(kAllow, std::move(allow));
  document.set(kDeny, std::move(deny));
  document.set(kGroups, std::move(groups));
  document.set(kRoles, std::move(roles));
  return document;
}

}  // namespace

Policy::Policy()
    : document_(Json::Object{{std::string(kAllow), Json()},
                             {std::string(kDeny), Json()},
                             {std::string(kGroups), Json()},
                             {std::string(kRoles), Json()},
                             {std::string(kVersionMember), version_json(kVersion)}}) {}

Result<Policy> Policy::parse(Json document) {
  if (!document.is_object()) {
    return Error{ErrorCode::kInvalidArgument,
                 "the document must be an object, not " + std::string(document.kind_name()), ""};
  }
  auto allow = take_member(document, kAllow, &Json::is_array, Json(Json::Array()));
  if (!allow) return allow.error();
  auto deny = take_member(document, kDeny, &Json::is_array, Json(Json::Array()));
  if (!deny) return deny.error();
  auto groups = take_member(document, kGroups, &Json::is_object, Json(Json::Object()));
  if (!groups) return groups.error();
  auto roles = take_member(document, kRoles, &Json::is_object, Json(Json::Object()));
  if (!roles) return roles.error();

  Policy policy;
  for (Json& source : allow->as_array()) {
    policy.allow_.push_back(make_entry(std::move(source), kAllow, policy.allow_.size()));
  }
  for (Json& source : deny->as_array()) {
    policy.deny_.push_back(make_entry(std::move(source), kDeny, policy.deny_.size()));
  }
  for (Json::Member& member : groups->as_object()) {
    policy.groups_.push_back(make_group(std::move(member.name), std::move(member.value)));
  }
  for (Json::Member& member : roles->as_object()) {
    policy.roles_.push_back(make_role(std::move(member.name), std::move(member.value)));
  }
  policy.document_ = std::move(document);
  return policy;
}

Json Policy::to_json() const& {
  return join(document_, list_of(allow_), list_of(deny_), object_of(groups_), object_of(roles_));
}

Json Policy::to_json() && {
  return join(std::move(document_), list_of(allow_), list_of(deny_), object_of(groups_), object_of(roles_));
}

const Policy::Role* Policy::find_role(std::string_view name) const noexcept {
  return find_named(roles_, name);
}

const Policy::Group* Policy::find_group(std::string_view name) const noexcept {
  return find_named(groups_, name);
}

std::optional<Policy::Version> Policy::version() const {
  const Json* version = document_.find(kVersionMember);
  if (version == nullptr) return std::nullopt;
  const auto major = whole_number(version->find("major"));
  if (!major) return std::nullopt;
  return Version{*major, whole_number(version->find("minor")).value_or(0)};
}

std::vector<Error> Policy::problems() const {
  std::vector<Error> out;
  for (const auto* list : {&allow_, &deny_}) {
    for (const Entry& entry : *list) {
      if (!entry.record) out.push_back(entry.record.error());
    }
  }
  for (const Group& group : groups_) {
    if (!group.roles) out.push_back(group.roles.error());
  }
  for (const Role& role : roles_) {
    if (!role.capabilities) out.push_back(role.capabilities.error());
  }
  return out;
}

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

Result<void> Policy::remove_allow(std::vector<std::size_t> indices) {
  return remove_entries(allow_, std::move(indices), kAllow);
}

Result<void> Policy::remove_deny(std::vector<std::size_t> indices) {
  return remove_entries(deny_, std::move(indices), kDeny);
}

Result<void> Policy::add_role(std::string_view name, Json capabilities) {
  if (find_role(name) != nullptr) {
    return Error{ErrorCode::kAlreadyExists, "role \"" + std::string(name) + "\" already exists", ""};
  }
  Role role = make_role(std::string(name), std::move(capabilities));
  if (!role.capabilities) return role.capabilities.error();
  roles_.push_back(std::move(role));
  return {};
}

}  // namespace vipauth
