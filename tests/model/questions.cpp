#include "questions.hpp"

#include <algorithm>
#include <iostream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "topic_worlds.hpp"
#include "worlds.hpp"

namespace vipauth::test::model {
namespace {

using rc::Gen;
namespace gen = rc::gen;

template <typename T>
Gen<T> one_of(std::vector<T> values) {
  return gen::elementOf(std::move(values));
}

Gen<std::string> text_of(std::vector<std::string> values) { return one_of(std::move(values)); }

template <std::size_t Size>
std::vector<std::string> texts(const std::string_view (&names)[Size]) {
  return {std::begin(names), std::end(names)};
}

Gen<std::string> user_id() {
  return gen::weightedOneOf<std::string>(
      {{8, text_of(texts(world::kUsers))},
       {2, text_of(texts(world::kOddUsers))},
       {1, text_of({"nobody", "", "vip,localhost:1000:1000:77,NULL", "vip,localhost:1001:1000:77,NULL"})}});
}

Gen<std::string> topic() {
  return gen::weightedOneOf<std::string>(
      {{6, text_of(texts(world::kTopics))},
       {1, text_of({"devices/a.ice/x", "devices/alice/", "device", "", "\xff"})}});
}

Gen<std::string> claimed_name() {
  return gen::weightedOneOf<std::string>(
      {{4, text_of(texts(world::kIdentities))},
       {3, text_of(texts(world::kUsers))},
       {2, text_of({"unclaimed", "another"})},
       {2, text_of({"control", "platform", "platform.auth", "control.connection", "config.store", "pubsub",
                    "keydiscovery", "platform_web", "platform.web", "platform.health", "router"})},
       {1, text_of({"", "a/b", "a\nb", std::string("a\0b", 3), "\xff", std::string(256, 'n')})}});
}

Gen<Json> value() {
  return one_of<Json>({Json(1), Json(Json::Number{"1.0"}), Json(true), Json(2), Json("a"), Json("aa"),
                       Json("alice"), Json("a.ice"), Json("agent.a"), Json("agentxa"), Json("/.*/"), Json(),
                       Json("devices/alice/x"), Json(Json::Array{"alice", 1}),
                       Json(Json::Object{{"of", "agent.a"}}), Json("{user_id}")});
}

Gen<Json> by_name() {
  return gen::map(gen::tuple(value(), value(), gen::inRange(0, 8)),
                  [](const std::tuple<Json, Json, int>& parts) {
                    const auto& [x, other, which] = parts;
                    Json out{Json::Object()};
                    if (which > 0) out.set("x", x);
                    if (which > 5) out.set("topic", other);
                    return out;
                  });
}

Gen<Json> by_position() {
  return gen::map(
      gen::pair(gen::inRange<std::size_t>(0, 4), value()),
      [](const std::pair<std::size_t, Json>& parts) { return Json(Json::Array(parts.first, parts.second)); });
}

Gen<Json> as_it_came() {
  const auto both = gen::map(gen::pair(by_position(), by_name()), [](std::pair<Json, Json> parts) {
    return Json(Json::Object{{"*args", std::move(parts.first)}, {"**kwargs", std::move(parts.second)}});
  });
  return gen::weightedOneOf<Json>(
      {{4, by_name()},
       {4, by_position()},
       {3, both},
       {1, one_of<Json>({Json(), Json("text"), Json(Json::Object{{"*args", 1}}),
                         Json(Json::Object{{"**kwargs", 1}}),
                         Json(Json::Object{{"*args", Json::Array()}, {"x", 1}})})}});
}

Gen<Peer> peer_from(Gen<std::string> mechanism) {
  return gen::map(
      gen::tuple(
          text_of(texts(world::kDomains)),
          gen::weightedOneOf<std::string>(
              {{8, text_of(texts(world::kAddresses))},
               {2, text_of({"localhost:1000:1000:77", "localhost:1001:1000:77", "localhost:1000", "\xff"})}}),
          std::move(mechanism), text_of(texts(world::kKeys)), text_of(texts(world::kUsers)),
          text_of(texts(world::kPasswords))),
      [](std::tuple<std::string, std::string, std::string, std::string, std::string, std::string> parts) {
        auto& [domain, address, kind, key, user, password] = parts;
        Peer out{std::move(domain), std::move(address), std::move(kind)};
        if (out.mechanism == "CURVE") out.key = std::move(key);
        if (out.mechanism == "PLAIN") out.username = std::move(user);
        if (out.mechanism == "PLAIN") out.password = std::move(password);
        return out;
      });
}

Gen<Question> connects(Gen<Peer> peer) {
  return gen::map(std::move(peer), [](Peer one) {
    return Question{.kind = Question::Kind::kConnect, .peer = std::move(one)};
  });
}

Gen<Question> asks(Question::Kind kind, Gen<std::string> of, Gen<std::string> what, Gen<Json> arguments) {
  return gen::map(gen::tuple(user_id(), std::move(of), std::move(what), std::move(arguments)),
                  [kind](std::tuple<std::string, std::string, std::string, Json> parts) {
                    auto& [user, asked_of, asked, with] = parts;
                    return Question{.kind = kind,
                                    .user_id = std::move(user),
                                    .of = std::move(asked_of),
                                    .what = std::move(asked),
                                    .arguments = std::move(with)};
                  });
}

Gen<std::string> nothing() { return gen::just(std::string()); }
Gen<Json> no_arguments() { return gen::just(Json()); }

Gen<Question> calls(Question::Kind kind, Gen<Json> arguments) {
  const auto callee = gen::weightedOneOf<std::string>(
      {{10, text_of(texts(world::kIdentities))}, {1, text_of({"control", "unclaimed", "\xff"})}});
  const auto method = gen::weightedOneOf<std::string>(
      {{10, text_of(texts(world::kMethods))}, {1, text_of({"other", "\xff"})}});
  return asks(kind, callee, method, std::move(arguments));
}

Gen<PlainParameter> parameter(const char* name) {
  return gen::map(gen::tuple(text_of({"POSITIONAL", "KEYWORD"}), gen::maybe(value())),
                  [name](std::tuple<std::string, rc::Maybe<Json>> parts) {
                    PlainParameter out{name, std::get<0>(parts)};
                    if (std::get<1>(parts)) out.default_value = *std::get<1>(parts);
                    return out;
                  });
}

Gen<std::vector<PlainParameter>> parameters() {
  return gen::map(gen::tuple(parameter("x"), parameter("topic"), gen::inRange(0, 16)),
                  [](const std::tuple<PlainParameter, PlainParameter, int>& parts) {
                    const auto& [x, other, which] = parts;
                    std::vector<PlainParameter> out;
                    if (which % 4 != 0) out.push_back(x);
                    if (which % 2 == 1) out.push_back(other);
                    if (which / 4 % 2 == 1) out.push_back({"rest", "*"});
                    if (which / 8 == 1) out.push_back({"more", "**"});
                    return out;
                  });
}

std::vector<Parameter> to_engine(const std::vector<PlainParameter>& parameters) {
  std::vector<Parameter> out;
  for (const PlainParameter& plain : parameters) {
    Parameter::Kind kind = Parameter::Kind::kPositional;
    if (plain.kind == "KEYWORD") kind = Parameter::Kind::kKeywordOnly;
    if (plain.kind == "*") kind = Parameter::Kind::kVarPositional;
    if (plain.kind == "**") kind = Parameter::Kind::kVarKeyword;
    out.push_back({plain.name, kind, plain.default_value});
  }
  return out;
}

Answer told(const Decision& decision) { return {decision.allowed(), {decision.reason()}}; }

template <typename Names>
Answer told_names(const Names& names) {
  Answer out{!names.empty(), {}};
  for (const std::string& name : names) out.user_id += name + " ";
  return out;
}

std::string described(const Answer& answer) {
  std::string out = answer.allowed ? "allows" : "refuses";
  for (const Reason reason : answer.reasons) out += " " + std::string(to_string(reason));
  return out + " user \"" + answer.user_id + "\" identity \"" + answer.identity + "\"";
}

}  // namespace

void showValue(const Peer& peer, std::ostream& out) {
  out << Json(Json::Array{peer.domain, peer.address, peer.mechanism, peer.key, peer.username, peer.password})
             .dump();
}

void showValue(const Question& question, std::ostream& out) {
  out << Question::kNames[static_cast<std::size_t>(question.kind)] << ' ';
  if (question.kind == Question::Kind::kConnect) return showValue(question.peer, out);
  out << Json(Json::Array{question.user_id, question.of, question.what, question.arguments}).dump();
}

void showValue(const DeclaredFor& declared, std::ostream& out) {
  Json::Array parameters;
  if (declared.declaration.parameters) {
    for (const PlainParameter& one : *declared.declaration.parameters) {
      parameters.emplace_back(Json::Array{one.name, one.kind, one.default_value.value_or("no default")});
    }
  }
  out << Json(Json::Array{declared.identity, declared.method,
                          Json::strings(declared.declaration.capabilities),
                          declared.declaration.parameters ? Json(parameters) : Json()})
             .dump();
}

Gen<Peer> any_peer() { return peer_from(text_of({"CURVE", "CURVE", "CURVE", "CURVE", "NULL"})); }

Gen<Peer> any_peer_with_password() { return peer_from(text_of({"PLAIN"})); }

Gen<Question> any_question() {
  using Kind = Question::Kind;
  return gen::weightedOneOf<Question>(
      {{5, connects(any_peer())},
       {6, calls(Kind::kCall, by_name())},
       {3, calls(Kind::kCallAsItCame, as_it_came())},
       {4, asks(Kind::kPublish, nothing(), topic(), no_arguments())},
       {3, asks(Kind::kReceive, nothing(), topic(), no_arguments())},
       {3, asks(Kind::kSpeakAs,
                gen::weightedOneOf<std::string>({{2, nothing()}, {1, text_of(texts(world::kIdentities))}}),
                claimed_name(), no_arguments())},
       {1, asks(Kind::kCapabilities, nothing(), nothing(), no_arguments())}});
}

Gen<Question> any_question_on_topics() {
  return gen::oneOf(asks(Question::Kind::kPublish, nothing(), any_topic(), no_arguments()),
                    asks(Question::Kind::kReceive, nothing(), any_topic(), no_arguments()));
}

Gen<DeclaredFor> any_declaration() {
  const auto capabilities = gen::mapcat(gen::inRange<std::size_t>(0, 3), [](std::size_t count) {
    return gen::container<std::vector<std::string>>(count, text_of(texts(world::kCapabilities)));
  });
  return gen::map(gen::tuple(text_of(texts(world::kIdentities)), text_of(texts(world::kMethods)),
                             capabilities, gen::maybe(parameters())),
                  [](std::tuple<std::string, std::string, std::vector<std::string>,
                                rc::Maybe<std::vector<PlainParameter>>>
                         parts) {
                    auto& [identity, method, names, known] = parts;
                    DeclaredFor out{std::move(identity), std::move(method), {std::move(names)}};
                    if (known) out.declaration.parameters = *known;
                    return out;
                  });
}

void declare(const DeclaredFor& declared, PolicySnapshot& engine, ReferenceModel& model) {
  DeclaredMethod method{declared.method, std::nullopt, declared.declaration.capabilities};
  if (declared.declaration.parameters) method.parameters = to_engine(*declared.declaration.parameters);
  auto checked = check_declaration({std::move(method)});
  if (!checked) throw std::runtime_error(checked.error().to_string());
  auto methods = engine.methods.declare(declared.identity, *std::move(checked));
  if (!methods) throw std::runtime_error(methods.error().to_string());
  engine.methods = *std::move(methods);
  model.declared[declared.identity] = {{declared.method, declared.declaration}};
}

AuthenticationRequest request_of(const Peer& peer) {
  AuthenticationRequest out{peer.domain, peer.address, {}};
  if (peer.mechanism == "CURVE") out.credentials = *CurveKey::parse(peer.key);
  if (peer.mechanism == "PLAIN") out.credentials = AuthenticationRequest::Plain{peer.username, peer.password};
  return out;
}

Answer ask(const PolicySnapshot& engine, const Question& q) {
  switch (q.kind) {
    case Question::Kind::kConnect: {
      const Authentication said = engine.authenticator.authenticate(request_of(q.peer));
      return {said.decision.allowed(),
              {said.decision.reason()},
              std::string(said.user_id),
              std::string(said.identity)};
    }
    case Question::Kind::kCall: {
      const CallArguments arguments(q.arguments.as_object());
      return told(engine.authorize_call(q.user_id, CallRequest{q.of, q.what, arguments}));
    }
    case Question::Kind::kCallAsItCame:
      return told(engine.authorize_call(q.user_id, UnboundCall{q.of, q.what, q.arguments}));
    case Question::Kind::kPublish: return told(engine.authorize_publish(q.user_id, q.what));
    case Question::Kind::kReceive: return told(engine.authorize_receive(q.user_id, q.what));
    case Question::Kind::kSpeakAs: return told(engine.identities.verify(q.user_id, q.of, q.what));
    case Question::Kind::kCapabilities: return told_names(engine.capabilities.capabilities_of(q.user_id));
  }
  return {};
}

Answer ask(const ReferenceModel& model, const Question& q) {
  switch (q.kind) {
    case Question::Kind::kConnect: return model.authenticate(q.peer);
    case Question::Kind::kCall: return model.call(q.user_id, q.of, q.what, q.arguments.as_object());
    case Question::Kind::kCallAsItCame: return model.call_as_it_came(q.user_id, q.of, q.what, q.arguments);
    case Question::Kind::kPublish: return model.publish(q.user_id, q.what);
    case Question::Kind::kReceive: return model.receive(q.user_id, q.what);
    case Question::Kind::kSpeakAs: return model.speak_as(q.user_id, q.of, q.what);
    case Question::Kind::kCapabilities: return told_names(model.capabilities_of(q.user_id));
  }
  return {};
}

std::string difference(std::string_view kind, const std::string& question, const Answer& engine,
                       const Answer& model) {
  Tally::of_all().add(kind, model.allowed);
  const bool is_one_of_them =
      std::includes(model.reasons.begin(), model.reasons.end(), engine.reasons.begin(), engine.reasons.end());
  if (engine.allowed == model.allowed && is_one_of_them && engine.user_id == model.user_id &&
      engine.identity == model.identity) {
    return "";
  }
  return question + ": the engine " + described(engine) + ", the model " + described(model);
}

std::string difference(const Question& question, const Answer& engine, const Answer& model) {
  std::ostringstream text;
  showValue(question, text);
  return difference(Question::kNames[static_cast<std::size_t>(question.kind)], text.str(), engine, model);
}

Tally& Tally::of_all() {
  static Tally all;
  return all;
}

void Tally::add(std::string_view kind, bool allowed) {
  auto found =
      std::find_if(counts_.begin(), counts_.end(), [&](const Count& count) { return count.kind == kind; });
  if (found == counts_.end()) found = counts_.insert(counts_.end(), Count{std::string(kind)});
  ++(allowed ? found->allowed : found->refused);
}

bool Tally::hits_both(int percent) const {
  constexpr std::size_t kFewest = 2000;
  bool out = true;
  std::size_t cases = 0;
  std::string shares;
  for (const Count& count : counts_) {
    const std::size_t all = count.allowed + count.refused;
    const auto least = all * static_cast<std::size_t>(percent);
    const bool hits = count.allowed * 100 >= least && count.refused * 100 >= least;
    out = out && (hits || all < kFewest);
    cases += all;
    shares +=
        ", " + count.kind + " " + std::to_string(count.allowed * 100 / all) + "% of " + std::to_string(all);
  }
  std::cout << cases << " cases compared; allowed" << shares.substr(shares.empty() ? 0 : 1) << '\n';
  return out;
}

}  // namespace vipauth::test::model
