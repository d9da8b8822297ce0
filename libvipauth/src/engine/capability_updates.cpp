#include <vipauth/capability_updates.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

namespace vipauth {
namespace {

Json restrictions_of(const Capability& capability) {
  if (capability.restrictions.empty()) return {};
  Json out{Json::Object()};
  for (const Restriction& restriction : capability.restrictions) {
    out.set(restriction.parameter, restriction.constraint);
  }
  return out;
}

/// True where every call that `narrow` accepts is accepted by `wide`.
bool covers(const Json& wide, const Json& narrow) {
  if (wide.is_null()) return true;
  if (narrow.is_null()) return false;
  return std::all_of(wide.as_object().begin(), wide.as_object().end(), [&](const Json::Member& member) {
    const Json* constraint = narrow.find(member.name);
    return constraint != nullptr && *constraint == member.value;
  });
}

/// The one that covers all; nothing where there is none.
std::optional<Json> widest(const std::vector<Json>& grants) {
  for (const Json& wide : grants) {
    const bool covers_all =
        std::all_of(grants.begin(), grants.end(), [&](const Json& narrow) { return covers(wide, narrow); });
    if (covers_all) return wide;
  }
  return std::nullopt;
}

/// What one user holds, sorted by capability.
Json capabilities_of(const CapabilityResolver& resolver, const std::string& user_id,
                     std::vector<UserToCapabilities::LeftOut>& left_out) {
  Json::Object out;
  const std::vector<HeldGrant> held = resolver.grants_of(user_id);
  for (auto begin = held.begin(); begin != held.end();) {
    const std::string& name = begin->capability.name;
    const auto end = std::find_if(begin, held.end(),
                                  [&](const HeldGrant& grant) { return grant.capability.name != name; });
    std::vector<Json> grants;
    std::transform(begin, end, std::back_inserter(grants),
                   [](const HeldGrant& grant) { return restrictions_of(grant.capability); });
    if (auto one = widest(grants)) {
      out.push_back({name, std::move(*one)});
    } else {
      left_out.push_back({user_id, name});
    }
    begin = end;
  }
  return out;
}

}  // namespace

UserToCapabilities user_to_capabilities(const CapabilityResolver& resolver,
                                        const std::vector<std::string>& users) {
  UserToCapabilities out;
  Json::Object map;
  for (const std::string& user_id : users) {
    if (!resolver.knows(user_id)) continue;
    map.push_back({user_id, capabilities_of(resolver, user_id, out.left_out)});
  }
  out.map = std::move(map);
  return out;
}

UserToCapabilities user_to_capabilities(const CapabilityResolver& resolver) {
  return user_to_capabilities(resolver, resolver.users());
}

Json auth_update_body(const CapabilityResolver& resolver) {
  return Json::Array{user_to_capabilities(resolver).map};
}

Json rpc_authorizations_body(const MethodRegistry& methods, std::string_view identity) {
  Json::Object lists;
  for (MethodRequirement& requirement : methods.requirements(identity)) {
    lists.push_back({std::move(requirement.method), Json::strings(requirement.capabilities)});
  }
  return Json::Object{{"rpc_authorizations", Json(std::move(lists))}};
}

CapabilityChanges capability_changes(const PolicySnapshot& before, const PolicySnapshot& after) {
  return compare(before.capabilities, after.capabilities);
}

Json capability_update(const PolicySnapshot& before, const PolicySnapshot& after) {
  const CapabilityChanges changes = capability_changes(before, after);
  std::vector<std::string> users = changes.users_gained;
  for (const PolicyDifference::User& user : changes.users) users.push_back(user.user_id);
  std::sort(users.begin(), users.end());
  users.erase(std::unique(users.begin(), users.end()), users.end());
  return Json::Object{{"changed", user_to_capabilities(after.capabilities, users).map},
                      {"removed", Json::strings(changes.users_lost)}};
}

}  // namespace vipauth
