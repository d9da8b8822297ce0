#include <vipauth/policy.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "model/name_list.hpp"
#include "model/policy_parts.hpp"

namespace vipauth {
namespace {

constexpr std::string_view kGroups = "groups";
constexpr std::string_view kRoles = "roles";
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

/// 4 and 4.0 are four; what is no whole number is nothing. A version of a million stands for any beyond.
std::optional<int> whole_number(const Json* json) {
  if (json == nullptr || !json->is_number()) return std::nullopt;
  const std::string& digits = json->as_number().digits;
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (value < 0 || value != std::floor(value)) return std::nullopt;
  return static_cast<int>(std::min(value, 1e6));
}

}  // namespace

Policy::Entry make_entry(Json source, std::string_view list, std::size_t index) {
  auto record = AuthRecord::parse(source);
  if (!record) record = record.error().at(json_pointer(json_pointer("", list), index));
  return {std::move(source), std::move(record)};
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

Json Policy::to_json() const {
  Json out = document_;
  const auto sources = [](const std::vector<Entry>& entries) {
    Json::Array list;
    list.reserve(entries.size());
    for (const Entry& entry : entries) list.push_back(entry.source);
    return Json(std::move(list));
  };
  const auto named = [](const auto& list) {
    Json::Object object;
    for (const auto& item : list) object.push_back({item.name, item.source});
    return Json(std::move(object));
  };
  out.set(kAllow, sources(allow_));
  out.set(kDeny, sources(deny_));
  out.set(kGroups, named(groups_));
  out.set(kRoles, named(roles_));
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
