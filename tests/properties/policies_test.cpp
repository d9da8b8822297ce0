// What holds for every policy, tried on thousands of generated ones.

#include <algorithm>
#include <sstream>

#include <vipauth/auth_file.hpp>

#include "cli/cli.hpp"
#include "support/catch.hpp"
#include "worlds.hpp"

namespace vipauth::test {
namespace {

/// The document with a member of its list taken out, put in, or all of them shuffled.
Json without(Json document, const char* list, std::size_t index) {
  Json::Array& records = document.find(list)->as_array();
  records.erase(records.begin() + static_cast<std::ptrdiff_t>(index));
  return document;
}

Json with(Json document, const char* list, const Json& item, std::size_t index) {
  if (document.find(list) == nullptr) document.set(list, Json::Array());
  Json::Array& items = document.find(list)->as_array();
  items.insert(items.begin() + static_cast<std::ptrdiff_t>(index), item);
  return document;
}

std::size_t size_of(const Json& document, const char* list) {
  const Json* items = document.find(list);
  return items == nullptr ? 0 : items->as_array().size();
}

std::size_t place_in(const Json& document, const char* list) {
  return *rc::gen::inRange<std::size_t>(0, size_of(document, list) + 1);
}

template <typename Items>
Items shuffled(Items items) {
  for (std::size_t left = items.size(); left > 1; --left) {
    std::swap(items[left - 1], items[*rc::gen::inRange<std::size_t>(0, left)]);
  }
  return items;
}

AuthenticationRequest request(const ConnectCase& question) {
  return {question.domain, question.address, *CurveKey::parse(question.key)};
}

bool any_matches(const std::vector<Pattern>& patterns, std::string_view value) {
  return patterns.empty() ||
         std::any_of(patterns.begin(), patterns.end(), [&](const Pattern& p) { return p.matches(value); });
}

/// Whether the record is for this peer, by the words of semantics 2 and without the engine.
bool matches(const Json& record_json, const ConnectCase& peer) {
  const auto record = AuthRecord::parse(record_json);
  if (!record || !record->enabled) return false;
  if (!any_matches(record->domain, peer.domain)) return false;
  if (!any_matches(record->address, canonical_address(peer.address))) return false;
  const auto* key = std::get_if<CurveKey>(&record->credentials);
  return key != nullptr ? key->to_base64url() == peer.key
                        : std::get<Pattern>(record->credentials).matches(peer.key);
}

Decision ask_call(const PolicySnapshot& snapshot, const CallCase& c) {
  return snapshot.authorize_call(c.user_id, {c.callee, c.method, c.arguments});
}

/// Users who may do by `after` what they may not do by `before`, of those whom `after` knows.
std::string widened(const PolicySnapshot& before, const PolicySnapshot& after,
                    std::string_view but_callee = {}) {
  for (const CallCase& c : call_cases()) {
    if (c.callee != but_callee && ask_call(after, c) && !ask_call(before, c))
      return std::string(c.user_id) + " may call " + std::string(c.callee) + "." + std::string(c.method);
  }
  for (const TopicCase& c : topic_cases()) {
    if (after.authorize_publish(c.user_id, c.topic) && !before.authorize_publish(c.user_id, c.topic))
      return std::string(c.user_id) + " may publish to " + std::string(c.topic);
    if (after.authorize_receive(c.user_id, c.topic) && !before.authorize_receive(c.user_id, c.topic))
      return std::string(c.user_id) + " may receive " + std::string(c.topic);
  }
  return "";
}

}  // namespace

TEST_CASE("properties: a deny record refuses all that it matches, wherever it stands") {
  CHECK(holds([] {
    const Json before = *any_policy();
    const Json record = *any_deny_record();
    const PolicySnapshot old_policy = compile(before);
    const PolicySnapshot new_policy = compile(with(before, "deny", record, place_in(before, "deny")));
    for (const ConnectCase& c : connect_cases()) {
      const Reason is = new_policy.authenticator.authenticate(request(c)).decision.reason();
      const Reason was = old_policy.authenticator.authenticate(request(c)).decision.reason();
      if (matches(record, c)) RC_ASSERT(is == Reason::kDenied);
      if (was != Reason::kAccepted) RC_ASSERT(is != Reason::kAccepted);
    }
    RC_ASSERT(widened(old_policy, new_policy) == "");
  }));
}

// But to the agent whose record it was: with the record goes what its methods require (semantics 5).
TEST_CASE("properties: removing an allow record never widens what a known user may do") {
  CHECK(holds([] {
    const Json before = *any_policy();
    RC_PRE(size_of(before, "allow") > 0U);
    const std::size_t index = *rc::gen::inRange<std::size_t>(0, size_of(before, "allow"));
    const Json* identity = before.find("allow")->as_array()[index].find("identity");
    const std::string callee = identity->is_string() ? identity->as_string() : "";
    const Json rules = *any_topic_rules();
    RC_ASSERT(widened(compile(before, rules), compile(without(before, "allow", index), rules), callee) == "");
  }));
}

TEST_CASE("properties: disabling an allow record never widens anything") {
  CHECK(holds([] {
    const Json before = *any_policy();
    RC_PRE(size_of(before, "allow") > 0U);
    const std::size_t index = *rc::gen::inRange<std::size_t>(0, size_of(before, "allow"));
    Json after = before;
    after.find("allow")->as_array()[index].set("enabled", false);
    const Json rules = *any_topic_rules();
    const PolicySnapshot old_policy = compile(before, rules);
    const PolicySnapshot new_policy = compile(after, rules);
    RC_ASSERT(widened(old_policy, new_policy) == "");
  }));
}

TEST_CASE("properties: adding a topic rule never widens anything") {
  CHECK(holds([] {
    const Json document = *any_policy();
    const Json before = *any_topic_rules();
    const auto list = *rc::gen::element("write-protect", "read-protect");
    const Json after = with(before, list, *any_topic_rule(), place_in(before, list));
    RC_ASSERT(widened(compile(document, before), compile(document, after)) == "");
  }));
}

TEST_CASE("properties: the order of roles, groups, capabilities and deny records never matters") {
  CHECK(holds([] {
    const Json before = *any_policy();
    Json after = before;
    for (const char* name : {"roles", "groups"}) {
      Json& members = *after.find(name);
      members.as_object() = shuffled(members.as_object());
      for (Json::Member& member : members.as_object()) {
        if (member.value.is_array()) member.value.as_array() = shuffled(member.value.as_array());
      }
    }
    for (Json& record : after.find("allow")->as_array()) {
      for (const char* name : {"roles", "groups", "capabilities"}) {
        Json& list = *record.find(name);
        if (list.is_array()) list.as_array() = shuffled(list.as_array());
      }
    }
    Json& deny = *after.find("deny");
    deny.as_array() = shuffled(deny.as_array());
    const Json rules = *any_topic_rules();
    RC_ASSERT(answers(compile(before, rules)) == answers(compile(after, rules)));
  }));
}

TEST_CASE("properties: what is written and read again decides the same") {
  CHECK(holds([] {
    const Json document = *any_policy();
    const auto policy = Policy::parse(document);
    RC_ASSERT(policy.has_value());
    const auto text = Json::parse(policy->to_json().dump_pretty());
    RC_ASSERT(text.has_value());
    RC_ASSERT(*text == document);
    RC_ASSERT(answers(compile(*text)) == answers(compile(document)));
  }));
}

TEST_CASE("properties: an edit of the file and its undoing leave what decides the same") {
  const TempHome home;
  const AuthFile file(home / "auth.json");
  CHECK(holds([&] {
    const Json document = *any_policy();
    home.write("auth.json", document.dump());
    const auto added = file.edit([](Policy& policy) -> Result<void> {
      const Json record(Json::Object{{"user_id", "new"}, {"credentials", std::string(42, 'D') + "A"}});
      const auto index = policy.add_allow(record);
      return index ? Result<void>() : Result<void>(index.error());
    });
    RC_ASSERT(added.has_value());
    const auto removed =
        file.edit([](Policy& policy) { return policy.remove_allow({policy.allow().size() - 1}); });
    RC_ASSERT(removed.has_value());
    const auto loaded = file.load();
    RC_ASSERT(loaded.has_value());
    RC_ASSERT(answers(compile(loaded->to_json())) == answers(compile(document)));
  }));
}

TEST_CASE("properties: check agrees with the engine") {
  std::ostringstream lines;
  for (const ConnectCase& c : connect_cases()) {
    lines << Json(Json::Object{{"check", "connect"},
                               {"domain", c.domain},
                               {"address", c.address},
                               {"mechanism", "CURVE"},
                               {"credentials", Json::Array{c.key}}})
                 .dump()
          << '\n';
  }
  for (const CallCase& c : call_cases()) {
    lines << Json(Json::Object{{"check", "call"},
                               {"user_id", c.user_id},
                               {"callee", c.callee},
                               {"method", c.method},
                               {"arguments", c.arguments.all()}})
                 .dump()
          << '\n';
  }
  for (const TopicCase& c : topic_cases()) {
    for (const char* check : {"publish", "receive"})
      lines << Json(Json::Object{{"check", check}, {"user_id", c.user_id}, {"topic", c.topic}}).dump()
            << '\n';
  }
  const std::string questions = lines.str();

  Cli cli;
  CHECK(holds([&] {
    const Json document = *any_policy();
    const Json rules = *any_topic_rules();
    cli.home.write("auth.json", document.dump());
    cli.home.write("protected_topics.json", rules.dump());
    const Outcome outcome = cli.auth({"check", "--batch", "-"}, questions);
    RC_ASSERT(outcome.exit_code == 0);

    std::vector<std::string> expected;
    const PolicySnapshot snapshot = compile(document, rules);
    const auto expect = [&](const Decision& decision) {
      expected.push_back(std::string(decision ? "true " : "false ") +
                         std::string(to_string(decision.reason())));
    };
    for (const ConnectCase& c : connect_cases())
      expect(snapshot.authenticator.authenticate(request(c)).decision);
    for (const CallCase& c : call_cases()) expect(ask_call(snapshot, c));
    for (const TopicCase& c : topic_cases()) {
      expect(snapshot.authorize_publish(c.user_id, c.topic));
      expect(snapshot.authorize_receive(c.user_id, c.topic));
    }
    std::vector<std::string> said;
    std::istringstream out(outcome.out);
    for (std::string line; std::getline(out, line);) {
      const Json answer = json(line);
      said.push_back(at(answer, "allowed").dump() + " " + at(answer, "reason").as_string());
    }
    RC_ASSERT(said == expected);
  }));
}

}  // namespace vipauth::test
