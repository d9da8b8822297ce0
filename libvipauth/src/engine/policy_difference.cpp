#include <vipauth/policy_difference.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/hash.hpp"
#include "engine/policy_index.hpp"

namespace vipauth {
namespace {

/// What is in `left` and not in `right`, both sorted by key; equal keys count as often as they are there.
template <typename Keyed>
std::vector<Keyed> only_in(const std::vector<Keyed>& left, const std::vector<Keyed>& right) {
  std::vector<Keyed> out;
  std::set_difference(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(out),
                      [](const Keyed& a, const Keyed& b) { return a.first < b.first; });
  return out;
}

template <typename Value>
using ByKey = std::vector<std::pair<std::string, Value>>;

/// Sorts by key, and keeps one of each.
template <typename Value>
void normalize(ByKey<Value>& list) {
  std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  list.erase(
      std::unique(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.first == b.first; }),
      list.end());
}

template <typename Value>
std::vector<Value> values(ByKey<Value> list) {
  std::vector<Value> out;
  out.reserve(list.size());
  for (auto& [key, value] : list) out.push_back(std::move(value));
  return out;
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

// ---- Where to look ----

/// A policy, which of its allow records are active, and which of those are worth a closer look.
struct Side {
  const Policy& policy;
  std::vector<bool> active;
  std::vector<bool> records = {};
};

using Entries = std::vector<const Policy::Entry*>;

/// Active records, in file order.
std::unordered_map<std::string_view, Entries> records_by_user(const Side& side) {
  std::unordered_map<std::string_view, Entries> out;
  out.reserve(side.active.size());
  for (std::size_t i = 0; i < side.active.size(); ++i) {
    const Policy::Entry& entry = side.policy.allow()[i];
    if (side.active[i]) out[entry.record->user_id].push_back(&entry);
  }
  return out;
}

template <typename Named>
bool are_same(const std::vector<Named>& before, const std::vector<Named>& after) {
  return std::equal(before.begin(), before.end(), after.begin(), after.end(),
                    [](const Named& a, const Named& b) { return a.name == b.name && a.source == b.source; });
}

bool are_same(const Entries& before, const Entries& after) {
  return std::equal(before.begin(), before.end(), after.begin(), after.end(),
                    [](const auto* a, const auto* b) { return a->source == b->source; });
}

using Users = std::unordered_set<std::string_view>;

/// Users with an active record in one policy whose records or roles might mean something else in the other.
Users users_to_compare(const Side& before, const Side& after) {
  const bool same_names = are_same(before.policy.roles(), after.policy.roles()) &&
                          are_same(before.policy.groups(), after.policy.groups());
  const auto old_users = records_by_user(before);
  const auto new_users = records_by_user(after);
  Users out;
  for (const auto& [user_id, entries] : old_users) {
    const auto found = new_users.find(user_id);
    if (!same_names || found == new_users.end() || !are_same(entries, found->second)) out.insert(user_id);
  }
  for (const auto& [user_id, entries] : new_users) {
    if (!old_users.contains(user_id)) out.insert(user_id);
  }
  return out;
}

/// Keys of more than one active record of a policy, of which the first that matches decides.
void add_shared_keys(const Side& side, std::set<CurveKey>& out) {
  std::vector<CurveKey> keys;
  for (std::size_t i = 0; i < side.active.size(); ++i) {
    if (!side.active[i]) continue;
    const auto* key = std::get_if<CurveKey>(&side.policy.allow()[i].record->credentials);
    if (key != nullptr) keys.push_back(*key);
  }
  std::sort(keys.begin(), keys.end());
  for (auto key = keys.begin(); (key = std::adjacent_find(key, keys.end())) != keys.end(); ++key)
    out.insert(*key);
}

/// Those of the users, and those whose order matters. A record that both policies have is among those of
/// both, or of none.
std::vector<bool> records_to_compare(const Side& side, const Users& users,
                                     const std::set<CurveKey>& shared_keys) {
  std::vector<bool> out(side.active.size());
  for (std::size_t i = 0; i < side.active.size(); ++i) {
    if (!side.active[i]) continue;
    const AuthRecord& record = *side.policy.allow()[i].record;
    const auto* key = std::get_if<CurveKey>(&record.credentials);
    out[i] = key == nullptr || shared_keys.contains(*key) || users.contains(record.user_id);
  }
  return out;
}

// ---- Peers ----

/// Null, a text or a list of texts: the shortest form of what accepts the same.
Json shown_patterns(const std::vector<Pattern>& patterns) {
  std::vector<std::string> texts;
  texts.reserve(patterns.size());
  for (const Pattern& pattern : patterns) texts.push_back(pattern.text());
  texts = sorted(std::move(texts));
  if (texts.empty()) return {};
  return texts.size() == 1 ? Json(texts.front()) : Json::strings(texts);
}

Json shown_time(const std::optional<Timestamp>& time) {
  return time ? Json(format_timestamp(*time)) : Json();
}

/// The peer of a record, by a key that also tells passwords apart, which a Peer does not show.
std::pair<std::string, PolicyDifference::Peer> keyed_peer(const AuthRecord& record,
                                                          const std::string& identity) {
  PolicyDifference::Peer peer{record.user_id,
                              record.mechanism,
                              shown_patterns(record.domain),
                              shown_patterns(record.address),
                              {},
                              identity,
                              record.not_before,
                              record.not_after};
  std::string secret;
  if (const auto* key = std::get_if<CurveKey>(&record.credentials)) peer.credentials = key->to_base64url();
  if (const auto* pattern = std::get_if<Pattern>(&record.credentials)) peer.credentials = pattern->text();
  if (const auto* password = std::get_if<StoredPassword>(&record.credentials)) {
    secret = secret_fingerprint(password->text);
  }
  std::string key =
      Json(Json::Array{peer.user_id, to_string(peer.mechanism), peer.domain, peer.address, peer.credentials,
                       secret, peer.identity, shown_time(peer.not_before), shown_time(peer.not_after)})
          .dump();
  return {std::move(key), std::move(peer)};
}

using Peers = ByKey<PolicyDifference::Peer>;

/// In file order.
Peers allowed_peers(const Side& side) {
  Peers out;
  for (std::size_t i = 0; i < side.records.size(); ++i) {
    const auto& record = side.policy.allow()[i].record;
    if (side.records[i]) out.push_back(keyed_peer(*record, record->identity));
  }
  return out;
}

Result<Peers> denied_peers(const Policy& policy, Timestamp now) {
  Peers out;
  for (const Policy::Entry& entry : policy.deny()) {
    if (!entry.record) return entry.record.error();
    if (entry.record->is_active(now)) out.push_back(keyed_peer(*entry.record, ""));
  }
  normalize(out);
  return out;
}

/// What the authenticator finds the record by: of those with the same, the first that matches decides.
std::pair<Mechanism, std::string> found_by(const PolicyDifference::Peer& peer) {
  if (peer.mechanism == Mechanism::kPlain) return {peer.mechanism, peer.user_id};
  return {peer.mechanism, Pattern::looks_like_regex(peer.credentials) ? "" : peer.credentials};
}

using Sequences = std::map<std::pair<Mechanism, std::string>, Peers>;

/// Those of `peers` that are in `others`, too, each once.
Sequences common_sequences(const Peers& peers, const Peers& others) {
  std::set<std::string_view> left;
  for (const auto& other : others) left.insert(other.first);
  Sequences out;
  for (const auto& peer : peers) {
    if (left.erase(peer.first) > 0) out[found_by(peer.second)].push_back(peer);
  }
  return out;
}

std::vector<PolicyDifference::Order> changed_orders(const Peers& before, const Peers& after) {
  std::vector<PolicyDifference::Order> out;
  Sequences old_sequences = common_sequences(before, after);
  for (auto& [finder, now_peers] : common_sequences(after, before)) {
    Peers& old_peers = old_sequences.at(finder);
    const auto is_same = [](const auto& a, const auto& b) { return a.first == b.first; };
    const auto first = std::mismatch(old_peers.begin(), old_peers.end(), now_peers.begin(), is_same).first;
    if (first == old_peers.end()) continue;
    const auto last = std::mismatch(old_peers.rbegin(), old_peers.rend(), now_peers.rbegin(), is_same).first;
    const auto begin = first - old_peers.begin();
    const auto end = last.base() - old_peers.begin();
    out.push_back({values(Peers(old_peers.begin() + begin, old_peers.begin() + end)),
                   values(Peers(now_peers.begin() + begin, now_peers.begin() + end))});
  }
  return out;
}

// ---- Users and their grants ----

ByKey<Capability> grants(const CapabilityResolver& resolver, const std::string& user_id) {
  ByKey<Capability> out;
  for (HeldGrant& held : resolver.grants_of(user_id)) {
    std::sort(held.capability.restrictions.begin(), held.capability.restrictions.end(),
              [](const Restriction& a, const Restriction& b) { return a.parameter < b.parameter; });
    Json::Array key{held.capability.name};
    for (const Restriction& restriction : held.capability.restrictions) {
      key.emplace_back(restriction.parameter);
      key.push_back(restriction.constraint);
    }
    out.emplace_back(Json(std::move(key)).canonical().dump(), std::move(held.capability));
  }
  normalize(out);
  return out;
}

CapabilityChanges compare_users(const CapabilityResolver& before, const CapabilityResolver& after) {
  CapabilityChanges out;
  const std::vector<std::string> old_users = before.users();
  const std::vector<std::string> new_users = after.users();
  std::set_difference(new_users.begin(), new_users.end(), old_users.begin(), old_users.end(),
                      std::back_inserter(out.users_gained));
  std::set_difference(old_users.begin(), old_users.end(), new_users.begin(), new_users.end(),
                      std::back_inserter(out.users_lost));
  std::vector<std::string> all;
  std::set_union(old_users.begin(), old_users.end(), new_users.begin(), new_users.end(),
                 std::back_inserter(all));
  for (const std::string& user_id : all) {
    const auto held_before = grants(before, user_id);
    const auto held_after = grants(after, user_id);
    PolicyDifference::User user{user_id, values(only_in(held_after, held_before)),
                                values(only_in(held_before, held_after))};
    if (!user.gained.empty() || !user.lost.empty()) out.users.push_back(std::move(user));
  }
  return out;
}

// ---- Methods ----

void compare_methods(const MethodRegistry& before, const MethodRegistry& after, PolicyDifference& out) {
  std::map<std::pair<std::string, std::string>, PolicyDifference::Method> methods;
  const auto of = [&](const MethodRequirement& requirement) -> PolicyDifference::Method& {
    PolicyDifference::Method& method = methods[{requirement.identity, requirement.method}];
    method.identity = requirement.identity;
    method.method = requirement.method;
    return method;
  };
  for (const auto& requirement : before.requirements())
    of(requirement).before = sorted(requirement.capabilities);
  for (const auto& requirement : after.requirements())
    of(requirement).after = sorted(requirement.capabilities);
  const std::vector<std::string> none;
  for (auto& [name, method] : methods) {
    if (method.before.value_or(none) != method.after.value_or(none)) out.methods.push_back(std::move(method));
  }
  const auto old_unreadable = before.unreadable();
  const auto new_unreadable = after.unreadable();
  std::set_difference(new_unreadable.begin(), new_unreadable.end(), old_unreadable.begin(),
                      old_unreadable.end(), std::back_inserter(out.unreadable_gained));
  std::set_difference(old_unreadable.begin(), old_unreadable.end(), new_unreadable.begin(),
                      new_unreadable.end(), std::back_inserter(out.unreadable_lost));
}

// ---- Topics ----

ByKey<TopicRulesDifference::Rule> keyed_rules(const TopicRules& rules) {
  ByKey<TopicRulesDifference::Rule> out;
  for (const bool is_read : {false, true}) {
    for (const TopicRule& rule : is_read ? rules.read_protect : rules.write_protect) {
      TopicRulesDifference::Rule item{is_read, rule.topic.text(), sorted(rule.capabilities)};
      if (item.capabilities.empty()) continue;  // it requires nothing
      std::string key = Json(Json::Array{is_read, item.topic, Json::strings(item.capabilities)}).dump();
      out.emplace_back(std::move(key), std::move(item));
    }
  }
  normalize(out);
  return out;
}

}  // namespace

bool PolicyDifference::empty() const noexcept {
  return users_gained.empty() && users_lost.empty() && users.empty() && peers_gained.empty() &&
         peers_lost.empty() && denied_gained.empty() && denied_lost.empty() && orders.empty() &&
         methods.empty() && unreadable_gained.empty() && unreadable_lost.empty();
}

Result<PolicyDifference> compare(const Policy& before, const Policy& after, Timestamp now) {
  const auto old_denied = denied_peers(before, now);
  if (!old_denied) return old_denied.error().at("before");
  const auto new_denied = denied_peers(after, now);
  if (!new_denied) return new_denied.error().at("after");
  const auto old_index = index_of(before);
  const auto new_index = index_of(after);
  Side old_side{before, activity_at(*old_index, now).allow};
  Side new_side{after, activity_at(*new_index, now).allow};
  const Users users = users_to_compare(old_side, new_side);
  std::set<CurveKey> shared_keys;
  add_shared_keys(old_side, shared_keys);
  add_shared_keys(new_side, shared_keys);
  old_side.records = records_to_compare(old_side, users, shared_keys);
  new_side.records = records_to_compare(new_side, users, shared_keys);
  const auto old_grants = CapabilityResolver::create(before, old_side.records);
  if (!old_grants) return old_grants.error().at("before");
  const auto new_grants = CapabilityResolver::create(after, new_side.records);
  if (!new_grants) return new_grants.error().at("after");

  PolicyDifference out;
  CapabilityChanges grants = compare_users(*old_grants, *new_grants);
  out.users_gained = std::move(grants.users_gained);
  out.users_lost = std::move(grants.users_lost);
  out.users = std::move(grants.users);
  Peers old_allowed = allowed_peers(old_side);
  Peers new_allowed = allowed_peers(new_side);
  out.orders = changed_orders(old_allowed, new_allowed);
  normalize(old_allowed);
  normalize(new_allowed);
  out.peers_gained = values(only_in(new_allowed, old_allowed));
  out.peers_lost = values(only_in(old_allowed, new_allowed));
  out.denied_gained = values(only_in(*new_denied, *old_denied));
  out.denied_lost = values(only_in(*old_denied, *new_denied));
  compare_methods(MethodRegistry::create(old_index), MethodRegistry::create(new_index), out);
  return out;
}

CapabilityChanges compare(const CapabilityResolver& before, const CapabilityResolver& after) {
  return before.is(after) ? CapabilityChanges() : compare_users(before, after);
}

TopicRulesDifference compare(const TopicRules& before, const TopicRules& after) {
  const auto old_rules = keyed_rules(before);
  const auto new_rules = keyed_rules(after);
  return {values(only_in(new_rules, old_rules)), values(only_in(old_rules, new_rules))};
}

}  // namespace vipauth
