#include <vipauth/authenticator.hpp>

#include <algorithm>
#include <utility>

#include <vipauth/record_secrets.hpp>

#include "base/equal_secrets.hpp"
#include "base/hash.hpp"
#include "base/password.hpp"
#include "engine/policy_index.hpp"
#include "model/mapped_address.hpp"

namespace vipauth {
namespace {

using Id = RecordTable::Id;
constexpr Id kNone = RecordTable::kNone;

Decision refused(Reason reason, std::string message, std::vector<std::string> source = {}) {
  return Decision::refuse(reason, std::move(message), std::move(source));
}

/// One of the two lists at a moment. Of several records the first in the file is found.
class List {
 public:
  List(const RecordTable& records, const RecordTables& tables, const std::vector<bool>& active)
      : records_(records), tables_(tables), active_(active) {}

  /// Among the records of one key. \param first  of them; kNone: it has none
  Id find_of_key(Id first, PeerPlace place) const {
    for (Id id = first; id != kNone; id = records_[id].next_of_key) {
      if (counts(id, place)) return id;
    }
    return kNone;
  }

  /// Whether a key has records, of which none is active.
  bool is_sleeping(Id first) const {
    for (Id id = first; id != kNone; id = records_[id].next_of_key) {
      if (active_[id]) return false;
    }
    return first != kNone;
  }

  Id find_pattern(const CurveKey& key, PeerPlace place) const {
    if (records_.with_pattern().empty()) return kNone;
    const std::string text = key.to_base64url();
    return first(records_.with_pattern(), place, [&](Id id) { return records_.pattern(id).matches(text); });
  }

  template <typename Accepts>
  Id find_username(NameTable::Id user, PeerPlace place, Accepts accepts_stored) const {
    if (user == NameTable::kNone) return kNone;
    return first(records_.with_password(user), place,
                 [&](Id id) { return accepts_stored(records_.password(id)); });
  }

  Id find_without_credentials(PeerPlace place) const {
    return first(records_.without_credentials(), place, [](Id) { return true; });
  }

 private:
  bool counts(Id id, PeerPlace place) const {
    return active_[id] && tables_.accepts(records_[id].place, place);
  }

  template <typename Predicate>
  Id first(const std::vector<Id>& ids, PeerPlace place, Predicate predicate) const {
    const auto found =
        std::find_if(ids.begin(), ids.end(), [&](Id id) { return counts(id, place) && predicate(id); });
    return found == ids.end() ? kNone : *found;
  }

  const RecordTable& records_;
  const RecordTables& tables_;
  const std::vector<bool>& active_;
};

/// What the records say: one of the allow list accepts, or why not.
struct Verdict {
  Id accepted = kNone;
  Decision refusal;
};

}  // namespace

struct Authenticator::Index {
  std::shared_ptr<const PolicyIndex> records;
  std::shared_ptr<const Activity> active;
  IpcTrust ipc_trust;

  List allow() const { return {records->allow(), records->tables(), active->allow}; }
  List deny() const { return {records->deny(), records->tables(), active->deny}; }

  static Verdict denied(Id id) {
    return {kNone, refused(Reason::kDenied, "these credentials are denied", {json_pointer("/deny", id)})};
  }

  Verdict judge_key(const CurveKey& key, PeerPlace place) const {
    const std::uint32_t hash = RecordTable::hash_of(key);
    records->allow().expect_key(hash);
    const Id first_denied = records->deny().first_of_key(key, hash);
    if (const Id id = deny().find_of_key(first_denied, place); id != kNone) return denied(id);
    if (const Id id = deny().find_pattern(key, place); id != kNone) return denied(id);
    const Id first = records->allow().first_of_key(key, hash);
    if (const Id id = allow().find_of_key(first, place); id != kNone) return {id, {}};
    if (allow().is_sleeping(first)) {
      return {kNone,
              refused(Reason::kInactive, "the records of this key are disabled or outside of their time",
                      {json_pointer("/allow", first)})};
    }
    if (const Id id = allow().find_pattern(key, place); id != kNone) return {id, {}};
    return {kNone, refused(Reason::kUnknown, "no record accepts this key from this domain and address")};
  }

  /// `accepts_stored` says whether the peer's password is the stored one.
  template <typename Accepts>
  Verdict judge_username(std::string_view username, PeerPlace place, Accepts accepts_stored) const {
    return judge_user(records->names().find(username), place, accepts_stored);
  }

  template <typename Accepts>
  Verdict judge_user(NameTable::Id user, PeerPlace place, Accepts accepts_stored) const {
    if (const Id id = deny().find_username(user, place, accepts_stored); id != kNone) return denied(id);
    if (const Id id = allow().find_username(user, place, accepts_stored); id != kNone) return {id, {}};
    return {kNone, refused(Reason::kUnknown,
                           "no record accepts this user name and password from this domain and address")};
  }

  /// Does for a name that has no password here what a wrong password of somebody else does: always the same
  /// one's for that name, so that time does not tell who exists. `check_stored` says whether it checked.
  template <typename Check>
  void imitate_username(std::string_view username, PeerPlace place, Check check_stored) const {
    constexpr std::size_t kMostTries = 1000;  // of users whose records do not count here
    const auto& allowed = records->allow().users_with_password();
    const auto& denied = records->deny().users_with_password();
    const std::size_t count = allowed.size() + denied.size();
    if (count == 0) return;
    const std::size_t start = seeded_hash(username) % count;
    bool checked = false;
    const auto check = [&](const std::string& stored) {
      if (check_stored(stored)) checked = true;
      return false;
    };
    for (std::size_t i = 0; i < std::min(count, kMostTries) && !checked; ++i) {
      const std::size_t place_of_user = (start + i) % count;
      const bool is_allowed = place_of_user < allowed.size();
      judge_user(is_allowed ? allowed[place_of_user] : denied[place_of_user - allowed.size()], place, check);
    }
  }

  Verdict judge_null(PeerPlace place) const {
    if (const Id id = deny().find_without_credentials(place); id != kNone) return denied(id);
    if (const Id id = allow().find_without_credentials(place); id != kNone) return {id, {}};
    return {kNone, refused(Reason::kUnknown,
                           "no record accepts peers without credentials from this domain and address")};
  }

  void complete(Authentication& out, Verdict verdict) const {
    if (verdict.accepted == kNone) {
      out.decision = std::move(verdict.refusal);
      return;
    }
    const CompactRecord& record = records->allow()[verdict.accepted];
    out.decision = Decision::allow(Reason::kAccepted);
    out.user_id = records->names()[record.user];
    if (record.identity != NameTable::kNone) out.identity = records->names()[record.identity];
    if (record.kind == CompactRecord::Kind::kPassword) {
      out.stored_password_ = records->allow().password(verdict.accepted);
    }
    out.record_ = verdict.accepted;
  }

  /// Whom no record knows may be a trusted IPC peer.
  void trust_ipc(Authentication& out) const {
    if (out.decision.reason() != Reason::kUnknown || !ipc_trust.accepts_address(out.address())) return;
    std::string user_id = location_user_id(out.domain_, out.address(), Mechanism::kNull);
    if (user_id.size() > AuthRecord::kMaxUserIdBytes) return;
    out.decision = Decision::allow(Reason::kAccepted);
    auto kept = std::make_shared<const std::pair<std::string, std::shared_ptr<const void>>>(
        std::move(user_id), std::move(out.policy_));
    out.user_id = kept->first;
    out.policy_ = std::move(kept);
  }
};

// ---- The answer ----

void Authentication::set_place(std::string_view domain, std::string_view address) {
  domain_ = domain;
  address_ = address;
  if (auto unmapped = unmapped_address(address)) unmapped_address_ = *std::move(unmapped);
}

Acceptance Authentication::acceptance() const {
  Acceptance out{std::string(user_id), mechanism_, {}, std::string(domain_), std::string(address())};
  if (key_) out.credentials = key_->to_base64url();
  if (mechanism_ == Mechanism::kPlain) out.credentials = secret_fingerprint(stored_password_);
  return out;
}

std::optional<std::string> Authentication::record() const {
  if (!record_) return std::nullopt;
  return json_pointer("/allow", *record_);
}

std::vector<std::string> Authentication::source() const {
  if (!record_) return decision.source();
  return {json_pointer("/allow", *record_)};
}

// ---- Asking ----

Authenticator::Authenticator(std::shared_ptr<const Index> index) : index_(std::move(index)) {}

Result<Authenticator> Authenticator::create(const Policy& policy, Timestamp now, IpcTrust ipc_trust) {
  auto records = index_of(policy);
  auto active = std::make_shared<const Activity>(activity_at(*records, now));
  return create(std::move(records), std::move(active), ipc_trust);
}

Result<Authenticator> Authenticator::create(std::shared_ptr<const PolicyIndex> records,
                                            std::shared_ptr<const Activity> active, IpcTrust ipc_trust) {
  if (records->bad_deny_record()) return *records->bad_deny_record();
  return Authenticator(
      std::make_shared<const Index>(Index{std::move(records), std::move(active), ipc_trust}));
}

Authentication Authenticator::authenticate(const AuthenticationRequest& request) const {
  Authentication out;
  if (!is_valid_utf8(request.domain) || !is_valid_utf8(request.address)) {
    out.decision = refused(Reason::kMalformed, "the domain or address is not valid UTF-8");
    return out;
  }
  out.policy_ = index_;
  out.set_place(request.domain, request.address);
  const PeerPlace place{out.domain_, out.address()};
  if (const auto* key = std::get_if<CurveKey>(&request.credentials)) {
    out.mechanism_ = Mechanism::kCurve;
    out.key_ = *key;
    index_->complete(out, index_->judge_key(*key, place));
  } else if (const auto* plain = std::get_if<AuthenticationRequest::Plain>(&request.credentials)) {
    out.mechanism_ = Mechanism::kPlain;
    bool hashed = false;
    const auto accepts_stored = [&](const std::string& stored) {
      if (is_password_stand_in(Json(stored))) return false;  // a file made of what a platform told
      hashed = true;
      return verify_password(stored, plain->password);
    };
    index_->complete(out, index_->judge_username(plain->username, place, accepts_stored));
    if (!hashed) {
      index_->imitate_username(plain->username, place, [&](const std::string& stored) {
        static_cast<void>(accepts_stored(stored));
        return hashed;
      });
    }
    if (!hashed) waste_password_time(plain->password);
  } else {
    index_->complete(out, index_->judge_null(place));
    index_->trust_ipc(out);
  }
  return out;
}

Authentication Authenticator::reauthenticate(const Acceptance& acceptance) const {
  Authentication out;
  out.policy_ = index_;
  out.mechanism_ = acceptance.mechanism;
  out.set_place(acceptance.domain, acceptance.address);
  const PeerPlace place{out.domain_, out.address()};
  switch (acceptance.mechanism) {
    case Mechanism::kNull:
      index_->complete(out, index_->judge_null(place));
      index_->trust_ipc(out);
      return out;
    case Mechanism::kPlain:
      index_->complete(out, index_->judge_username(acceptance.user_id, place, [&](const std::string& stored) {
        return are_equal_secrets(secret_fingerprint(stored), acceptance.credentials);
      }));
      return out;
    case Mechanism::kCurve: break;
  }
  const auto key = CurveKey::parse(acceptance.credentials);
  if (!key) {
    out.decision = refused(Reason::kMalformed, "the session's credentials are not a CURVE key");
    return out;
  }
  out.key_ = *key;
  index_->complete(out, index_->judge_key(*key, place));
  return out;
}

std::optional<Timestamp> Authenticator::next_change() const noexcept { return index_->active->next_change; }

Result<std::string> hash_password(std::string_view password) { return hash_of_password(password); }

}  // namespace vipauth
