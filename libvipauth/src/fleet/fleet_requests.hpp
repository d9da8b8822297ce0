#pragma once

#include <functional>
#include <utility>

#include <vipauth/log_sink.hpp>
#include <vipauth/pending_store.hpp>
#include <vipauth/result.hpp>

#include "fleet/etcd_client.hpp"
#include "fleet/fleet_layout.hpp"
#include "fleet/held_requests.hpp"

namespace vipauth::fleet {

/// The strangers who wait, and what was decided about whom, as a cluster holds them: of all sites, or of the
/// layout's alone. At most PendingStore::Limits::total of a site are read.
///
/// What was decided is the fleet's, or a site's, as an edit is. Of the same peer the fleet's counts. A site's
/// tells of single addresses alone: one without, or with a pattern, is doubtful (DecidedPeer).
class FleetRequests {
 public:
  /// Client and layout are kept by the caller. \param log  told what is left out
  FleetRequests(const EtcdClient& client, const FleetLayout& layout, Scope edits, LogSink log = {})
      : client_(client), layout_(layout), edits_(edits), log_(std::move(log)) {}

  /// What is not understood is left out. \return what EtcdClient::range returns
  Result<PendingState> load() const;
  /// Writes what `change` makes different, if it was so until then; else it is done again. What is not
  /// understood is replaced where it is in the way.
  /// \return what `change`, load() and EtcdClient::txn return; kConflict  again and again somebody was faster
  Result<void> edit(const std::function<Result<void>(PendingState&)>& change,
                    EtcdClient::Deadline deadline = {}) const;

 private:
  /// \return kConflict too: what is being read is compacted meanwhile
  Result<HeldRequests> read_once(EtcdClient::Deadline deadline) const;
  Result<HeldRequests> read(EtcdClient::Deadline deadline) const;
  Result<bool> write(const HeldRequests& held, const PendingState& after,
                     EtcdClient::Deadline deadline) const;

  const EtcdClient& client_;
  const FleetLayout& layout_;
  const Scope edits_;
  const LogSink log_;
};

}  // namespace vipauth::fleet
