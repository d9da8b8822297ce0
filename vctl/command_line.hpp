#pragma once

#include <span>
#include <string>
#include <variant>

#include "command.hpp"
#include "context.hpp"

namespace vipauth::vctl {

/// A command line that names a verb.
struct CommandLine {
  CommonOptions options;
  Verb verb;
  std::string command;  ///< the words that name the verb: "auth add"
  OverBus over_bus = OverBus::kRefused;
  OverStore over_store = OverStore::kRefused;
};

/// What to print in place of running a verb: a help text, the version, or what is wrong with the command
/// line.
struct Notice {
  int exit_code = kExitUsage;  ///< kExitDone: a result; else an error
  std::string text;
};

/// Turns arguments (without the name of the program) into a verb with its options.
std::variant<CommandLine, Notice> parse_command_line(std::span<const std::string> arguments);

}  // namespace vipauth::vctl
