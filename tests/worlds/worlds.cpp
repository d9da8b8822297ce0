#include "worlds.hpp"

#include <optional>
#include <span>
#include <stdexcept>

namespace vipauth::test {
namespace {

using rc::Gen;
namespace gen = rc::gen;

template <std::size_t Size>
Gen<std::string> one_of(const std::string_view (&names)[Size]) {
  return gen::map(gen::inRange<std::size_t>(0, Size),
                  [&names](std::size_t i) { return std::string(names[i]); });
}

template <std::size_t Size>
Gen<Json> name_from(const std::string_view (&names)[Size]) {
  return gen::map(one_of(names), [](const std::string& name) { return Json(name); });
}

Gen<Json> constant(Json json) { return gen::just(std::move(json)); }

/// A list of up to `most` values.
Gen<Json> list_of(Gen<Json> item, int most) {
  return gen::mapcat(gen::inRange(0, most + 1), [item = std::move(item)](int count) {
    return gen::map(gen::container<std::vector<Json>>(static_cast<std::size_t>(count), item),
                    [](std::vector<Json> items) { return Json(Json::Array(std::move(items))); });
  });
}

/// `usual`, but one time in `often` something else.
Gen<Json> mostly(Gen<Json> usual, Gen<Json> rare, std::size_t often = 8) {
  return gen::weightedOneOf<Json>({{often - 1, std::move(usual)}, {1, std::move(rare)}});
}

Gen<Json> patterns(Gen<Json> literal, const char* regex) {
  return gen::weightedOneOf<Json>(
      {{6, constant(nullptr)}, {3, literal}, {1, constant(regex)}, {1, list_of(std::move(literal), 2)}});
}

Gen<Json> constraint() {
  return gen::element<Json>(Json(1), Json(Json::Number{"1.0"}), Json(2), Json(true), Json("a"), Json("/a+/"),
                            Json("{user_id}"), Json("{identity}"), Json("/devices/{user_id}/.*/"),
                            Json("/{identity}|al.*/"), Json(Json::Array{"{user_id}", 1}),
                            Json(Json::Object{{"of", "{identity}"}}), Json("devices/{user_id}"), Json("/(/"));
}

Gen<Json> restrictions() {
  return gen::mapcat(gen::element<std::string>("x", "topic"), [](const std::string& parameter) {
    return gen::map(constraint(),
                    [parameter](Json value) { return Json(Json::Object{{parameter, std::move(value)}}); });
  });
}

/// A capability with restrictions, as a map.
Gen<Json> restricted_capability() {
  return gen::mapcat(one_of(world::kCapabilities), [](const std::string& name) {
    return gen::map(mostly(restrictions(), constant(nullptr), 3),
                    [name](Json value) { return Json(Json::Object{{name, std::move(value)}}); });
  });
}

Gen<Json> capabilities() {
  return gen::weightedOneOf<Json>(
      {{2, constant(Json::Array())},
       {1, gen::element<Json>(Json(), Json(""), Json(Json::Array{""}))},
       {2, name_from(world::kCapabilities)},
       {2, restricted_capability()},
       {2, list_of(gen::oneOf(name_from(world::kCapabilities), restricted_capability()), 3)}});
}

constexpr std::string_view kRoles[] = {"reader", "writer", "unknown"};
constexpr std::string_view kGroups[] = {"staff", "guests", "unknown"};

Gen<Json> required() {
  return gen::weightedOneOf<Json>({{1, constant(Json::Array())},
                                   {1, constant(Json::Array{Json("")})},
                                   {1, constant(Json::Array{"", "read"})},
                                   {4, list_of(name_from(world::kCapabilities), 2)}});
}

Gen<Json> methods() {
  return gen::weightedOneOf<Json>(
      {{3, constant(Json::Object())},
       {3, gen::map(gen::pair(required(), required()), [](std::pair<Json, Json> both) {
          return Json(Json::Object{{"get", std::move(both.first)}, {"set", std::move(both.second)}});
        })}});
}

/// Members by name, each by its generator.
Gen<Json> object_of(std::vector<std::pair<std::string, Gen<Json>>> members) {
  return gen::exec([members = std::move(members)] {
    Json::Object out;
    for (const auto& [name, value] : members) out.push_back({name, *value});
    return Json(std::move(out));
  });
}

Gen<Json> curve_credentials() {
  return gen::weightedOneOf<Json>({{8, name_from(world::kKeys)},
                                   {1, constant("/A.*/")},
                                   {1, constant("/.*/")},
                                   {1, constant(world::kFirstKeyAsZ85)}});
}

/// What has to stand in a record of each mechanism.
Gen<std::pair<Json, Json>> mechanism_and_credentials() {
  const auto with = [](const char* mechanism, Gen<Json> credentials) {
    return gen::map(std::move(credentials),
                    [mechanism](Json value) { return std::pair(Json(mechanism), std::move(value)); });
  };
  return gen::weightedOneOf<std::pair<Json, Json>>(
      {{10, with("CURVE", mostly(curve_credentials(), constant("no key"), 12))},
       {1, with("PLAIN", name_from(world::kPasswords))},
       {1, with("NULL", constant(nullptr))}});
}

Gen<Json> user_ids() {
  return gen::weightedOneOf<Json>(
      {{12, name_from(world::kUsers)}, {2, name_from(world::kOddUsers)}, {1, constant(nullptr)}});
}

Gen<Json> identities() {
  return gen::weightedOneOf<Json>(
      {{4, constant(nullptr)}, {5, name_from(world::kIdentities)}, {1, constant("control")}});
}

Gen<Json> time_or_null() { return mostly(constant(nullptr), name_from(world::kTimes), 8); }

/// A record of which one field has a wrong type or value.
Json spoiled(Json record, std::size_t how) {
  static const Json::Object kBad{{"domain", 5},
                                 {"address", Json::Array{"/(/"}},
                                 {"mechanism", "GSSAPI"},
                                 {"user_id", "al\nice"},
                                 {"user_id", std::string(256, 'a')},
                                 {"identity", 7},
                                 {"enabled", "yes"},
                                 {"roles", "reader"},
                                 {"groups", Json::Array{1}},
                                 {"capabilities", Json::Array{Json::Array()}},
                                 {"not_before", "yesterday"},
                                 {"not_after", 5},
                                 {"credentials", 5}};
  const Json::Member& bad = kBad[how % kBad.size()];
  record.set(bad.name, bad.value);
  return record;
}

Json document_of(Json allow, Json deny, Json roles, Json groups) {
  const Json version(Json::Object{{"major", 1}, {"minor", 4}});
  return Json::Object{{"allow", std::move(allow)},
                      {"deny", std::move(deny)},
                      {"groups", std::move(groups)},
                      {"roles", std::move(roles)},
                      {"version", version}};
}

}  // namespace

Gen<Json> any_record() {
  const auto with_credentials = [](const std::pair<Json, Json>& credentials) {
    return object_of({{"domain", patterns(name_from(world::kDomains), "/v.*/")},
                      {"address", patterns(name_from(world::kAddresses), "/10.*1/")},
                      {"mechanism", constant(credentials.first)},
                      {"credentials", constant(credentials.second)},
                      {"groups", list_of(name_from(kGroups), 2)},
                      {"roles", list_of(name_from(kRoles), 2)},
                      {"capabilities", mostly(capabilities(), constant(7), 12)},
                      {"rpc_method_authorizations", mostly(methods(), constant("ill-typed"), 20)},
                      {"user_id", user_ids()},
                      {"identity", identities()},
                      {"enabled", mostly(constant(true), constant(false))},
                      {"not_before", time_or_null()},
                      {"not_after", time_or_null()}});
  };
  const auto good = gen::mapcat(mechanism_and_credentials(), with_credentials);
  const auto bad = gen::map(
      gen::pair(good, gen::inRange<std::size_t>(0, 100)),
      [](std::pair<Json, std::size_t> parts) { return spoiled(std::move(parts.first), parts.second); });
  return mostly(good, bad, 16);
}

Gen<Json> any_deny_record() {
  return object_of({{"domain", patterns(name_from(world::kDomains), "/v.*/")},
                    {"address", patterns(name_from(world::kAddresses), "/10.*1/")},
                    {"credentials", curve_credentials()},
                    {"user_id", name_from(world::kUsers)},
                    {"enabled", mostly(constant(true), constant(false))}});
}

Gen<Json> any_denial() {
  const auto other = gen::map(gen::tuple(any_deny_record(), mechanism_and_credentials(), time_or_null()),
                              [](std::tuple<Json, std::pair<Json, Json>, Json> parts) {
                                auto& [record, credentials, not_after] = parts;
                                if (credentials.first == Json("CURVE")) return record;
                                record.set("mechanism", std::move(credentials.first));
                                record.set("credentials", std::move(credentials.second));
                                record.set("not_after", std::move(not_after));
                                return record;
                              });
  return mostly(any_deny_record(), other, 2);
}

Gen<Json> any_policy(int most_records) {
  const auto role = capabilities();
  const auto roles = object_of({{"reader", role}, {"writer", role}});
  const auto group = list_of(name_from(kRoles), 2);
  const auto groups = object_of({{"staff", group}, {"guests", group}});
  return gen::map(gen::tuple(list_of(any_record(), most_records), list_of(any_denial(), 2), roles, groups),
                  [](std::tuple<Json, Json, Json, Json> parts) {
                    return std::apply([](auto&&... part) { return document_of(std::move(part)...); },
                                      std::move(parts));
                  });
}

Gen<Json> any_topic_rule() {
  const auto topic = gen::element<Json>(Json("devices"), Json("devices/alice"), Json("/devices/.*/"),
                                        Json("alerts"), Json("/.*/"), Json(""));
  return object_of(
      {{"topic", topic},
       {"capabilities", gen::weightedOneOf<Json>({{6, list_of(name_from(world::kCapabilities), 2)},
                                                  {1, name_from(world::kCapabilities)},
                                                  {1, constant(Json::Array{""})}})}});
}

Gen<Json> any_topic_rules() {
  return object_of(
      {{"write-protect", list_of(any_topic_rule(), 3)}, {"read-protect", list_of(any_topic_rule(), 3)}});
}

// ---- Questions ----

const std::vector<ConnectCase>& connect_cases() {
  static const auto kCases = [] {
    std::vector<ConnectCase> out;
    for (const auto domain : world::kDomains) {
      for (const auto address : world::kAddresses) {
        for (const auto key : world::kKeys) out.push_back({domain, address, key});
      }
    }
    return out;
  }();
  return kCases;
}

const std::vector<CallCase>& call_cases() {
  static const auto kCases = [] {
    const CallArguments arguments[] = {
        CallArguments(), CallArguments(Json::Object{{"x", 1}}), CallArguments(Json::Object{{"x", true}}),
        CallArguments(Json::Object{{"x", "aa"}}),
        CallArguments(Json::Object{{"x", "alice"}, {"topic", "devices/alice/x"}})};
    std::vector<CallCase> out;
    for (const auto user_id : world::kUsers) {
      for (const auto callee : world::kIdentities) {
        for (const auto method : world::kMethods) {
          for (const CallArguments& values : arguments) out.push_back({user_id, callee, method, values});
        }
      }
    }
    return out;
  }();
  return kCases;
}

const std::vector<TopicCase>& topic_cases() {
  static const auto kCases = [] {
    std::vector<TopicCase> out;
    for (const auto user_id : world::kUsers) {
      for (const auto topic : world::kTopics) out.push_back({user_id, topic});
    }
    return out;
  }();
  return kCases;
}

PolicySnapshot compile(const Json& policy, const Json& topic_rules) {
  const auto parsed = Policy::parse(policy);
  if (!parsed) throw std::runtime_error(parsed.error().to_string());
  auto rules = TopicRules::parse(topic_rules);
  if (!rules) throw std::runtime_error(rules.error().to_string());
  const Timestamp now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21);
  auto compiled = PolicySnapshot::compile(*parsed, TopicProtector(std::move(*rules)), now);
  if (!compiled) throw std::runtime_error(compiled.error().to_string());
  return std::move(*compiled);
}

std::vector<std::string> answers(const PolicySnapshot& snapshot) {
  std::vector<std::string> out;
  for (const ConnectCase& c : connect_cases()) {
    const auto answer = snapshot.authenticator.authenticate({c.domain, c.address, *CurveKey::parse(c.key)});
    out.push_back(std::string(to_string(answer.decision.reason())) + " " + std::string(answer.user_id) + " " +
                  std::string(answer.identity));
  }
  for (const CallCase& c : call_cases()) {
    const Decision answer = snapshot.authorize_call(c.user_id, {c.callee, c.method, c.arguments});
    out.emplace_back(to_string(answer.reason()));
  }
  for (const TopicCase& c : topic_cases()) {
    out.emplace_back(to_string(snapshot.authorize_publish(c.user_id, c.topic).reason()));
    out.emplace_back(to_string(snapshot.authorize_receive(c.user_id, c.topic).reason()));
  }
  return out;
}

}  // namespace vipauth::test
