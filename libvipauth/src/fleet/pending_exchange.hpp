#pragma once

#include <set>
#include <string>
#include <utility>

#include <vipauth/home_store.hpp>
#include <vipauth/log_sink.hpp>
#include <vipauth/result.hpp>

#include "fleet/etcd_client.hpp"
#include "fleet/fleet_layout.hpp"

namespace vipauth::fleet {

/// Tells the store who waits in a home, and takes away there whom an administrator has deleted in the store.
/// By one thread.
class PendingExchange {
 public:
  /// All are kept by the caller. \param log  empty: nobody is told
  PendingExchange(const EtcdClient& client, const FleetLayout& layout, HomeStore& home, LogSink log)
      : client_(client), layout_(layout), home_(home), log_(std::move(log)) {}

  /// \return why who waits could not be told to the store
  Result<void> exchange();

 private:
  const EtcdClient& client_;
  const FleetLayout& layout_;
  HomeStore& home_;
  const LogSink log_;
  std::set<std::string> told_;  // who is known to be in the store
};

}  // namespace vipauth::fleet
