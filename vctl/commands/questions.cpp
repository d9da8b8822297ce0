#include "auth/check.hpp"
#include "auth/check_batch.hpp"
#include "commands/commands.hpp"

namespace vipauth::vctl {
namespace {

Command check_connect() {
  const auto options = std::make_shared<auth::CheckConnectOptions>();
  Command command = verb("connect", "may this peer connect?", options, auth::check_connect);
  command.arguments = {
      positional("CREDENTIALS", options->credentials,
                 "CURVE: the public key; PLAIN: the user name, whose password is asked for"),
      option({"--address"}, "ADDRESS", options->address, "where it connects from (default: 127.0.0.1)"),
      option({"--domain"}, "DOMAIN", options->domain, "default: vip"),
      option({"--mechanism"}, "MECHANISM", options->mechanism, "CURVE (default), PLAIN or NULL")
          .of({"CURVE", "PLAIN", "NULL"})};
  return command;
}

Command check_call() {
  const auto options = std::make_shared<auth::CheckCallOptions>();
  Command command = verb("call", "may this user call this method?", options, auth::check_call);
  command.arguments = {positional("USER_ID", options->user_id, "who calls"),
                       positional("IDENTITY.METHOD", options->method, "what is called; the last dot splits"),
                       positional("JSON-ARGUMENTS", options->arguments, "an object: the arguments by name"),
                       list_option({"--required"}, "CAPABILITY", options->required,
                                   "capabilities that the method requires (default: what the records say)")};
  return command;
}

Command check_topic(const char* name, const char* description,
                    int (*run)(const auth::CheckTopicOptions&, const Context&)) {
  const auto options = std::make_shared<auth::CheckTopicOptions>();
  Command command = verb(name, description, options, run);
  command.arguments = {positional("USER_ID", options->user_id, "who"),
                       positional("TOPIC", options->topic, "the topic")};
  return command;
}

Command check() {
  const auto batch = std::make_shared<auth::CheckBatchOptions>();
  Command command = group("check", "show a decision, and why");
  command.arguments.push_back(option({"--batch"}, "FILE", batch->file,
                                     "one JSON object a line in, one out; - is the standard input"));
  command.run = [batch](const Context& context) { return auth::check_batch(*batch, context); };
  command.is_complete = [batch] { return batch->file.has_value(); };
  command.commands = {check_connect(), check_call(),
                      check_topic("publish", "may this user publish to this topic?", auth::check_publish),
                      check_topic("receive", "may this user receive from this topic?", auth::check_receive)};
  command.note =
      "Exits with 0 for allowed, 2 for refused, 1 where it cannot be told; --batch with 0 when every line "
      "could be read.";
  command.json =
      R"({"allowed": false, "reason": "...", "user_id": "...", "message": "...", "source": [...]})";
  for (Command& question : command.commands) question.json = command.json;
  return command;
}

}  // namespace

std::vector<Command> question_commands() { return {check()}; }

}  // namespace vipauth::vctl
