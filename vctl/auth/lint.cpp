#include "auth/lint.hpp"

#include <algorithm>
#include <ostream>

#include <vipauth/lint.hpp>
#include <vipauth/lint_certificates.hpp>

#include "auth/certificate_home.hpp"
#include "home.hpp"
#include "output.hpp"
#include "shell_text.hpp"
#include "store.hpp"
#include "working.hpp"

namespace vipauth::vctl::auth {
namespace {

Json document(const LintFinding& finding) {
  return Json::Object{{"severity", to_string(finding.severity)},
                      {"check", finding.check},
                      {"file", finding.file},
                      {"place", finding.place},
                      {"message", finding.message},
                      {"remedy", finding.remedy},
                      {"command", finding.command.empty() ? Json() : Json(shell_command(finding.command))}};
}

std::string counted(std::size_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

void print_text(std::ostream& out, const std::vector<LintFinding>& findings, std::size_t errors) {
  for (const LintFinding& finding : findings) {
    const std::string place = finding.place.empty() ? "" : finding.place + ": ";
    out << to_string(finding.severity) << ": " << printable(finding.file + ": " + place + finding.message)
        << " [" << finding.check << "]\n"
        << "  " << printable(finding.remedy);
    if (!finding.command.empty()) out << ": " << printable(shell_command(finding.command));
    out << '\n';
  }
  if (findings.empty()) {
    out << "nothing found\n";
  } else {
    out << counted(errors, "error") << ", " << counted(findings.size() - errors, "warning") << '\n';
  }
}

/// What is found in the folder of the home's authority, where it has one. Of a home that only keeps an
/// agent's own certificates there is nothing to tell.
Result<std::vector<LintFinding>> certificate_findings(const Home& home) {
  const auto authority = open_authority(home);
  if (!authority && authority.error().code == ErrorCode::kNotFound) return std::vector<LintFinding>();
  if (!authority) return authority.error();
  return lint_certificates(*authority, home.context().env.clock());
}

/// What a fleet holds without counting.
Result<std::vector<LintFinding>> store_findings(const Context& context) {
  if (!context.store) return std::vector<LintFinding>();
  const auto problems = store_problems(context);
  if (!problems) return problems.error();
  std::vector<LintFinding> out;
  for (const Error& problem : *problems) {
    out.push_back({.severity = LintSeverity::kWarning,
                   .check = "no-effect-in-fleet",
                   .file = problem.location,
                   .place = "",
                   .message = problem.message,
                   .remedy = "rename it, or take it out of the store",
                   .command = {}});
  }
  return out;
}

}  // namespace

int lint(const LintOptions& options, const Context& context) {
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  const auto policy = home->load_policy();
  if (!policy) return fail(context, policy.error());
  const auto rules = home->load_topic_rules();
  if (!rules) return fail(context, rules.error());

  std::vector<LintFinding> findings = while_working(
      context, "looking for mistakes", [&] { return vipauth::lint(*policy, *rules, context.env.clock()); });
  const bool is_elsewhere = context.platform || context.store;
  auto more = is_elsewhere ? std::vector<LintFinding>() : certificate_findings(*home);
  if (!more) return fail(context, more.error());
  std::move(more->begin(), more->end(), std::back_inserter(findings));
  auto idle = store_findings(context);
  if (!idle) return fail(context, idle.error());
  std::move(idle->begin(), idle->end(), std::back_inserter(findings));
  const auto errors = static_cast<std::size_t>(
      std::count_if(findings.begin(), findings.end(),
                    [](const LintFinding& finding) { return finding.severity == LintSeverity::kError; }));
  if (context.options.json) {
    Json::Array shown;
    for (const LintFinding& finding : findings) shown.push_back(document(finding));
    print_document(context, Json::Object{{"findings", std::move(shown)}});
  } else {
    print_text(context.env.out, findings, errors);
  }
  const std::size_t counting = options.is_strict ? findings.size() : errors;
  return counting == 0 ? kExitDone : kExitFailed;
}

}  // namespace vipauth::vctl::auth
