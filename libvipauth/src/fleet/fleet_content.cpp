#include "fleet/fleet_content.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <tuple>

#include "fleet/stored_value.hpp"

namespace vipauth::fleet {
namespace {

using Kind = FleetKey::Kind;

constexpr std::array kScopes{Scope::kFleet, Scope::kSite};
constexpr std::string_view kVersion = "version";

/// 3 of "/write-protect/3/topic" where `list` is "write-protect".
std::optional<std::size_t> index_of(std::string_view location, std::string_view list) {
  if (!location.starts_with('/') || !location.substr(1).starts_with(list)) return std::nullopt;
  location.remove_prefix(list.size() + 1);
  if (!location.starts_with('/')) return std::nullopt;
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(location.data() + 1, location.data() + location.size(), index);
  return error == std::errc() ? std::optional(index) : std::nullopt;
}

}  // namespace

bool is_reserved_member(Kind members, std::string_view name) {
  if (members == Kind::kTopicsMembers) return name == "write-protect" || name == "read-protect";
  return name == "allow" || name == "deny" || name == "groups" || name == "roles" || name == kVersion;
}

const Json::Member* find_member(const Json::Object& object, std::string_view name) {
  const auto found = std::find_if(object.begin(), object.end(),
                                  [&](const Json::Member& member) { return member.name == name; });
  return found == object.end() ? nullptr : &*found;
}

Json FleetContent::present_version() {
  return Json(Json::Object{{"major", Json(Policy::kVersion.major)}, {"minor", Json(Policy::kVersion.minor)}});
}

FleetContent::List FleetContent::Part::* FleetContent::list_at(Kind kind) noexcept {
  switch (kind) {
    case Kind::kAllow: return &Part::allow;
    case Kind::kDeny: return &Part::deny;
    case Kind::kWriteProtect: return &Part::write_protect;
    default: return &Part::read_protect;
  }
}

FleetContent::Names FleetContent::Part::* FleetContent::names_at(Kind kind) noexcept {
  return kind == Kind::kRole ? &Part::roles : &Part::groups;
}

FleetContent::Members FleetContent::Part::* FleetContent::members_at(Kind kind) noexcept {
  return kind == Kind::kPolicyMembers ? &Part::policy_members : &Part::topics_members;
}

void FleetContent::apply(const FleetKey& key, std::optional<std::string> value) {
  if (key.kind == Kind::kGuard || (key.scope == Scope::kSite && !has_site_)) return;
  Part& changed = part(key.scope);
  const bool is_whole = key.kind == Kind::kPolicyMembers || key.kind == Kind::kTopicsMembers;
  if (value && !is_whole) value = value_of(*value).dump();
  const auto put = [&](auto& map, const auto& place) {
    if (!value) {
      map.erase(place);
    } else if (map.empty() || map.rbegin()->first < place) {  // as keys come when all are read
      map.emplace_hint(map.end(), place, *std::move(value));
    } else {
      map.insert_or_assign(place, *std::move(value));
    }
  };
  if (is_list(key.kind)) {
    List& list = changed.*list_at(key.kind);
    if (!key.is_malformed) {
      put(list.ranked, key.rank);
    } else if (value) {
      list.malformed.insert(key.name);
    } else {
      list.malformed.erase(key.name);
    }
  } else if (key.kind == Kind::kRole || key.kind == Kind::kGroup) {
    put(changed.*names_at(key.kind), key.name);
  } else {
    changed.*members_at(key.kind) = std::move(value);
  }
}

bool FleetContent::is_hidden(Kind kind, const std::string& name) const {
  return (fleet_.*names_at(kind)).contains(name);
}

Json FleetContent::merged_list(Kind kind) const {
  Json::Array out;
  out.reserve((fleet_.*list_at(kind)).size() + (site_.*list_at(kind)).size());
  for (const Scope scope : kScopes) {
    const List& list = part(scope).*list_at(kind);
    for (const std::string& name : list.malformed) out.push_back(without_rank({scope, kind, 0, name, true}));
    for (const auto& [rank, text] : list.ranked) out.push_back(value_of(text));
  }
  return Json(std::move(out));
}

Json FleetContent::merged_names(Kind kind) const {
  Json::Object out;
  for (const auto& [name, text] : fleet_.*names_at(kind)) out.push_back({name, value_of(text)});
  for (const auto& [name, text] : site_.*names_at(kind)) {
    if (!is_hidden(kind, name)) out.push_back({name, value_of(text)});
  }
  return Json(std::move(out));
}

Json::Object FleetContent::stored_members(Scope scope, Kind kind) const {
  const Members& text = part(scope).*members_at(kind);
  if (!text) return {};
  Json value = value_of(*text);
  return value.is_object() ? std::move(value.as_object()) : Json::Object();
}

Json::Object FleetContent::members(Scope scope, Kind kind) const {
  Json::Object out = stored_members(scope, kind);
  const Json::Object hiding = scope == Scope::kSite ? stored_members(Scope::kFleet, kind) : Json::Object();
  std::erase_if(out, [&](const Json::Member& member) {
    return is_reserved_member(kind, member.name) || find_member(hiding, member.name) != nullptr;
  });
  return out;
}

std::optional<Error> FleetContent::version_problem() const {
  if (!fleet_.policy_members) return std::nullopt;
  const Json value = value_of(*fleet_.policy_members);
  const Json* version = value.find(kVersion);
  if (version == nullptr || *version == present_version()) return std::nullopt;
  return Error{ErrorCode::kUnsupported,
               "the fleet's policy is of a version that this program does not know: upgrade the program",
               "fleet/policy: /version"};
}

Result<Policy> FleetContent::policy() const {
  if (auto problem = version_problem()) return *std::move(problem);
  Json::Object document;
  document.push_back({"allow", merged_list(Kind::kAllow)});
  document.push_back({"deny", merged_list(Kind::kDeny)});
  document.push_back({"groups", merged_names(Kind::kGroup)});
  document.push_back({"roles", merged_names(Kind::kRole)});
  document.push_back({std::string(kVersion), present_version()});
  for (const Scope scope : kScopes) {
    for (Json::Member& member : members(scope, Kind::kPolicyMembers)) document.push_back(std::move(member));
  }
  return Policy::parse(Json(std::move(document)));
}

Result<TopicDocument> FleetContent::topics() const {
  Json::Object document;
  for (const Kind kind : {Kind::kWriteProtect, Kind::kReadProtect}) {
    Json list = merged_list(kind);
    if (!list.as_array().empty()) document.push_back({std::string(to_string(kind)), std::move(list)});
  }
  for (const Scope scope : kScopes) {
    for (Json::Member& member : members(scope, Kind::kTopicsMembers)) document.push_back(std::move(member));
  }
  auto parsed = TopicDocument::parse(Json(std::move(document)));
  if (parsed) return parsed;
  for (const Kind kind : {Kind::kWriteProtect, Kind::kReadProtect}) {
    const auto index = index_of(parsed.error().location, to_string(kind));
    const auto key = index ? key_at(kind, *index) : std::nullopt;
    if (key) return parsed.error().at(display_name(*key));
  }
  return parsed;
}

FleetContent FleetContent::fleet_part() const {
  FleetContent out(false);
  out.fleet_ = fleet_;
  return out;
}

FleetContent FleetContent::site_part() const {
  FleetContent out(has_site_);
  out.site_ = site_;
  return out;
}

FleetContent FleetContent::site_restrictions() const {
  FleetContent out(has_site_);
  out.site_.deny = site_.deny;
  out.site_.write_protect = site_.write_protect;
  out.site_.read_protect = site_.read_protect;
  return out;
}

bool FleetContent::has_same_policy(const FleetContent& other) const {
  const auto parts = [](const Part& p) {
    return std::tie(p.allow, p.deny, p.roles, p.groups, p.policy_members);
  };
  return parts(fleet_) == parts(other.fleet_) && parts(site_) == parts(other.site_);
}

bool FleetContent::has_same_topics(const FleetContent& other) const {
  const auto parts = [](const Part& p) {
    return std::tie(p.write_protect, p.read_protect, p.topics_members);
  };
  return parts(fleet_) == parts(other.fleet_) && parts(site_) == parts(other.site_);
}

std::size_t FleetContent::Part::size() const noexcept {
  return allow.size() + deny.size() + write_protect.size() + read_protect.size() + roles.size() +
         groups.size() + (policy_members ? 1 : 0) + (topics_members ? 1 : 0);
}

std::size_t FleetContent::size() const noexcept { return fleet_.size() + site_.size(); }

std::optional<FleetKey> FleetContent::key_at(Kind kind, std::size_t index) const {
  if (!is_list(kind)) return std::nullopt;
  for (const Scope scope : kScopes) {
    const List& list = part(scope).*list_at(kind);
    if (index >= list.size()) {
      index -= list.size();
      continue;
    }
    const auto at = [&](const auto& items, std::size_t i) {
      return std::next(items.begin(), static_cast<std::ptrdiff_t>(i));
    };
    if (index < list.malformed.size()) return FleetKey{scope, kind, 0, *at(list.malformed, index), true};
    return FleetKey{scope, kind, at(list.ranked, index - list.malformed.size())->first, {}, false};
  }
  return std::nullopt;
}

std::vector<Error> FleetContent::idle_members(Scope scope, Kind kind) const {
  std::vector<Error> out;
  const Members& text = part(scope).*members_at(kind);
  if (!text) return out;
  const std::string key = display_name({scope, kind, 0, {}, false});
  const Json value = value_of(*text);
  if (!value.is_object()) {
    out.push_back({ErrorCode::kInvalidArgument, "the value is no JSON object: nothing is read from it", key});
    return out;
  }
  const Json::Object used = members(scope, kind);
  for (const Json::Member& member : value.as_object()) {
    if (find_member(used, member.name) != nullptr || (scope == Scope::kFleet && member.name == kVersion))
      continue;
    out.push_back({ErrorCode::kConflict,
                   Json(member.name).dump() + (is_reserved_member(kind, member.name)
                                                   ? " does not count here"
                                                   : " does not count: the fleet has it, too"),
                   key});
  }
  return out;
}

std::vector<Error> FleetContent::problems() const {
  std::vector<Error> out;
  for (const Kind kind : {Kind::kRole, Kind::kGroup}) {
    for (const auto& [name, text] : site_.*names_at(kind)) {
      if (!is_hidden(kind, name)) continue;
      out.push_back({ErrorCode::kConflict, "it does not count: the fleet has one of the same name",
                     display_name({Scope::kSite, kind, 0, name, false})});
    }
  }
  for (const Scope scope : kScopes) {
    for (const Kind kind : {Kind::kPolicyMembers, Kind::kTopicsMembers}) {
      for (Error& error : idle_members(scope, kind)) out.push_back(std::move(error));
    }
  }
  return out;
}

const std::map<std::uint64_t, std::string>& FleetContent::list(Scope scope, Kind kind) const {
  return (part(scope).*list_at(kind)).ranked;
}

const std::map<std::string, std::string>& FleetContent::names(Scope scope, Kind kind) const {
  return part(scope).*names_at(kind);
}

}  // namespace vipauth::fleet
