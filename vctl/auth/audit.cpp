#include "auth/audit.hpp"

#include <deque>
#include <filesystem>
#include <ostream>
#include <utility>
#include <vector>

#include "auth/rotate.hpp"
#include "home.hpp"
#include "output.hpp"

namespace vipauth::vctl::auth {
namespace {

Result<std::filesystem::path> folder_of(const std::optional<std::string>& named, const Context& context) {
  if (named) return std::filesystem::path(*named);
  const auto home = Home::open(context);
  if (!home) return home.error();
  return home->path() / "audit";
}

Error without_log(const Error& error, const std::filesystem::path& folder) {
  std::error_code ignored;
  if (error.code != ErrorCode::kNotFound || std::filesystem::exists(folder, ignored)) return error;
  return Error{ErrorCode::kNotFound,
               "there is no audit log \"" + folder.string() +
                   "\": a service writes one that is told to; for changes by vctl alone, make the folder "
                   "(mkdir -m 700)",
               ""};
}

Json document(const std::vector<AuditReport::Finding>& findings) {
  Json::Array out;
  for (const auto& finding : findings) {
    out.emplace_back(Json::Object{{"file", finding.file},
                                  {"line", static_cast<std::int64_t>(finding.line)},
                                  {"message", finding.message}});
  }
  return out;
}

std::string text_of(const AuditReport::Finding& finding) {
  std::string out = finding.file;
  if (finding.line > 0) out += ":" + std::to_string(finding.line);
  return out + ": " + finding.message;
}

// ---- show ----

std::string number_at(const Json& line, std::string_view name) {
  const Json* value = line.find(name);
  return value != nullptr && value->is_number() ? value->as_number().digits : std::string();
}

bool is_refused(const Json& line) {
  const Json* allowed = line.find("allowed");
  return allowed != nullptr && allowed->is_bool() && !allowed->as_bool();
}

bool is_asked_for(const Json& line, const AuditShowOptions& options, const std::optional<Timestamp>& since) {
  if (options.refused && !is_refused(line)) return false;
  if (options.kind && line.text_at("kind") != *options.kind) return false;
  if (options.user) {
    // A PLAIN peer that was refused is known by its credentials alone, and a CURVE one by its key.
    const bool is_of_user = line.text_at("user_id") == *options.user ||
                            line.text_at("credentials") == *options.user ||
                            line.text_at("who") == *options.user;
    if (!is_of_user) return false;
  }
  if (!since) return true;
  const auto time = parse_timestamp(line.text_at("time"));
  return time && *time >= *since;
}

/// "alice (CURVE <key>) from 10.0.0.1, domain vip", as much of it as there is.
std::string peer_of(const Json& line) {
  std::string out = line.text_at("user_id");
  std::string by = line.text_at("mechanism");
  if (const std::string credentials = line.text_at("credentials"); !credentials.empty()) {
    by += (by.empty() ? "" : " ") + credentials;
  }
  if (!by.empty()) out += out.empty() ? by : " (" + by + ")";
  if (const std::string address = line.text_at("address"); !address.empty()) out += " from " + address;
  if (const std::string domain = line.text_at("domain"); !domain.empty()) out += ", domain " + domain;
  return out;
}

std::string question_of(const Json& line) {
  const std::string question = line.text_at("question");
  if (question.empty()) return {};
  const std::string callee = line.text_at("callee");
  return ": " + question + " " + (callee.empty() ? "" : callee + ".") + line.text_at("subject");
}

std::string text_of(const Json& line) {
  const std::string kind = line.text_at("kind");
  std::string out = line.text_at("time") + " #" + number_at(line, "seq") + " " + kind;
  if (const Json* allowed = line.find("allowed"); allowed != nullptr && allowed->is_bool()) {
    const bool is_policy = kind == "policy";
    out += allowed->as_bool() ? (is_policy ? " in force" : " accepted")
                              : (is_policy ? " NOT IN FORCE" : " REFUSED");
  }
  const auto add = [&](const std::string& text) {
    if (!text.empty()) out += " " + text;
  };
  add(peer_of(line));
  out += question_of(line);
  if (is_refused(line)) {
    if (const std::string reason = line.text_at("reason"); !reason.empty()) add("[" + reason + "]");
  }
  if (const std::string who = line.text_at("who"); !who.empty()) {
    add(who + " by " + (line.text_at("command").empty() ? "?" : "`" + line.text_at("command") + "`"));
  }
  add(line.text_at("file"));
  if (const std::string generation = number_at(line, "generation"); !generation.empty()) {
    add("generation " + generation);
  }
  add(line.text_at("message"));
  add(number_at(line, "count"));
  if (const std::string repeats = number_at(line, "repeats"); !repeats.empty()) {
    add("(" + repeats + " times more since " + line.text_at("since") + ")");
  }
  return out;
}

}  // namespace

int audit_verify(const AuditVerifyOptions& options, const Context& context) {
  const auto folder = folder_of(options.folder, context);
  if (!folder) return fail(context, folder.error());
  const auto report = AuditTrail(*folder, context.options.strict_modes).verify(options.head);
  if (!report) return fail(context, without_log(report.error(), *folder));

  for (const auto& finding : report->torn) warn(context, text_of(finding));
  if (report->unproven_through > 0) {
    warn(context, "lines up to " + std::to_string(report->unproven_through) +
                      " are gone, and only lines behind the one that was noted say that they were rotated "
                      "away: note the head more often than files rotate");
  }
  for (const auto& finding : report->problems) {
    context.env.err << "error: " << printable(text_of(finding)) << '\n';
  }
  if (report->problems.size() == AuditTrail::kMostFindings) warn(context, "there may be more");
  if (context.options.json) {
    print_document(context,
                   Json::Object{{"whole", report->is_whole()},
                                {"lines", static_cast<std::int64_t>(report->lines)},
                                {"first", static_cast<std::int64_t>(report->first_seq)},
                                {"head", report->head.to_string()},
                                {"unproven_through", static_cast<std::int64_t>(report->unproven_through)},
                                {"problems", document(report->problems)},
                                {"torn", document(report->torn)}});
  } else {
    context.env.out << (report->is_whole() ? "whole: " : "NOT WHOLE: ") << report->lines << " lines, from "
                    << report->first_seq << " to " << report->head.seq << '\n'
                    << "head: " << report->head.to_string() << '\n';
  }
  return report->is_whole() ? kExitDone : kExitFailed;
}

Result<Since> parse_since(const std::string& text) {
  if (const auto time = parse_timestamp(text)) return Since{*time, {}};
  if (const auto period = parse_period(text)) return Since{std::nullopt, *period};
  return Error{ErrorCode::kInvalidArgument,
               "\"" + text + "\" is neither a time such as 2026-11-21T21:30:00Z nor a period such as 2h", ""};
}

int audit_show(const AuditShowOptions& options, const Context& context) {
  const auto folder = folder_of(options.folder, context);
  if (!folder) return fail(context, folder.error());
  std::optional<Timestamp> since;
  if (options.since) since = options.since->time.value_or(context.env.clock() - options.since->ago);

  std::deque<Json> lines;
  std::int64_t earlier = 0;
  const auto left_out = AuditTrail(*folder, context.options.strict_modes).read([&](const Json& line) {
    if (!is_asked_for(line, options, since)) return;
    lines.push_back(line);
    if (lines.size() <= options.last) return;
    lines.pop_front();
    ++earlier;
  });
  if (!left_out) return fail(context, without_log(left_out.error(), *folder));
  if (*left_out > 0) {
    warn(context,
         std::to_string(*left_out) + " lines are not whole and not shown: see `vctl auth audit verify`");
  }
  if (context.options.json) {
    Json::Array shown;
    for (Json& line : lines) shown.push_back(std::move(line));
    print_document(context, Json::Object{{"lines", std::move(shown)}, {"earlier", earlier}});
    return kExitDone;
  }
  if (earlier > 0) {
    warn(context, std::to_string(earlier) + " earlier lines are not shown: see --last");
  }
  for (const Json& line : lines) {
    context.env.out << printable(text_of(line)) << '\n';
    if (const Json* before = line.find("before")) context.env.out << "  - " << before->dump() << '\n';
    if (const Json* after = line.find("after")) context.env.out << "  + " << after->dump() << '\n';
  }
  if (lines.empty()) context.env.out << "No such lines in " << printable(folder->string()) << '\n';
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
