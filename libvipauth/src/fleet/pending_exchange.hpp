#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <vipauth/home_store.hpp>
#include <vipauth/log_sink.hpp>
#include <vipauth/result.hpp>

#include "fleet/etcd_client.hpp"
#include "fleet/fleet_layout.hpp"

namespace vipauth::fleet {

/// Tells the store who waits in a home, and takes away there whom an administrator has deleted in the store.
/// Of the store it reads and writes who waits at its own site alone, and at most as many as a home has.
/// Several buses may be of one site: each takes back only whom it has told itself, and of a stranger who asks
/// at two of them, the first one tells. exchange() is for one thread, problem() for any.
class PendingExchange {
 public:
  /// A stranger who goes on asking is told again only so often: each time would be a write of the cluster,
  /// for each of a thousand who ask every two seconds.
  static constexpr std::chrono::minutes kBetweenSightings{5};

  /// All are kept by the caller. \param log  empty: nobody is told
  PendingExchange(const EtcdClient& client, const FleetLayout& layout, HomeStore& home, LogSink log)
      : client_(client), layout_(layout), home_(home), log_(std::move(log)) {}

  /// \return why who waits could not be told to the store, or taken away here
  Result<void> exchange();
  /// What the last exchange() returned.
  std::optional<Error> problem() const;

 private:
  /// Those who wait at the site, by "CURVE:..."
  struct Stored {
    std::int64_t revision = 0;
    std::optional<PendingRequest> request;  // nothing: it is not understood
  };
  struct Present {
    std::map<std::string, Stored> requests;
    bool is_whole = true;  // there are no more
  };
  using Names = std::map<std::string, std::string>;  // of strangers: by "CURVE:...", the user_id

  Result<void> exchange_once();
  Result<Present> read_store(EtcdClient::Deadline deadline) const;
  Result<void> tell(const PendingState& local, EtcdClient::Deadline deadline);
  Result<void> take_away(const PendingState& local);

  const EtcdClient& client_;
  const FleetLayout& layout_;
  HomeStore& home_;
  const LogSink log_;
  Names told_;     // who is in the store, told from here
  Names deleted_;  // of these, who was deleted there, and is to be taken away here
  mutable std::mutex mutex_;
  std::optional<Error> problem_;
};

}  // namespace vipauth::fleet
