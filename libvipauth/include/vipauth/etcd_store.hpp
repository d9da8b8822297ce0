#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <vipauth/etcd_options.hpp>
#include <vipauth/policy_store.hpp>
#include <vipauth/result.hpp>
#include <vipauth/store_address.hpp>

namespace vipauth {

/// The policy that a fleet shares, in an etcd cluster of version 3.4 or newer, through its JSON gateway.
///
/// What it holds is the fleet's part and, where the address names a site, what that site adds: see
/// docs/fleet.md for how they become one. An edit compares with what it has read, and is one transaction of
/// etcd: of two at once, one is made on what the other left. Its load_ functions ask the cluster each time,
/// so that what they return is what was acknowledged last. What strangers wait for is seen of all sites where
/// the address names none.
///
/// A bus does not ask it for decisions: FleetFollower keeps the home of a bus in step with it.
class EtcdStore final : public PolicyStore {
 public:
  /// Most keys that one edit changes: as many as etcd takes in one transaction. What changes more is a push.
  static constexpr std::size_t kMostChanges = 100;

  /// Asks nobody yet, but reads the files that the options name.
  /// \return kInvalidArgument  a user without TLS, but for loopback; no authorities with TLS
  /// \return kNotFound, kParseError, kIoError  of the files
  VIPAUTH_EXPORT static Result<std::unique_ptr<EtcdStore>> open(const StoreAddress& address,
                                                                EtcdOptions options);
  VIPAUTH_EXPORT ~EtcdStore() override;

  VIPAUTH_EXPORT const StoreAddress& address() const noexcept;

  // Besides what PolicyStore says: kIoError  no member answers; kPermissionDenied  the server is not trusted,
  // or the user may not; kBusy  the cluster has no leader, or a push is under way; kLimitExceeded  its quota
  // is used up.

  VIPAUTH_EXPORT Result<Policy> load_policy() const override;
  VIPAUTH_EXPORT Result<TopicDocument> load_topics() const override;
  VIPAUTH_EXPORT Result<PendingState> load_pending() const override;
  VIPAUTH_EXPORT Result<Version> load_version() const override;
  /// \return kPermissionDenied  the address is a site's, and the edit changes what is the fleet's
  /// \return kLimitExceeded     it changes more than kMostChanges keys
  VIPAUTH_EXPORT Result<EditReport> edit_policy(const AuthFile::Change& change,
                                                const EditOptions& options = {}) override;
  VIPAUTH_EXPORT Result<EditReport> edit_topics(const TopicsFile::Change& change,
                                                const EditOptions& options = {}) override;
  VIPAUTH_EXPORT Result<void> edit_pending(
      const PendingChange& change, std::chrono::milliseconds patience = std::chrono::seconds(60)) override;
  VIPAUTH_EXPORT Result<std::unique_ptr<StoreWatch>> watch(
      std::function<void(const StoreChanges&)> on_change) override;

  /// What stands there without counting: a role or group of the site, of which the fleet has one of that
  /// name; a member that means nothing there. `location` is the key. \return what load_policy() returns
  VIPAUTH_EXPORT Result<std::vector<Error>> problems() const;

  // What is too large for one transaction

  struct PushProgress {
    std::size_t done = 0;   ///< keys that have been written
    std::size_t total = 0;  ///< that this push changes
  };
  struct PushReport {
    std::size_t changed = 0;  ///< keys
    bool resumed = false;     ///< one that had been broken off was under way
  };
  /// Makes the part that the address edits mean this, in as many transactions as it takes. Buses keep what
  /// they had until it is done, whole; a push that is broken off is resumed by another one, and keeps other
  /// edits waiting until then.
  /// \return kConflict  somebody else has changed it meanwhile: push again
  VIPAUTH_EXPORT Result<PushReport> push(const Policy& policy, const TopicDocument& topics,
                                         const std::function<void(const PushProgress&)>& progress = {},
                                         const EditOptions& options = {});

 private:
  struct Impl;
  explicit EtcdStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vipauth
