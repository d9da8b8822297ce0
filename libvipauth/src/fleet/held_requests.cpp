#include "fleet/held_requests.hpp"

#include <utility>

#include "fleet/decided_values.hpp"
#include "fleet/pending_values.hpp"

namespace vipauth::fleet {
namespace {

std::string id_of(Mechanism mechanism, const std::string& credentials) {
  return std::string(to_string(mechanism)) + ":" + credentials;
}

}  // namespace

std::string id_of(const PendingRequest& request) { return id_of(request.mechanism, request.credentials); }
std::string id_of(const DecidedPeer& peer) { return id_of(peer.mechanism, peer.credentials); }

const HeldRequests::Known* HeldRequests::find_decided(Scope scope, const std::string& id) const {
  const auto found = decided_of(scope).find(id);
  return found == decided_of(scope).end() ? nullptr : &found->second;
}

std::optional<std::string> HeldRequestsReader::take_pending(const KeyValue& value) {
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
  HeldRequests::Known& known = held_.pending[value.key];
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

std::optional<std::string> HeldRequestsReader::take_decided(Scope scope, const KeyValue& value) {
  const auto id = layout_.decided_id(scope, value.key);
  if (!id) return std::nullopt;
  HeldRequests::Known& known = held_.decided[static_cast<std::size_t>(scope)][*id];
  known.revision = value.mod_revision;
  auto peer = parse_decided(value.value);
  if (!peer || id_of(*peer) != *id) return std::nullopt;
  const HeldRequests::Known* of_fleet =
      scope == Scope::kSite ? held_.find_decided(Scope::kFleet, *id) : nullptr;
  if (of_fleet != nullptr && of_fleet->text) return std::nullopt;
  peer->is_doubtful = scope == Scope::kSite && !is_believed_of_site(*peer);
  known.text = decided_value(*peer);
  held_.state.decided.push_back(*std::move(peer));
  return std::nullopt;
}

HeldRequests HeldRequestsReader::finish() && {
  if (left_out_ > 0) {
    held_.left_out =
        std::to_string(left_out_) + " of those who wait in the store are left out; the first " + first_;
  }
  return std::move(held_);
}

void HeldRequestsReader::leave_out(const std::string& why) {
  if (left_out_++ == 0) first_ = why;
}

}  // namespace vipauth::fleet
