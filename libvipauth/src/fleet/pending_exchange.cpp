#include "fleet/pending_exchange.hpp"

#include <utility>

#include "fleet/fleet_requests.hpp"

namespace vipauth::fleet {
namespace {

std::string id_of(const PendingRequest& request) {
  return std::string(to_string(request.mechanism)) + ":" + request.credentials;
}

}  // namespace

Result<void> PendingExchange::exchange() {
  const auto local = home_.load_pending();
  if (!local || (local->pending.empty() && told_.empty())) return {};

  std::set<std::string> gone;  // deleted in the store
  std::set<std::string> there;
  const auto exchanged = FleetRequests(client_, layout_).edit([&](PendingState& remote) -> Result<void> {
    gone.clear();
    there.clear();
    std::set<std::string> known;
    for (const PendingRequest& request : remote.pending) known.insert(id_of(request));
    remote.pending.clear();
    for (PendingRequest request : local->pending) {
      const std::string id = id_of(request);
      if (told_.contains(id) && !known.contains(id)) {
        gone.insert(id);
        continue;
      }
      request.site = layout_.site();
      remote.pending.push_back(std::move(request));
      there.insert(id);
    }
    return {};
  });
  if (!exchanged) return exchanged;
  told_ = std::move(there);
  if (gone.empty()) return {};
  const auto removed = home_.edit_pending([&](PendingState& present) -> Result<void> {
    std::erase_if(present.pending,
                  [&](const PendingRequest& request) { return gone.contains(id_of(request)); });
    return {};
  });
  if (!removed && log_) {
    log_(LogLevel::kWarning,
         "who was deleted in the store still waits here: " + removed.error().to_string());
  }
  return {};
}

}  // namespace vipauth::fleet
