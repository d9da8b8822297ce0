#include "auth/who_can.hpp"

#include <algorithm>
#include <ostream>
#include <utility>
#include <vector>

#include <vipauth/python_repr.hpp>

#include "auth/checker.hpp"
#include "auth/grant_text.hpp"
#include "auth/question_text.hpp"
#include "output.hpp"
#include "value_text.hpp"

namespace vipauth::vctl::auth {
namespace {

struct Holder {
  std::string user_id;
  Reach reach;
};

std::string joined(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : ", ") + item;
  return out;
}

void print_text(std::ostream& out, const std::vector<std::string>& required,
                const std::vector<Holder>& holders) {
  if (required.empty()) {
    out << "nothing is required: every user may\n";
  } else {
    out << "requires " << printable(python_repr(required)) << '\n';
  }
  if (holders.empty()) {
    out << "nobody may\n";
    return;
  }
  std::vector<Row> rows{{"USER_ID", "ONLY WITH", "BY"}, {"-------", "---------", "--"}};
  for (const Holder& holder : holders) {
    const std::string only_with = only_with_text(holder.reach.only_with);
    rows.push_back({holder.user_id, only_with.empty() ? "-" : only_with,
                    holder.reach.source.empty() ? "-" : joined(holder.reach.source)});
  }
  out << format_table(rows);
}

int print(const Context& context, const std::vector<std::string>& required,
          const std::vector<Holder>& holders) {
  if (!context.options.json) {
    print_text(context.env.out, required, holders);
    return kExitDone;
  }
  Json::Array users;
  for (const Holder& holder : holders) {
    users.emplace_back(Json::Object{{"user_id", holder.user_id},
                                    {"source", Json::strings(holder.reach.source)},
                                    {"only_with", only_with_json(holder.reach.only_with)}});
  }
  print_document(context, Json::Object{{"requires", Json::strings(required)}, {"users", std::move(users)}});
  return kExitDone;
}

/// The users of whom `may` says so.
template <typename May>
std::vector<Holder> holders_of(const CapabilityResolver& capabilities,
                               const std::vector<std::string>& required, May may) {
  std::vector<Holder> out;
  for (const std::string& user_id : capabilities.users()) {
    Reach reach = reach_of(capabilities, user_id, required);
    if (reach.has_all && may(user_id)) out.push_back({user_id, std::move(reach)});
  }
  return out;
}

int who_can_use_topic(const WhoCanTopicOptions& options, const Context& context, bool is_publish) {
  const auto checker = Checker::load(context);
  if (!checker) return fail(context, checker.error());
  const PolicySnapshot& snapshot = checker->snapshot();
  const auto ask = [&](const std::string& user_id) {
    return is_publish ? snapshot.authorize_publish(user_id, options.topic)
                      : snapshot.authorize_receive(user_id, options.topic);
  };
  // Whether it is a topic at all does not depend on the user.
  if (const Decision decision = ask(""); decision.reason() == Reason::kMalformed) {
    return fail(context, Error{ErrorCode::kInvalidArgument, decision.message(), "TOPIC"});
  }
  std::vector<std::string> required;
  for (const TopicRule& rule : is_publish ? checker->rules().write_protect : checker->rules().read_protect) {
    if (!rule.covers(options.topic)) continue;
    for (const std::string& name : rule.capabilities) {
      if (std::find(required.begin(), required.end(), name) == required.end()) required.push_back(name);
    }
  }
  auto holders = holders_of(snapshot.capabilities, required,
                            [&](const std::string& user_id) { return ask(user_id).allowed(); });
  for (Holder& holder : holders) holder.reach.only_with.clear();  // the topic is given: they are met
  return print(context, required, holders);
}

}  // namespace

int who_can_call(const WhoCanCallOptions& options, const Context& context) {
  const auto method = parse_method_text(options.method);
  if (!method) return fail_usage(context, method.error().message);
  std::optional<CallArguments> arguments;
  if (options.arguments) {
    auto parsed = parse_arguments_text(*options.arguments);
    if (!parsed) {
      fail(context, parsed.error().at("JSON-ARGUMENTS"));
      return kExitUsage;
    }
    arguments = std::move(*parsed);
  }
  const auto checker = Checker::load(context);
  if (!checker) return fail(context, checker.error());
  const PolicySnapshot& snapshot = checker->snapshot();
  const auto known = snapshot.methods.required(method->identity, method->method);
  if (!known) return fail(context, known.error().at("auth.json"));
  const std::vector<std::string> required(known->begin(), known->end());

  auto holders = holders_of(snapshot.capabilities, required, [&](const std::string& user_id) {
    return !arguments ||
           snapshot.authorize_call(user_id, {method->identity, method->method, *arguments}).allowed();
  });
  if (arguments) {
    for (Holder& holder : holders) holder.reach.only_with.clear();
  }
  const int exit_code = print(context, required, holders);
  context.env.out.flush();
  if (!snapshot.methods.knows(method->identity)) {
    warn(context, "no record gives the identity \"" + method->identity + "\" to an agent");
  }
  return exit_code;
}

int who_can_publish(const WhoCanTopicOptions& options, const Context& context) {
  return who_can_use_topic(options, context, true);
}

int who_can_receive(const WhoCanTopicOptions& options, const Context& context) {
  return who_can_use_topic(options, context, false);
}

}  // namespace vipauth::vctl::auth
