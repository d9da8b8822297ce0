#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "etcd_cluster.hpp"
#include "fleet/etcd_client.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

namespace vipauth::test {

inline constexpr const char* kPrefix = "/vipauth/test/";

inline fleet::EtcdClient client_of(const EtcdCluster& cluster, EtcdOptions options) {
  auto client = fleet::EtcdClient::create(cluster.store_address(), std::move(options));
  if (!client) throw std::runtime_error(client.error().to_string());
  return *std::move(client);
}

inline fleet::EtcdClient client_of(const EtcdCluster& cluster) {
  return client_of(cluster, cluster.client_options());
}

inline fleet::Mutation put(const std::string& name, const std::string& value) {
  return {kPrefix + name, value};
}
inline fleet::Mutation erase(const std::string& name) { return {kPrefix + name, std::nullopt}; }

inline fleet::RangeQuestion all() {
  fleet::RangeQuestion out;
  out.key = kPrefix;
  out.range_end = fleet::prefix_end(kPrefix);
  return out;
}

inline std::int64_t must(const Result<fleet::TxnAnswer>& answer) {
  if (!answer) throw std::runtime_error(answer.error().to_string());
  REQUIRE(answer->succeeded);
  return answer->revision;
}

/// A watch of everything below the prefix on a thread of its own, and what it was told.
class Watcher {
 public:
  Watcher(const fleet::EtcdClient& client, std::int64_t start) : client_(&client) {
    thread_ = std::thread([this, start] {
      fleet::WatchEnd end = client_->watch(
          kPrefix, fleet::prefix_end(kPrefix), start, [this](const fleet::WatchEvents& events) {
            const std::lock_guard lock(mutex_);
            ++told_;
            revision_ = events.revision;
            for (std::size_t i = 0; i < events.events.size(); ++i) {
              const fleet::Mutation& event = events.events[i];
              texts_.push_back(std::to_string(events.revisions[i]) + " " +
                               event.key.substr(std::string(kPrefix).size()) +
                               (event.value ? "=" + *event.value : " gone"));
            }
            return !is_over_;
          });
      const std::lock_guard lock(mutex_);
      end_ = std::move(end);
    });
  }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher() {
    if (!thread_.joinable()) return;
    client_->stop();
    thread_.join();
  }

  std::size_t told() const {
    const std::lock_guard lock(mutex_);
    return told_;
  }
  std::int64_t revision() const {
    const std::lock_guard lock(mutex_);
    return revision_;
  }
  std::vector<std::string> texts() const {
    const std::lock_guard lock(mutex_);
    return texts_;
  }
  bool has_ended() const {
    const std::lock_guard lock(mutex_);
    return end_.has_value();
  }
  bool stands() const {
    return eventually([this] { return told() > 0; });
  }
  /// Says at the next event that it is enough.
  void stop_at_next() { is_over_ = true; }
  fleet::WatchEnd end() {
    REQUIRE(eventually([this] { return has_ended(); }));
    thread_.join();
    return *end_;
  }

 private:
  const fleet::EtcdClient* client_;
  mutable std::mutex mutex_;
  std::size_t told_ = 0;
  std::int64_t revision_ = -1;
  std::vector<std::string> texts_;
  std::optional<fleet::WatchEnd> end_;
  std::atomic<bool> is_over_{false};
  std::thread thread_;
};

inline bool is_skipped() {
  if (EtcdCluster::is_installed()) return false;
  WARN("skipped: etcd is not installed");
  return true;
}

}  // namespace vipauth::test
