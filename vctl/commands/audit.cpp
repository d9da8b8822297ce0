#include "auth/audit.hpp"

#include <charconv>

#include "commands/commands.hpp"

namespace vipauth::vctl {
namespace {

Command verify() {
  const auto options = std::make_shared<auth::AuditVerifyOptions>();
  Command command =
      verb("verify", "look for lines that were changed, removed or added", options, auth::audit_verify);
  command.arguments = {
      positional("FOLDER", options->folder, "default: audit in the home"),
      option({"--head"}, "SEQ:HASH", "a line that must be there, as verify printed it before",
             [options](const std::string& text) -> Result<void> {
               const auto head = AuditAnchor::parse(text);
               if (!head) return head.error();
               options->head = *head;
               return {};
             })};
  command.note =
      "Exits with 0 where the log is whole, with 1 where it is not. A line that was cut off when its writer "
      "was "
      "killed is a warning. Lines that are missing at the end show only by --head: note what verify prints "
      "where who may write to the log may not.";
  command.json = R"({"whole": true, "lines": 812, "first": 1, "head": "812:...", "unproven_through": 0, )"
                 R"("problems": [{"file": "...", "line": 3, "message": "..."}], "torn": [...]})";
  return command;
}

Command show() {
  const auto options = std::make_shared<auth::AuditShowOptions>();
  Command command = verb("show", "list what happened, oldest first", options, auth::audit_show);
  command.arguments = {
      positional("FOLDER", options->folder, "default: audit in the home"),
      option({"--user"}, "USER", options->user, "only of this user_id, key, or user who edited"),
      option({"--since"}, "TIME", "only from then on: 2026-11-21T21:30:00Z, or how long ago: 2h, 7d",
             [options](const std::string& text) -> Result<void> {
               const auto since = auth::parse_since(text);
               if (!since) return since.error();
               options->since = *since;
               return {};
             }),
      flag({"--refused"}, options->refused, "only what was refused"),
      option({"--kind"}, "KIND", options->kind, "only lines of this kind")
          .of({"authentication", "refusal", "change", "policy", "start", "stop", "rotation", "recovery",
               "dropped"}),
      option({"--last"}, "NUMBER", "at most so many, the last ones (default: 1000)",
             [options](const std::string& text) -> Result<void> {
               constexpr std::size_t kMost = 1'000'000;
               std::size_t number = 0;
               const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
               if (error != std::errc() || end != text.data() + text.size() || number == 0 ||
                   number > kMost) {
                 return Error{ErrorCode::kInvalidArgument,
                              "\"" + text + "\" is not a number from 1 to 1000000", ""};
               }
               options->last = number;
               return {};
             })};
  command.note = "It does not look whether the log is whole: verify does.";
  command.json = R"({"lines": [{"seq": 1, "prev": "...", "time": "...", "kind": "authentication", ..., )"
                 R"("hash": "..."}], "earlier": 0})";
  return command;
}

}  // namespace

std::vector<Command> audit_commands() {
  Command audit = group("audit", "the log of who was let in or refused, and of what was changed");
  audit.commands = {verify(), show()};
  return {audit};
}

}  // namespace vipauth::vctl
