#include "auth/add.hpp"
#include "auth/list.hpp"
#include "auth/remove.hpp"
#include "auth/update.hpp"
#include "commands/commands.hpp"

namespace vipauth::vctl {
namespace {

constexpr const char* kCommas = "delimit multiple entries with comma";

/// The options that name fields of a record.
std::vector<Argument> field_options(auth::FieldTexts& fields) {
  std::vector<Argument> out;
  const auto field = [&](std::vector<std::string> names, std::string value_name, std::string description) {
    const std::string key = names.front().substr(2);
    out.push_back(option(std::move(names), std::move(value_name), std::move(description),
                         [&fields, key](const std::string& value) -> Result<void> {
                           fields[key] = value;
                           return {};
                         }));
  };
  const std::string commas = kCommas;
  field({"--domain"}, "DOMAIN", "a name of the address that the peer connects to, or a /pattern/");
  field({"--address"}, "ADDRESS", "where the peer connects from, or a /pattern/");
  field({"--mechanism"}, "MECHANISM", "CURVE (default), PLAIN or NULL");
  field({"--credentials", "--credential"}, "CREDENTIALS",
        "the public key, or a /pattern/; PLAIN: better left out, the password is then asked for");
  field({"--user_id"}, "USER_ID", "the name of the peer (default: a new UUID)");
  field({"--identity"}, "IDENTITY", "the VIP identity that the peer may use");
  field({"--groups"}, "GROUPS", commas);
  field({"--roles"}, "ROLES", commas);
  field({"--capabilities"}, "CAPABILITIES", commas + ", or JSON");
  field({"--comments"}, "COMMENTS", "any text");
  field({"--not_before"}, "TIME", "from when on the record is valid, such as 2026-11-21T21:30:00Z");
  field({"--not_after"}, "TIME", "until when the record is valid");
  return out;
}

Command add() {
  const auto options = std::make_shared<auth::AddOptions>();
  Command command = verb("add", "add new authentication record", options, auth::add);
  command.arguments = field_options(options->fields);
  command.arguments.push_back(
      flag({"--disabled"}, options->is_disabled, "add the record without putting it in force"));
  command.arguments.push_back(flag({"--add-known-host"}, options->adds_known_host,
                                   "write address and credentials into known_hosts, too"));
  command.note = "Without an option for a field, each is asked for.";
  command.json = R"({"index": 3, "record": {...}})";
  return command;
}

Command list() {
  Command command = verb("list", "list authentication records", auth::list);
  command.json = R"({"records": [{"index": 0, "record": {...}, "problem": "..."}]})";
  return command;
}

Command remove() {
  const auto options = std::make_shared<auth::RemoveOptions>();
  Command command =
      verb("remove", "removes one or more authentication records by indices", options, auth::remove);
  command.arguments.push_back(
      positionals("indices", options->indices, "index or indices of record(s) to remove").required());
  command.arguments.push_back(flag({"--yes", "-y"}, options->is_sure, "do not ask"));
  command.json = R"({"removed": [{"index": 3, "record": {...}}]})";
  return command;
}

Command update() {
  const auto options = std::make_shared<auth::UpdateOptions>();
  Command command = verb("update", "updates one authentication record by index", options, auth::update);
  command.arguments.push_back(positional("index", options->index, "index of record to update"));
  for (Argument& argument : field_options(options->fields)) command.arguments.push_back(std::move(argument));
  command.arguments.push_back(flag({"--enabled"}, options->is_enabled, "put the record in force"));
  command.arguments.push_back(flag({"--disabled"}, options->is_disabled, "put it out of force"));
  command.arguments.push_back(
      option({"--clear"}, "FIELDS", options->cleared, std::string("fields to clear: ") + kCommas));
  command.note =
      "Without an option for a field, each is asked for. Fields that are not named keep what they hold.";
  command.json = R"({"index": 3, "record": {...}})";
  return command;
}

}  // namespace

std::vector<Command> record_commands() {
  std::vector<Command> out;
  out.push_back(add());
  out.push_back(list());
  out.push_back(remove());
  out.push_back(update());
  return out;
}

}  // namespace vipauth::vctl
