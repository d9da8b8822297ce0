#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <vipauth/clock.hpp>
#include <vipauth/csr_store.hpp>
#include <vipauth/etcd_options.hpp>
#include <vipauth/log_sink.hpp>
#include <vipauth/result.hpp>
#include <vipauth/store_address.hpp>

namespace vipauth {

/// Tells a fleet's store which requests for certificates wait at a site and how they stand, and carries out
/// what administrators ask for there: FleetCsrs. One for each site.
///
/// A decision is carried out once it is read, by the CsrStore, whose rules hold: a name that is not of this
/// instance, or is taken, is not signed for, whoever asks. The audit log names who asked, as the store says
/// it. It is taken away, and answered, in one transaction; where that is broken off it is carried out again,
/// which changes nothing. Approving what has been denied here since the administrator looked is refused.
///
/// Threads of its own do it: nobody who uses the CsrStore waits for the store. While that is away, what is
/// asked for waits there; what is decided here is told later. May be used from any thread.
class CsrRelay {
 public:
  /// Most requests that the store is told of, those that wait first.
  static constexpr std::size_t kMostRequests = 5000;

  struct Options {
    StoreAddress address;  ///< with a site: this one
    EtcdOptions etcd;
    /// How often the store is told of what is new here, and asked whether it answers. Decisions are told to
    /// the relay at once.
    std::chrono::milliseconds check_interval{5000};
    Clock clock = system_now;
    LogSink log;
  };

  struct Status {
    std::size_t requests = 0;            ///< that the store tells of
    std::optional<Timestamp> synced_at;  ///< when it was last known to say how they stand
    std::optional<Error> problem;        ///< why that is not so now
    std::uint64_t carried_out = 0;       ///< decisions
    std::uint64_t refused = 0;           ///< that were answered with a problem, or were malformed
    std::uint64_t full_reads = 0;        ///< of all that the store has of the site
  };

  /// Does not wait for the store.
  /// \return kInvalidArgument  the address names no site; what EtcdStore::open returns
  VIPAUTH_EXPORT static Result<std::unique_ptr<CsrRelay>> start(std::shared_ptr<CsrStore> store,
                                                                Options options);
  CsrRelay(const CsrRelay&) = delete;
  CsrRelay& operator=(const CsrRelay&) = delete;
  /// Ends what waits for the store, and finishes what it does with the CsrStore.
  VIPAUTH_EXPORT ~CsrRelay();

  VIPAUTH_EXPORT Status status() const;

 private:
  struct Impl;
  explicit CsrRelay(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vipauth
