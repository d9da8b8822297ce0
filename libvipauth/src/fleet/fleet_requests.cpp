#include "fleet/fleet_requests.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <vipauth/json.hpp>
#include <vipauth/pattern.hpp>

#include "fleet/checked_keys.hpp"
#include "fleet/pending_values.hpp"
#include "fleet/range_reader.hpp"

namespace vipauth::fleet {
namespace {

constexpr int kMostTries = 20;
constexpr std::array kScopes{Scope::kFleet, Scope::kSite};

std::string decided_value(const DecidedPeer& peer) {
  return Json(Json::Object{{"mechanism", Json(to_string(peer.mechanism))},
                           {"credentials", Json(peer.credentials)},
                           {"domain", peer.domain},
                           {"address", peer.address}})
      .dump();
}

std::optional<DecidedPeer> parse_decided(std::string_view text) {
  if (text.size() > kMaxPendingBytes) return std::nullopt;
  const auto json = Json::parse(text);
  if (!json || !json->is_object()) return std::nullopt;
  const Json* mechanism = json->find("mechanism");
  const Json* credentials = json->find("credentials");
  if (mechanism == nullptr || credentials == nullptr || !mechanism->is_string() ||
      !credentials->is_string()) {
    return std::nullopt;
  }
  const auto parsed = parse_mechanism(mechanism->as_string());
  if (!parsed) return std::nullopt;
  const auto member = [&](std::string_view name) {
    const Json* found = json->find(name);
    return found == nullptr ? Json() : *found;
  };
  return DecidedPeer{*parsed, credentials->as_string(), member("domain"), member("address")};
}

bool is_plain(const Json& place) {
  const auto is_plain_text = [](const Json& item) {
    return item.is_string() && !item.as_string().empty() && !Pattern::looks_like_regex(item.as_string());
  };
  if (!place.is_array()) return is_plain_text(place);
  const Json::Array& items = place.as_array();
  return !items.empty() && std::all_of(items.begin(), items.end(), is_plain_text);
}

/// Records rarely name a domain: what is pinned is the address.
bool is_believed_of_site(const DecidedPeer& peer) {
  return is_plain(peer.address) && (peer.domain.is_null() || is_plain(peer.domain));
}

std::string id_of(Mechanism mechanism, const std::string& credentials) {
  return std::string(to_string(mechanism)) + ":" + credentials;
}
std::string id_of(const PendingRequest& request) { return id_of(request.mechanism, request.credentials); }
std::string id_of(const DecidedPeer& peer) { return id_of(peer.mechanism, peer.credentials); }

/// A key as it was read.
struct Known {
  std::int64_t revision = 0;
  std::optional<std::string> text;  // as it would be written here; nothing: not understood, or not shown
};

}  // namespace

/// What is there, with when each key was written.
struct FleetRequests::Held {
  PendingState state;
  std::string left_out;                                              // in one line; empty: nothing was
  std::map<std::string, Known> pending;                              // by key
  std::array<std::map<std::string, Known>, kScopes.size()> decided;  // by id

  std::map<std::string, Known>& decided_of(Scope scope) { return decided[static_cast<std::size_t>(scope)]; }
  const Known* find_decided(Scope scope, const std::string& id) const {
    const auto& of_scope = decided[static_cast<std::size_t>(scope)];
    const auto found = of_scope.find(id);
    return found == of_scope.end() ? nullptr : &found->second;
  }
};

/// Takes keys over, one after the other.
class FleetRequests::Reading {
 public:
  explicit Reading(const FleetLayout& layout) : layout_(layout) {}

  std::optional<std::string> take_pending(KeyValue& value) {
    const auto site = layout_.site_of_pending(value.key);
    if (!site) {
      leave_out("at a site that no address can name");
      return std::nullopt;
    }
    if (*site != site_) {
      site_ = *site;
      of_site_ = 0;
    }
    if (++of_site_ > PendingStore::Limits().total) {
      leave_out("at the site \"" + site_ + "\" there are too many");
      return prefix_end(layout_.pending_key(site_, ""));
    }
    Known& known = held_.pending[value.key];
    known.revision = value.mod_revision;
    auto request = parse_pending(value.value);
    if (!request) {
      leave_out("at the site \"" + site_ + "\": " + request.error().to_string());
      return std::nullopt;
    }
    if (value.key != layout_.pending_key(*site, id_of(*request))) {
      leave_out("at the site \"" + site_ + "\": the key is of another peer than the value");
      return std::nullopt;
    }
    if (layout_.site().empty()) request->site = *site;
    known.text = pending_value(*request);
    held_.state.pending.push_back(*std::move(request));
    return std::nullopt;
  }

  std::optional<std::string> take_decided(Scope scope, KeyValue& value) {
    const auto id = layout_.decided_id(scope, value.key);
    if (!id) return std::nullopt;
    Known& known = held_.decided_of(scope)[*id];
    known.revision = value.mod_revision;
    auto peer = parse_decided(value.value);
    if (!peer || id_of(*peer) != *id) return std::nullopt;
    const Known* of_fleet = scope == Scope::kSite ? held_.find_decided(Scope::kFleet, *id) : nullptr;
    if (of_fleet != nullptr && of_fleet->text) return std::nullopt;
    peer->is_doubtful = scope == Scope::kSite && !is_believed_of_site(*peer);
    known.text = decided_value(*peer);
    held_.state.decided.push_back(*std::move(peer));
    return std::nullopt;
  }

  Held finish() && {
    if (left_out_ > 0) {
      held_.left_out =
          std::to_string(left_out_) + " of those who wait in the store are left out; the first " + first_;
    }
    return std::move(held_);
  }

 private:
  void leave_out(const std::string& why) {
    if (left_out_++ == 0) first_ = why;
  }

  const FleetLayout& layout_;
  Held held_;
  std::string site_;
  std::size_t of_site_ = 0;
  std::size_t left_out_ = 0;
  std::string first_;
};

Result<FleetRequests::Held> FleetRequests::read_once(EtcdClient::Deadline deadline) const {
  Reading reading(layout_);
  const auto take_pending = [&](KeyValue&& value) { return reading.take_pending(value); };
  auto done = read_range(client_, layout_.pending_prefix(), {take_pending, take_pending}, deadline);
  for (const Scope scope : kScopes) {
    const std::string prefix = layout_.decided_prefix(scope);
    if (!done || prefix.empty()) continue;
    const auto take_decided = [&](KeyValue&& value) { return reading.take_decided(scope, value); };
    done = read_range(client_, prefix, {take_decided, take_decided}, deadline);
  }
  if (!done) return done.error();
  return std::move(reading).finish();
}

Result<FleetRequests::Held> FleetRequests::read(EtcdClient::Deadline deadline) const {
  for (int tries = 1;; ++tries) {
    auto held = read_once(deadline);
    if (held || held.error().code != ErrorCode::kConflict || tries == kMostTries) return held;
  }
}

Result<PendingState> FleetRequests::load() const {
  auto held = read({});
  if (!held) return held.error();
  if (log_ && !held->left_out.empty()) log_(LogLevel::kWarning, held->left_out);
  return std::move(held->state);
}

Result<bool> FleetRequests::write(const Held& held, const PendingState& after,
                                  EtcdClient::Deadline deadline) const {
  CheckedWrites writes(client_, deadline);
  std::set<std::string> waiting;
  for (const PendingRequest& request : after.pending) {
    const std::string& site = request.site.empty() ? layout_.site() : request.site;
    std::string key = layout_.pending_key(site, id_of(request));
    const auto known = held.pending.find(key);
    std::string text = pending_value(request);
    waiting.insert(key);
    if (known != held.pending.end() && known->second.text == text) continue;
    const std::int64_t since = known == held.pending.end() ? 0 : known->second.revision;
    if (auto done = writes.add(std::move(key), std::move(text), since); !done) return done.error();
  }
  for (const auto& [key, known] : held.pending) {
    if (!known.text || waiting.contains(key)) continue;
    if (auto done = writes.add(key, std::nullopt, known.revision); !done) return done.error();
  }
  std::set<std::string> decided;
  for (const DecidedPeer& peer : after.decided) {
    const std::string id = id_of(peer);
    std::string text = decided_value(peer);
    decided.insert(id);
    const Known* of_fleet = held.find_decided(Scope::kFleet, id);
    const Known* of_site = held.find_decided(Scope::kSite, id);
    const Known* counts = of_fleet != nullptr && of_fleet->text ? of_fleet : of_site;
    if (counts != nullptr && counts->text == text) continue;
    // What the fleet says of it counts before what a site would.
    if (edits_ == Scope::kSite && of_fleet != nullptr && of_fleet->text) continue;
    const Known* own = edits_ == Scope::kFleet ? of_fleet : of_site;
    auto done =
        writes.add(layout_.decided_key(edits_, id), std::move(text), own == nullptr ? 0 : own->revision);
    if (!done) return done.error();
  }
  for (const Scope scope : kScopes) {
    if (scope == Scope::kFleet && edits_ == Scope::kSite) continue;
    for (const auto& [id, known] : held.decided[static_cast<std::size_t>(scope)]) {
      if (!known.text || decided.contains(id)) continue;
      auto done = writes.add(layout_.decided_key(scope, id), std::nullopt, known.revision);
      if (!done) return done.error();
    }
  }
  return writes.finish();
}

Result<void> FleetRequests::edit(const std::function<Result<void>(PendingState&)>& change,
                                 EtcdClient::Deadline deadline) const {
  for (int tries = 0; tries < kMostTries; ++tries) {
    const auto held = read(deadline);
    if (!held) return held.error();
    PendingState after = held->state;
    if (auto changed = change(after); !changed) return changed;
    const auto written = write(*held, after, deadline);
    if (!written) return written.error();
    if (*written) return {};
  }
  return Error{ErrorCode::kConflict, "again and again somebody else changed who waits: try again", ""};
}

}  // namespace vipauth::fleet
