#include <string>
#include <string_view>
#include <utility>

#include <vipauth/identity_registry.hpp>

#include "base/string_hash.hpp"
#include "engine/lint_report.hpp"

namespace vipauth {
namespace {

/// Names that exist, and who mentions them.
class Names {
 public:
  struct State {
    bool is_held = false;       ///< by an allow record, or through a group that is
    bool is_mentioned = false;  ///< by a group that nobody has
  };

  template <typename Named>
  explicit Names(const std::vector<Named>& list) {
    for (const Named& item : list) states_.try_emplace(item.name);
  }

  /// nullptr: there is no such name.
  State* find(std::string_view name) {
    const auto found = states_.find(name);
    return found == states_.end() ? nullptr : &found->second;
  }

 private:
  StringMap<State> states_;
};

void unknown_role(LintReport& report, const LintPlace& place, const std::string& name) {
  report.warning(place, {"unknown-role",
                         "there is no role " + quoted(name) + ": it grants nothing",
                         "add the role, or take the name out",
                         {"add-role", "--", name, "CAPABILITY"}});
}

void check_record_names(LintReport& report, Names& roles, Names& groups) {
  const auto& entries = report.policy.allow();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!entries[i].record) continue;
    const AuthRecord& record = *entries[i].record;
    for (std::size_t j = 0; j < record.roles.size(); ++j) {
      if (Names::State* role = roles.find(record.roles[j])) {
        role->is_held = true;
      } else {
        unknown_role(report, {LintSection::kAllow, i, json_pointer("/roles", j)}, record.roles[j]);
      }
    }
    for (std::size_t j = 0; j < record.groups.size(); ++j) {
      if (Names::State* group = groups.find(record.groups[j])) {
        group->is_held = true;
      } else {
        report.warning({LintSection::kAllow, i, json_pointer("/groups", j)},
                       {"unknown-group",
                        "there is no group " + quoted(record.groups[j]) + ": it grants nothing",
                        "add the group, or take the name out",
                        {"add-group", "--", record.groups[j], "ROLE"}});
      }
    }
  }
}

void check_groups(LintReport& report, Names& roles, Names& groups) {
  const auto& list = report.policy.groups();
  for (std::size_t i = 0; i < list.size(); ++i) {
    const bool is_held = groups.find(list[i].name)->is_held;
    if (!is_held) {
      report.warning({LintSection::kGroups, i, ""}, {"unused-group",
                                                     "nobody has the group " + quoted(list[i].name),
                                                     "give it to somebody, or remove it",
                                                     {"remove-group", "--", list[i].name}});
    }
    if (!list[i].roles) continue;
    for (std::size_t j = 0; j < list[i].roles->size(); ++j) {
      const std::string& name = (*list[i].roles)[j];
      if (Names::State* role = roles.find(name)) {
        role->is_held = role->is_held || is_held;
        role->is_mentioned = true;
      } else {
        unknown_role(report, {LintSection::kGroups, i, json_pointer("", j)}, name);
      }
    }
  }
}

bool is_restricted(const Policy::Role& role) {
  if (!role.capabilities) return false;
  for (const Capability& capability : *role.capabilities) {
    if (!capability.restrictions.empty()) return true;
  }
  return false;
}

void check_roles(LintReport& report, Names& roles) {
  const auto& list = report.policy.roles();
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Names::State& state = *roles.find(list[i].name);
    if (!state.is_held) {
      report.warning({LintSection::kRoles, i, ""},
                     {"unused-role",
                      "nobody has the role " + quoted(list[i].name) +
                          (state.is_mentioned ? ": only groups that nobody has give it" : ""),
                      "give it to somebody, or remove it",
                      {"remove-role", "--", list[i].name}});
    }
    if (is_restricted(list[i])) {
      report.warning({LintSection::kRoles, i, ""},
                     {"restricted-role", "VOLTTRON cannot read a file in which a role has restrictions",
                      "nothing is to be done unless VOLTTRON uses the file, too"});
    }
  }
}

// ---- User ids and identities ----

void check_user_ids(LintReport& report) {
  const auto& entries = report.policy.allow();
  StringMap<std::vector<std::size_t>> records;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (report.active[i]) records[entries[i].record->user_id].push_back(i);
  }
  for (const auto& [user_id, indices] : records) {
    if (indices.size() < 2) continue;
    std::vector<std::string> places;
    for (const std::size_t i : indices) places.push_back(json_pointer("/allow", i));
    report.warning({LintSection::kAllow, indices[1], "/user_id"},
                   {"shared-user-id",
                    quoted(user_id) + " is the user_id of " + some_of(places) +
                        ": the user holds what any of them grants",
                    "nothing is to be done while a key is replaced; else give each a user_id of its own",
                    {"update", std::to_string(indices[1]), "--user_id", "USER_ID"}});
  }
}

/// Which names belong to whom, as IdentityRegistry sees it.
class Owners {
 public:
  explicit Owners(LintReport& report) : report_(report) {}

  void add(const std::string& name, const std::string& user_id, std::size_t index, const char* field) {
    if (name.empty()) return;
    const auto [found, is_new] = first_.try_emplace(name, Owner{&user_id, index});
    if (is_new || *found->second.user_id == user_id) return;
    report_.error({LintSection::kAllow, index, field},
                  {"shared-identity",
                   quoted(name) + " belongs to another user's record, too, " +
                       json_pointer("/allow", found->second.index) + ": nobody may speak under that name",
                   "give each user a name of its own",
                   {"update", std::to_string(index), "--" + std::string(field + 1), "NAME"}});
  }

 private:
  struct Owner {
    const std::string* user_id;
    std::size_t index;
  };

  LintReport& report_;
  StringMap<Owner> first_;
};

void check_identities(LintReport& report) {
  const auto& entries = report.policy.allow();
  Owners owners(report);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!entries[i].record) continue;
    const AuthRecord& record = *entries[i].record;
    owners.add(record.user_id, record.user_id, i, "/user_id");
    if (record.identity != record.user_id) owners.add(record.identity, record.user_id, i, "/identity");
    for (const auto& [name, field] :
         {std::pair(&record.user_id, "/user_id"), std::pair(&record.identity, "/identity")}) {
      if (!IdentityRegistry::is_platform_name(*name)) continue;
      report.warning(
          {LintSection::kAllow, i, field},
          {"platform-name",
           quoted(*name) + " is a name of the platform itself: whoever this record lets in may speak as it",
           "nothing is to be done if the record is that of the platform"});
      break;
    }
  }
}

}  // namespace

void lint_names(LintReport& report) {
  Names roles(report.policy.roles());
  Names groups(report.policy.groups());
  check_record_names(report, roles, groups);
  check_groups(report, roles, groups);
  check_roles(report, roles);
  check_user_ids(report);
  check_identities(report);
}

}  // namespace vipauth
