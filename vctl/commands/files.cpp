#include <charconv>

#include "auth/history.hpp"
#include "auth/topics.hpp"
#include "auth/undo.hpp"
#include "commands/commands.hpp"

namespace vipauth::vctl {
namespace {

Result<std::uint64_t> parse_generation(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return Error{ErrorCode::kInvalidArgument, "\"" + text + "\" is not the number of a generation", ""};
}

Argument read_flag(bool& target) {
  return flag({"--read"}, target, "who may receive (read-protect), not who may publish");
}

Command topics_list() {
  Command command = verb("list", "list protected topics", auth::topics_list);
  command.json = R"({"write-protect": [{"topic": "foo", "capabilities": [...]}], "read-protect": [...]})";
  return command;
}

Command topics_add() {
  const auto options = std::make_shared<auth::TopicsAddOptions>();
  Command command = verb("add", "protect a topic", options, auth::topics_add);
  command.arguments = {
      positional("TOPIC", options->topic,
                 "a topic, which stands for all topics that begin with it, or a /pattern/ for whole topics"),
      positionals("CAPABILITY", options->capabilities, "what a user needs, all of them"),
      read_flag(options->read),
      flag({"--requires-nothing"}, options->requires_nothing, "no capabilities are meant")};
  command.json = R"({"added": {"list": "write-protect", "topic": "foo", "capabilities": [...]}})";
  return command;
}

Command topics_remove() {
  const auto options = std::make_shared<auth::TopicsRemoveOptions>();
  Command command = verb("remove", "no longer protect a topic", options, auth::topics_remove);
  command.arguments = {positional("TOPIC", options->topic, "as list shows it"), read_flag(options->read)};
  command.json = R"({"removed": [{"list": "write-protect", "topic": "foo", "capabilities": [...]}]})";
  return command;
}

Command history() {
  const auto options = std::make_shared<auth::HistoryOptions>();
  Command command =
      verb("history", "list the edits of a file that can be undone, newest first", options, auth::history);
  Argument file;
  file.kind = Argument::Kind::kPositional;
  file.names = {"FILE"};
  file.value_name = "FILE";
  file.description = "auth (default): auth.json; topics: protected_topics.json";
  file.choices = {"auth", "topics"};
  file.take = [options](const std::vector<std::string>& values) -> Result<void> {
    if (values.front() != "auth" && values.front() != "topics") {
      return Error{ErrorCode::kInvalidArgument, "\"" + values.front() + "\" is neither auth nor topics", ""};
    }
    options->file = values.front() == "auth" ? auth::HistoryOf::kAuth : auth::HistoryOf::kTopics;
    return {};
  };
  command.arguments.push_back(std::move(file));
  command.json =
      R"({"history": [{"generation": 7, "time": "...", "user": "...", "command": "...", "bytes": 812}]})";
  return command;
}

Command undo() {
  const auto options = std::make_shared<auth::UndoOptions>();
  Command command =
      verb("undo", "put back what was there before the last edit, or an earlier one", options, auth::undo);
  command.arguments = {flag({"--topics"}, options->topics, "of protected_topics.json, not of auth.json"),
                       option({"--to"}, "GENERATION", "what was there before this edit, as history lists it",
                              [options](const std::string& text) -> Result<void> {
                                const auto number = parse_generation(text);
                                if (!number) return number.error();
                                options->to = *number;
                                return {};
                              }),
                       flag({"--yes", "-y"}, options->is_sure, "do not ask")};
  command.note = "It is an edit of its own: another undo takes it back.";
  command.json = R"({"generation": 7, "changes": [{"change": "change", "what": "allow record", )"
                 R"("name": "alice", "fields": ["enabled"]}]})";
  return command;
}

}  // namespace

std::vector<Command> file_commands() {
  Command topics = group("topics", "manage protected topics");
  topics.commands = with_store(with_bus(OverBus::kWorks, {topics_list(), topics_add(), topics_remove()}));
  std::vector<Command> out;
  out.push_back(std::move(topics));
  out.push_back(history());
  out.push_back(undo());
  return out;
}

}  // namespace vipauth::vctl
