#include "auth/check.hpp"

#include <ostream>
#include <utility>

#include "auth/checker.hpp"
#include "output.hpp"
#include "prompt.hpp"
#include "value_text.hpp"

namespace vipauth::vctl::auth {
namespace {

std::string explanation(const Finding& finding) {
  switch (finding.decision.reason()) {
    case Reason::kAccepted: return "accepted as user_id " + finding.user_id.value_or("");
    case Reason::kUnprotected: return "nothing is required";
    default: return "every requirement is met";
  }
}

int print(const Context& context, const Finding& finding) {
  const Decision& decision = finding.decision;
  std::ostream& out = context.env.out;
  if (context.options.json) {
    print_document(context, document(finding));
  } else {
    if (decision) {
      out << "allowed: " << printable(explanation(finding)) << '\n';
    } else {
      out << "refused: " << to_string(decision.reason()) << ": " << printable(decision.message()) << '\n';
    }
    for (const std::string& place : finding.source) out << "  by " << printable(place) << '\n';
  }
  return decision ? kExitDone : kExitDenied;
}

/// Loads the policy, asks it, prints the answer.
template <typename Ask>
int check(const Context& context, Ask ask_checker) {
  const auto checker = Checker::load(context);
  if (!checker) return fail(context, checker.error());
  return print(context, ask_checker(*checker));
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
  return check(context, [&](const Checker& checker) { return checker.connect(question); });
}

int check_call(const CheckCallOptions& options, const Context& context) {
  const auto name = split_method_text(options.method);
  if (!name) {
    return fail_usage(context, "\"" + options.method + "\" is not of the form IDENTITY.METHOD");
  }
  CallQuestion question{options.user_id, name->identity, name->method, {}, options.required};
  if (options.arguments) {
    auto arguments = parse_loose_json(*options.arguments);
    if (arguments && !arguments->is_object()) {
      arguments = Error{ErrorCode::kInvalidArgument,
                        "must be a JSON object, not " + std::string(arguments->kind_name()), ""};
    }
    if (!arguments) {
      fail(context, arguments.error().at("JSON-ARGUMENTS"));
      return kExitUsage;
    }
    question.arguments = CallArguments(std::move(arguments->as_object()));
  }
  return check(context, [&](const Checker& checker) { return checker.call(question); });
}

int check_publish(const CheckTopicOptions& options, const Context& context) {
  return check(context,
               [&](const Checker& checker) { return checker.publish(options.user_id, options.topic); });
}

int check_receive(const CheckTopicOptions& options, const Context& context) {
  return check(context,
               [&](const Checker& checker) { return checker.receive(options.user_id, options.topic); });
}

}  // namespace vipauth::vctl::auth
