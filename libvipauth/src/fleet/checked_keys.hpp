#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <vipauth/result.hpp>

#include "fleet/etcd_client.hpp"

namespace vipauth::fleet {

/// Changes of keys, each made if nobody has written the key since it was read, in as few transactions as it
/// takes.
class CheckedWrites {
 public:
  CheckedWrites(const EtcdClient& client, EtcdClient::Deadline deadline)
      : client_(client), deadline_(deadline) {}

  /// \param value  nothing: the key goes
  /// \param since  the revision at which it was written last; 0: there was no such key
  /// \return what EtcdClient::txn returns
  Result<void> add(std::string key, std::optional<std::string> value, std::int64_t since);
  /// Writes what is left. \return false: somebody else was faster, and not all of it is written
  Result<bool> finish();

 private:
  Result<void> write();

  const EtcdClient& client_;
  const EtcdClient::Deadline deadline_;
  std::vector<Compare> compares_;
  std::vector<Mutation> mutations_;
  bool was_slower_ = false;
};

}  // namespace vipauth::fleet
