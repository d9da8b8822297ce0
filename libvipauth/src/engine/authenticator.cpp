#include <vipauth/authenticator.hpp>

#include <algorithm>
#include <unordered_map>

#include <vipauth/record_secrets.hpp>

#include "base/hash.hpp"
#include "base/password.hpp"
#include "base/string_hash.hpp"
#include "engine/active_records.hpp"

namespace vipauth {
namespace {

struct KeyHash {
  std::size_t operator()(const CurveKey& key) const noexcept {
    return static_cast<std::size_t>(seeded_hash(key.bytes()));
  }
};

bool any_matches(const std::vector<Pattern>& patterns, std::string_view value) {
  return patterns.empty() ||
         std::any_of(patterns.begin(), patterns.end(), [&](const Pattern& p) { return p.matches(value); });
}

/// One record, as far as authentication goes.
struct Rule {
  std::string user_id;
  std::string identity;
  std::vector<Pattern> domain;
  std::vector<Pattern> address;
  Credentials credentials;
  std::string location;
  bool active = false;

  bool accepts_place(std::string_view a_domain, std::string_view an_address) const {
    return any_matches(domain, a_domain) && any_matches(address, an_address);
  }
};

using RuleIds = std::vector<std::uint32_t>;

/// The rules of one list, by what finds them; each RuleIds in file order.
class RuleIndex {
 public:
  void add(const AuthRecord& record, std::string location, bool active) {
    const auto id = static_cast<std::uint32_t>(rules_.size());
    rules_.push_back({record.user_id, record.identity, record.domain, record.address, record.credentials,
                      std::move(location), active});
    if (const auto* key = std::get_if<CurveKey>(&record.credentials)) {
      by_key_[*key].push_back(id);
    } else if (std::holds_alternative<Pattern>(record.credentials)) {
      by_pattern_.push_back(id);
    } else if (std::holds_alternative<StoredPassword>(record.credentials)) {
      by_username_[record.user_id].push_back(id);
    } else {
      without_credentials_.push_back(id);
    }
  }

  struct Place {
    std::string_view domain;
    std::string_view address;
  };

  const Rule* find_key(const CurveKey& key, Place place) const {
    const auto found = by_key_.find(key);
    return found == by_key_.end() ? nullptr : first(found->second, place, [](const Rule&) { return true; });
  }

  /// A rule of this literal key, active or not.
  const Rule* any_of_key(const CurveKey& key) const {
    const auto found = by_key_.find(key);
    return found == by_key_.end() ? nullptr : &rules_[found->second.front()];
  }

  bool has_active_key(const CurveKey& key) const {
    const auto found = by_key_.find(key);
    return found != by_key_.end() && std::any_of(found->second.begin(), found->second.end(),
                                                 [&](std::uint32_t id) { return rules_[id].active; });
  }

  const Rule* find_pattern(const CurveKey& key, Place place) const {
    if (by_pattern_.empty()) return nullptr;
    const std::string text = key.to_base64url();
    return first(by_pattern_, place,
                 [&](const Rule& r) { return std::get<Pattern>(r.credentials).matches(text); });
  }

  template <typename Accepts>
  const Rule* find_username(std::string_view username, Place place, Accepts accepts_stored) const {
    const auto found = by_username_.find(username);
    if (found == by_username_.end()) return nullptr;
    return first(found->second, place,
                 [&](const Rule& r) { return accepts_stored(std::get<StoredPassword>(r.credentials).text); });
  }

  const Rule* find_without_credentials(Place place) const {
    return first(without_credentials_, place, [](const Rule&) { return true; });
  }

 private:
  template <typename Predicate>
  const Rule* first(const RuleIds& ids, Place place, Predicate predicate) const {
    for (const std::uint32_t id : ids) {
      const Rule& rule = rules_[id];
      if (rule.active && rule.accepts_place(place.domain, place.address) && predicate(rule)) return &rule;
    }
    return nullptr;
  }

  std::vector<Rule> rules_;
  std::unordered_map<CurveKey, RuleIds, KeyHash> by_key_;
  StringMap<RuleIds> by_username_;
  RuleIds by_pattern_;
  RuleIds without_credentials_;
};

Authentication refused(Reason reason, std::string message, std::vector<std::string> source = {}) {
  return {Decision::refuse(reason, std::move(message), std::move(source)), {}, {}};
}

}  // namespace

struct Authenticator::Index {
  RuleIndex allow;
  RuleIndex deny;
  IpcTrust ipc_trust;
  std::optional<Timestamp> next_change;

  static Authentication accepted(const Rule& rule, Acceptance acceptance) {
    acceptance.user_id = rule.user_id;
    return {Decision::allow(Reason::kAccepted, {rule.location}), std::move(acceptance), rule.identity};
  }

  static Authentication denied(const Rule& rule) {
    return refused(Reason::kDenied, "these credentials are denied", {rule.location});
  }

  Authentication judge_key(const CurveKey& key, RuleIndex::Place place, Acceptance acceptance) const {
    if (const Rule* rule = deny.find_key(key, place)) return denied(*rule);
    if (const Rule* rule = deny.find_pattern(key, place)) return denied(*rule);
    if (const Rule* rule = allow.find_key(key, place)) return accepted(*rule, std::move(acceptance));
    if (const Rule* rule = allow.any_of_key(key); rule != nullptr && !allow.has_active_key(key)) {
      return refused(Reason::kInactive, "the records of this key are disabled or outside of their time",
                     {rule->location});
    }
    if (const Rule* rule = allow.find_pattern(key, place)) return accepted(*rule, std::move(acceptance));
    return refused(Reason::kUnknown, "no record accepts this key from this domain and address");
  }

  /// `accepts_stored` says whether the peer's password is the stored one.
  template <typename Accepts>
  Authentication judge_username(std::string_view username, RuleIndex::Place place, Acceptance acceptance,
                                Accepts accepts_stored) const {
    if (const Rule* rule = deny.find_username(username, place, accepts_stored)) return denied(*rule);
    if (const Rule* rule = allow.find_username(username, place, accepts_stored)) {
      acceptance.credentials = secret_fingerprint(std::get<StoredPassword>(rule->credentials).text);
      return accepted(*rule, std::move(acceptance));
    }
    return refused(Reason::kUnknown,
                   "no record accepts this user name and password from this domain and address");
  }

  Authentication judge_null(RuleIndex::Place place, Acceptance acceptance) const {
    if (const Rule* rule = deny.find_without_credentials(place)) return denied(*rule);
    if (const Rule* rule = allow.find_without_credentials(place))
      return accepted(*rule, std::move(acceptance));
    if (ipc_trust.accepts_address(place.address)) {
      acceptance.user_id = location_user_id(place.domain, place.address, Mechanism::kNull);
      if (acceptance.user_id.size() <= AuthRecord::kMaxUserIdBytes) {
        return {Decision::allow(Reason::kAccepted), std::move(acceptance), {}};
      }
    }
    return refused(Reason::kUnknown,
                   "no record accepts peers without credentials from this domain and address");
  }
};

Authenticator::Authenticator(std::shared_ptr<const Index> index) : index_(std::move(index)) {}

Result<Authenticator> Authenticator::create(const Policy& policy, Timestamp now, IpcTrust ipc_trust) {
  auto index = std::make_shared<Index>();
  index->ipc_trust = ipc_trust;
  index->next_change = next_validity_change(policy, now);
  for (std::size_t i = 0; i < policy.deny().size(); ++i) {
    const auto& record = policy.deny()[i].record;
    if (!record) return record.error();
    index->deny.add(*record, json_pointer("/deny", i), record->is_active(now));
  }
  const std::vector<bool> active = active_allow_records(policy, now);
  for (std::size_t i = 0; i < policy.allow().size(); ++i) {
    const auto& record = policy.allow()[i].record;
    if (record) index->allow.add(*record, json_pointer("/allow", i), active[i]);
  }
  return Authenticator(std::move(index));
}

Authentication Authenticator::authenticate(const AuthenticationRequest& request) const {
  if (!is_valid_utf8(request.domain) || !is_valid_utf8(request.address)) {
    return refused(Reason::kMalformed, "the domain or address is not valid UTF-8");
  }
  const std::string address = canonical_address(request.address);
  const RuleIndex::Place place{request.domain, address};
  Acceptance acceptance{{}, Mechanism::kNull, {}, std::string(request.domain), address};
  if (const auto* key = std::get_if<CurveKey>(&request.credentials)) {
    acceptance.mechanism = Mechanism::kCurve;
    acceptance.credentials = key->to_base64url();
    return index_->judge_key(*key, place, std::move(acceptance));
  }
  if (const auto* plain = std::get_if<AuthenticationRequest::Plain>(&request.credentials)) {
    acceptance.mechanism = Mechanism::kPlain;
    bool hashed = false;
    auto result =
        index_->judge_username(plain->username, place, std::move(acceptance), [&](const std::string& stored) {
          if (is_password_stand_in(Json(stored))) return false;  // a file made of what a platform told
          hashed = true;
          return verify_password(stored, plain->password);
        });
    if (!hashed) waste_password_time(plain->password);
    return result;
  }
  return index_->judge_null(place, std::move(acceptance));
}

Authentication Authenticator::reauthenticate(const Acceptance& acceptance) const {
  const RuleIndex::Place place{acceptance.domain, acceptance.address};
  switch (acceptance.mechanism) {
    case Mechanism::kNull: return index_->judge_null(place, acceptance);
    case Mechanism::kPlain:
      return index_->judge_username(acceptance.user_id, place, acceptance, [&](const std::string& stored) {
        return secret_fingerprint(stored) == acceptance.credentials;
      });
    case Mechanism::kCurve: break;
  }
  const auto key = CurveKey::parse(acceptance.credentials);
  if (!key) return refused(Reason::kMalformed, "the session's credentials are not a CURVE key");
  return index_->judge_key(*key, place, acceptance);
}

std::optional<Timestamp> Authenticator::next_change() const noexcept { return index_->next_change; }

Result<std::string> hash_password(std::string_view password) { return hash_of_password(password); }

}  // namespace vipauth
