#include <chrono>
#include <cmath>
#include <cstdlib>

#include "commands/commands.hpp"

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

}  // namespace

std::vector<Argument> common_arguments(CommonOptions& options) {
  const auto ignore = [](const std::string&) -> Result<void> { return {}; };
  std::vector<Argument> out;
  out.push_back(value({"-c", "--config"}, "FILE", "accepted for VOLTTRON's sake, and not read", ignore));
  out.push_back(flag({"--debug"}, options.debug, "show code and place of an error"));
  out.push_back(value({"-t", "--timeout"}, "SECS",
                      "how long to wait for a file that somebody else edits (default: 60)",
                      [&options](const std::string& text) -> Result<void> {
                        const auto seconds = parse_seconds(text);
                        if (!seconds) return seconds.error();
                        options.timeout = *seconds;
                        return {};
                      }));
  out.push_back(value({"--msgdebug"}, "MSGDEBUG", "accepted for VOLTTRON's sake, and not used", ignore));
  out.push_back(
      value({"--vip-address"}, "ZMQADDR", "not supported yet", [](const std::string&) -> Result<void> {
        return Error{ErrorCode::kUnsupported, "not supported yet: vctl works on the files of the home folder",
                     ""};
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
  for (auto commands : {record_commands(), role_commands(), key_commands(), remote_commands(),
                        file_commands(), question_commands()}) {
    for (Command& command : commands) auth.commands.push_back(std::move(command));
  }
  root.commands.push_back(std::move(auth));
  return root;
}

}  // namespace vipauth::vctl
