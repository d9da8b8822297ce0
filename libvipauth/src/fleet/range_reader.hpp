#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <vipauth/result.hpp>

#include "fleet/etcd_client.hpp"

namespace vipauth::fleet {

/// What is done with each key, in their order.
struct RangeVisitor {
  /// \return a key to go on from, where those before it do not matter; nothing: the next one
  std::function<std::optional<std::string>(KeyValue&&)> on_value;
  /// A value that is longer than any answer may be; it is not in there.
  std::function<std::optional<std::string>(KeyValue&&)> on_too_large;
};

/// Reads all keys below a prefix as they were at one moment, page by page, whatever others have put there: a
/// value that is too large to be answered keeps no other from being read.
/// \return the revision; what EtcdClient::range returns, of which kConflict: begin again
Result<std::int64_t> read_range(const EtcdClient& client, const std::string& prefix,
                                const RangeVisitor& visitor, EtcdClient::Deadline deadline = {});

}  // namespace vipauth::fleet
