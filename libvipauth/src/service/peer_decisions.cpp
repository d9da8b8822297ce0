#include "service/peer_decisions.hpp"

#include <algorithm>
#include <optional>

#include <vipauth/python_repr.hpp>

namespace vipauth {
namespace {

using Indices = std::vector<std::size_t>;

/// What names a peer in pending.json: its key, or a PLAIN user's name. Empty for a record of more than one
/// peer.
std::string peer_credentials(const AuthRecord& record) {
  if (const auto* key = std::get_if<CurveKey>(&record.credentials)) return key->to_base64url();
  return record.mechanism == Mechanism::kPlain ? record.user_id : std::string();
}

bool same_credentials(const AuthRecord& a, const AuthRecord& b) {
  if (a.mechanism != b.mechanism) return false;
  const auto* key = std::get_if<CurveKey>(&a.credentials);
  const auto* other_key = std::get_if<CurveKey>(&b.credentials);
  if (key != nullptr && other_key != nullptr) return *key == *other_key;
  const auto* password = std::get_if<StoredPassword>(&a.credentials);
  const auto* other_password = std::get_if<StoredPassword>(&b.credentials);
  return password != nullptr && other_password != nullptr && a.user_id == b.user_id &&
         password->text == other_password->text;
}

/// Domain and address of a record, as written.
struct Place {
  Json domain;
  Json address;
};

Json member_of(const Json& source, std::string_view name) {
  const Json* member = source.find(name);
  return member == nullptr ? Json() : *member;
}

std::string text_of(const Json& json) { return json.is_null() ? std::string() : python_str(json); }

/// True where the deny list has exactly these credentials, for every domain and address.
bool is_denied(const Policy& policy, const AuthRecord& record) {
  return std::any_of(policy.deny().begin(), policy.deny().end(), [&](const Policy::Entry& entry) {
    return entry.record && entry.record->domain.empty() && entry.record->address.empty() &&
           same_credentials(*entry.record, record);
  });
}

/// Approved: those with an address (upstream's rule), and those that were approved here.
Indices approved(const Policy& policy, const PendingState& state) {
  Indices out;
  for (std::size_t i = 0; i < policy.allow().size(); ++i) {
    const auto& record = policy.allow()[i].record;
    if (!record || is_denied(policy, *record)) continue;
    const bool by_address = !record->address.empty();
    if (by_address || state.find_decided(record->mechanism, peer_credentials(*record)) != nullptr) {
      out.push_back(i);
    }
  }
  return out;
}

Indices denied(const Policy& policy) {
  Indices out;
  for (std::size_t i = 0; i < policy.deny().size(); ++i) {
    if (policy.deny()[i].record) out.push_back(i);
  }
  return out;
}

Indices of_user(const std::vector<Policy::Entry>& entries, Indices indices, std::string_view user_id) {
  std::erase_if(indices, [&](std::size_t i) { return entries[i].record->user_id != user_id; });
  return indices;
}

Authorization describe(const PendingRequest& request) {
  return {AuthorizationStatus::kPending,
          request.user_id,
          request.domain,
          request.address,
          request.mechanism,
          request.credentials,
          request.retries,
          request.first_seen,
          request.last_seen,
          request.site};
}

/// The record's own, or else where the peer was when it was decided about.
Place place_of(const Policy::Entry& entry, const PendingState& state) {
  Place place{member_of(entry.source, "domain"), member_of(entry.source, "address")};
  if (const DecidedPeer* peer =
          state.find_decided(entry.record->mechanism, peer_credentials(*entry.record))) {
    if (!peer->is_doubtful && place.domain.is_null()) place.domain = peer->domain;
    if (!peer->is_doubtful && place.address.is_null()) place.address = peer->address;
  }
  return place;
}

Authorization describe(const Policy::Entry& entry, AuthorizationStatus status, const PendingState& state) {
  const AuthRecord& record = *entry.record;
  const Place place = place_of(entry, state);
  Authorization out;
  out.status = status;
  out.user_id = record.user_id;
  out.domain = text_of(place.domain);
  out.address = text_of(place.address);
  out.mechanism = record.mechanism;
  if (record.mechanism == Mechanism::kCurve)
    out.credentials = text_of(member_of(entry.source, "credentials"));
  return out;
}

bool sets_anything(const Approval& approval) {
  return approval.user_id || approval.identity || approval.roles || approval.groups ||
         approval.capabilities || approval.any_address;
}

void apply(const Approval& approval, Json& record) {
  if (approval.user_id) record.set("user_id", Json(*approval.user_id));
  if (approval.identity) record.set("identity", Json(*approval.identity));
  if (approval.roles) record.set("roles", Json::strings(*approval.roles));
  if (approval.groups) record.set("groups", Json::strings(*approval.groups));
  if (approval.capabilities) record.set("capabilities", *approval.capabilities);
  if (approval.any_address) record.set("address", Json());
}

Json null_if_empty(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json record_of(const Authorization& peer) {
  return Json(Json::Object{{"domain", null_if_empty(peer.domain)},
                           {"address", null_if_empty(peer.address)},
                           {"mechanism", Json(to_string(peer.mechanism))},
                           {"credentials", Json(peer.credentials)},
                           {"user_id", Json(peer.user_id)}});
}

/// Of a fleet, a site can write there what it likes, and under the name of who waits at another.
Error two_wait(const PendingRequest& one, const PendingRequest& other) {
  const auto shown = [](const PendingRequest& request) {
    return request.site.empty() ? std::string("here") : "at the site " + python_repr(Json(request.site));
  };
  std::string message = "two peers wait as " + python_repr(Json(one.user_id)) + ", " + shown(one) + " and " +
                        shown(other) + ", and one of them lies";
  if (one.site != other.site) message += ": name the site in the address of the store (\"?site=...\")";
  return Error{ErrorCode::kConflict, std::move(message), ""};
}

/// Null: nobody of that name waits.
Result<const PendingRequest*> find_request(const PendingState& state, std::string_view user_id) {
  const PendingRequest* found = nullptr;
  for (const PendingRequest& request : state.pending) {
    if (request.user_id != user_id) continue;
    if (found != nullptr) return two_wait(*found, request);
    found = &request;
  }
  return found;
}

bool is_of(const PendingRequest& request, const AuthRecord& record) {
  return record.mechanism == request.mechanism && peer_credentials(record) == request.credentials;
}

/// Somebody else has decided meanwhile: a record with this peer's credentials has the name that it waits
/// under.
bool is_decided(const Policy& policy, const PendingRequest& request) {
  const auto is_its_own = [&](const Policy::Entry& entry) {
    return entry.record && entry.record->user_id == request.user_id && is_of(request, *entry.record);
  };
  return std::any_of(policy.allow().begin(), policy.allow().end(), is_its_own) ||
         std::any_of(policy.deny().begin(), policy.deny().end(), is_its_own);
}

/// What waits was written by the bus where it asked, which in a fleet may be a bad one: approved, it is one
/// key from one place, and no pattern.
Result<void> check_single_peer(const PendingRequest& request) {
  const bool is_key =
      request.mechanism == Mechanism::kCurve && CurveKey::parse(request.credentials).has_value();
  if (is_key && !request.domain.starts_with('/') && !request.address.starts_with('/')) return {};
  return Error{ErrorCode::kConflict,
               "what waits as " + python_repr(Json(request.user_id)) +
                   " is no single peer with a key: delete the request",
               ""};
}

/// The one whose key an administrator has looked at, and not another who has come under its name since.
Result<void> check_credentials(const Approval& approval, std::string_view user_id,
                               const std::string& present) {
  if (!approval.credentials || approval.credentials->to_base64url() == present) return {};
  return Error{ErrorCode::kConflict,
               python_repr(Json(user_id)) + " has the credentials " + python_repr(Json(present)) +
                   ", and not those that are to be approved",
               ""};
}

Result<void> check_credentials(const Approval& approval, std::string_view user_id,
                               const std::vector<Policy::Entry>& entries, const Indices& indices) {
  for (const std::size_t i : indices) {
    auto same = check_credentials(approval, user_id, peer_credentials(*entries[i].record));
    if (!same) return same;
  }
  return {};
}

/// Nor may its name stand for a user whom an administrator knows by it.
Result<void> check_own_name(const Policy& policy, const PendingRequest& request) {
  const auto is_others = [&](const Policy::Entry& entry) {
    return entry.record && !is_of(request, *entry.record) &&
           (entry.record->user_id == request.user_id || entry.record->identity == request.user_id);
  };
  const bool is_taken = std::any_of(policy.allow().begin(), policy.allow().end(), is_others) ||
                        std::any_of(policy.deny().begin(), policy.deny().end(), is_others);
  if (!is_taken) return {};
  return Error{ErrorCode::kConflict,
               "a peer waits under the name of the user " + python_repr(Json(request.user_id)) +
                   ", with other credentials: change the user's record itself instead",
               ""};
}

/// A peer that was decided about has the name of one that waits with other credentials. Who names it means
/// that peer: else whoever waits under its name would keep it from being denied.
bool has_decided_namesake(const Policy& policy, const PendingState& state, const PendingRequest& request) {
  const auto is_namesake = [&](const std::vector<Policy::Entry>& entries, const Indices& indices) {
    return std::any_of(indices.begin(), indices.end(), [&](std::size_t i) {
      const AuthRecord& record = *entries[i].record;
      return record.user_id == request.user_id && !is_of(request, record);
    });
  };
  return is_namesake(policy.allow(), approved(policy, state)) || is_namesake(policy.deny(), denied(policy));
}

Error not_listed(std::string_view user_id) {
  return Error{
      ErrorCode::kNotFound,
      "no remote peer has the user_id " + python_repr(Json(user_id)) + ": see 'vctl auth remote list'", ""};
}

/// A record with a pattern, or without credentials, stands for more than one peer: moving or dropping it for
/// the sake of one would let in, or shut out, others too.
Result<void> check_single_peers(const std::vector<Policy::Entry>& entries, const Indices& indices,
                                std::string_view list) {
  for (const std::size_t i : indices) {
    const AuthRecord& record = *entries[i].record;
    if (record.mechanism == Mechanism::kNull || std::holds_alternative<Pattern>(record.credentials)) {
      return Error{ErrorCode::kConflict,
                   "this record stands for more than one peer: change the record itself instead",
                   json_pointer(list, i)};
    }
  }
  return {};
}

/// True where the record could let in the peer of `dropped`, from wherever. Stored passwords cannot be
/// compared, so any record of the same name could.
bool could_accept(const AuthRecord& record, const AuthRecord& dropped) {
  if (!record.enabled || record.mechanism != dropped.mechanism) return false;
  const auto* key = std::get_if<CurveKey>(&dropped.credentials);
  if (key == nullptr) return record.user_id == dropped.user_id;
  const auto* pattern = std::get_if<Pattern>(&record.credentials);
  const auto* other_key = std::get_if<CurveKey>(&record.credentials);
  return pattern != nullptr ? pattern->matches(key->to_base64url())
                            : other_key != nullptr && *other_key == *key;
}

/// Deleting never grants: nothing may be left that would let one of these peers in.
Result<void> check_not_accepted(const Policy& policy, const std::vector<AuthRecord>& dropped) {
  for (std::size_t i = 0; i < policy.allow().size(); ++i) {
    const auto& record = policy.allow()[i].record;
    if (!record || std::none_of(dropped.begin(), dropped.end(),
                                [&](const AuthRecord& peer) { return could_accept(*record, peer); })) {
      continue;
    }
    return Error{ErrorCode::kConflict,
                 "this record would let the peer in without asking: deny the peer instead, or remove the "
                 "record first",
                 json_pointer("/allow", i)};
  }
  return {};
}

/// Takes the peer off both lists. Allow records of a denied peer are asleep: they go too, lest they wake.
Result<void> drop_peer(Policy& policy, Indices from_allow, const Indices& from_deny) {
  if (auto single = check_single_peers(policy.allow(), from_allow, "/allow"); !single) return single;
  if (auto single = check_single_peers(policy.deny(), from_deny, "/deny"); !single) return single;
  std::vector<AuthRecord> dropped;
  for (const std::size_t i : from_allow) dropped.push_back(*policy.allow()[i].record);
  for (const std::size_t i : from_deny) dropped.push_back(*policy.deny()[i].record);
  for (std::size_t i = 0; i < policy.allow().size(); ++i) {
    const auto& record = policy.allow()[i].record;
    const bool asleep = record && std::any_of(from_deny.begin(), from_deny.end(), [&](std::size_t d) {
                          return same_credentials(*policy.deny()[d].record, *record);
                        });
    if (asleep) from_allow.push_back(i);
  }
  if (auto removed = policy.remove_allow(from_allow); !removed) return removed;
  if (auto removed = policy.remove_deny(from_deny); !removed) return removed;
  return check_not_accepted(policy, dropped);
}

}  // namespace

/// Who waits as a decision leaves it, and what it has changed: to be done again on what others left.
class PeerDecisions::PendingEdit {
 public:
  explicit PendingEdit(PendingState state) : state_(std::move(state)) {}

  const PendingState& state() const noexcept { return state_; }

  void remember(const AuthRecord& record, const Place& place) {
    remember({record.mechanism, peer_credentials(record), place.domain, place.address});
  }
  void remember(const PendingRequest& request) {
    remember({request.mechanism, request.credentials, Json(request.domain), Json(request.address)});
  }

  /// It waits no longer.
  void take_out(const PendingRequest& request) {
    taken_out_.push_back(request);
    take_out(state_, taken_out_.back());
  }

  /// Drops what neither list has any more.
  void forget_unlisted(const Policy& policy) {
    for (const DecidedPeer& peer : state_.decided) {
      const auto is_peer = [&](const Policy::Entry& entry) {
        return entry.record && entry.record->mechanism == peer.mechanism &&
               peer_credentials(*entry.record) == peer.credentials;
      };
      if (std::none_of(policy.allow().begin(), policy.allow().end(), is_peer) &&
          std::none_of(policy.deny().begin(), policy.deny().end(), is_peer)) {
        forgotten_.push_back(peer);
      }
    }
    for (const DecidedPeer& peer : forgotten_) forget(state_, peer);
  }

  void apply_to(PendingState& state) const {
    for (const DecidedPeer& peer : forgotten_) forget(state, peer);
    for (const DecidedPeer& peer : remembered_) replace(state, peer);
    for (const PendingRequest& request : taken_out_) take_out(state, request);
  }

 private:
  void remember(DecidedPeer peer) {
    replace(state_, peer);
    remembered_.push_back(std::move(peer));
  }

  static void forget(PendingState& state, const DecidedPeer& peer) {
    std::erase_if(state.decided, [&](const DecidedPeer& known) {
      return known.mechanism == peer.mechanism && known.credentials == peer.credentials;
    });
  }
  static void replace(PendingState& state, const DecidedPeer& peer) {
    forget(state, peer);
    state.decided.push_back(peer);
  }
  static void take_out(PendingState& state, const PendingRequest& taken) {
    std::erase_if(state.pending, [&](const PendingRequest& request) {
      return request.user_id == taken.user_id && request.mechanism == taken.mechanism &&
             request.credentials == taken.credentials;
    });
  }

  PendingState state_;
  std::vector<DecidedPeer> remembered_;
  std::vector<DecidedPeer> forgotten_;
  std::vector<PendingRequest> taken_out_;
};

/// One operation of an administrator: how it edits the policy, and what is told of that when all is done.
class PeerDecisions::Operation {
 public:
  /// \return whether the change touches what was decided before
  using Change = std::function<Result<Behalf::Touches>(Policy&)>;

  Operation(const PeerDecisions& own, const Behalf& behalf, std::string_view command)
      : own_(own), behalf_(behalf), options_(own.edit_options_) {
    options_.patience = behalf.patience;
    if (!behalf.who.empty()) options_.note = {behalf.who, std::string(command)};
  }
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  Result<void> edit_policy(const Change& change) {
    const AuthFile::Change checked = [&](Policy& policy) -> Result<void> {
      const std::optional<Policy> before = behalf_.check ? std::optional(policy) : std::nullopt;
      const auto touches = change(policy);
      if (!touches) return touches.error();
      if (before) {
        if (auto allowed = behalf_.check(*before, policy, *touches); !allowed) return allowed;
      }
      may_have_changed_ = true;
      return {};
    };
    auto edited = own_.store_.edit_policy(checked, options_);
    if (!edited) return edited.error();
    may_have_changed_ = edited->written;
    warnings_ = std::move(edited->warnings);
    return {};
  }

  void finish() const {
    if (may_have_changed_ && own_.on_edited_) own_.on_edited_();
    if (!own_.log_) return;
    for (const std::string& warning : warnings_) own_.log_(LogLevel::kWarning, warning);
  }

 private:
  const PeerDecisions& own_;
  const Behalf& behalf_;
  EditOptions options_;
  std::vector<std::string> warnings_;
  bool may_have_changed_ = false;
};

/// Moves the peer's allow records to the deny list, as credentials that no address saves.
Result<Authorization> PeerDecisions::move_to_deny(Policy& policy, const std::vector<std::size_t>& indices,
                                                  PendingEdit& pending) {
  if (auto single = check_single_peers(policy.allow(), indices, "/allow"); !single) return single.error();
  Authorization last;
  for (const std::size_t i : indices) {
    const Policy::Entry& entry = policy.allow()[i];
    last = describe(entry, AuthorizationStatus::kDenied, pending.state());
    pending.remember(*entry.record, place_of(entry, pending.state()));
    Json source = entry.source;
    source.set("domain", Json());
    source.set("address", Json());
    if (auto added = policy.add_deny(source); !added) return added.error();
  }
  if (auto removed = policy.remove_allow(indices); !removed) return removed.error();
  return last;
}

/// Moves the peer's deny records back to the allow list, to where the peer may come from.
Result<Authorization> PeerDecisions::move_to_allow(Policy& policy, const std::vector<std::size_t>& indices,
                                                   const Approval& approval, PendingEdit& pending) {
  if (auto single = check_single_peers(policy.deny(), indices, "/deny"); !single) return single.error();
  std::vector<Json> records;
  Authorization last;
  for (const std::size_t i : indices) {
    const Policy::Entry& entry = policy.deny()[i];
    const Place place = place_of(entry, pending.state());
    const DecidedPeer* peer =
        pending.state().find_decided(entry.record->mechanism, peer_credentials(*entry.record));
    if (peer != nullptr && peer->is_doubtful && place.address.is_null() && !approval.any_address) {
      return Error{ErrorCode::kConflict,
                   "where " + python_repr(Json(entry.record->user_id)) +
                       " may come from is told by its site, and is no single address: approve it from any "
                       "address, or add its record yourself",
                   json_pointer("/deny", i)};
    }
    last = describe(entry, AuthorizationStatus::kApproved, pending.state());
    pending.remember(*entry.record, place);
    Json record = entry.source;
    record.set("domain", place.domain);
    record.set("address", place.address);
    apply(approval, record);
    records.push_back(std::move(record));
  }
  if (auto removed = policy.remove_deny(indices); !removed) return removed.error();
  if (auto added = policy.add_allow_together(records); !added) return added.error();
  if (approval.user_id) last.user_id = *approval.user_id;
  return last;
}

Result<Authorization> PeerDecisions::decide(std::string_view user_id, const Behalf& behalf,
                                            std::string_view command, Namesake namesake,
                                            const Decide& decide) {
  Operation operation(*this, behalf, command);
  Authorization done;
  std::optional<PendingEdit> pending;
  bool is_in_policy = false;
  const auto decide_once = [&](const PendingState& state) -> Result<void> {
    const auto request = find_request(state, user_id);
    if (!request) return request.error();
    bool is_of_record = false;
    auto edited = operation.edit_policy([&](Policy& policy) -> Result<Behalf::Touches> {
      pending.emplace(state);
      is_of_record = *request != nullptr && namesake == Namesake::kIsMeant &&
                     has_decided_namesake(policy, state, **request);
      const bool is_waiting = *request != nullptr && !is_of_record && !is_decided(policy, **request);
      if (is_waiting) {
        if (auto own = check_own_name(policy, **request); !own) return own.error();
      }
      auto decided = decide(policy, *pending, is_waiting ? *request : nullptr);
      if (!decided) return decided.error();
      done = *std::move(decided);
      if (is_waiting) pending->remember(**request);
      return is_waiting ? Behalf::Touches::kPending : Behalf::Touches::kRecords;
    });
    if (!edited) return edited;
    if (*request != nullptr && !is_of_record) pending->take_out(**request);
    is_in_policy = true;
    return {};
  };
  auto result = store_.edit_pending(
      [&](PendingState& state) -> Result<void> {
        if (!is_in_policy) {
          if (auto decided = decide_once(state); !decided) return decided;
        }
        pending->apply_to(state);
        return {};
      },
      behalf.patience);
  operation.finish();
  if (!result) return result.error();
  return done;
}

Result<Authorization> PeerDecisions::approve(std::string_view user_id, const Approval& approval,
                                             const Behalf& behalf) {
  return decide(
      user_id, behalf, "approve_authorization", Namesake::kIsInTheWay,
      [&](Policy& policy, PendingEdit& pending, const PendingRequest* request) -> Result<Authorization> {
        if (request != nullptr) {
          if (auto single = check_single_peer(*request); !single) return single.error();
          if (auto same = check_credentials(approval, user_id, request->credentials); !same)
            return same.error();
          Authorization done = describe(*request);
          done.status = AuthorizationStatus::kApproved;
          Json record = record_of(done);
          apply(approval, record);
          if (approval.user_id) done.user_id = *approval.user_id;
          if (auto added = policy.add_allow(record); !added) return added.error();
          return done;
        }
        if (const Indices indices = of_user(policy.deny(), denied(policy), user_id); !indices.empty()) {
          if (auto same = check_credentials(approval, user_id, policy.deny(), indices); !same)
            return same.error();
          return move_to_allow(policy, indices, approval, pending);
        }
        const Indices indices = of_user(policy.allow(), approved(policy, pending.state()), user_id);
        if (indices.empty()) return not_listed(user_id);
        if (auto same = check_credentials(approval, user_id, policy.allow(), indices); !same)
          return same.error();
        if (sets_anything(approval)) {
          return Error{ErrorCode::kConflict,
                       python_repr(Json(user_id)) + " is approved already: change its record instead",
                       json_pointer("/allow", indices.front())};
        }
        return describe(policy.allow()[indices.front()], AuthorizationStatus::kApproved, pending.state());
      });
}

Result<Authorization> PeerDecisions::deny(std::string_view user_id, const Behalf& behalf) {
  return decide(
      user_id, behalf, "deny_authorization", Namesake::kIsMeant,
      [&](Policy& policy, PendingEdit& pending, const PendingRequest* request) -> Result<Authorization> {
        if (request != nullptr) {
          if (auto single = check_single_peer(*request); !single) return single.error();
          Authorization done = describe(*request);
          done.status = AuthorizationStatus::kDenied;
          Json record = record_of(done);
          record.set("domain", Json());
          record.set("address", Json());
          if (auto added = policy.add_deny(record); !added) return added.error();
          return done;
        }
        if (const Indices indices = of_user(policy.allow(), approved(policy, pending.state()), user_id);
            !indices.empty()) {
          return move_to_deny(policy, indices, pending);
        }
        const Indices indices = of_user(policy.deny(), denied(policy), user_id);
        if (indices.empty()) return not_listed(user_id);
        return describe(policy.deny()[indices.front()], AuthorizationStatus::kDenied, pending.state());
      });
}

Result<Authorization> PeerDecisions::remove(std::string_view user_id, const Behalf& behalf) {
  Operation operation(*this, behalf, "delete_authorization");
  Authorization done;
  std::optional<PendingEdit> pending;
  bool is_in_policy = false;
  const auto forget_peer = [&](Policy& policy, const PendingState& state) -> Result<Behalf::Touches> {
    const Indices from_allow = of_user(policy.allow(), approved(policy, state), user_id);
    const Indices from_deny = of_user(policy.deny(), denied(policy), user_id);
    if (from_allow.empty() && from_deny.empty()) return not_listed(user_id);
    done = from_deny.empty()
               ? describe(policy.allow()[from_allow.front()], AuthorizationStatus::kApproved, state)
               : describe(policy.deny()[from_deny.front()], AuthorizationStatus::kDenied, state);
    if (auto dropped = drop_peer(policy, from_allow, from_deny); !dropped) return dropped.error();
    pending->forget_unlisted(policy);
    return Behalf::Touches::kRecords;
  };
  const auto forget_request = [&](const PendingRequest& request) {
    pending->take_out(request);
    done = describe(request);
  };
  const auto forget = [&](const PendingState& state, const PendingRequest* request) -> Result<void> {
    // Of one that waits the policy stays as it is. It is asked who may do this, and who waits under a name
    // that may be another's; a home's own bus gives no name twice.
    if (request != nullptr && !behalf.check && request->site.empty()) {
      pending.emplace(state);
      forget_request(*request);
      return {};
    }
    return operation.edit_policy([&](Policy& policy) -> Result<Behalf::Touches> {
      pending.emplace(state);
      if (request == nullptr || has_decided_namesake(policy, state, *request))
        return forget_peer(policy, state);
      if (auto own = check_own_name(policy, *request); !own) return own.error();
      forget_request(*request);
      return Behalf::Touches::kPending;
    });
  };
  auto result = store_.edit_pending(
      [&](PendingState& state) -> Result<void> {
        if (!is_in_policy) {
          const auto request = find_request(state, user_id);
          if (!request) return request.error();
          if (auto forgotten = forget(state, *request); !forgotten) return forgotten;
          is_in_policy = true;
        }
        pending->apply_to(state);
        return {};
      },
      behalf.patience);
  operation.finish();
  if (!result) return result.error();
  return done;
}

Result<Authorization> PeerDecisions::find(std::string_view user_id) const {
  auto state = store_.load_pending();
  if (!state) return state.error();
  const auto request = find_request(*state, user_id);
  if (!request) return request.error();
  if (*request != nullptr) return describe(**request);
  auto policy = store_.load_policy();
  if (!policy) return policy.error();
  if (const Indices indices = of_user(policy->deny(), denied(*policy), user_id); !indices.empty()) {
    return describe(policy->deny()[indices.front()], AuthorizationStatus::kDenied, *state);
  }
  if (const Indices indices = of_user(policy->allow(), approved(*policy, *state), user_id);
      !indices.empty()) {
    return describe(policy->allow()[indices.front()], AuthorizationStatus::kApproved, *state);
  }
  return not_listed(user_id);
}

Result<std::vector<Authorization>> PeerDecisions::list(AuthorizationStatus status) const {
  auto state = store_.load_pending();
  if (!state) return state.error();
  std::vector<Authorization> out;
  if (status == AuthorizationStatus::kPending) {
    for (const PendingRequest& request : state->pending) out.push_back(describe(request));
    return out;
  }
  auto policy = store_.load_policy();
  if (!policy) return policy.error();
  const bool is_approved = status == AuthorizationStatus::kApproved;
  const auto& entries = is_approved ? policy->allow() : policy->deny();
  for (const std::size_t i : is_approved ? approved(*policy, *state) : denied(*policy)) {
    out.push_back(describe(entries[i], status, *state));
  }
  return out;
}

}  // namespace vipauth
