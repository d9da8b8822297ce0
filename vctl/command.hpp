#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <vipauth/result.hpp>

#include "context.hpp"

namespace vipauth::vctl {

/// An option, a flag, or a positional argument of a command.
struct Argument {
  enum class Kind { kFlag, kOption, kPositional };
  enum class Count { kOne, kMany };

  Kind kind = Kind::kOption;
  std::vector<std::string> names;  ///< "--user_id" and its other spellings; of a positional its one name
  std::string value_name;          ///< what stands for the value: "FILE"; of a flag nothing
  std::string description;
  Count count = Count::kOne;
  bool is_required = false;
  bool may_repeat = false;           ///< of an option with one value: the last one counts
  std::vector<std::string> choices;  ///< for completion only
  /// Takes the values, of which a flag has none. An error is a mistake in the command line.
  std::function<Result<void>(const std::vector<std::string>& values)> take;

  Argument&& required() && {
    is_required = true;
    return std::move(*this);
  }
  Argument&& of(std::vector<std::string> values) && {
    choices = std::move(values);
    return std::move(*this);
  }
};

/// What a command makes of --vip-address.
enum class OverBus {
  kRefused,  ///< it works on files only
  kLocal,    ///< it works on files of whoever types it, whichever the platform
  kWorks,    ///< it works on the running platform
};

/// What a command makes of --store.
enum class OverStore {
  kRefused,  ///< it works on files only
  kBeside,   ///< it works on files, and does something with the store besides
  kWorks,    ///< it works on the store, in the place of files
};

/// A word of the command line with its arguments: a verb, or a group of further words, or both. Help texts,
/// the manual page and the completions are made from it.
struct Command {
  std::string name;
  std::string description;
  std::vector<Argument> arguments;
  std::string note;  ///< behind the options in the help text
  std::string json;  ///< the shape of what --json prints; empty: it prints none
  std::vector<Command> commands;
  std::vector<std::string> other_names;
  OverBus over_bus = OverBus::kRefused;
  OverStore over_store = OverStore::kRefused;
  /// Runs the verb with what its arguments took; of a mere group empty.
  std::function<int(const Context&)> run;
  /// Of a command that runs and has further words: whether it was given what it needs to run.
  std::function<bool()> is_complete;
};

// ---- Arguments ----

/// A flag of which it matters that it is there.
Argument flag(std::vector<std::string> names, bool& target, std::string description);

/// An option with a value. VOLTTRON's names have underscores: the spelling with hyphens works too.
Argument option(std::vector<std::string> names, std::string value_name, std::string description,
                std::function<Result<void>(const std::string&)> take);
Argument option(std::vector<std::string> names, std::string value_name, std::optional<std::string>& target,
                std::string description);
/// An option with one value or several.
Argument list_option(std::vector<std::string> names, std::string value_name,
                     std::optional<std::vector<std::string>>& target, std::string description);

/// An argument without a name on the command line. It must be there, unless its target is optional.
Argument positional(std::string name, std::string& target, std::string description);
Argument positional(std::string name, std::optional<std::string>& target, std::string description);
/// Any number of them.
Argument positionals(std::string name, std::vector<std::string>& target, std::string description);

// ---- Commands ----

/// A verb, whose arguments are yet to be added: they write into `options`.
template <typename Options>
Command verb(std::string name, std::string description, std::shared_ptr<Options> options,
             int (*run)(const Options&, const Context&)) {
  Command command;
  command.name = std::move(name);
  command.description = std::move(description);
  command.run = [options = std::move(options), run](const Context& context) {
    return run(*options, context);
  };
  return command;
}

/// A verb without arguments.
Command verb(std::string name, std::string description, int (*run)(const Context&));

/// The commands, and all below them, each with that answer to --vip-address.
std::vector<Command> with_bus(OverBus over_bus, std::vector<Command> commands);

/// The commands, and all below them, which work on a store, too.
std::vector<Command> with_store(std::vector<Command> commands);

/// A word that only holds others.
Command group(std::string name, std::string description);

}  // namespace vipauth::vctl
