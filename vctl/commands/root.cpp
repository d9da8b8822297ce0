#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ostream>

#include <vipauth/vip_address.hpp>

#include "commands/commands.hpp"
#include "completion.hpp"
#include "manual.hpp"

namespace vipauth::vctl {
namespace {

Result<std::chrono::milliseconds> parse_seconds(const std::string& text) {
  constexpr double kMost = 1e9;
  char* end = nullptr;
  const double seconds = std::strtod(text.c_str(), &end);
  const bool is_number = !text.empty() && end == text.c_str() + text.size();
  if (!is_number || std::isnan(seconds) || seconds < 0 || seconds > kMost) {
    return Error{ErrorCode::kInvalidArgument, "\"" + text + "\" is not a number of seconds", ""};
  }
  return std::chrono::milliseconds(std::llround(seconds * 1000));
}

Argument value(std::vector<std::string> names, std::string value_name, std::string description,
               std::function<Result<void>(const std::string&)> take) {
  Argument argument =
      option(std::move(names), std::move(value_name), std::move(description), std::move(take));
  argument.may_repeat = true;
  return argument;
}

/// A verb that prints a text made from the whole tree.
template <typename Make>
Command text_verb(std::string name, std::string description, Make make) {
  Command command = group(std::move(name), std::move(description));
  command.run = [make](const Context& context) {
    CommonOptions options;
    context.env.out << make(root_command(options));
    return kExitDone;
  };
  return command;
}

Command completion() {
  const auto shell = std::make_shared<std::string>();
  Command command = text_verb("completion", "print what a shell reads to complete command lines",
                              [shell](const Command& root) {
                                return *shell == "zsh" ? zsh_completion(root) : bash_completion(root);
                              });
  Argument argument = positional("SHELL", *shell, "bash or zsh");
  argument.choices = {"bash", "zsh"};
  argument.take = [shell](const std::vector<std::string>& values) -> Result<void> {
    *shell = values.front();
    if (*shell == "bash" || *shell == "zsh") return {};
    return Error{ErrorCode::kInvalidArgument, "must be bash or zsh, not \"" + *shell + "\"", ""};
  };
  command.arguments.push_back(std::move(argument));
  return command;
}

}  // namespace

std::vector<Argument> common_arguments(CommonOptions& options) {
  const auto ignore = [](const std::string&) -> Result<void> { return {}; };
  std::vector<Argument> out;
  out.push_back(
      value({"-c", "--config"}, "FILE",
            "the platform's configuration, which says where it listens (default: config in the home)",
            [&options](const std::string& text) -> Result<void> {
              if (text.empty()) return Error{ErrorCode::kInvalidArgument, "is empty", ""};
              options.config = text;
              return {};
            }));
  out.push_back(flag({"--debug"}, options.debug, "show code and place of an error"));
  out.push_back(value({"-t", "--timeout"}, "SECS",
                      "how long to wait for a file that somebody else edits, or for a platform (default: 60)",
                      [&options](const std::string& text) -> Result<void> {
                        const auto seconds = parse_seconds(text);
                        if (!seconds) return seconds.error();
                        options.timeout = *seconds;
                        return {};
                      }));
  out.push_back(value({"--msgdebug"}, "MSGDEBUG", "accepted for VOLTTRON's sake, and not used", ignore));
  out.push_back(value({"--vip-address"}, "ZMQADDR",
                      "work on the running platform at this address, over its bus, rather than on files",
                      [&options](const std::string& text) -> Result<void> {
                        const auto address = VipAddress::parse(text);
                        if (!address) return address.error();
                        options.vip_address = text;
                        return {};
                      }));
  out.push_back(value({"--store"}, "STORE",
                      "work on what a fleet of buses shares, at this address, rather than on files",
                      [&options](const std::string& text) -> Result<void> {
                        if (text.empty()) return Error{ErrorCode::kInvalidArgument, "is empty", ""};
                        options.store = text;
                        return {};
                      }));
  out.push_back(flag({"--json"}, options.json, "print one JSON document"));
  out.push_back(value({"--home"}, "DIR",
                      "the folder of the files (default: $VOLTTRON_HOME, else ~/.volttron)",
                      [&options](const std::string& text) -> Result<void> {
                        if (text.empty()) return Error{ErrorCode::kInvalidArgument, "is empty", ""};
                        options.home = text;
                        return {};
                      }));
  Argument no_strict_modes;
  no_strict_modes.kind = Argument::Kind::kFlag;
  no_strict_modes.names = {"--no-strict-modes"};
  no_strict_modes.description = "use files that others could have changed, or secrets that others could read";
  no_strict_modes.take = [&options](const std::vector<std::string>&) -> Result<void> {
    options.strict_modes = StrictModes::kOff;
    return {};
  };
  out.push_back(std::move(no_strict_modes));
  return out;
}

Command root_command(CommonOptions& options) {
  Command root = group("vctl", "Manage and control VOLTTRON agents.");
  root.arguments = common_arguments(options);
  Command auth = group("auth", "manage authorization entries and encryption keys");
  for (auto commands :
       {with_store(with_bus(OverBus::kWorks, record_commands())),
        with_store(with_bus(OverBus::kWorks, role_commands())), with_bus(OverBus::kLocal, host_commands()),
        key_commands(), remote_commands(), with_store(with_bus(OverBus::kWorks, rpc_commands())),
        certificate_commands(), file_commands(), fleet_commands(), audit_commands(), question_commands()}) {
    for (Command& command : commands) auth.commands.push_back(std::move(command));
  }
  root.commands.push_back(std::move(auth));
  root.commands.push_back(completion());
  root.commands.push_back(
      text_verb("manual", "print the manual page, in the form that man reads", manual_page));
  return root;
}

}  // namespace vipauth::vctl
