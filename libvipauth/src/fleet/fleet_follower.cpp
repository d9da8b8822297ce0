#include <vipauth/fleet_follower.hpp>

#include <string>
#include <utility>

#include <vipauth/local_copy.hpp>

#include "fleet/followed_fleet.hpp"

namespace vipauth {

struct FleetFollower::Impl : fleet::FollowedFleet {
  using FollowedFleet::FollowedFleet;
};

/// What the fleet shares, as the follower knows it.
class FleetFollower::FollowedStore final : public PolicyStore {
 public:
  explicit FollowedStore(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

  Result<Policy> load_policy() const override { return impl_->home().load_policy(); }
  Result<TopicDocument> load_topics() const override { return impl_->home().load_topics(); }
  Result<PendingState> load_pending() const override { return impl_->home().load_pending(); }

  Result<EditReport> edit_policy(const AuthFile::Change& change, const EditOptions& options) override {
    return impl_->edit_policy(change, options);
  }
  Result<EditReport> edit_topics(const TopicsFile::Change& change, const EditOptions& options) override {
    return impl_->edit_topics(change, options);
  }
  Result<void> edit_pending(const PendingChange& change, std::chrono::milliseconds patience) override {
    return impl_->home().edit_pending(change, patience);
  }
  Result<std::unique_ptr<StoreWatch>> watch(std::function<void(const StoreChanges&)> on_change) override {
    return impl_->home().watch(std::move(on_change));
  }

 private:
  const std::shared_ptr<Impl> impl_;
};

FleetFollower::FleetFollower(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

FleetFollower::~FleetFollower() { impl_->stop(); }

Result<std::unique_ptr<FleetFollower>> FleetFollower::start(const std::filesystem::path& home,
                                                            Options options) {
  if (options.address.site.empty()) {
    return Error{ErrorCode::kInvalidArgument, "a bus is a site of its fleet: name it by \"?site=NAME\"", ""};
  }
  const auto mark = LocalCopy(home, options.strict_modes).load();
  if (!mark) return mark.error();
  if (*mark && (*mark)->store != options.address.to_string()) {
    return Error{ErrorCode::kConflict,
                 "this home follows \"" + (*mark)->store + "\": end that first, by `vctl auth unfollow`", ""};
  }
  auto client = fleet::EtcdClient::create(options.address, options.etcd);
  if (!client) return client.error();
  auto impl = std::make_shared<Impl>(home, std::move(options), *std::move(client));
  impl->start();
  return std::unique_ptr<FleetFollower>(new FleetFollower(std::move(impl)));
}

FleetFollower::Status FleetFollower::status() const { return impl_->status(); }

Result<void> FleetFollower::wait_until_synced(std::chrono::milliseconds patience) const {
  return impl_->wait_until_synced(patience);
}

std::function<std::optional<std::chrono::milliseconds>()> FleetFollower::policy_age() const {
  return [impl = impl_] { return impl->age(); };
}

std::shared_ptr<PolicyStore> FleetFollower::store() const { return std::make_shared<FollowedStore>(impl_); }

}  // namespace vipauth
