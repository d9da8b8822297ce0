// Whatever is asked of the engine, it answers what the model of the decisions' meaning answers.

#include "questions.hpp"
#include "support/catch.hpp"
#include "support/policies.hpp"
#include "topic_worlds.hpp"
#include "worlds.hpp"

namespace vipauth::test::model {
namespace {

namespace gen = rc::gen;

/// The engine for a model.
PolicySnapshot engine_for(const ReferenceModel& model) {
  auto rules = TopicRules::parse(model.topic_rules);
  RC_ASSERT(rules.has_value());
  const IpcTrust trust{model.trusted_uid.has_value(), model.trusted_uid.value_or(0)};
  auto compiled = PolicySnapshot::compile(*Policy::parse(model.policy), TopicProtector(*std::move(rules)),
                                          model.now, trust);
  RC_ASSERT(compiled.has_value());
  return *std::move(compiled);
}

void compare(const PolicySnapshot& engine, const ReferenceModel& model, const Question& question) {
  RC_ASSERT(difference(question, ask(engine, question), ask(model, question)) == "");
}

/// Of the size that it may have at most, not only in late worlds.
template <typename T>
rc::Gen<T> whole(rc::Gen<T> each) {
  return gen::resize(rc::kNominalSize, std::move(each));
}

template <typename T>
std::vector<T> several(std::size_t count, rc::Gen<T> each) {
  return *whole(gen::container<std::vector<T>>(count, std::move(each)));
}

/// The policy with passwords in the place of all keys.
Json with_passwords(Json policy) {
  for (const char* const list : {"allow", "deny"}) {
    std::size_t count = 0;
    for (Json& record : policy.find(list)->as_array()) {
      record.set("mechanism", "PLAIN");
      record.set("credentials", world::kPasswords[count++ % std::size(world::kPasswords)]);
    }
  }
  return policy;
}

/// A rule of topics of any shape.
rc::Gen<Json> any_shaped_rule() {
  return gen::map(gen::pair(any_rule_text(), any_topic_rule()), [](std::pair<std::string, Json> parts) {
    parts.second.set("topic", std::move(parts.first));
    return std::move(parts.second);
  });
}

rc::Gen<Json> any_shaped_rules() {
  const auto list = gen::mapcat(gen::inRange<std::size_t>(0, 5), [](std::size_t count) {
    return gen::map(
        gen::container<std::vector<Json>>(count, any_shaped_rule()),
        [](const std::vector<Json>& rules) { return Json(Json::Array(rules.begin(), rules.end())); });
  });
  return gen::map(gen::pair(list, list), [](std::pair<Json, Json> lists) {
    return Json(
        Json::Object{{"write-protect", std::move(lists.first)}, {"read-protect", std::move(lists.second)}});
  });
}

}  // namespace

TEST_CASE("model: the engine answers what the model answers, whatever is asked of whatever policy") {
  CHECK(holds([] {
    ReferenceModel model{
        .policy = *whole(any_policy(12)), .topic_rules = *whole(any_topic_rules()), .now = kNow};
    if (*gen::arbitrary<bool>()) model.trusted_uid = kTrustedUid;
    PolicySnapshot engine = engine_for(model);
    const auto declarations =
        *gen::container<std::vector<DeclaredFor>>(*whole(gen::inRange<std::size_t>(0, 4)), any_declaration());
    for (const DeclaredFor& declared : declarations) declare(declared, engine, model);
    for (const Question& question : several(90, any_question())) compare(engine, model, question);
  }));
  CHECK(Tally::of_all().hits_both(15));
}

TEST_CASE("model: the engine lets in by user name and password whom the model lets in") {
  CHECK(holds([] {
    // Each password takes long, so that few worlds are asked.
    const bool is_asked = *gen::weightedElement<bool>({{50, false}, {1, true}});
    if (!is_asked) return;
    const ReferenceModel model{
        .policy = with_passwords(*whole(any_policy(12))), .topic_rules = Json(Json::Object()), .now = kNow};
    const PolicySnapshot engine = engine_for(model);
    for (const Peer& peer : several(4, any_peer_with_password())) {
      compare(engine, model, {.kind = Question::Kind::kConnect, .peer = peer});
    }
  }));
}

TEST_CASE("model: the engine answers what the model answers on topics of many shapes") {
  CHECK(holds([] {
    ReferenceModel model{
        .policy = *whole(any_policy(12)), .topic_rules = *whole(any_shaped_rules()), .now = kNow};
    const PolicySnapshot engine = engine_for(model);
    for (const Question& question : several(25, any_question_on_topics())) compare(engine, model, question);
  }));
  CHECK(Tally::of_all().hits_both(15));
}

}  // namespace vipauth::test::model
