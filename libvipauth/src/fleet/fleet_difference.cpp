// What an edit changes, key by key.

#include <algorithm>
#include <array>
#include <utility>

#include "fleet/fleet_content.hpp"
#include "fleet/list_difference.hpp"
#include "fleet/stored_value.hpp"

namespace vipauth::fleet {
namespace {

using Kind = FleetKey::Kind;

constexpr std::array kScopes{Scope::kFleet, Scope::kSite};

Error of_fleet(const std::string& what, std::string location) {
  return Error{
      ErrorCode::kPermissionDenied,
      what +
          " is the fleet's: a site cannot change it; edit the fleet, by an address without \"?site\" or "
          "with \"edit=fleet\"",
      std::move(location)};
}

bool is_list_of_policy(Kind kind) { return kind == Kind::kAllow || kind == Kind::kDeny; }

ListIdentity identity_of(Kind kind) {
  if (!is_list_of_policy(kind)) return {.members = {"topic"}};
  return {.members = {"user_id", "credentials"}, .is_of_both_scopes = kind == Kind::kAllow};
}

/// What cannot be written as a name of JSON.
Result<void> check_name(std::string_view name) {
  if (is_valid_utf8(name)) return {};
  return Error{ErrorCode::kInvalidArgument,
               "the change holds what cannot be written: a name that is not UTF-8", ""};
}

/// Made one by one, the changes of a policy let nobody in who is neither before nor after.
int turn_of(const KeyChange& change) {
  const bool takes = !change.second.has_value();
  switch (change.first.kind) {
    case Kind::kDeny:
    case Kind::kWriteProtect:
    case Kind::kReadProtect: return takes ? 4 : 0;
    case Kind::kAllow: return takes ? 1 : 3;
    default: return 2;
  }
}

KeyChanges in_turn(KeyChanges changes) {
  std::stable_sort(changes.begin(), changes.end(),
                   [](const KeyChange& a, const KeyChange& b) { return turn_of(a) < turn_of(b); });
  return changes;
}

template <typename Named>
std::map<std::string_view, const Json*> by_name(const std::vector<Named>& named) {
  std::map<std::string_view, const Json*> out;
  for (const Named& item : named) out[item.name] = &item.source;
  return out;
}

std::vector<const Json*> sources_of(const std::vector<Policy::Entry>& entries) {
  std::vector<const Json*> out;
  out.reserve(entries.size());
  for (const Policy::Entry& entry : entries) out.push_back(&entry.source);
  return out;
}

std::vector<const Json*> items_of(const Json& document, std::string_view list) {
  std::vector<const Json*> out;
  if (const Json* items = document.find(list); items != nullptr && items->is_array()) {
    for (const Json& item : items->as_array()) out.push_back(&item);
  }
  return out;
}

}  // namespace

Result<void> FleetContent::check_scope(Scope edits) const {
  if (edits == Scope::kFleet || has_site_) return {};
  return Error{ErrorCode::kInvalidArgument, "there is no site that could be edited: name one by \"?site=\"",
               ""};
}

Result<void> FleetContent::add_list_changes(Kind kind, const std::vector<const Json*>& after, Scope edits,
                                            KeyChanges& changes) const {
  std::vector<Slot> slots;
  slots.reserve((fleet_.*list_at(kind)).size() + (site_.*list_at(kind)).size());
  std::vector<std::string> stand_ins;
  stand_ins.reserve((fleet_.*list_at(kind)).malformed.size() + (site_.*list_at(kind)).malformed.size());
  for (const Scope scope : kScopes) {
    const List& list = part(scope).*list_at(kind);
    for (const std::string& name : list.malformed) {
      stand_ins.push_back(without_rank({scope, kind, 0, name, true}).dump());
      slots.push_back({scope, 0, &stand_ins.back(), &name});
    }
    for (const auto& [rank, text] : list.ranked) slots.push_back({scope, rank, &text, nullptr});
  }
  auto difference = list_difference(slots, after, identity_of(kind), edits, kRankStep);
  if (!difference) return difference.error();
  if (edits == Scope::kSite && difference->first_of_fleet) {
    const std::size_t index = *difference->first_of_fleet;
    const std::string place = json_pointer(json_pointer("", to_string(kind)), index);
    return of_fleet((is_list_of_policy(kind) ? "the record " : "the rule ") + place, place);
  }
  for (SlotChange& change : difference->changes) {
    FleetKey key{change.scope, kind, change.rank, {}, false};
    if (change.malformed != nullptr) {
      key.name = *change.malformed;
      key.is_malformed = true;
    }
    changes.emplace_back(std::move(key), std::move(change.text));
  }
  return {};
}

Result<void> FleetContent::add_name_changes(Kind kind, const std::map<std::string_view, const Json*>& after,
                                            Scope edits, KeyChanges& changes) const {
  const auto denied = [&](const std::string& name) {
    return of_fleet((kind == Kind::kRole ? "the role " : "the group ") + Json(name).dump(),
                    json_pointer(json_pointer("", to_string(kind)), name));
  };
  for (const Scope scope : kScopes) {
    for (const auto& [name, text] : part(scope).*names_at(kind)) {
      const auto found = after.find(name);
      const bool goes = found == after.end();
      const bool hides = scope == Scope::kSite && is_hidden(kind, name);
      if (!goes && (hides || stands_for(text, found->second->dump()))) continue;
      if (scope == Scope::kFleet && edits == Scope::kSite) return denied(name);
      std::optional<std::string> changed;
      if (!goes) {
        auto written = text_of(*found->second);
        if (!written) return written.error();
        changed = *std::move(written);
      }
      changes.emplace_back(FleetKey{scope, kind, 0, name, false}, std::move(changed));
    }
  }
  for (const auto& [name, value] : after) {
    const std::string key(name);
    if ((fleet_.*names_at(kind)).contains(key) || (site_.*names_at(kind)).contains(key)) continue;
    if (auto good = check_name(name); !good) return good;
    auto written = text_of(*value);
    if (!written) return written.error();
    changes.emplace_back(FleetKey{edits, kind, 0, key, false}, *std::move(written));
  }
  return {};
}

Result<void> FleetContent::add_member_changes(Kind kind, const Json::Object& after, Scope edits,
                                              KeyChanges& changes) const {
  const Json::Object of_fleet_now = stored_members(Scope::kFleet, kind);
  const Json::Object of_site_now = stored_members(Scope::kSite, kind);
  for (const Scope scope : kScopes) {
    Json::Object next;
    bool is_changed = false;
    for (const Json::Member& member : scope == Scope::kFleet ? of_fleet_now : of_site_now) {
      const Json::Member* found = find_member(after, member.name);
      const bool hides = scope == Scope::kSite && find_member(of_fleet_now, member.name) != nullptr;
      if (is_reserved_member(kind, member.name) || (found != nullptr && hides)) {
        next.push_back(member);
        continue;
      }
      if (found != nullptr) next.push_back(*found);
      if (found != nullptr && found->value.dump() == member.value.dump()) continue;
      is_changed = true;
      if (scope == Scope::kFleet && edits == Scope::kSite) {
        return of_fleet("the member " + Json(member.name).dump(), json_pointer("", member.name));
      }
    }
    for (const Json::Member& member : after) {
      const bool is_there = find_member(of_fleet_now, member.name) != nullptr ||
                            find_member(of_site_now, member.name) != nullptr;
      if (scope != edits || is_there) continue;
      is_changed = true;
      next.push_back(member);
    }
    if (!is_changed) continue;
    std::optional<std::string> text;
    if (!next.empty()) {
      auto written = text_of(Json(std::move(next)));
      if (!written) return written.error();
      text = *std::move(written);
    }
    changes.emplace_back(FleetKey{scope, kind, 0, {}, false}, std::move(text));
  }
  return {};
}

Result<KeyChanges> FleetContent::difference(const Policy& after, Scope edits) const {
  if (auto good = check_scope(edits); !good) return good.error();
  const auto version = after.version();
  if (!version || version->major != Policy::kVersion.major || version->minor != Policy::kVersion.minor) {
    return Error{ErrorCode::kUnsupported, "a fleet keeps a policy of version 1.4", "/version"};
  }
  Json other = after.other_members();
  other.erase("version");
  KeyChanges changes;
  // The plainest reason to refuse comes first: records, then names.
  for (const Kind kind : {Kind::kAllow, Kind::kDeny}) {
    const auto& entries = kind == Kind::kAllow ? after.allow() : after.deny();
    if (auto added = add_list_changes(kind, sources_of(entries), edits, changes); !added)
      return added.error();
  }
  auto added = add_name_changes(Kind::kRole, by_name(after.roles()), edits, changes);
  if (added) added = add_name_changes(Kind::kGroup, by_name(after.groups()), edits, changes);
  if (added) added = add_member_changes(Kind::kPolicyMembers, other.as_object(), edits, changes);
  if (!added) return added.error();
  return in_turn(std::move(changes));
}

Result<KeyChanges> FleetContent::difference(const TopicDocument& after, Scope edits) const {
  if (auto good = check_scope(edits); !good) return good.error();
  Json::Object other;
  for (const Json::Member& member : after.to_json().as_object()) {
    if (member.name != "write-protect" && member.name != "read-protect") other.push_back(member);
  }
  KeyChanges changes;
  for (const Kind kind : {Kind::kWriteProtect, Kind::kReadProtect}) {
    auto added = add_list_changes(kind, items_of(after.to_json(), to_string(kind)), edits, changes);
    if (!added) return added.error();
  }
  if (auto added = add_member_changes(Kind::kTopicsMembers, other, edits, changes); !added)
    return added.error();
  return in_turn(std::move(changes));
}

}  // namespace vipauth::fleet
