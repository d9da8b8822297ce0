// Decisions about calls and topics, against recorded behaviour of VOLTTRON.

#include <map>
#include <set>

#include <vipauth/call_binder.hpp>
#include <vipauth/capability_resolver.hpp>
#include <vipauth/method_registry.hpp>
#include <vipauth/topic_protector.hpp>

#include "support/catch.hpp"
#include "support/vectors.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

constexpr Timestamp kNow{};

/// A Python parameter list, as far as the recorded ones go: names, defaults, `*`, `*args`, `**kwargs`.
std::vector<Parameter> parse_signature(std::string_view text) {
  std::vector<Parameter> out;
  bool keyword_only = false;
  while (!text.empty()) {
    const std::size_t comma = text.find(", ");
    std::string_view item = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 2);
    if (item == "*") {
      keyword_only = true;
      continue;
    }
    Parameter parameter;
    parameter.kind = keyword_only ? Parameter::Kind::kKeywordOnly : Parameter::Kind::kPositional;
    if (item.starts_with("**")) {
      parameter.kind = Parameter::Kind::kVarKeyword;
      item.remove_prefix(2);
    } else if (item.starts_with("*")) {
      parameter.kind = Parameter::Kind::kVarPositional;
      item.remove_prefix(1);
      keyword_only = true;
    }
    const std::size_t equals = item.find('=');
    parameter.name = item.substr(0, equals);
    if (equals != std::string_view::npos) {
      const std::string value(item.substr(equals + 1));
      static const std::map<std::string, Json> kConstants = {
          {"None", Json()}, {"True", Json(true)}, {"False", Json(false)}};
      if (const auto constant = kConstants.find(value); constant != kConstants.end()) {
        parameter.default_value = constant->second;
      } else if (value.starts_with('\'')) {
        parameter.default_value = Json(value.substr(1, value.size() - 2));
      } else {
        parameter.default_value = *Json::parse(value);
      }
    }
    out.push_back(std::move(parameter));
  }
  return out;
}

/// The patterns of which Python and RE2, or linear time, make different things: such a grant grants nothing.
const std::set<std::string> kGrantsNothing = {"regex: backreference", "regex: lookbehind",
                                              "regex: verbose flag scoped"};

struct CallOutcome {
  bool allowed = false;
  std::optional<Json> arguments;
};

CallOutcome decide_call(const Json& recorded) {
  CallOutcome out;
  const auto bound = bind_arguments(parse_signature(text_at(recorded, "signature")),
                                    at(recorded, "args").as_array(), at(recorded, "kwargs").as_object());
  if (!bound) return out;
  out.arguments = Json(bound->all());
  std::vector<std::string> required;
  for (const Json& name : at(recorded, "required").as_array()) required.push_back(name.as_string());
  // A record whose capabilities are not understood does not count, and its user is not known.
  const auto policy = Policy::parse(Json(Json::Object{
      {"allow",
       Json(Json::Array{Json(Json::Object{{"user_id", Json("u")},
                                          {"credentials", Json(std::string(43, 'A'))},
                                          {"capabilities", at(recorded, "user_capabilities")}})})}}));
  const auto resolver = CapabilityResolver::create(*policy, kNow);
  out.allowed = resolver->authorize_call("u", "method", required, *bound).allowed();
  return out;
}

}  // namespace

TEST_CASE("CapabilityResolver: decides the recorded calls as VOLTTRON but for named differences") {
  for (const Json& recorded : recorded_cases("rpc.json")) {
    const std::string& name = text_at(recorded, "name");
    INFO(name);
    const CallOutcome ours = decide_call(recorded);
    const bool theirs = at(at(recorded, "upstream"), "allowed").as_bool();
    if (const Json* expected = recorded.find("expected")) {
      CHECK(ours.allowed == at(*expected, "allowed").as_bool());
      REQUIRE(ours.arguments);
      CHECK(*ours.arguments == at(*expected, "arguments"));
    } else if (recorded.find("upstream_bug") != nullptr) {
      if (theirs) CHECK_FALSE(ours.allowed);
    } else if (kGrantsNothing.contains(name)) {
      CHECK_FALSE(ours.allowed);
    } else {
      CHECK(ours.allowed == theirs);
    }
  }
}

TEST_CASE(
    "CapabilityResolver: users hold the capabilities that VOLTTRON recorded but for named differences") {
  // A wrong type in a record makes it not understood here; VOLTTRON guesses, and writes what it guessed.
  const std::set<std::string> wrong_types = {
      "false counts as none",   "0 counts as none",     "roles as dict: its keys",
      "roles list with number", "roles list with true", "group value a dict: its keys",
      "user_id number",         "user_id true",         "user_id empty"};
  for (const Json& recorded : recorded_cases("capabilities.json")) {
    const std::string& name = text_at(recorded, "name");
    INFO(name);
    const auto policy = policy_of(at(recorded, "policy"));
    if (recorded.find("upstream_bug") != nullptr) continue;  // each has its own test where it matters
    REQUIRE(policy);
    const auto resolver = CapabilityResolver::create(*policy, kNow);
    REQUIRE(resolver);
    for (const Json::Member& user : at(at(recorded, "upstream"), "user_to_capabilities").as_object()) {
      std::set<std::string> theirs;
      for (const Json::Member& capability : user.value.as_object()) theirs.insert(capability.name);
      if (wrong_types.contains(name)) theirs.clear();
      const auto ours = resolver->capabilities_of(user.name);
      CHECK(std::set<std::string>(ours.begin(), ours.end()) == theirs);
    }
  }
}

TEST_CASE("TopicProtector: decides the recorded publishes as VOLTTRON but for named differences") {
  for (const Json& recorded : recorded_cases("protected_topics.json")) {
    const std::string& name = text_at(recorded, "name");
    INFO(name);
    const auto resolver =
        CapabilityResolver::create(policy_of_users(at(recorded, "user_capabilities").as_object()), kNow);
    REQUIRE(resolver);
    const Json& file = at(recorded, "protected_topics");
    const auto document = file.is_string() ? Json::parse(file.as_string().empty() ? "{}" : file.as_string(),
                                                         Json::Comments::kAccept)
                                           : Result<Json>(file);
    const auto rules = document ? TopicRules::parse(*document) : Result<TopicRules>(document.error());
    const TopicProtector protector = rules ? TopicProtector(*rules) : TopicProtector::refuse_all();
    const bool ours =
        protector.authorize_publish(*resolver, text_at(recorded, "user"), text_at(recorded, "topic"))
            .allowed();
    const Json* theirs = at(recorded, "upstream").find("denied");
    if (const Json* expected = recorded.find("expected")) {
      CHECK(ours == at(*expected, "allowed").as_bool());
    } else if (recorded.find("upstream_bug") != nullptr) {
      CHECK_FALSE(ours);
    } else if (name == "capabilities dict: names" || name == "capabilities list with number") {
      CHECK_FALSE(rules);  // a wrong type fails the load
    } else {
      CHECK(ours == theirs->is_null());
    }
  }
}

TEST_CASE("MethodRegistry: reads the recorded rpc_method_authorizations as VOLTTRON wrote them") {
  for (const Json& recorded : recorded_cases("rpc_authorizations.json")) {
    INFO(text_at(recorded, "name"));
    const auto policy = policy_of(at(at(recorded, "upstream"), "file"));
    REQUIRE(policy);
    const MethodRegistry registry = MethodRegistry::create(*policy);
    for (const Policy::Entry& entry : policy->allow()) {
      const Json* identity = entry.source.find("identity");
      const Json* methods = entry.source.find("rpc_method_authorizations");
      if (identity == nullptr || !identity->is_string() || methods == nullptr) continue;
      for (const Json::Member& method : methods->as_object()) {
        std::set<std::string> theirs;
        for (const Json& capability : method.value.as_array()) theirs.insert(capability.as_string());
        if (theirs == std::set<std::string>{""})
          theirs.clear();  // what `rpc remove` of the last capability writes
        const auto ours = registry.required(identity->as_string(), method.name);
        REQUIRE(ours);
        CHECK(std::set<std::string>(ours->begin(), ours->end()) == theirs);
      }
    }
  }
}
