#pragma once

#include <functional>
#include <string>
#include <vector>

#include <vipauth/pending_store.hpp>
#include <vipauth/result.hpp>

#include "fleet/etcd_client.hpp"
#include "fleet/fleet_layout.hpp"

namespace vipauth::fleet {

/// The strangers who wait, and what was decided about whom, as a cluster holds them: of all sites, or of the
/// layout's alone.
class FleetRequests {
 public:
  FleetRequests(const EtcdClient& client, const FleetLayout& layout) : client_(client), layout_(layout) {}

  /// What is not understood is left out. \return what EtcdClient::range returns
  Result<PendingState> load() const;
  /// Writes what `change` makes different, if it was so until then; else it is done again.
  /// \return what `change`, load() and EtcdClient::txn return; kConflict  again and again somebody was faster
  Result<void> edit(const std::function<Result<void>(PendingState&)>& change) const;

 private:
  struct Held;
  Result<Held> read() const;

  const EtcdClient& client_;
  const FleetLayout& layout_;
};

}  // namespace vipauth::fleet
