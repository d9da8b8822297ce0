#include "auth/rpc.hpp"

#include "commands/commands.hpp"

namespace vipauth::vctl {
namespace {

Command change(const char* name, const char* description, const char* capabilities,
               int (*run)(const auth::RpcOptions&, const Context&)) {
  const auto options = std::make_shared<auth::RpcOptions>();
  Command command = verb(name, description, options, run);
  command.arguments = {
      positional("IDENTITY.METHOD", options->method, "a method of an agent; the last dot splits"),
      positionals("CAPABILITY", options->capabilities, capabilities)};
  command.json = R"({"identity": "AgentA", "method": "bar", "capabilities": [...]})";
  return command;
}

}  // namespace

std::vector<Command> rpc_commands() {
  Command rpc = group("rpc", "Manage rpc method authorizations");
  rpc.commands = {
      change("add", "adds rpc method authorizations", "what callers must have from now on", auth::rpc_add),
      change("remove", "removes rpc method authorizations", "what callers need no more", auth::rpc_remove)};
  return {rpc};
}

}  // namespace vipauth::vctl
