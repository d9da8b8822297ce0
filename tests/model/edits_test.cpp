// Policies that are edited and read again while time passes and sessions stand.

#include <memory>
#include <sstream>

#include <vipauth/session.hpp>

#include "base/hash.hpp"
#include "edits_model.hpp"
#include "questions.hpp"
#include "support/catch.hpp"
#include "support/policies.hpp"
#include "worlds.hpp"

namespace vipauth::test::model {
namespace {

namespace gen = rc::gen;

/// One thing that happens. What it needs of these, it takes.
struct Step {
  std::string what;
  std::size_t index = 0;
  std::size_t other = 0;
  std::string name = {};
  std::vector<std::string> names = {};
  Json json = {};
};

void showValue(const Step& step, std::ostream& out) {  // NOLINT(readability-identifier-naming)
  out << step.what << ' '
      << Json(Json::Array{static_cast<std::int64_t>(step.index), static_cast<std::int64_t>(step.other),
                          step.name, Json::strings(step.names), step.json})
             .dump();
}

template <std::size_t Size>
rc::Gen<std::string> one_of(const std::string_view (&names)[Size]) {
  return gen::elementOf(std::vector<std::string>(std::begin(names), std::end(names)));
}

rc::Gen<std::string> one_of(std::vector<std::string> names) { return gen::elementOf(std::move(names)); }

rc::Gen<std::vector<std::string>> some_of(const rc::Gen<std::string>& each) {
  return gen::mapcat(gen::inRange<std::size_t>(0, 3), [each](std::size_t count) {
    return gen::container<std::vector<std::string>>(count, each);
  });
}

rc::Gen<Step> step(std::vector<std::string> what, rc::Gen<std::string> name,
                   rc::Gen<std::vector<std::string>> names, rc::Gen<Json> json) {
  return gen::map(
      gen::tuple(one_of(std::move(what)), gen::inRange<std::size_t>(0, 8), gen::inRange<std::size_t>(0, 8),
                 std::move(name), std::move(names), std::move(json)),
      [](std::tuple<std::string, std::size_t, std::size_t, std::string, std::vector<std::string>, Json>
             parts) {
        auto& [kind, index, other, text, texts, value] = parts;
        return Step{std::move(kind), index, other, std::move(text), std::move(texts), std::move(value)};
      });
}

rc::Gen<std::string> no_name() { return gen::just(std::string()); }
rc::Gen<std::vector<std::string>> no_names() { return gen::just(std::vector<std::string>()); }
rc::Gen<Json> no_json() { return gen::just(Json()); }

/// One or two fields of a record, null ones too; never user_id null, for which the library makes a new one.
rc::Gen<Json> changed_fields() {
  return gen::map(gen::tuple(any_record(), gen::inRange<std::size_t>(0, 13), gen::inRange<std::size_t>(0, 13),
                             gen::inRange(0, 4)),
                  [](std::tuple<Json, std::size_t, std::size_t, int> parts) {
                    auto& [record, first, second, how] = parts;
                    Json out{Json::Object()};
                    for (const std::size_t place : {first, second}) {
                      const Json::Object& members = record.as_object();
                      const Json::Member& field = members[place % members.size()];
                      const bool is_emptied = how == 0 && field.name != "user_id";
                      if (field.name == "user_id" && !field.value.is_string()) continue;
                      out.set(field.name, is_emptied ? Json() : field.value);
                    }
                    return out;
                  });
}

rc::Gen<Json> role_content() {
  return gen::map(any_record(), [](const Json& record) { return *record.find("capabilities"); });
}

rc::Gen<Step> any_step() {
  const auto roles = one_of({"reader", "writer", "third"});
  const auto groups = one_of({"staff", "guests", "third"});
  const auto rules = gen::weightedOneOf<Json>(
      {{6, any_topic_rules()},
       {1, gen::element<Json>(
               Json(Json::Object{{"write-protect", 5}}), Json(Json::Array()),
               Json(Json::Object{{"read-protect", Json::Array{Json::Object{{"topic", "/(/"},
                                                                           {"capabilities", "read"}}}}}))}});
  return gen::weightedOneOf<Step>(
      {{4, step({"add_allow"}, no_name(), no_names(), any_record())},
       {2, step({"add_deny"}, no_name(), no_names(), any_denial())},
       {5, step({"update_allow", "update_allow", "update_deny"}, no_name(), no_names(), changed_fields())},
       {3, step({"remove_allow", "remove_deny"}, no_name(), no_names(), no_json())},
       {2, step({"add_second_key"}, one_of(world::kTimes), no_names(), no_json())},
       {3, step({"add_role", "add_to_role"}, roles, no_names(), role_content())},
       {1, step({"remove_from_role"}, roles, some_of(one_of(world::kCapabilities)), no_json())},
       {1, step({"remove_role"}, roles, no_names(), no_json())},
       {3, step({"add_group", "add_to_group", "remove_from_group", "remove_group"}, groups, some_of(roles),
                no_json())},
       {3, step({"add_requirement", "add_requirement", "remove_requirement"}, one_of(world::kCapabilities),
                no_names(), no_json())},
       {2, step({"topics"}, no_name(), no_names(), rules)},
       {2, step({"time passes", "time passes", "forget"}, no_name(), no_names(), no_json())}});
}

/// The engine and the model, side by side.
class BothSides {
 public:
  BothSides(const Json& document, bool has_rules)
      : policy_(*Policy::parse(document)),
        edits_(document),
        model_{.policy = document, .topic_rules = has_rules ? Json(Json::Object()) : Json(), .now = kNow},
        topics_(has_rules ? TopicProtector() : TopicProtector::refuse_all()),
        live_(std::make_shared<LivePolicy>(
            *PolicySnapshot::compile(policy_, topics_, kNow, {true, kTrustedUid}))) {
    model_.trusted_uid = kTrustedUid;
  }

  void declare_both(const DeclaredFor& declared) {
    PolicySnapshot next = *live_->current().snapshot;
    declare(declared, next, model_);
    live_->publish(std::move(next));
  }

  void take(const Step& step) {
    if (step.what == "time passes") {
      model_.now += std::chrono::hours(6 * (1 + static_cast<int>(step.index)));
      put_again_in_force();
    } else if (step.what == "topics") {
      auto rules = TopicRules::parse(step.json);
      RC_ASSERT(rules.has_value() == ReferenceModel::are_good_rules(step.json));
      if (!rules) return;  // the last good ones stay
      topics_ = TopicProtector(*std::move(rules));
      model_.topic_rules = step.json;
      put_again_in_force();
    } else if (step.what == "forget") {
      const std::string identity(world::kIdentities[step.index % std::size(world::kIdentities)]);
      PolicySnapshot next = *live_->current().snapshot;
      next.methods = next.methods.forget(identity);
      model_.declared.erase(identity);
      live_->publish(std::move(next));
    } else {
      edit(step);
      put_in_force();
    }
  }

  /// A peer that both let in stays, and is asked about after each step.
  void let_in(const Peer& peer) {
    const Authentication engine = live_->current().snapshot->authenticator.authenticate(request_of(peer));
    if (!engine.decision) return;
    const Answer model = model_.authenticate(peer);
    RC_ASSERT(model.allowed);
    sessions_.push_back({Session(live_, engine.acceptance()), {peer, model.user_id}});
  }

  /// The same of a peer with a password, of which both are told that it was let in: to check it takes long.
  void let_in_with_password(const Peer& peer) {
    const Acceptance acceptance{peer.username, Mechanism::kPlain, secret_fingerprint(peer.password),
                                peer.domain, peer.address};
    sessions_.push_back({Session(live_, acceptance), {peer, peer.username, peer.password}});
  }

  void compare(const Question& question) const {
    RC_ASSERT(difference(question, ask(*live_->current().snapshot, question), ask(model_, question)) == "");
  }

  /// The question in the name of each session's user, by its session.
  void compare_sessions(Question question) {
    for (auto& [session, standing] : sessions_) {
      const Answer stands = model_.judge_again(standing);
      const Decision check = session.check();
      const Answer said{
          check.allowed(), {check.reason()}, check ? session.user_id() : "", session.identity()};
      std::ostringstream text;
      showValue(standing.peer, text);
      RC_ASSERT(difference("session", text.str(), said,
                           {stands.allowed, stands.reasons, stands.user_id, stands.identity}) == "");
      question.user_id = standing.user_id;
      question.of = question.kind == Question::Kind::kSpeakAs ? stands.identity : question.of;
      const Answer expected = stands.allowed ? ask(model_, question) : Answer::refuse(Reason::kRevoked);
      RC_ASSERT(difference("by session", question.what, by_session(session, question), expected) == "");
    }
  }

 private:
  struct Standing {
    Session session;
    StandingSession model;
  };

  static Answer told(const Decision& decision) { return {decision.allowed(), {decision.reason()}}; }

  static Answer by_session(Session& session, const Question& q) {
    switch (q.kind) {
      case Question::Kind::kCall: {
        const CallArguments arguments(q.arguments.as_object());
        return told(session.authorize_call(CallRequest{q.of, q.what, arguments}));
      }
      case Question::Kind::kCallAsItCame:
        return told(session.authorize_call(UnboundCall{q.of, q.what, q.arguments}));
      case Question::Kind::kPublish: return told(session.authorize_publish(q.what));
      case Question::Kind::kReceive: return told(session.authorize_receive(q.what));
      default: return told(session.verify_sender(q.what));
    }
  }

  void put_in_force() {
    auto next = PolicySnapshot::compile(policy_, topics_, model_.now, {true, kTrustedUid});
    RC_ASSERT(next.has_value() == ReferenceModel::can_be_in_force(edits_.document()));
    if (!next) return;  // the last good policy stays
    next->methods = next->methods.with_declarations_of(live_->current().snapshot->methods);
    live_->publish(*std::move(next));
    model_.policy = edits_.document();
  }

  void put_again_in_force() {
    auto next = live_->current().snapshot->compile_again(topics_, model_.now, {true, kTrustedUid});
    RC_ASSERT(next.has_value());
    live_->publish(*std::move(next));
  }

  /// Each side makes the edit for itself, or refuses it; then the documents are the same.
  void edit(const Step& step) {
    const auto [engine, model] = edit_both(step);
    RC_ASSERT(engine == model);
    RC_ASSERT(policy_.to_json() == edits_.document());
  }

  std::pair<bool, bool> edit_both(const Step& step) {
    const std::string& what = step.what;
    const std::string identity(world::kIdentities[step.index % std::size(world::kIdentities)]);
    const std::string method(world::kMethods[step.other % std::size(world::kMethods)]);
    const std::vector<std::size_t> indices{step.index, step.other};
    if (what == "add_allow" || what == "add_deny") {
      Json record = step.json;  // a user_id that is left out would be a new one each time
      if (record.find("user_id")->is_null()) record.set("user_id", "user " + std::to_string(step.index));
      if (what == "add_deny") return {policy_.add_deny(record).has_value(), edits_.add_deny(record)};
      return {policy_.add_allow(record).has_value(), edits_.add_allow(record)};
    }
    if (what == "update_allow") {
      return {policy_.update_allow(step.index, step.json).has_value(),
              edits_.update("allow", step.index, step.json)};
    }
    if (what == "update_deny") {
      return {policy_.update_deny(step.index, step.json).has_value(),
              edits_.update("deny", step.index, step.json)};
    }
    if (what == "remove_allow")
      return {policy_.remove_allow(indices).has_value(), edits_.remove("allow", indices)};
    if (what == "remove_deny")
      return {policy_.remove_deny(indices).has_value(), edits_.remove("deny", indices)};
    if (what == "add_second_key") {
      const std::string key(world::kKeys[step.other % std::size(world::kKeys)]);
      return {
          policy_.add_second_key(step.index, *CurveKey::parse(key), *parse_timestamp(step.name)).has_value(),
          edits_.add_second_key(step.index, key, step.name)};
    }
    if (what == "add_role") {
      return {policy_.add_role(step.name, step.json).has_value(), edits_.add_role(step.name, step.json)};
    }
    if (what == "remove_role") {
      return {policy_.remove_role(step.name).has_value(), edits_.remove_role(step.name)};
    }
    if (what == "add_to_role" || what == "remove_from_role") {
      const bool is_added = what == "add_to_role";
      const bool is_made = is_added ? policy_.add_to_role(step.name, step.json).has_value()
                                    : policy_.remove_from_role(step.name, step.names).has_value();
      const Policy::Role* role = policy_.find_role(step.name);
      const Json* written = role == nullptr ? nullptr : &role->source;
      return {is_made, is_added ? edits_.add_to_role(step.name, step.json, written)
                                : edits_.remove_from_role(step.name, step.names, written)};
    }
    if (what == "add_group") {
      return {policy_.add_group(step.name, step.names).has_value(), edits_.add_group(step.name, step.names)};
    }
    if (what == "add_to_group") {
      return {policy_.add_to_group(step.name, step.names).has_value(),
              edits_.add_to_group(step.name, step.names)};
    }
    if (what == "remove_from_group") {
      return {policy_.remove_from_group(step.name, step.names).has_value(),
              edits_.remove_from_group(step.name, step.names)};
    }
    if (what == "remove_group") {
      return {policy_.remove_group(step.name).has_value(), edits_.remove_group(step.name)};
    }
    if (what == "add_requirement") {
      return {policy_.add_rpc_authorizations(identity, method, {step.name}).has_value(),
              edits_.add_requirement(identity, method, step.name)};
    }
    return {policy_.remove_rpc_authorizations(identity, method, {step.name}).has_value(),
            edits_.remove_requirement(identity, method, step.name)};
  }

  Policy policy_;
  DocumentEdits edits_;
  ReferenceModel model_;
  TopicProtector topics_;
  std::shared_ptr<LivePolicy> live_;
  std::vector<Standing> sessions_;
};

template <typename T>
std::vector<T> several(std::size_t count, rc::Gen<T> each) {
  return *gen::resize(rc::kNominalSize, gen::container<std::vector<T>>(count, std::move(each)));
}

bool can_be_asked_by_session(const Question& question) {
  return question.kind != Question::Kind::kConnect && question.kind != Question::Kind::kCapabilities;
}

}  // namespace

TEST_CASE("model: edits, reloads and the passing of time leave the engine and the model the same") {
  CHECK(holds([] {
    BothSides both(*gen::resize(rc::kNominalSize, any_policy(8)),
                   *gen::weightedElement<bool>({{9, true}, {1, false}}));
    both.declare_both(*any_declaration());
    for (const Peer& peer : several(6, any_peer())) both.let_in(peer);
    both.let_in_with_password(*any_peer_with_password());
    const auto steps = *gen::resize(12, gen::container<std::vector<Step>>(any_step()));
    for (const Step& step : steps) {
      both.take(step);
      for (const Question& question : several(6, any_question())) {
        both.compare(question);
        if (can_be_asked_by_session(question)) both.compare_sessions(question);
      }
    }
  }));
  CHECK(Tally::of_all().hits_both(15));
}

}  // namespace vipauth::test::model
