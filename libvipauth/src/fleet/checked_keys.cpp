#include "fleet/checked_keys.hpp"

#include <utility>

namespace vipauth::fleet {
namespace {

constexpr std::size_t kMostChanges = 50;  // of one transaction, each with a comparison

}  // namespace

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
