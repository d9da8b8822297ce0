#include "command_line.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <vipauth/curve_key.hpp>
#include <vipauth/json.hpp>
#include <vipauth/version.hpp>

#include "commands/commands.hpp"
#include "output.hpp"

namespace vipauth::vctl {
namespace {

// ---- Arguments that CLI11 2.1 would misread ----

// A character that no argument of a process can hold.
constexpr char kMark = '\0';

/// An empty value would be skipped and the next argument taken for it; "[a,b]" would be split; "++" would end
/// a verb; a key that begins with a hyphen would be read as options.
bool needs_mark(const std::string& argument) {
  return argument.empty() || argument.front() == '[' || argument == "++" ||
         (argument.front() == '-' && CurveKey::parse(argument).has_value());
}

std::string mark(std::string argument) {
  if (needs_mark(argument)) return kMark + argument;
  const bool is_empty_value = argument.starts_with("--") && argument.find('=') + 1 == argument.size();
  if (is_empty_value) return argument + kMark;
  return argument;
}

std::string unmark(std::string argument) {
  std::erase(argument, kMark);
  return argument;
}

std::vector<std::string> unmark(std::vector<std::string> arguments) {
  for (std::string& argument : arguments) argument = unmark(std::move(argument));
  return arguments;
}

std::string joined(const std::vector<std::string>& names, const char* between) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : between) + name;
  return out;
}

// ---- The tree, for CLI11 ----

/// The exit from parsing that is not a mistake: the version was asked for.
struct VersionAsked {};

/// Tells CLI11 of a command and all below it, and remembers what is what.
class Parser {
 public:
  explicit Parser(CommonOptions& options) : options_(options), tree_(root_command(options)) {
    root_.name(tree_.name);
    root_.description(tree_.description);
    add_command(&root_, tree_);
  }

  CLI::App& root() { return root_; }

  /// The command that the arguments name, as far as they name one.
  CLI::App& chosen() {
    CLI::App* app = &root_;
    while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
    return *app;
  }

  const Command& command_of(const CLI::App& app) const { return *commands_.at(&app); }

 private:
  static constexpr const char* kCommonGroup = "Global options";

  void add_command(CLI::App* app, const Command& command) {
    commands_[app] = &command;
    const bool is_root = app == &root_;
    if (!is_root) {
      for (const Argument& argument : command.arguments) add_argument(app, argument);
    }
    for (Argument& argument : common_arguments(options_)) add_argument(app, argument)->group(kCommonGroup);
    app->add_flag_callback(
           "--version", [] { throw VersionAsked(); }, "print the version")
        ->group(kCommonGroup);
    for (const std::string& name : command.other_names) app->alias(name);
    if (!command.commands.empty()) app->require_subcommand(0, 1);
    for (const Command& below : command.commands) {
      add_command(app->add_subcommand(below.name, below.description), below);
    }
    app->footer(footer_of(command));
  }

  static std::string footer_of(const Command& command) {
    if (command.json.empty()) return command.note;
    return command.note + (command.note.empty() ? "" : "\n") + "--json: " + command.json;
  }

  static CLI::Option* add_argument(CLI::App* app, const Argument& argument) {
    const std::string names = joined(argument.names, ",");
    const auto take = [take = argument.take,
                       name = argument.names.front()](const std::vector<std::string>& values) {
      const auto taken = take(unmark(values));
      if (!taken) throw CLI::ValidationError(name, taken.error().message);
    };
    if (argument.kind == Argument::Kind::kFlag) {
      return app->add_flag_callback(names, [take] { take({}); }, argument.description);
    }
    CLI::Option* option = nullptr;
    if (argument.count == Argument::Count::kMany) {
      option = app->add_option_function<std::vector<std::string>>(names, take, argument.description);
    } else {
      option = app->add_option_function<std::string>(
          names, [take](const std::string& value) { take({value}); }, argument.description);
    }
    if (argument.kind == Argument::Kind::kOption) option->type_name(argument.value_name);
    if (argument.may_repeat) option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    return option->required(argument.is_required);
  }

  CommonOptions& options_;
  Command tree_;
  CLI::App root_;
  std::map<const CLI::App*, const Command*> commands_;
};

// ---- Mistakes ----

std::string command_name(const CLI::App& app) {
  return (app.get_parent() == nullptr ? "" : command_name(*app.get_parent()) + " ") + app.get_name();
}

/// The words behind the name of the program.
std::string verb_words(const CLI::App& app) {
  if (app.get_parent() == nullptr) return "";
  const std::string above = verb_words(*app.get_parent());
  return above + (above.empty() ? "" : " ") + app.get_name();
}

Notice mistake(const CLI::App& app, const std::string& message) {
  return {kExitUsage, "error: " + printable(unmark(message)) + "\nSee: " + command_name(app) + " --help\n"};
}

std::string unexpected(CLI::App& root, const CLI::App& chosen) {
  const std::vector<std::string> rest = root.remaining(true);
  const std::string argument = rest.empty() ? "" : unmark(rest.front());
  const bool holds_commands = !chosen.get_subcommands([](const CLI::App*) { return true; }).empty();
  const bool is_verb = holds_commands && !argument.starts_with('-');
  return (is_verb ? "there is no command \"" : "unexpected argument \"") + argument + "\"";
}

/// A command that is a question of its own, and has further words, takes one or the other.
std::optional<Notice> check_not_both(Parser& parser) {
  for (const CLI::App* app = parser.chosen().get_parent(); app != nullptr; app = app->get_parent()) {
    const Command& command = parser.command_of(*app);
    if (command.is_complete && command.is_complete()) {
      return mistake(*app, command.arguments.front().names.front() + ": takes no further command");
    }
  }
  return std::nullopt;
}

}  // namespace

std::variant<CommandLine, Notice> parse_command_line(std::span<const std::string> arguments) {
  CommandLine result;
  Parser parser(result.options);
  std::vector<std::string> marked;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (!is_valid_utf8(arguments[i])) {
      return mistake(parser.root(), "argument " + std::to_string(i + 1) + " is not UTF-8");
    }
    marked.push_back(mark(arguments[i]));
  }
  std::reverse(marked.begin(), marked.end());  // as CLI11 takes them
  try {
    parser.root().parse(std::move(marked));
  } catch (const VersionAsked&) {
    return Notice{kExitDone, "vctl " VIPAUTH_VERSION "\n"};
  } catch (const CLI::CallForHelp&) {
    return Notice{kExitDone, parser.root().help()};
  } catch (const CLI::ExtrasError&) {
    return mistake(parser.chosen(), unexpected(parser.root(), parser.chosen()));
  } catch (const CLI::Error& error) {
    return mistake(parser.chosen(), error.what());
  }
  if (auto both = check_not_both(parser)) return *both;
  const Command& command = parser.command_of(parser.chosen());
  const bool can_run = command.run && (!command.is_complete || command.is_complete());
  if (!can_run) return Notice{kExitUsage, parser.root().help()};
  result.verb = command.run;
  result.command = verb_words(parser.chosen());
  result.over_bus = command.over_bus;
  result.over_store = command.over_store;
  return result;
}

}  // namespace vipauth::vctl
