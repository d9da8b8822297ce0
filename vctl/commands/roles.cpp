#include "auth/names.hpp"
#include "commands/commands.hpp"

namespace vipauth::vctl {
namespace {

using auth::NameKind;

/// A verb about a role or a group, of which the name is taken.
Command name_verb(const std::string& name, const char* description,
                  const std::shared_ptr<auth::NameOptions>& options, NameKind kind,
                  int (*run)(const auth::NameOptions&, const Context&)) {
  options->kind = kind;
  Command command = verb(name, description, options, run);
  command.arguments.push_back(kind == NameKind::kRole ? positional("ROLE", options->name, "name of role")
                                                      : positional("GROUP", options->name, "name of group"));
  command.json = kind == NameKind::kRole ? R"({"role": "X", "capabilities": [...]})"
                                         : R"({"group": "X", "roles": [...]})";
  return command;
}

Argument values(NameKind kind, const std::shared_ptr<auth::NameOptions>& options, const char* what) {
  const std::string description(what);
  return kind == NameKind::kRole ? positionals("CAPABILITY", options->values,
                                               "capabilities to " + description + ": names, or JSON")
                                 : positionals("ROLE", options->values, "roles to " + description);
}

Command add(NameKind kind, const std::string& name, const char* description) {
  const auto options = std::make_shared<auth::NameOptions>();
  Command command = name_verb(name, description, options, kind, auth::add_name);
  command.arguments.push_back(values(kind, options, "associate with the name"));
  return command;
}

/// VOLTTRON's documentation calls it "updated-..." as well.
Command update(NameKind kind, const std::string& name, const char* description, const char* other_name) {
  const auto options = std::make_shared<auth::NameOptions>();
  Command command = name_verb(name, description, options, kind, auth::update_name);
  command.arguments.push_back(values(kind, options, "add, or to remove"));
  command.arguments.push_back(flag({"--remove"}, options->is_removal, "take the given ones away"));
  command.other_names = {other_name};
  return command;
}

Command remove(NameKind kind, const std::string& name, const char* description) {
  const auto options = std::make_shared<auth::NameOptions>();
  Command command = name_verb(name, description, options, kind, auth::remove_name);
  command.json = R"({"removed": )" + command.json + "}";
  return command;
}

Command list(NameKind kind, const std::string& name, const char* description, const char* json) {
  const auto options = std::make_shared<auth::ListNamesOptions>();
  options->kind = kind;
  Command command = verb(name, description, options, auth::list_names);
  command.json = json;
  return command;
}

}  // namespace

std::vector<Command> role_commands() {
  constexpr NameKind kRole = NameKind::kRole;
  constexpr NameKind kGroup = NameKind::kGroup;
  return {
      add(kRole, "add-role", "associate a role name with a set of capabilities"),
      list(kRole, "list-roles", "show list of role names and their sets of capabilities",
           R"({"roles": {"X": [...]}})"),
      remove(kRole, "remove-role", "disassociate a role name from a set of capabilities"),
      update(kRole, "update-role", "update role to include (or remove) given capabilities", "updated-role"),
      add(kGroup, "add-group", "associate a group name with a set of roles"),
      list(kGroup, "list-groups", "show list of group names and their sets of roles",
           R"({"groups": {"X": [...]}})"),
      remove(kGroup, "remove-group", "disassociate a group name from a set of roles"),
      update(kGroup, "update-group", "update group to include (or remove) given roles", "updated-group")};
}

}  // namespace vipauth::vctl
