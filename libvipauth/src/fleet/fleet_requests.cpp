#include "fleet/fleet_requests.hpp"

#include <array>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "fleet/checked_keys.hpp"
#include "fleet/decided_values.hpp"
#include "fleet/pending_values.hpp"
#include "fleet/range_reader.hpp"

namespace vipauth::fleet {
namespace {

constexpr int kMostTries = 20;
constexpr std::array kScopes{Scope::kFleet, Scope::kSite};

}  // namespace

Result<HeldRequests> FleetRequests::read_once(EtcdClient::Deadline deadline) const {
  HeldRequestsReader reading(layout_);
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

Result<HeldRequests> FleetRequests::read(EtcdClient::Deadline deadline) const {
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

Result<bool> FleetRequests::write(const HeldRequests& held, const PendingState& after,
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
    const HeldRequests::Known* of_fleet = held.find_decided(Scope::kFleet, id);
    const HeldRequests::Known* of_site = held.find_decided(Scope::kSite, id);
    const HeldRequests::Known* counts = of_fleet != nullptr && of_fleet->text ? of_fleet : of_site;
    if (counts != nullptr && counts->text == text) continue;
    // What the fleet says of it counts before what a site would.
    if (edits_ == Scope::kSite && of_fleet != nullptr && of_fleet->text) continue;
    const HeldRequests::Known* own = edits_ == Scope::kFleet ? of_fleet : of_site;
    auto done =
        writes.add(layout_.decided_key(edits_, id), std::move(text), own == nullptr ? 0 : own->revision);
    if (!done) return done.error();
  }
  for (const Scope scope : kScopes) {
    if (scope == Scope::kFleet && edits_ == Scope::kSite) continue;
    for (const auto& [id, known] : held.decided_of(scope)) {
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
