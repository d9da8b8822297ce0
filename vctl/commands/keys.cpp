#include "auth/keypair.hpp"
#include "auth/serverkey.hpp"
#include "commands/commands.hpp"

namespace vipauth::vctl {
namespace {

Argument z85(bool& target) { return flag({"--z85"}, target, "as Z85, not as base64url"); }

Command keypair() {
  const auto options = std::make_shared<auth::KeyOptions>();
  Command command =
      verb("keypair", "generate CurveMQ keys for encrypting VIP connections", options, auth::keypair);
  command.arguments.push_back(z85(options->as_z85));
  command.json = R"({"public": "...", "secret": "..."})";
  return command;
}

Command serverkey() {
  const auto options = std::make_shared<auth::KeyOptions>();
  Command command = verb("serverkey", "show the serverkey for the instance", options, auth::serverkey);
  command.arguments.push_back(z85(options->as_z85));
  command.json = R"({"serverkey": "..."})";
  return command;
}

}  // namespace

std::vector<Command> key_commands() {
  std::vector<Command> out;
  out.push_back(keypair());
  out.push_back(serverkey());
  return out;
}

}  // namespace vipauth::vctl
