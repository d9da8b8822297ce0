#include "world.hpp"

#include <vector>

namespace vipauth::soak {
namespace {

constexpr std::array<const char*, 4> kIdentities{"agent.a", "agent.b", "agent.c", "agent.d"};
constexpr std::array<const char*, 3> kMethods{"get", "set", "run"};
constexpr std::array<const char*, 4> kCapabilities{"read", "write", "admin", "publish"};
constexpr std::array<const char*, 3> kRoles{"reader", "writer", "boss"};
constexpr std::array<const char*, 2> kGroups{"staff", "guests"};
constexpr std::array<const char*, 5> kTopics{"devices/a/x", "devices/b", "alerts", "alerts/fire", "open"};
constexpr std::array<const char*, 4> kTopicPatterns{"alerts", "/devices\\/.*/", "/.*fire/", "/[a-d]+\\/x/"};
constexpr std::array<const char*, 4> kValues{"1", "\"abc\"", "\"xyz\"", "null"};
constexpr std::array<const char*, 3> kRestrictions{R"({"x":1})", R"({"x":"/a.*/"})", R"({"y":"xyz"})"};
constexpr std::size_t kMostRecords = 40;

std::string user_of(std::size_t peer) { return "user-" + std::to_string(peer); }

Json parsed(std::string_view text) { return *Json::parse(text); }

Json any_capabilities(Dice& dice) {
  Json::Object out;
  for (const char* const name : kCapabilities) {
    if (dice.one_of(2)) continue;
    out.push_back({name, dice.one_of(3) ? parsed(dice.pick(kRestrictions)) : Json()});
  }
  return Json(std::move(out));
}

template <typename Names>
std::vector<std::string> some_of(const Names& names, Dice& dice) {
  std::vector<std::string> out;
  for (const char* const name : names) {
    if (dice.one_of(3)) out.emplace_back(name);
  }
  return out;
}

Json json_of(const std::vector<std::string>& names) { return Json(Json::Array(names.begin(), names.end())); }

Json any_requirements(Dice& dice) {
  Json::Object out;
  for (const char* const method : kMethods) {
    if (dice.one_of(2)) out.push_back({method, json_of(some_of(kCapabilities, dice))});
  }
  return Json(std::move(out));
}

Json any_record(Dice& dice) {
  const std::size_t peer = dice.below(kKnownPeers);
  Json record(Json::Object{{"user_id", user_of(dice.one_of(8) ? dice.below(kKnownPeers) : peer)},
                           {"credentials", keys_of(peer).public_key.to_base64url()}});
  if (dice.one_of(3)) record.set("identity", dice.pick(kIdentities));
  if (dice.one_of(6)) record.set("enabled", false);
  if (dice.one_of(8)) record.set("domain", dice.one_of(2) ? "vip" : "another");
  if (dice.one_of(8)) record.set("address", dice.one_of(2) ? "127.0.0.1" : "10.0.0.1");
  record.set("capabilities", any_capabilities(dice));
  record.set("roles", json_of(some_of(kRoles, dice)));
  record.set("groups", json_of(some_of(kGroups, dice)));
  if (dice.one_of(3)) record.set("rpc_method_authorizations", any_requirements(dice));
  return record;
}

Json any_denial(Dice& dice) {
  Json record{Json::Object()};
  if (dice.one_of(8)) {
    record.set("address", "10.0.0.1");
  } else {
    record.set("credentials", keys_of(dice.below(kKnownPeers)).public_key.to_base64url());
  }
  return record;
}

template <typename T>
Result<void> without_value(const Result<T>& result) {
  if (!result) return result.error();
  return {};
}

/// One change. That it is refused, as a role that is there already, is as good as any other end.
Result<void> change(Policy& policy, Dice& dice) {
  const std::size_t allowed = policy.allow().size();
  const std::size_t denied = policy.deny().size();
  switch (dice.below(12)) {
    case 0:
    case 1:
    case 2:
      if (allowed < kMostRecords) return without_value(policy.add_allow(any_record(dice)));
      return policy.remove_allow({dice.below(allowed)});
    case 3: return allowed > 0 ? policy.remove_allow({dice.below(allowed)}) : Result<void>();
    case 4:
      if (allowed == 0) return {};
      return policy.update_allow(dice.below(allowed), Json::Object{{"enabled", !dice.one_of(4)}});
    case 5:
      if (allowed == 0) return {};
      return policy.update_allow(
          dice.below(allowed),
          Json::Object{{"capabilities", any_capabilities(dice)}, {"roles", json_of(some_of(kRoles, dice))}});
    case 6: return denied < 3 ? without_value(policy.add_deny(any_denial(dice))) : policy.remove_deny({0});
    case 7: return denied > 0 ? policy.remove_deny({dice.below(denied)}) : Result<void>();
    case 8: return policy.add_role(dice.pick(kRoles), any_capabilities(dice));
    case 9: return policy.remove_role(dice.pick(kRoles));
    case 10: return policy.add_group(dice.pick(kGroups), some_of(kRoles, dice));
    default: return policy.remove_group(dice.pick(kGroups));
  }
}

}  // namespace

const CurveKeyPair& keys_of(std::size_t peer) {
  static const std::vector<CurveKeyPair> pairs = [] {
    std::vector<CurveKeyPair> out;
    for (std::size_t i = 0; i < kPeers; ++i) {
      CurveKey::Bytes bytes{};
      bytes.fill(static_cast<std::uint8_t>(0x40 + i));
      out.push_back(*CurveKeyPair::from_secret(CurveKey(bytes).to_base64url()));
    }
    return out;
  }();
  return pairs.at(peer);
}

Ask any_ask(Dice& dice) {
  switch (dice.below(6)) {
    case 0: return {"publish", "", dice.pick(kTopics)};
    case 1: return {"receive", "", dice.pick(kTopics)};
    case 2: return {"speak", "", dice.pick(kIdentities)};
    default:
      return {"call", dice.pick(kIdentities), dice.pick(kMethods),
              R"({"x":)" + std::string(dice.pick(kValues)) + R"(,"y":)" + dice.pick(kValues) + "}"};
  }
}

Json first_policy() {
  Json::Array allow;
  for (std::size_t i = 0; i < kKnownPeers; i += 2) {
    allow.emplace_back(Json::Object{{"user_id", user_of(i)},
                                    {"credentials", keys_of(i).public_key.to_base64url()},
                                    {"capabilities", parsed(R"({"read":null,"publish":null})")}});
  }
  return Json(Json::Object{{"allow", std::move(allow)},
                           {"deny", Json(Json::Array())},
                           {"roles", Json(Json::Object())},
                           {"groups", Json(Json::Object())},
                           {"version", parsed(R"({"major":1,"minor":4})")}});
}

std::string any_topic_rules(Dice& dice) {
  Json out{Json::Object()};
  for (const char* const list : {"write-protect", "read-protect"}) {
    Json::Array rules;
    for (const char* const pattern : kTopicPatterns) {
      if (dice.one_of(2)) continue;
      rules.emplace_back(
          Json::Object{{"topic", pattern}, {"capabilities", json_of(some_of(kCapabilities, dice))}});
    }
    out.set(list, std::move(rules));
  }
  return out.dump();
}

std::string edit_mark(std::uint64_t number) { return "edit_" + std::to_string(number); }

Result<void> edit(Policy& policy, std::uint64_t number, Dice& dice) {
  const std::size_t changes = 1 + dice.below(3);
  for (std::size_t i = 0; i < changes; ++i) static_cast<void>(change(policy, dice));
  static_cast<void>(policy.remove_role(kEditRole));
  return policy.add_role(kEditRole, Json(Json::Object{{edit_mark(number), Json()}}));
}

}  // namespace vipauth::soak
