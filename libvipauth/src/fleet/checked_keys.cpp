#include "fleet/checked_keys.hpp"

#include <utility>

namespace vipauth::fleet {
namespace {

constexpr std::int64_t kPageKeys = 500;
constexpr std::size_t kMostChanges = 50;  // of one transaction, each with a comparison

}  // namespace

Result<void> read_keys(const EtcdClient& client, const std::string& prefix, EtcdClient::Deadline deadline,
                       const std::function<std::optional<std::string>(KeyValue&)>& take) {
  const std::string end = prefix_end(prefix);
  std::string from = prefix;
  bool has_more = true;
  while (has_more && from < end) {
    auto answer = client.range({.key = from, .range_end = end, .limit = kPageKeys}, deadline);
    if (!answer) return answer.error();
    has_more = answer->has_more && !answer->values.empty();
    for (KeyValue& value : answer->values) {
      if (value.key < from) continue;  // what `take` wants no more of
      from = value.key + '\0';
      if (auto next = take(value); next && *next > from) from = *std::move(next);
    }
  }
  return {};
}

Result<void> CheckedWrites::add(std::string key, std::optional<std::string> value, std::int64_t since) {
  compares_.push_back({.key = key, .equals = since});
  mutations_.push_back({.key = std::move(key), .value = std::move(value)});
  return mutations_.size() < kMostChanges ? Result<void>() : write();
}

Result<bool> CheckedWrites::finish() {
  if (auto written = write(); !written) return written.error();
  return !was_slower_;
}

Result<void> CheckedWrites::write() {
  if (!mutations_.empty() && !was_slower_) {
    const auto answer = client_.txn(compares_, mutations_, deadline_);
    if (!answer) return answer.error();
    was_slower_ = !answer->succeeded;
  }
  compares_.clear();
  mutations_.clear();
  return {};
}

}  // namespace vipauth::fleet
