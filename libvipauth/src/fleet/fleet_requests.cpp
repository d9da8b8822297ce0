#include "fleet/fleet_requests.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <vipauth/json.hpp>

#include "fleet/pending_values.hpp"

namespace vipauth::fleet {
namespace {

constexpr std::int64_t kPageKeys = 500;
constexpr std::size_t kMostChanges = 50;  // of one transaction, each with a comparison
constexpr int kMostTries = 20;

std::string decided_value(const DecidedPeer& peer) {
  return Json(Json::Object{{"mechanism", Json(to_string(peer.mechanism))},
                           {"credentials", Json(peer.credentials)},
                           {"domain", peer.domain},
                           {"address", peer.address}})
      .dump();
}

std::optional<DecidedPeer> parse_decided(std::string_view text) {
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

std::string id_of(Mechanism mechanism, const std::string& credentials) {
  return std::string(to_string(mechanism)) + ":" + credentials;
}

}  // namespace

/// What is there, with when each key was written.
struct FleetRequests::Held {
  PendingState state;
  std::map<std::string, std::pair<std::string, std::int64_t>> values;  // by key
};

Result<FleetRequests::Held> FleetRequests::read() const {
  Held out;
  const auto read_all = [&](const std::string& prefix, const auto& take) -> Result<void> {
    std::string from = prefix;
    bool has_more = true;
    while (has_more) {
      auto answer = client_.range({.key = from, .range_end = prefix_end(prefix), .limit = kPageKeys});
      if (!answer) return answer.error();
      has_more = answer->has_more && !answer->values.empty();
      for (KeyValue& value : answer->values) {
        from = value.key + '\0';
        if (take(value)) {
          out.values.emplace(std::move(value.key), std::pair(std::move(value.value), value.mod_revision));
        }
      }
    }
    return {};
  };
  auto done = read_all(layout_.pending_prefix(), [&](const KeyValue& value) {
    const auto site = layout_.site_of_pending(value.key);
    auto request = parse_pending(value.value);
    if (!site || !request) return false;
    if (layout_.site().empty()) request->site = *site;
    if (value.key != layout_.pending_key(*site, id_of(request->mechanism, request->credentials)))
      return false;
    out.state.pending.push_back(*std::move(request));
    return true;
  });
  if (!done) return done.error();
  done = read_all(layout_.decided_prefix(), [&](const KeyValue& value) {
    auto peer = parse_decided(value.value);
    if (!peer) return false;
    out.state.decided.push_back(*std::move(peer));
    return true;
  });
  if (!done) return done.error();
  return out;
}

Result<PendingState> FleetRequests::load() const {
  auto held = read();
  if (!held) return held.error();
  return std::move(held->state);
}

Result<void> FleetRequests::edit(const std::function<Result<void>(PendingState&)>& change) const {
  for (int tries = 0; tries < kMostTries; ++tries) {
    auto held = read();
    if (!held) return held.error();
    if (auto changed = change(held->state); !changed) return changed;

    std::map<std::string, std::string> after;
    for (const PendingRequest& request : held->state.pending) {
      const std::string& site = request.site.empty() ? layout_.site() : request.site;
      after[layout_.pending_key(site, id_of(request.mechanism, request.credentials))] =
          pending_value(request);
    }
    for (const DecidedPeer& peer : held->state.decided) {
      after[layout_.decided_key(id_of(peer.mechanism, peer.credentials))] = decided_value(peer);
    }
    std::vector<Compare> compares;
    std::vector<Mutation> mutations;
    bool was_faster = false;
    const auto write = [&](std::size_t least) -> Result<void> {
      if (mutations.size() < least || was_faster) return {};
      const auto answer = client_.txn(compares, mutations);
      if (!answer) return answer.error();
      was_faster = !answer->succeeded;
      compares.clear();
      mutations.clear();
      return {};
    };
    for (const auto& [key, value] : held->values) {
      if (after.contains(key)) continue;
      compares.push_back({.key = key, .equals = value.second});
      mutations.push_back({.key = key, .value = std::nullopt});
      if (auto written = write(kMostChanges); !written) return written;
    }
    for (auto& [key, text] : after) {
      const auto present = held->values.find(key);
      if (present != held->values.end() && present->second.first == text) continue;
      compares.push_back({.key = key, .equals = present == held->values.end() ? 0 : present->second.second});
      mutations.push_back({.key = key, .value = std::move(text)});
      if (auto written = write(kMostChanges); !written) return written;
    }
    if (auto written = write(1); !written) return written;
    if (!was_faster) return {};
  }
  return Error{ErrorCode::kConflict, "again and again somebody else changed who waits: try again", ""};
}

}  // namespace vipauth::fleet
