#include "auth/add_role.hpp"
#include "auth/list_roles.hpp"
#include "commands/commands.hpp"

namespace vipauth::vctl {
namespace {

Command add_role() {
  const auto options = std::make_shared<auth::AddRoleOptions>();
  Command command =
      verb("add-role", "associate a role name with a set of capabilities", options, auth::add_role);
  command.arguments.push_back(positional("ROLE", options->name, "name of role"));
  command.arguments.push_back(positionals("CAPABILITY", options->capabilities,
                                          "capabilities to associate with the role: names, or JSON"));
  command.json = R"({"role": "X", "capabilities": [...]})";
  return command;
}

Command list_roles() {
  Command command =
      verb("list-roles", "show list of role names and their sets of capabilities", auth::list_roles);
  command.json = R"({"roles": {"X": [...]}})";
  return command;
}

}  // namespace

std::vector<Command> role_commands() {
  std::vector<Command> out;
  out.push_back(add_role());
  out.push_back(list_roles());
  return out;
}

}  // namespace vipauth::vctl
