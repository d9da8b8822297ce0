#include "auth/checker.hpp"

#include <algorithm>
#include <utility>

#include <vipauth/auth_file.hpp>

#include "home.hpp"
#include "working.hpp"

namespace vipauth::vctl::auth {
namespace {

/// The credentials of a request; an Error where they are not what the mechanism takes.
Result<AuthenticationRequest> make_request(const ConnectQuestion& question) {
  AuthenticationRequest request{question.domain, question.address, {}};
  const auto mechanism = parse_mechanism(question.mechanism);
  if (!mechanism) {
    return Error{ErrorCode::kInvalidArgument, "mechanism must be either \"NULL\", \"PLAIN\" or \"CURVE\"",
                 ""};
  }
  const std::size_t expected = *mechanism == Mechanism::kNull ? 0 : *mechanism == Mechanism::kCurve ? 1 : 2;
  if (question.credentials.size() != expected) {
    return Error{ErrorCode::kInvalidArgument,
                 "mechanism " + question.mechanism + " takes " + std::to_string(expected) +
                     " credentials, not " + std::to_string(question.credentials.size()),
                 ""};
  }
  if (*mechanism == Mechanism::kPlain) {
    request.credentials = AuthenticationRequest::Plain{question.credentials[0], question.credentials[1]};
  } else if (*mechanism == Mechanism::kCurve) {
    const auto key = CurveKey::parse(question.credentials[0]);
    if (!key) return key.error();
    request.credentials = *key;
  }
  return request;
}

void add_once(std::vector<std::string>& list, const std::string& item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

}  // namespace

Json document(const Finding& finding) {
  return Json::Object{{"allowed", finding.decision.allowed()},
                      {"reason", to_string(finding.decision.reason())},
                      {"user_id", finding.user_id ? Json(*finding.user_id) : Json()},
                      {"message", finding.decision.message()},
                      {"source", Json::strings(finding.source)}};
}

Result<Checker> Checker::load(const Context& context) {
  const auto home = Home::open(context);
  if (!home) return home.error();
  const Working working(context, "reading and compiling auth.json");
  const bool is_elsewhere = context.platform || context.store;
  auto policy = is_elsewhere ? home->load_policy() : home->auth_file().load();
  if (!policy) return policy.error();
  auto rules = home->load_topic_rules();
  if (!rules) return rules.error();
  const Timestamp now = context.env.clock();
  auto snapshot = PolicySnapshot::compile(*policy, TopicProtector(*rules), now);
  if (!snapshot) return snapshot.error().at("auth.json");
  return Checker(std::move(*policy), std::move(*snapshot), std::move(*rules), now, !context.platform);
}

Finding Checker::connect(const ConnectQuestion& question) const {
  const auto request = make_request(question);
  if (!request) return {Decision::refuse(Reason::kMalformed, request.error().message), std::nullopt, {}};
  if (!has_passwords_ && std::holds_alternative<AuthenticationRequest::Plain>(request->credentials)) {
    return {Decision::refuse(Reason::kMalformed,
                             "a platform tells no passwords over its bus: ask where its files are"),
            std::nullopt,
            {}};
  }
  const Authentication authentication = snapshot_.authenticator.authenticate(*request);
  Finding finding{authentication.decision, std::nullopt, {}};
  finding.source = authentication.source();
  if (finding.decision) finding.user_id = std::string(authentication.user_id);
  return finding;
}

Finding Checker::call(const CallQuestion& question) const {
  std::vector<std::string> required;
  Decision decision;
  if (question.required) {
    required = *question.required;
    if (required == std::vector<std::string>{""}) required.clear();  // as auth.json writes "nothing"
    decision = snapshot_.capabilities.authorize_call(question.user_id, question.method, required,
                                                     question.arguments);
  } else {
    decision =
        snapshot_.authorize_call(question.user_id, {question.callee, question.method, question.arguments});
    if (const auto known = snapshot_.methods.required(question.callee, question.method)) {
      required.assign(known->begin(), known->end());
    }
  }
  Finding finding{std::move(decision), question.user_id, {}};
  finding.source = finding.decision.source();
  if (finding.decision) add_grants(question.user_id, required, finding.source);
  return finding;
}

Finding Checker::publish(const std::string& user_id, std::string_view topic) const {
  return about_topic(user_id, topic, snapshot_.authorize_publish(user_id, topic), rules_.write_protect);
}

Finding Checker::receive(const std::string& user_id, std::string_view topic) const {
  return about_topic(user_id, topic, snapshot_.authorize_receive(user_id, topic), rules_.read_protect);
}

Finding Checker::about_topic(const std::string& user_id, std::string_view topic, Decision decision,
                             const std::vector<TopicRule>& rules) const {
  Finding finding{std::move(decision), user_id, {}};
  finding.source = finding.decision.source();
  if (!finding.decision) return finding;
  for (const TopicRule& rule : rules) {
    if (!rule.covers(topic)) continue;
    add_once(finding.source, rule.location);
    add_grants(user_id, rule.capabilities, finding.source);
  }
  return finding;
}

void Checker::add_grants(const std::string& user_id, const std::vector<std::string>& capabilities,
                         std::vector<std::string>& source) const {
  for (const std::string& capability : capabilities) {
    for (const std::string& place : snapshot_.capabilities.sources_of(user_id, capability))
      add_once(source, place);
  }
}

}  // namespace vipauth::vctl::auth
