#include <vipauth/policy.hpp>

#include <algorithm>

#include "model/name_list.hpp"
#include "model/policy_parts.hpp"
#include "model/whole_number.hpp"

namespace vipauth {
namespace {

constexpr std::string_view kVersionMember = "version";

Json version_json(Policy::Version version) {
  return Json(Json::Object{{"major", Json(version.major)}, {"minor", Json(version.minor)}});
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

template <typename Named>
const Named* find_named(const std::vector<Named>& list, std::string_view name) {
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const Named& item) { return item.name == name; });
  return found == list.end() ? nullptr : &*found;
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

Policy::Entry make_entry(Json source, std::string_view list, std::size_t index) {
  auto record = AuthRecord::parse(source);
  if (!record) record = record.error().at(json_pointer(json_pointer("", list), index));
  return {std::move(source), std::move(record)};
}

namespace {

std::vector<Policy::Entry> make_entries(Json::Array sources, std::string_view list) {
  std::vector<Policy::Entry> entries;
  entries.reserve(sources.size());
  for (Json& source : sources) entries.push_back(make_entry(std::move(source), list, entries.size()));
  return entries;
}

}  // namespace

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
  policy.allow_ = make_entries(std::move(allow->as_array()), kAllow);
  policy.deny_ = make_entries(std::move(deny->as_array()), kDeny);
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

Json Policy::other_members() const {
  Json out = document_;
  for (const std::string_view name : {kAllow, kDeny, kGroups, kRoles}) out.erase(name);
  return out;
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

}  // namespace vipauth
