#include "fleet/etcd_client.hpp"

#include <utility>

#include "fleet/etcd_members.hpp"
#include "fleet/etcd_messages.hpp"

namespace vipauth::fleet {

struct EtcdClient::Impl {
  std::unique_ptr<EtcdMembers> members;
};

EtcdClient::EtcdClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EtcdClient::EtcdClient(EtcdClient&&) noexcept = default;
EtcdClient& EtcdClient::operator=(EtcdClient&&) noexcept = default;
EtcdClient::~EtcdClient() = default;

Result<EtcdClient> EtcdClient::create(const StoreAddress& address, EtcdOptions options) {
  auto members = EtcdMembers::create(address, std::move(options));
  if (!members) return members.error();
  return EtcdClient(std::make_unique<Impl>(Impl{*std::move(members)}));
}

Result<RangeAnswer> EtcdClient::range(const RangeQuestion& question, Deadline deadline) const {
  const auto answer =
      impl_->members->ask("/v3/kv/range", range_text(question), EtcdMembers::Repeat::kAlways, deadline);
  if (!answer) return answer.error();
  return parse_range(*answer, question);
}

Result<TxnAnswer> EtcdClient::txn(const std::vector<Compare>& compares,
                                  const std::vector<Mutation>& mutations, Deadline deadline) const {
  if (compares.size() > kMostOperations || mutations.size() > kMostOperations) {
    return Error{ErrorCode::kLimitExceeded,
                 "a transaction has at most " + std::to_string(kMostOperations) + " operations", "etcd"};
  }
  const auto answer = impl_->members->ask("/v3/kv/txn", txn_text(compares, mutations),
                                          EtcdMembers::Repeat::kUnlessSent, deadline);
  if (answer) return parse_txn(*answer);
  return answer.error();
}

// Each of these codes says that it was refused before it was made, or that nobody got it.
bool EtcdClient::is_certain(const Error& error) {
  switch (error.code) {
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kLimitExceeded:
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kConflict:
    case ErrorCode::kUnavailable: return true;
    default: return false;
  }
}

Result<ClusterStatus> EtcdClient::status() const {
  const auto answer = impl_->members->ask("/v3/maintenance/status", "{}", EtcdMembers::Repeat::kAlways);
  if (!answer) return answer.error();
  return parse_status(*answer);
}

WatchEnd EtcdClient::watch(std::string_view key, std::string_view range_end, std::int64_t start_revision,
                           const std::function<bool(const WatchEvents&)>& on_events) const {
  return impl_->members->watch(
      WatchPlan{std::string(key), std::string(range_end), start_revision, &on_events});
}

void EtcdClient::stop() const noexcept { impl_->members->stop(); }

}  // namespace vipauth::fleet
