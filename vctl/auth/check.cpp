#include "auth/check.hpp"

#include <ostream>
#include <utility>

#include <vipauth/pending_store.hpp>
#include <vipauth/policy_store.hpp>
#include <vipauth/python_repr.hpp>

#include "auth/checker.hpp"
#include "auth/explanation.hpp"
#include "auth/question_text.hpp"
#include "home.hpp"
#include "output.hpp"
#include "platform.hpp"
#include "prompt.hpp"
#include "shell_text.hpp"
#include "value_text.hpp"

namespace vipauth::vctl::auth {
namespace {

std::string said_of(const Finding& finding) {
  switch (finding.decision.reason()) {
    case Reason::kAccepted: return "accepted as user_id " + finding.user_id.value_or("");
    case Reason::kUnprotected: return "nothing is required";
    default: return "every requirement is met";
  }
}

Json shown_commands(const std::vector<std::vector<std::string>>& commands) {
  Json::Array out;
  for (const auto& command : commands) out.emplace_back(shell_command(command));
  return out;
}

void print_text(std::ostream& out, const Finding& finding, const Explanation& explanation) {
  const Decision& decision = finding.decision;
  if (decision) {
    out << "allowed: " << printable(said_of(finding)) << '\n';
  } else {
    out << "refused: " << to_string(decision.reason()) << ": " << printable(decision.message()) << '\n';
  }
  for (std::size_t i = 0; i < finding.source.size(); ++i) {
    const std::string& what = explanation.places[i];
    out << "  by " << printable(finding.source[i] + (what.empty() ? "" : ": " + what)) << '\n';
  }
  if (!explanation.missing.empty())
    out << "  missing: " << printable(python_repr(explanation.missing)) << '\n';
  for (const std::string& note : explanation.notes) out << "  " << printable(note) << '\n';
  for (const auto& command : explanation.commands)
    out << "  to allow it: " << printable(shell_command(command)) << '\n';
}

int print(const Context& context, const Finding& finding, const Explanation& explanation) {
  if (context.options.json) {
    Json shown = document(finding);
    shown.set("explanation", Json::strings(explanation.notes));
    shown.set("missing", Json::strings(explanation.missing));
    shown.set("grant", shown_commands(explanation.commands));
    print_document(context, shown);
  } else {
    print_text(context.env.out, finding, explanation);
  }
  return finding.decision ? kExitDone : kExitDenied;
}

/// By what name a peer waits for a decision. What cannot be read is no reason to leave a question unanswered.
std::optional<std::string> pending_user_id(const Context& context, const ConnectQuestion& question) {
  const auto home = Home::open(context);
  const auto key = CurveKey::parse(question.credentials.empty() ? "" : question.credentials.front());
  if (!home || !key) return std::nullopt;
  const auto find_in = [&](const auto& requests) -> std::optional<std::string> {
    for (const auto& request : requests) {
      if (request.mechanism == Mechanism::kCurve && request.credentials == key->to_base64url())
        return request.user_id;
    }
    return std::nullopt;
  };
  if (context.platform) {
    const auto pending = context.platform->administration().get_pending_authorizations();
    return pending ? find_in(*pending) : std::nullopt;
  }
  const auto state =
      context.store ? context.store->load_pending() : PendingStore(home->path() / "pending.json", {}).load();
  return state ? find_in(state->pending) : std::nullopt;
}

int check_topic(const CheckTopicOptions& options, const Context& context, bool is_publish) {
  const auto checker = Checker::load(context);
  if (!checker) return fail(context, checker.error());
  const Finding finding = is_publish ? checker->publish(options.user_id, options.topic)
                                     : checker->receive(options.user_id, options.topic);
  const auto& rules = is_publish ? checker->rules().write_protect : checker->rules().read_protect;
  return print(context, finding, explain_topic(*checker, options.user_id, options.topic, rules, finding));
}

}  // namespace

int check_connect(const CheckConnectOptions& options, const Context& context) {
  ConnectQuestion question;
  if (options.domain) question.domain = *options.domain;
  if (options.address) question.address = *options.address;
  if (options.mechanism) question.mechanism = *options.mechanism;
  if (options.credentials) question.credentials.push_back(*options.credentials);
  if (!parse_mechanism(question.mechanism)) {
    return fail_usage(context, R"(mechanism must be either "NULL", "PLAIN" or "CURVE")");
  }
  if (question.mechanism == to_string(Mechanism::kNull)) {
    if (options.credentials) return fail_usage(context, "mechanism NULL has no credentials");
  } else if (!options.credentials) {
    return fail_usage(context, "mechanism " + question.mechanism + " needs CREDENTIALS");
  }
  if (question.mechanism == to_string(Mechanism::kPlain)) {
    Question password{"password: ", true, [&](const Answer& answer) -> Result<void> {
                        question.credentials.push_back(answer.text);
                        return {};
                      }};
    if (!ask(context, password)) {
      return fail(context, Error{ErrorCode::kInvalidArgument, "the input ended before the password", ""});
    }
  }
  const auto checker = Checker::load(context);
  if (!checker) return fail(context, checker.error());
  const Finding finding = checker->connect(question);
  const bool may_be_pending = finding.decision.reason() == Reason::kUnknown;
  return print(context, finding,
               explain_connect(*checker, question, finding,
                               may_be_pending ? pending_user_id(context, question) : std::nullopt));
}

int check_call(const CheckCallOptions& options, const Context& context) {
  const auto name = parse_method_text(options.method);
  if (!name) return fail_usage(context, name.error().message);
  CallQuestion question{options.user_id, name->identity, name->method, {}, options.required};
  if (options.arguments) {
    auto arguments = parse_arguments_text(*options.arguments);
    if (!arguments) {
      fail(context, arguments.error().at("JSON-ARGUMENTS"));
      return kExitUsage;
    }
    question.arguments = std::move(*arguments);
  }
  const auto checker = Checker::load(context);
  if (!checker) return fail(context, checker.error());
  const Finding finding = checker->call(question);
  return print(context, finding, explain_call(*checker, question, finding));
}

int check_publish(const CheckTopicOptions& options, const Context& context) {
  return check_topic(options, context, true);
}

int check_receive(const CheckTopicOptions& options, const Context& context) {
  return check_topic(options, context, false);
}

}  // namespace vipauth::vctl::auth
