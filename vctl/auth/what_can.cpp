#include "auth/what_can.hpp"

#include <ostream>
#include <utility>
#include <vector>

#include <vipauth/python_repr.hpp>

#include "auth/checker.hpp"
#include "auth/grant_text.hpp"
#include "output.hpp"

namespace vipauth::vctl::auth {
namespace {

struct Method {
  MethodRequirement requirement;
  Reach reach;
};

struct Topic {
  const TopicRule* rule;
  Reach reach;
};

std::vector<Method> methods_of(const PolicySnapshot& snapshot, const std::string& user_id) {
  std::vector<Method> out;
  for (MethodRequirement& requirement : snapshot.methods.requirements()) {
    Reach reach = reach_of(snapshot.capabilities, user_id, requirement.capabilities);
    if (reach.has_all) out.push_back({std::move(requirement), std::move(reach)});
  }
  return out;
}

/// Rules whose topic the user may use. Of a pattern, this rule alone is looked at: others may cover a topic
/// as well.
template <typename May>
std::vector<Topic> topics_of(const PolicySnapshot& snapshot, const std::string& user_id,
                             const std::vector<TopicRule>& rules, May may) {
  std::vector<Topic> out;
  for (const TopicRule& rule : rules) {
    Reach reach = reach_of(snapshot.capabilities, user_id, rule.capabilities);
    if (!reach.has_all || !may(rule)) continue;
    std::erase_if(reach.only_with, [](const HeldGrant& grant) {  // others do not count for topics
      for (const Restriction& restriction : grant.capability.restrictions) {
        if (restriction.parameter == "topic") return false;
      }
      return true;
    });
    out.push_back({&rule, std::move(reach)});
  }
  return out;
}

std::string or_hyphen(std::string text) { return text.empty() ? "-" : text; }

void print_text(std::ostream& out, const std::vector<HeldGrant>& grants, const std::vector<Method>& methods,
                const std::vector<std::pair<const char*, const std::vector<Topic>*>>& topics) {
  if (grants.empty()) out << "no capabilities\n";
  if (!grants.empty()) {
    std::vector<Row> rows{{"CAPABILITY", "ONLY WITH", "BY"}, {"----------", "---------", "--"}};
    for (const HeldGrant& grant : grants) {
      rows.push_back(
          {grant.capability.name, or_hyphen(restrictions_text(grant.capability.restrictions)), grant.source});
    }
    out << format_table(rows);
  }
  if (!methods.empty()) {
    std::vector<Row> rows{{"MAY CALL", "ONLY WITH", "REQUIRES"}, {"--------", "---------", "--------"}};
    for (const Method& method : methods) {
      rows.push_back({method.requirement.identity + "." + method.requirement.method,
                      or_hyphen(only_with_text(method.reach.only_with)),
                      python_repr(method.requirement.capabilities)});
    }
    out << '\n' << format_table(rows);
  }
  for (const auto& [title, list] : topics) {
    if (list->empty()) continue;
    std::vector<Row> rows{{title, "ONLY WITH", "REQUIRES"},
                          {std::string(std::string_view(title).size(), '-'), "---------", "--------"}};
    for (const Topic& topic : *list) {
      rows.push_back({topic.rule->topic.text(), or_hyphen(only_with_text(topic.reach.only_with)),
                      python_repr(topic.rule->capabilities)});
    }
    out << '\n' << format_table(rows);
  }
}

Json document(const std::vector<Topic>& topics) {
  Json::Array out;
  for (const Topic& topic : topics) {
    out.emplace_back(Json::Object{{"topic", topic.rule->topic.text()},
                                  {"requires", Json::strings(topic.rule->capabilities)},
                                  {"only_with", only_with_json(topic.reach.only_with)}});
  }
  return out;
}

Json document(const std::vector<Method>& methods) {
  Json::Array out;
  for (const Method& method : methods) {
    out.emplace_back(Json::Object{{"identity", method.requirement.identity},
                                  {"method", method.requirement.method},
                                  {"requires", Json::strings(method.requirement.capabilities)},
                                  {"only_with", only_with_json(method.reach.only_with)}});
  }
  return out;
}

Json document(const std::vector<HeldGrant>& grants) {
  Json::Array out;
  for (const HeldGrant& grant : grants) {
    out.emplace_back(Json::Object{{"capability", grant.capability.name},
                                  {"restrictions", restrictions_json(grant.capability.restrictions)},
                                  {"source", grant.source}});
  }
  return out;
}

}  // namespace

int what_can(const WhatCanOptions& options, const Context& context) {
  const auto checker = Checker::load(context);
  if (!checker) return fail(context, checker.error());
  const PolicySnapshot& snapshot = checker->snapshot();
  const std::string& user_id = options.user_id;
  if (!snapshot.capabilities.knows(user_id)) {
    return fail(context, Error{ErrorCode::kNotFound,
                               "no active record has the user_id " + python_repr(Json(user_id)) +
                                   ": everything is refused",
                               ""});
  }
  const auto grants = snapshot.capabilities.grants_of(user_id);
  const auto methods = methods_of(snapshot, user_id);
  const auto publish =
      topics_of(snapshot, user_id, checker->rules().write_protect, [&](const TopicRule& rule) {
        return rule.topic.is_regex() || snapshot.authorize_publish(user_id, rule.topic.text()).allowed() ||
               snapshot.authorize_publish(user_id, rule.topic.text()).reason() == Reason::kRestricted;
      });
  const auto receive =
      topics_of(snapshot, user_id, checker->rules().read_protect, [&](const TopicRule& rule) {
        return rule.topic.is_regex() || snapshot.authorize_receive(user_id, rule.topic.text()).allowed() ||
               snapshot.authorize_receive(user_id, rule.topic.text()).reason() == Reason::kRestricted;
      });
  if (context.options.json) {
    print_document(context,
                   Json::Object{{"user_id", user_id},
                                {"records", Json::strings(snapshot.capabilities.records_of(user_id))},
                                {"grants", document(grants)},
                                {"methods", document(methods)},
                                {"publish", document(publish)},
                                {"receive", document(receive)}});
  } else {
    print_text(context.env.out, grants, methods, {{"MAY PUBLISH TO", &publish}, {"MAY RECEIVE", &receive}});
  }
  context.env.out.flush();
  for (const std::string& identity : snapshot.methods.unreadable()) {
    warn(context, "what calls to \"" + identity + "\" require cannot be read: each is refused");
  }
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
