#pragma once

#include <string>
#include <vector>

#include "context.hpp"

namespace vipauth::vctl::auth {

// Roles and groups: a name for capabilities, and a name for roles. Their verbs differ in words alone.

enum class NameKind { kRole, kGroup };

struct NameOptions {
  NameKind kind = NameKind::kRole;
  std::string name;
  std::vector<std::string> values;  ///< capabilities: names, or JSON; of a group names of roles
  bool is_removal = false;          ///< of `update_name`: take the values away
};

struct ListNamesOptions {
  NameKind kind = NameKind::kRole;
};

/// Adds a role or a group.
/// --json: {"role": "X", "capabilities": [...]}, {"group": "X", "roles": [...]}
int add_name(const NameOptions& options, const Context& context);

/// Gives a role or a group further values, or takes some away.
/// --json: as add_name, with what there is afterwards
int update_name(const NameOptions& options, const Context& context);

/// Removes a role or a group, and says who still names it.
/// --json: {"removed": {"role": "X", "capabilities": [...]}}, {"removed": {"group": "X", "roles": [...]}}
int remove_name(const NameOptions& options, const Context& context);

/// Lists roles or groups by name.
/// --json: {"roles": {"X": [...]}}, {"groups": {"X": [...]}}, each as auth.json holds it
int list_names(const ListNamesOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
