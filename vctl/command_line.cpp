#include "command_line.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <vipauth/curve_key.hpp>
#include <vipauth/json.hpp>
#include <vipauth/version.hpp>

#include "auth/add.hpp"
#include "auth/add_role.hpp"
#include "auth/check.hpp"
#include "auth/check_batch.hpp"
#include "auth/keypair.hpp"
#include "auth/list.hpp"
#include "auth/list_roles.hpp"
#include "auth/remote.hpp"
#include "auth/remove.hpp"
#include "auth/serverkey.hpp"
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

// ---- Options ----

/// An option or (without hyphens in its name) a positional argument, whose target outlives the parsing.
template <typename Target>
CLI::Option* text(CLI::App* app, const std::string& names, Target& target, const std::string& description) {
  return app->add_option_function<std::string>(
      names, [&target](const std::string& value) { target = unmark(value); }, description);
}

template <typename Target>
CLI::Option* texts(CLI::App* app, const std::string& names, Target& target, const std::string& description) {
  return app->add_option_function<std::vector<std::string>>(
      names, [&target](const std::vector<std::string>& values) { target = unmark(values); }, description);
}

/// VOLTTRON's options have underscores; hyphens work as well.
std::string option_names(std::string_view field) {
  const std::string name = "--" + std::string(field);
  std::string hyphened = name;
  std::replace(hyphened.begin() + 2, hyphened.end(), '_', '-');
  return hyphened == name ? name : name + "," + hyphened;
}

/// The exit from parsing that is not a mistake: the version was asked for.
struct VersionAsked {};

std::chrono::milliseconds parse_seconds(const std::string& text) {
  constexpr double kMost = 1e9;
  double seconds = 0;
  if (!CLI::detail::lexical_cast(text, seconds) || std::isnan(seconds) || seconds < 0 || seconds > kMost) {
    throw CLI::ValidationError("--timeout", "\"" + text + "\" is not a number of seconds");
  }
  return std::chrono::milliseconds(std::llround(seconds * 1000));
}

/// The options that every command takes, so that they may stand before and after each verb.
void add_common_options(CLI::App* app, CommonOptions& options) {
  constexpr const char* kGroup = "Global options";
  const auto value = [app, kGroup](const std::string& names, const char* type, const std::string& description,
                                   const std::function<void(const std::string&)>& take) {
    app->add_option_function<std::string>(names, take, description)
        ->type_name(type)
        ->group(kGroup)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  };
  const auto ignore = [](const std::string&) {};
  value("-c,--config", "FILE", "accepted for VOLTTRON's sake, and not read", ignore);
  app->add_flag("--debug", options.debug, "show code and place of an error")->group(kGroup);
  value("-t,--timeout", "SECS", "how long to wait for a file that somebody else edits (default: 60)",
        [&options](const std::string& text) { options.timeout = parse_seconds(unmark(text)); });
  value("--msgdebug", "MSGDEBUG", "accepted for VOLTTRON's sake, and not used", ignore);
  value("--vip-address", "ZMQADDR", "not supported yet", [](const std::string&) {
    throw CLI::ValidationError("--vip-address",
                               "not supported yet: vctl works on the files of the home folder");
  });
  app->add_flag("--json", options.json, "print one JSON document")->group(kGroup);
  value("--home", "DIR", "the folder of the files (default: $VOLTTRON_HOME, else ~/.volttron)",
        [&options](const std::string& text) {
          options.home = unmark(text);
          if (options.home->empty()) throw CLI::ValidationError("--home", "is empty");
        });
  app->add_flag_callback("--version", [] { throw VersionAsked(); }, "print the version")->group(kGroup);
}

// ---- Verbs ----

/// Makes the commands, and remembers which verb was given.
class Commands {
 public:
  explicit Commands(CommandLine& result)
      : result_(result), root_("Manage and control VOLTTRON agents.", "vctl") {
    add_common_options(&root_, result_.options);
    root_.require_subcommand(0, 1);
    CLI::App* auth = group(&root_, "auth", "manage authorization entries and encryption keys");
    add(auth);
    add_role(auth);
    check(auth);
    keypair(auth);
    list(auth);
    list_roles(auth);
    remote(auth);
    remove(auth);
    serverkey(auth);
  }

  CLI::App& root() { return root_; }

  /// The command that the arguments name, as far as they name one.
  CLI::App& chosen() {
    CLI::App* app = &root_;
    while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
    return *app;
  }

 private:
  /// A command that only holds others. At most one of them, so that an argument of a verb is never taken for
  /// another.
  CLI::App* group(CLI::App* parent, const std::string& name, const std::string& description) {
    CLI::App* app = parent->add_subcommand(name, description);
    app->require_subcommand(0, 1);
    add_common_options(app, result_.options);
    return app;
  }

  /// A command that runs `run` with its options.
  template <typename Options>
  CLI::App* verb(CLI::App* parent, const std::string& name, const std::string& description,
                 const std::shared_ptr<Options>& options, int (*run)(const Options&, const Context&)) {
    CLI::App* app = parent->add_subcommand(name, description);
    add_common_options(app, result_.options);
    app->callback([this, options, run] {
      result_.verb = [options, run](const Context& context) { return run(*options, context); };
    });
    return app;
  }

  CLI::App* verb(CLI::App* parent, const std::string& name, const std::string& description,
                 int (*run)(const Context&)) {
    CLI::App* app = parent->add_subcommand(name, description);
    add_common_options(app, result_.options);
    app->callback([this, run] { result_.verb = run; });
    return app;
  }

  void add(CLI::App* auth) {
    const auto options = std::make_shared<auth::AddOptions>();
    CLI::App* app = verb(auth, "add", "add new authentication record", options, auth::add);
    const auto field = [&](const char* name, const std::string& description, const std::string& alias = "") {
      app->add_option_function<std::string>(
          option_names(name) + alias,
          [&fields = options->fields, name](const std::string& value) { fields[name] = unmark(value); },
          description);
    };
    const std::string commas = "delimit multiple entries with comma";
    field("domain", "a name of the address that the peer connects to, or a /pattern/");
    field("address", "where the peer connects from, or a /pattern/");
    field("mechanism", "CURVE (default), PLAIN or NULL");
    field("credentials",
          "the public key, or a /pattern/; PLAIN: better left out, the password is then asked for",
          ",--credential");
    field("user_id", "the name of the peer (default: a new UUID)");
    field("identity", "the VIP identity that the peer may use");
    field("groups", commas);
    field("roles", commas);
    field("capabilities", commas + ", or JSON");
    field("comments", "any text");
    field("not_before", "from when on the record is valid, such as 2026-11-21T21:30:00Z");
    field("not_after", "until when the record is valid");
    app->add_flag("--disabled", options->is_disabled, "add the record without putting it in force");
    app->add_flag_callback(
        "--add-known-host,--add_known_host",
        [] { throw CLI::ValidationError("--add-known-host", "not supported yet"); }, "not supported yet");
    app->footer(
        "Without an option for a field, each is asked for.\n"
        "--json: {\"index\": 3, \"record\": {...}}");
  }

  void list(CLI::App* auth) {
    CLI::App* app = verb(auth, "list", "list authentication records", auth::list);
    app->footer("--json: {\"records\": [{\"index\": 0, \"record\": {...}, \"problem\": \"...\"}]}");
  }

  void remove(CLI::App* auth) {
    const auto options = std::make_shared<auth::RemoveOptions>();
    CLI::App* app =
        verb(auth, "remove", "removes one or more authentication records by indices", options, auth::remove);
    texts(app, "indices", options->indices, "index or indices of record(s) to remove")->required();
    app->add_flag("--yes,-y", options->is_sure, "do not ask");
    app->footer("--json: {\"removed\": [{\"index\": 3, \"record\": {...}}]}");
  }

  void add_role(CLI::App* auth) {
    const auto options = std::make_shared<auth::AddRoleOptions>();
    CLI::App* app =
        verb(auth, "add-role", "associate a role name with a set of capabilities", options, auth::add_role);
    text(app, "ROLE", options->name, "name of role")->required();
    texts(app, "CAPABILITY", options->capabilities,
          "capabilities to associate with the role: names, or JSON");
    app->footer("--json: {\"role\": \"X\", \"capabilities\": [...]}");
  }

  void list_roles(CLI::App* auth) {
    CLI::App* app =
        verb(auth, "list-roles", "show list of role names and their sets of capabilities", auth::list_roles);
    app->footer("--json: {\"roles\": {\"X\": [...]}}");
  }

  void keypair(CLI::App* auth) {
    const auto options = std::make_shared<auth::KeyOptions>();
    CLI::App* app =
        verb(auth, "keypair", "generate CurveMQ keys for encrypting VIP connections", options, auth::keypair);
    app->add_flag("--z85", options->as_z85, "as Z85, not as base64url");
    app->footer("Prints {\"public\": \"...\", \"secret\": \"...\"}");
  }

  void serverkey(CLI::App* auth) {
    const auto options = std::make_shared<auth::KeyOptions>();
    CLI::App* app = verb(auth, "serverkey", "show the serverkey for the instance", options, auth::serverkey);
    app->add_flag("--z85", options->as_z85, "as Z85, not as base64url");
    app->footer("--json: {\"serverkey\": \"...\"}");
  }

  void remote(CLI::App* auth) {
    CLI::App* parent = group(auth, "remote", "manage pending RMQ certs and ZMQ credentials");
    const std::string document = "{\"user_id\": ..., \"address\": ..., \"status\": ..., ...}";

    const auto list = std::make_shared<auth::RemoteListOptions>();
    CLI::App* app = verb(parent, "list", "lists approved, denied, and pending certs and credentials", list,
                         auth::remote_list);
    text(app, "--status", list->status, "Specify approved, denied, or pending");
    app->footer("--json: {\"remote\": [" + document + "]}");

    const auto approve = std::make_shared<auth::RemoteApproveOptions>();
    app = verb(parent, "approve", "approves pending or denied remote connection", approve,
               auth::remote_approve);
    text(app, "USER_ID", approve->user_id, "user_id of pending or denied credential to approve")->required();
    text(app, "--user-id,--user_id", approve->new_user_id, "the name that it gets");
    text(app, "--identity", approve->identity, "the VIP identity that it may use");
    text(app, "--roles", approve->roles, "delimit multiple entries with comma");
    text(app, "--groups", approve->groups, "delimit multiple entries with comma");
    text(app, "--capabilities", approve->capabilities, "delimit multiple entries with comma, or JSON");
    app->add_flag("--any-address,--any_address", approve->any_address,
                  "let it in from any address, not only from the one that it asked from");
    app->footer("--json: {\"approved\": " + document + "}");

    const auto deny = std::make_shared<auth::RemoteUser>();
    app = verb(parent, "deny", "denies pending or approved remote connection", deny, auth::remote_deny);
    text(app, "USER_ID", deny->user_id, "user_id of pending or approved credential to deny")->required();
    app->footer("--json: {\"denied\": " + document + "}");

    const auto forget = std::make_shared<auth::RemoteUser>();
    app = verb(parent, "delete", "forgets a remote connection, which must ask again", forget,
               auth::remote_delete);
    text(app, "USER_ID", forget->user_id, "user_id of credential to delete")->required();
    app->footer("--json: {\"deleted\": " + document + "}");
  }

  void check(CLI::App* auth) {
    const auto batch = std::make_shared<auth::CheckBatchOptions>();
    CLI::App* parent = group(auth, "check", "show a decision, and why");
    CLI::Option* file =
        text(parent, "--batch", batch->file, "one JSON object a line in, one out; - is the standard input");
    file->type_name("FILE");
    parent->callback([this, batch, file, parent] {
      if (file->count() == 0) return;
      if (!parent->get_subcommands().empty())
        throw CLI::ValidationError("--batch", "takes no further command");
      result_.verb = [batch](const Context& context) { return auth::check_batch(*batch, context); };
    });
    parent->footer(
        "Exits with 0 for allowed, 2 for refused, 1 where it cannot be told; --batch with 0 when every "
        "line could be read.\n"
        "--json: {\"allowed\": false, \"reason\": \"...\", \"user_id\": \"...\", \"message\": \"...\", "
        "\"source\": [...]}");

    const auto connect = std::make_shared<auth::CheckConnectOptions>();
    CLI::App* app = verb(parent, "connect", "may this peer connect?", connect, auth::check_connect);
    text(app, "CREDENTIALS", connect->credentials,
         "CURVE: the public key; PLAIN: the user name, whose password is asked for");
    text(app, "--address", connect->address, "where it connects from (default: 127.0.0.1)");
    text(app, "--domain", connect->domain, "default: vip");
    text(app, "--mechanism", connect->mechanism, "CURVE (default), PLAIN or NULL");

    const auto call = std::make_shared<auth::CheckCallOptions>();
    app = verb(parent, "call", "may this user call this method?", call, auth::check_call);
    text(app, "USER_ID", call->user_id, "who calls")->required();
    text(app, "IDENTITY.METHOD", call->method, "what is called; the last dot splits")->required();
    text(app, "JSON-ARGUMENTS", call->arguments, "an object: the arguments by name");
    texts(app, "--required", call->required,
          "capabilities that the method requires (default: what the records say)");

    const auto topic_verb = [&](const char* name, const char* description,
                                int (*run)(const auth::CheckTopicOptions&, const Context&)) {
      const auto options = std::make_shared<auth::CheckTopicOptions>();
      CLI::App* topic_app = verb(parent, name, description, options, run);
      text(topic_app, "USER_ID", options->user_id, "who")->required();
      text(topic_app, "TOPIC", options->topic, "the topic")->required();
    };
    topic_verb("publish", "may this user publish to this topic?", auth::check_publish);
    topic_verb("receive", "may this user receive from this topic?", auth::check_receive);
  }

  CommandLine& result_;
  CLI::App root_;
};

// ---- Mistakes ----

std::string command_name(const CLI::App& app) {
  return (app.get_parent() == nullptr ? "" : command_name(*app.get_parent()) + " ") + app.get_name();
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

}  // namespace

std::variant<CommandLine, Notice> parse_command_line(std::span<const std::string> arguments) {
  CommandLine result;
  Commands commands(result);
  std::vector<std::string> marked;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (!is_valid_utf8(arguments[i])) {
      return mistake(commands.root(), "argument " + std::to_string(i + 1) + " is not UTF-8");
    }
    marked.push_back(mark(arguments[i]));
  }
  std::reverse(marked.begin(), marked.end());  // as CLI11 takes them
  try {
    commands.root().parse(std::move(marked));
  } catch (const VersionAsked&) {
    return Notice{kExitDone, "vctl " VIPAUTH_VERSION "\n"};
  } catch (const CLI::CallForHelp&) {
    return Notice{kExitDone, commands.root().help()};
  } catch (const CLI::ExtrasError&) {
    return mistake(commands.chosen(), unexpected(commands.root(), commands.chosen()));
  } catch (const CLI::Error& error) {
    return mistake(commands.chosen(), error.what());
  }
  if (!result.verb) return Notice{kExitUsage, commands.root().help()};
  return result;
}

}  // namespace vipauth::vctl
