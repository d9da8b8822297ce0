#include "auth/create.hpp"
#include "auth/keypair.hpp"
#include "auth/publickey.hpp"
#include "auth/rotate.hpp"
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

Command publickey() {
  const auto options = std::make_shared<auth::PublicKeyOptions>();
  Command command = verb("publickey", "show public key for each agent", options, auth::publickey);
  command.arguments.push_back(
      positional("PATTERN", options->pattern, "a part of the identity, or the whole of it with * and ?"));
  command.arguments.push_back(z85(options->as_z85));
  command.json = R"({"agents": [{"identity": "...", "publickey": "..."}]})";
  return command;
}

Command create() {
  const auto options = std::make_shared<auth::CreateOptions>();
  Command command =
      verb("create", "make key store and record of a new agent on this host", options, auth::create);
  command.arguments.push_back(positional("IDENTITY", options->identity, "its VIP identity, and user_id"));
  const auto field = [&](const std::string& name, std::string value_name, std::string description) {
    command.arguments.push_back(
        option({"--" + name}, std::move(value_name), std::move(description),
               [&fields = options->fields, name](const std::string& value) -> Result<void> {
                 fields[name] = value;
                 return {};
               }));
  };
  field("roles", "ROLES", "delimit multiple entries with comma");
  field("groups", "GROUPS", "delimit multiple entries with comma");
  field("capabilities", "CAPABILITIES", "delimit multiple entries with comma, or JSON");
  field("address", "ADDRESS", "where the agent connects from, or a /pattern/");
  field("comments", "COMMENTS", "any text");
  command.note =
      "Run again after it was cut off, it completes what is missing; a key store is never replaced.";
  command.json =
      R"({"identity": "...", "publickey": "...", "keystore": "...", "index": 3, "addresses": ["tcp://..."]})";
  return command;
}

Command rotate() {
  const auto options = std::make_shared<auth::RotateOptions>();
  Command command = verb("rotate", "give an agent, or the server, a new key", options, auth::rotate);
  command.arguments.push_back(positional("IDENTITY", options->who, "an agent with a key store, or: server"));
  command.arguments.push_back(option({"--keep"}, "PERIOD",
                                     "how long the agent's old key is good (default: 7d)",
                                     [&keep = options->keep](const std::string& text) -> Result<void> {
                                       const auto period = auth::parse_period(text);
                                       if (!period) return period.error();
                                       keep = *period;
                                       return {};
                                     }));
  command.arguments.push_back(flag({"--activate"}, options->activate, "put the server's next key in force"));
  command.note =
      "An agent has both keys for a while. A server has one: the next one is made first, to be announced.";
  command.json =
      R"({"identity": "...", "publickey": "...", "fingerprint": "SHA256:...", "previous": "...", "previous_until": "..."}, )"
      R"(or {"serverkey": "...", "fingerprint": "SHA256:...", "previous": "...", "active": false, "addresses": [...]})";
  return command;
}

}  // namespace

std::vector<Command> key_commands() {
  std::vector<Command> out = with_bus(OverBus::kLocal, {keypair(), publickey()});
  for (Command& command : with_bus(OverBus::kWorks, {serverkey()})) {
    out.insert(out.begin() + 1, std::move(command));
  }
  out.push_back(create());
  out.push_back(rotate());
  return out;
}

}  // namespace vipauth::vctl
