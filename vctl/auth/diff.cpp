#include "auth/diff.hpp"

#include <filesystem>
#include <ostream>
#include <system_error>
#include <utility>
#include <vector>

#include <vipauth/auth_file.hpp>
#include <vipauth/policy_difference.hpp>
#include <vipauth/policy_store.hpp>
#include <vipauth/python_repr.hpp>
#include <vipauth/topics_file.hpp>

#include "auth/grant_text.hpp"
#include "home.hpp"
#include "output.hpp"
#include "working.hpp"

namespace vipauth::vctl::auth {
namespace {

/// One of the two sides.
struct Side {
  std::filesystem::path path;
  bool is_folder = false;
  const PolicyStore* store = nullptr;  ///< or what a fleet shares
};

Side side_of(const std::string& path) {
  std::error_code ignored;
  return {path, std::filesystem::is_directory(path, ignored), nullptr};
}

/// A file that is named must be there; of a folder, one that is missing is empty. Whoever may change the
/// files decides nothing by this verb: it only reads.
Result<Policy> load_policy(const Side& side) {
  if (side.store != nullptr) return side.store->load_policy();
  auto policy = AuthFile(side.is_folder ? side.path / "auth.json" : side.path, StrictModes::kOff).load();
  if (!policy && side.is_folder && policy.error().code == ErrorCode::kNotFound) return Policy();
  return policy;
}

Result<TopicRules> load_topics(const Side& side) {
  if (side.store != nullptr) {
    const auto topics = side.store->load_topics();
    if (!topics) return topics.error();
    return topics->rules();
  }
  auto rules =
      TopicsFile(side.is_folder ? side.path / "protected_topics.json" : side.path, StrictModes::kOff).load();
  if (!rules && side.is_folder && rules.error().code == ErrorCode::kNotFound) return TopicRules();
  return rules;
}

struct Difference {
  PolicyDifference policy;
  TopicRulesDifference topics;

  bool empty() const { return policy.empty() && topics.empty(); }
};

Result<Difference> compare_sides(const Side& before, const Side& after, const DiffOptions& options,
                                 Timestamp now) {
  Difference out;
  if (!options.are_topics) {
    const auto old_policy = load_policy(before);
    if (!old_policy) return old_policy.error();
    const auto new_policy = load_policy(after);
    if (!new_policy) return new_policy.error();
    auto difference = compare(*old_policy, *new_policy, now);
    if (!difference) return difference.error();
    out.policy = std::move(*difference);
  }
  if (options.are_topics || (before.is_folder && after.is_folder)) {
    const auto old_rules = load_topics(before);
    if (!old_rules) return old_rules.error();
    const auto new_rules = load_topics(after);
    if (!new_rules) return new_rules.error();
    out.topics = compare(*old_rules, *new_rules);
  }
  return out;
}

// ---- For people ----

std::string quoted(const std::string& name) { return "\"" + python_str(Json(name)) + "\""; }

class Lines {
 public:
  explicit Lines(std::ostream& out) : out_(out) {}

  void gained(const std::string& text) { out_ << "+ " << printable(text) << '\n'; }
  void lost(const std::string& text) { out_ << "- " << printable(text) << '\n'; }

  /// Each of two lists, as `text` puts it.
  template <typename List, typename Text>
  void both(const List& before, const List& after, Text text) {
    for (const auto& item : before) lost(text(item));
    for (const auto& item : after) gained(text(item));
  }

 private:
  std::ostream& out_;
};

std::string peer_text(const char* what, const PolicyDifference::Peer& peer) {
  std::string out = what + quoted(peer.user_id) + " by " + std::string(to_string(peer.mechanism));
  if (!peer.credentials.empty()) out += " " + peer.credentials;
  if (!peer.identity.empty()) out += ", identity " + quoted(peer.identity);
  if (!peer.domain.is_null()) out += ", domain " + python_repr(peer.domain);
  if (!peer.address.is_null()) out += ", address " + python_repr(peer.address);
  if (peer.not_before) out += ", from " + format_timestamp(*peer.not_before);
  if (peer.not_after) out += ", until " + format_timestamp(*peer.not_after);
  return out;
}

std::string order_text(const std::vector<PolicyDifference::Peer>& peers) {
  std::string out = "first match of:";
  for (std::size_t i = 0; i < peers.size(); ++i) {
    out += peer_text(i == 0 ? " " : "; ", peers[i]);
  }
  return out;
}

std::string grant_text(const std::string& user_id, const Capability& capability) {
  const std::string only_with = restrictions_text(capability.restrictions);
  return "grant " + quoted(user_id) + ": " + capability.name +
         (only_with.empty() ? "" : " only with " + only_with);
}

void print_text(std::ostream& out, const Difference& difference) {
  const PolicyDifference& policy = difference.policy;
  Lines lines(out);
  lines.both(policy.users_lost, policy.users_gained,
             [](const std::string& name) { return "user " + quoted(name); });
  for (const PolicyDifference::User& user : policy.users) {
    lines.both(user.lost, user.gained, [&](const Capability& c) { return grant_text(user.user_id, c); });
  }
  lines.both(policy.peers_lost, policy.peers_gained,
             [](const PolicyDifference::Peer& peer) { return peer_text("let in ", peer); });
  lines.both(policy.denied_lost, policy.denied_gained,
             [](const PolicyDifference::Peer& peer) { return peer_text("denied ", peer); });
  for (const PolicyDifference::Order& order : policy.orders) {
    lines.lost(order_text(order.before));
    lines.gained(order_text(order.after));
  }
  for (const PolicyDifference::Method& method : policy.methods) {
    const std::string name = "method " + method.identity + "." + method.method + " requires ";
    if (method.before) lines.lost(name + python_repr(*method.before));
    if (method.after) lines.gained(name + python_repr(*method.after));
  }
  lines.both(policy.unreadable_lost, policy.unreadable_gained,
             [](const std::string& name) { return "every call to " + quoted(name) + " is refused"; });
  lines.both(difference.topics.lost, difference.topics.gained, [](const TopicRulesDifference::Rule& rule) {
    return std::string(rule.is_read ? "read-protect " : "write-protect ") + quoted(rule.topic) +
           ": requires " + python_repr(rule.capabilities);
  });
  if (difference.empty()) out << "no difference\n";
}

// ---- For programs ----

Json gained_and_lost(Json gained, Json lost) {
  return Json::Object{{"gained", std::move(gained)}, {"lost", std::move(lost)}};
}

Json document(const std::vector<PolicyDifference::Peer>& peers) {
  Json::Array out;
  const auto time = [](const std::optional<Timestamp>& at) {
    return at ? Json(format_timestamp(*at)) : Json();
  };
  for (const PolicyDifference::Peer& peer : peers) {
    out.emplace_back(Json::Object{{"user_id", peer.user_id},
                                  {"mechanism", to_string(peer.mechanism)},
                                  {"credentials", peer.credentials},
                                  {"identity", peer.identity},
                                  {"domain", peer.domain},
                                  {"address", peer.address},
                                  {"not_before", time(peer.not_before)},
                                  {"not_after", time(peer.not_after)}});
  }
  return out;
}

Json document(const std::vector<PolicyDifference::Order>& orders) {
  Json::Array out;
  for (const PolicyDifference::Order& order : orders) {
    out.emplace_back(Json::Object{{"before", document(order.before)}, {"after", document(order.after)}});
  }
  return out;
}

Json document(const std::vector<TopicRulesDifference::Rule>& rules) {
  Json::Array out;
  for (const TopicRulesDifference::Rule& rule : rules) {
    out.emplace_back(Json::Object{{"list", rule.is_read ? "read-protect" : "write-protect"},
                                  {"topic", rule.topic},
                                  {"requires", Json::strings(rule.capabilities)}});
  }
  return out;
}

Json document(const Difference& difference) {
  const PolicyDifference& policy = difference.policy;
  Json::Array grants_gained;
  Json::Array grants_lost;
  const auto add = [](Json::Array& out, const std::string& user_id, const std::vector<Capability>& grants) {
    for (const Capability& capability : grants) {
      out.emplace_back(Json::Object{{"user_id", user_id},
                                    {"capability", capability.name},
                                    {"restrictions", restrictions_json(capability.restrictions)}});
    }
  };
  for (const PolicyDifference::User& user : policy.users) {
    add(grants_gained, user.user_id, user.gained);
    add(grants_lost, user.user_id, user.lost);
  }
  Json::Array methods;
  const auto names = [](const std::optional<std::vector<std::string>>& list) {
    return list ? Json::strings(*list) : Json();
  };
  for (const PolicyDifference::Method& method : policy.methods) {
    methods.emplace_back(Json::Object{{"identity", method.identity},
                                      {"method", method.method},
                                      {"before", names(method.before)},
                                      {"after", names(method.after)}});
  }
  return Json::Object{
      {"same", difference.empty()},
      {"users", gained_and_lost(Json::strings(policy.users_gained), Json::strings(policy.users_lost))},
      {"grants", gained_and_lost(std::move(grants_gained), std::move(grants_lost))},
      {"peers", gained_and_lost(document(policy.peers_gained), document(policy.peers_lost))},
      {"denied", gained_and_lost(document(policy.denied_gained), document(policy.denied_lost))},
      {"orders", document(policy.orders)},
      {"methods", std::move(methods)},
      {"unreadable",
       gained_and_lost(Json::strings(policy.unreadable_gained), Json::strings(policy.unreadable_lost))},
      {"topics", gained_and_lost(document(difference.topics.gained), document(difference.topics.lost))}};
}

}  // namespace

int diff(const DiffOptions& options, const Context& context) {
  Side after;
  if (options.after) {
    after = side_of(*options.after);
  } else if (context.store) {
    after = {{}, true, context.store.get()};
  } else {
    const auto home = Home::open(context);
    if (!home) return fail(context, home.error());
    after = {home->path(), true, nullptr};
  }
  const auto difference = while_working(context, "comparing", [&] {
    return compare_sides(side_of(options.before), after, options, context.env.clock());
  });
  if (!difference) return fail(context, difference.error());
  if (context.options.json) {
    print_document(context, document(*difference));
  } else {
    print_text(context.env.out, *difference);
  }
  return options.with_exit_code && !difference->empty() ? kExitFailed : kExitDone;
}

}  // namespace vipauth::vctl::auth
