#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "etcd_asking.hpp"
#include "etcd_cluster.hpp"
#include "fleet/etcd_client.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

using namespace vipauth;
using namespace vipauth::fleet;
using namespace vipauth::test;
using Catch::Contains;

namespace {

/// Does a change that is the same however often it is made, as callers of txn() do.
bool put_until_done(const EtcdClient& client, const std::string& name, const std::string& value) {
  return eventually([&] {
    const auto answer = client.txn({}, {put(name, value)});
    return answer && answer->succeeded;
  });
}

std::size_t other_than(const EtcdCluster& cluster, std::size_t member) {
  return (member + 1) % cluster.size();
}

/// A client whose first member is that one, with all others behind it.
EtcdClient client_from(const EtcdCluster& cluster, std::size_t first,
                       std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
  StoreAddress address = cluster.store_address();
  std::rotate(address.endpoints.begin(), address.endpoints.begin() + static_cast<std::ptrdiff_t>(first),
              address.endpoints.end());
  EtcdOptions options = cluster.client_options();
  options.timeout = timeout;
  options.connect_timeout = std::chrono::milliseconds(500);
  auto client = EtcdClient::create(address, options);
  if (!client) throw std::runtime_error(client.error().to_string());
  return *std::move(client);
}

}  // namespace

TEST_CASE("etcd: when the leader is killed, edits and watches go on, and nothing is lost or told twice") {
  if (is_skipped()) return;
  const bool tls = GENERATE(false, true);
  EtcdCluster cluster({.members = 3, .tls = tls});
  std::size_t leader = cluster.leader();
  const EtcdClient client = client_from(cluster, leader);
  const EtcdClient reader = client_from(cluster, leader);
  REQUIRE(put_until_done(client, "a", "0"));

  std::atomic<bool> is_over{false};
  std::mutex mutex;
  std::vector<std::pair<std::int64_t, std::string>> told;
  std::atomic<int> ends{0};
  std::atomic<bool> stands{false};
  std::thread watching([&] {
    std::int64_t next = 1;
    while (!is_over) {
      const WatchEnd end = reader.watch(kPrefix, prefix_end(kPrefix), next, [&](const WatchEvents& events) {
        const std::lock_guard lock(mutex);
        stands = true;
        for (std::size_t i = 0; i < events.events.size(); ++i) {
          told.emplace_back(events.revisions[i], events.events[i].value.value_or("gone"));
        }
        next = events.revision + 1;
        return true;
      });
      if (end.why == WatchEnd::Why::kFailed) ++ends;
    }
  });
  CHECK(eventually([&] { return stands.load(); }));
  for (int i = 1; i <= 3; ++i) {
    leader = cluster.leader();
    cluster.kill(leader);
    CHECK(put_until_done(client, "a", std::to_string(i)));
    CHECK(client.range(all())->values[0].value == std::to_string(i));
    cluster.restart(leader);
    cluster.wait_until_healthy();
  }
  const auto last = [&] {
    const std::lock_guard lock(mutex);
    return told.empty() ? std::string() : told.back().second;
  };
  CHECK(eventually([&] { return last() == "3"; }));
  is_over = true;
  reader.stop();
  watching.join();
  CHECK(ends > 0);
  for (std::size_t i = 1; i < told.size(); ++i) CHECK(told[i - 1].first < told[i].first);
  std::vector<std::string> values;
  for (const auto& [revision, value] : told) {
    if (values.empty() || values.back() != value) values.push_back(value);
  }
  CHECK(values == std::vector<std::string>{"0", "1", "2", "3"});
}

TEST_CASE("etcd: without a majority nothing is read, what is written is not certain, and a watch ends") {
  if (is_skipped()) return;
  EtcdCluster cluster({.members = 3});
  const std::size_t leader = cluster.leader();
  const std::size_t left = other_than(cluster, leader);
  const EtcdClient client = client_from(cluster, left, std::chrono::seconds(2));
  REQUIRE(put_until_done(client, "a", "1"));
  const EtcdClient patient = client_from(cluster, left, std::chrono::minutes(5));  // does not ask the member
  Watcher watcher(patient, 0);
  REQUIRE(watcher.stands());
  cluster.kill(leader);
  cluster.kill(3 - leader - left);

  const WatchEnd end = watcher.end();  // the only member that is left has no leader
  CHECK(end.why == WatchEnd::Why::kFailed);
  CHECK_THAT(end.error.message, Contains("no leader"));
  const auto found = client.range(all());
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::kBusy);
  CHECK_THAT(found.error().message, Contains("no leader"));
  const auto lost = client.txn({}, {put("a", "2")});
  REQUIRE_FALSE(lost);
  CHECK_FALSE(EtcdClient::is_certain(lost.error()));
  const auto never = [](const WatchEvents&) { return true; };
  CHECK(client.watch(kPrefix, prefix_end(kPrefix), 0, never).error.code == ErrorCode::kBusy);
  CHECK_FALSE(client.status());

  cluster.restart(leader);
  cluster.wait_until_healthy();
  CHECK(put_until_done(client, "a", "3"));
}

TEST_CASE("etcd: where nobody listens it is certain that nothing is done") {
  if (is_skipped()) return;
  EtcdCluster cluster({.members = 3});
  const EtcdClient client = client_from(cluster, 0);
  REQUIRE(put_until_done(client, "a", "1"));
  for (std::size_t i = 0; i < cluster.size(); ++i) cluster.kill(i);
  const auto refused = client.txn({}, {put("a", "2")});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kUnavailable);
  CHECK(EtcdClient::is_certain(refused.error()));
  const StoreAddress address = cluster.store_address();
  for (const auto& endpoint : address.endpoints) {
    CHECK_THAT(refused.error().message, Contains("127.0.0.1:" + std::to_string(endpoint.port)));
  }
}

TEST_CASE("etcd: a member that takes connections and says nothing is left for another one") {
  if (is_skipped()) return;
  const bool tls = GENERATE(false, true);
  EtcdCluster cluster({.members = 3, .tls = tls});
  const std::size_t frozen = other_than(cluster, cluster.leader());
  const EtcdClient client = client_from(cluster, frozen, std::chrono::seconds(3));
  REQUIRE(put_until_done(client, "a", "1"));
  Watcher watcher(client, 0);
  REQUIRE(watcher.stands());
  cluster.pause(frozen);
  CHECK(client_from(cluster, frozen).range(all()));
  CHECK(put_until_done(client, "a", "2"));
  const WatchEnd end = watcher.end();  // its connection stands, but the member does not answer
  CHECK(end.why == WatchEnd::Why::kFailed);
  Watcher again(client, 0);
  CHECK(again.stands());  // at another member
  cluster.resume(frozen);
}

TEST_CASE("etcd: what waits for a member that says nothing ends at once when it is told to stop") {
  if (is_skipped()) return;
  EtcdCluster cluster;
  const EtcdClient client = client_from(cluster, 0, std::chrono::minutes(5));
  REQUIRE(put_until_done(client, "a", "1"));
  cluster.pause(0);
  std::atomic<bool> has_ended{false};
  std::optional<Result<TxnAnswer>> answer;
  std::thread asking([&] {
    answer = client.txn({}, {put("a", "2")});
    has_ended = true;
  });
  client.stop();
  CHECK(eventually([&] { return has_ended.load(); }));  // far less than its five minutes
  asking.join();
  CHECK_FALSE(*answer);
  cluster.resume(0);
}
