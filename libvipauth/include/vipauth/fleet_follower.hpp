#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include <vipauth/clock.hpp>
#include <vipauth/etcd_options.hpp>
#include <vipauth/log_sink.hpp>
#include <vipauth/policy_store.hpp>
#include <vipauth/result.hpp>
#include <vipauth/store_address.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// Keeps the home of one bus in step with what its fleet shares: auth.json and protected_topics.json of the
/// home become what the store says, whole and one version after the other, and the AuthService of the home
/// puts them in force as it does any edit.
///
/// While the store is away the home stays as it is, and the bus decides by it, after a restart too. When it
/// is back, what happened meanwhile is caught up by its revisions; where these are gone (compaction), all is
/// read again. What could not be put in force (a deny record that is not understood, a version that this
/// library does not know) is not written: the home keeps what it had. A push counts when it is finished.
///
/// It also tells the store who waits in the home's pending.json, and takes away there what an administrator
/// has deleted in the store. May be used from any thread.
class FleetFollower {
 public:
  struct Options {
    StoreAddress address;  ///< with a site: the bus is that site
    EtcdOptions etcd;
    StrictModes strict_modes = StrictModes::kOn;
    /// How often it makes sure that it knows the last edit, and exchanges who waits.
    std::chrono::milliseconds check_interval{2000};
    Clock clock = system_now;
    LogSink log;
  };

  struct Status {
    std::int64_t revision = 0;           ///< of the store, that the home is a copy of; 0: of none
    std::size_t keys = 0;                ///< that this is made of
    std::optional<Timestamp> synced_at;  ///< when the home was last known to say what the store says
    std::optional<Error> problem;        ///< why it is not so now
    std::uint64_t edits = 0;             ///< versions of the home that were written
    std::uint64_t full_reads = 0;        ///< of all that the store has
  };

  /// Begins where the home stands, and does not wait for the store.
  /// \return what EtcdStore::open returns; kConflict  the home follows another store: end that first (LocalCopy)
  VIPAUTH_EXPORT static Result<std::unique_ptr<FleetFollower>> start(const std::filesystem::path& home,
                                                                     Options options);
  FleetFollower(const FleetFollower&) = delete;
  FleetFollower& operator=(const FleetFollower&) = delete;
  VIPAUTH_EXPORT ~FleetFollower();  ///< stops; the home stays a copy

  VIPAUTH_EXPORT Status status() const;
  /// Waits until the home was known to say what the store says, at a moment not before the call.
  /// \return kBusy  it was not within `patience`: the message says why
  VIPAUTH_EXPORT Result<void> wait_until_synced(std::chrono::milliseconds patience) const;

  /// For AuthService::set_policy_age: the time since the home was last known to say what the store says, be
  /// it before a restart. It may outlive the follower.
  VIPAUTH_EXPORT std::function<std::optional<std::chrono::milliseconds>()> policy_age() const;

  /// For AuthService::Options::store: edits go to the fleet's store, and return when the home has them. It
  /// may outlive the follower, and fails then. Who waits stays the home's own.
  VIPAUTH_EXPORT std::shared_ptr<PolicyStore> store() const;

 private:
  struct Impl;
  class FollowedStore;
  explicit FleetFollower(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace vipauth
