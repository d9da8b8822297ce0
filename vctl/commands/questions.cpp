#include "auth/check.hpp"
#include "auth/check_batch.hpp"
#include "auth/diff.hpp"
#include "auth/graph.hpp"
#include "auth/lint.hpp"
#include "auth/test_file.hpp"
#include "auth/what_can.hpp"
#include "auth/who_can.hpp"
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
  for (Command& question : command.commands) {
    question.json =
        R"({"allowed": false, "reason": "...", "user_id": "...", "message": "...", "source": [...], )"
        R"("explanation": [...], "missing": [...], "grant": ["vctl auth ..."]})";
  }
  return command;
}

Command lint() {
  const auto options = std::make_shared<auth::LintOptions>();
  Command command = verb("lint", "look for mistakes in auth.json, protected_topics.json and certificates",
                         options, auth::lint);
  command.arguments.push_back(flag({"--strict"}, options->is_strict, "let warnings count as errors"));
  command.note = "Exits with 1 where there are errors, with 0 for warnings alone.";
  command.json =
      R"({"findings": [{"severity": "error", "check": "bad-key", "file": "auth.json", "place": "/allow/3", )"
      R"("message": "...", "remedy": "...", "command": "vctl auth ..."}]})";
  return command;
}

Command who_can_use_topic(const char* name, const char* description,
                          int (*run)(const auth::WhoCanTopicOptions&, const Context&)) {
  const auto options = std::make_shared<auth::WhoCanTopicOptions>();
  Command command = verb(name, description, options, run);
  command.arguments.push_back(positional("TOPIC", options->topic, "the topic"));
  return command;
}

Command who_can() {
  const auto call_options = std::make_shared<auth::WhoCanCallOptions>();
  Command call = verb("call", "who may call this method?", call_options, auth::who_can_call);
  call.arguments = {
      positional("IDENTITY.METHOD", call_options->method, "what is called; the last dot splits"),
      positional("JSON-ARGUMENTS", call_options->arguments,
                 "an object: the arguments by name (default: whatever they are)")};
  Command command = group("who-can", "list the users who may do something");
  command.commands = {
      std::move(call), who_can_use_topic("publish", "who may publish to this topic?", auth::who_can_publish),
      who_can_use_topic("receive", "who may receive from this topic?", auth::who_can_receive)};
  for (Command& question : command.commands) {
    question.json =
        R"({"requires": [...], "users": [{"user_id": "...", "source": [...], "only_with": [...]}]})";
  }
  return command;
}

Command what_can() {
  const auto options = std::make_shared<auth::WhatCanOptions>();
  Command command = verb("what-can", "list what a user may do", options, auth::what_can);
  command.arguments.push_back(positional("USER_ID", options->user_id, "who"));
  command.json =
      R"({"user_id": "...", "records": [...], "grants": [...], "methods": [...], "publish": [...], "receive": [...]})";
  return command;
}

Command diff() {
  const auto options = std::make_shared<auth::DiffOptions>();
  Command command = verb("diff", "list what two files decide differently", options, auth::diff);
  command.arguments = {
      positional("OLD", options->before,
                 "an auth.json, or a folder: its auth.json and protected_topics.json"),
      positional("NEW", options->after, "the same (default: what --store names, else the home folder)"),
      flag({"--topics"}, options->are_topics, "compare protected_topics.json alone"),
      flag({"--exit_code"}, options->with_exit_code, "exit with 1 where something differs")};
  command.over_store = OverStore::kWorks;
  command.json =
      R"({"same": false, "users": {"gained": [...], "lost": [...]}, "grants": {...}, "peers": {...}, )"
      R"("denied": {...}, "orders": [{"before": [...], "after": [...]}], "methods": [...], "unreadable": {...}, "topics": {...}})";
  return command;
}

Command graph() {
  const auto options = std::make_shared<auth::GraphOptions>();
  Command command = verb("graph", "draw users, groups, roles and capabilities", options, auth::graph);
  command.arguments.push_back(option({"--format"}, "FORMAT", "dot (default), for Graphviz, or mermaid",
                                     [options](const std::string& text) -> Result<void> {
                                       if (text != "dot" && text != "mermaid") {
                                         return Error{ErrorCode::kInvalidArgument,
                                                      "must be dot or mermaid, not \"" + text + "\"", ""};
                                       }
                                       options->is_mermaid = text == "mermaid";
                                       return {};
                                     })
                                  .of({"dot", "mermaid"}));
  command.json = R"({"format": "dot", "graph": "..."})";
  return command;
}

Command test() {
  const auto options = std::make_shared<auth::TestFileOptions>();
  Command command = verb("test", "compare decisions with a file of expected ones", options, auth::test_file);
  command.arguments.push_back(positional(
      "FILE", options->file, "lines as check --batch reads them, with \"allowed\"; - is the standard input"));
  command.note = "Exits with 0 when all came out as expected, else with 1.";
  command.json =
      R"({"passed": 12, "failed": [{"line": 3, "expected": {...}, "came": {...}, "error": null}]})";
  return command;
}

}  // namespace

std::vector<Command> question_commands() {
  std::vector<Command> out =
      with_store(with_bus(OverBus::kWorks, {check(), lint(), who_can(), what_can(), graph(), test()}));
  out.push_back(diff());
  return out;
}

}  // namespace vipauth::vctl
