#include "fleet/etcd_client.hpp"

#include <map>
#include <set>

#include "etcd_asking.hpp"
#include "etcd_cluster.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

using namespace vipauth;
using namespace vipauth::fleet;
using namespace vipauth::test;
using Catch::Contains;

TEST_CASE("etcd: what a transaction writes is read, and a comparison that fails changes nothing") {
  if (is_skipped()) return;
  const EtcdCluster cluster;
  const EtcdClient client = client_of(cluster);
  const std::string odd("\0\xff \"\\\n", 7);
  const std::int64_t first = must(client.txn({{kPrefix + std::string("a"), Compare::Field::kModRevision, 0}},
                                             {put("a", odd), put("b", "")}));
  auto found = client.range(all());
  REQUIRE(found);
  REQUIRE(found->values.size() == 2);
  CHECK(found->revision == first);
  CHECK_FALSE(found->has_more);
  CHECK(found->values[0].key == kPrefix + std::string("a"));
  CHECK(found->values[0].value == odd);
  CHECK(found->values[0].create_revision == first);
  CHECK(found->values[0].mod_revision == first);
  CHECK(found->values[1].value.empty());

  const auto late = client.txn({{kPrefix + std::string("a"), Compare::Field::kModRevision, 0}}, {erase("a")});
  REQUIRE(late);
  CHECK_FALSE(late->succeeded);
  CHECK(client.range(all())->revision == first);

  const std::int64_t second =
      must(client.txn({{kPrefix + std::string("a"), Compare::Field::kModRevision, first}}, {put("a", "2")}));
  CHECK(must(client.txn({{kPrefix + std::string("a"), Compare::Field::kCreateRevision, first}},
                        {erase("b")})) > second);
  CHECK_FALSE(
      client.txn({{kPrefix + std::string("a"), Compare::Field::kCreateRevision, second}}, {erase("a")})
          ->succeeded);
  found = client.range(all());
  REQUIRE(found->values.size() == 1);
  CHECK(found->values[0].value == "2");

  RangeQuestion past = all();
  past.revision = first;
  CHECK(client.range(past)->values.size() == 2);
  RangeQuestion recent = all();
  recent.min_revision = second + 1;
  CHECK(client.range(recent)->values.empty());

  must(client.txn({}, {{kPrefix, std::nullopt, prefix_end(kPrefix)}}));
  CHECK(client.range(all())->values.empty());

  const auto status = client.status();
  REQUIRE(status);
  CHECK_THAT(status->version, Catch::StartsWith("3."));
  CHECK_FALSE(status->cluster_id.empty());
  CHECK(status->revision == client.range(all())->revision);
}

TEST_CASE("etcd: keys are read page by page") {
  if (is_skipped()) return;
  const EtcdCluster cluster;
  const EtcdClient client = client_of(cluster);
  std::set<std::string> expected;
  for (int i = 0; i < 5; ++i) {
    std::vector<Mutation> mutations;
    for (std::size_t j = 0; j < EtcdClient::kMostOperations; ++j) {
      mutations.push_back(put(std::to_string(i) + "-" + std::to_string(j), "x"));
      expected.insert(mutations.back().key);
    }
    must(client.txn({}, mutations));
  }
  std::set<std::string> found;
  RangeQuestion page = all();
  page.limit = 100;
  page.keys_only = true;
  while (true) {
    const auto answer = client.range(page);
    REQUIRE(answer);
    REQUIRE(answer->values.size() <= 100);
    page.revision = answer->revision;
    for (const KeyValue& value : answer->values) {
      CHECK(value.value.empty());
      CHECK(found.insert(value.key).second);
    }
    if (!answer->has_more) break;
    page.key = answer->values.back().key + std::string(1, '\0');
  }
  CHECK(found == expected);
}

TEST_CASE("etcd: what it refuses is told as what it is, and is certain") {
  if (is_skipped()) return;
  const EtcdCluster cluster({.arguments = {"--quota-backend-bytes=16777216"}});
  const EtcdClient client = client_of(cluster);

  std::vector<Mutation> many(EtcdClient::kMostOperations + 1);
  auto refused = client.txn({}, many);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLimitExceeded);
  CHECK(EtcdClient::is_certain(refused.error()));

  for (const auto& [size, reason] :
       {std::pair{1'600'000, "request is too large"}, std::pair{3'000'000, "larger than max"}}) {
    refused = client.txn({}, {put("a", std::string(static_cast<std::size_t>(size), 'x'))});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kLimitExceeded);
    CHECK_THAT(refused.error().message, Contains(reason));
    CHECK(EtcdClient::is_certain(refused.error()));
  }

  refused = client.txn({}, {put("a", "1"), put("a", "2")});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kInvalidArgument);
  CHECK(EtcdClient::is_certain(refused.error()));

  // Until the quota is used up.
  for (int i = 0;
       i < 100 && (refused = client.txn({}, {put(std::to_string(i), std::string(1'000'000, 'x'))})); ++i) {
  }
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLimitExceeded);
  CHECK_THAT(refused.error().message, Contains("database space exceeded"));
  CHECK(EtcdClient::is_certain(refused.error()));
  CHECK(client.range({.key = std::string(kPrefix) + "0"}));

  // A page that is too large for this client; a smaller one is not.
  const auto large = client.range(all());
  if (!large) CHECK(large.error().code == ErrorCode::kLimitExceeded);
  RangeQuestion small = all();
  small.limit = 2;
  CHECK(client.range(small)->values.size() == 2);
}

TEST_CASE("etcd: a revision that is compacted cannot be read nor watched, a later one can") {
  if (is_skipped()) return;
  const EtcdCluster cluster;
  const EtcdClient client = client_of(cluster);
  const std::int64_t first = must(client.txn({}, {put("a", "1")}));
  must(client.txn({}, {put("a", "2")}));
  const std::int64_t third = must(client.txn({}, {put("a", "3")}));
  cluster.etcdctl("compaction " + std::to_string(third));
  RangeQuestion past = all();
  past.revision = first;
  const auto found = client.range(past);
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::kConflict);
  past.revision = third;
  CHECK(client.range(past)->values.size() == 1);

  bool is_told = false;
  const WatchEnd end = client.watch(kPrefix, prefix_end(kPrefix), first, [&](const WatchEvents& events) {
    is_told = is_told || !events.events.empty();
    return true;
  });
  CHECK(end.why == WatchEnd::Why::kCompacted);
  CHECK(end.compact_revision == third);
  CHECK(end.error.code == ErrorCode::kConflict);
  CHECK_FALSE(is_told);

  Watcher watcher(client, end.compact_revision);
  CHECK(eventually([&] { return watcher.texts().size() == 1; }));
  CHECK(watcher.texts()[0] == std::to_string(third) + " a=3");
}

TEST_CASE("etcd: a watch tells what happens, in order, from the revision on that it was asked for") {
  if (is_skipped()) return;
  const EtcdCluster cluster;
  const EtcdClient client = client_of(cluster);
  const std::int64_t first = must(client.txn({}, {put("a", "1"), put("b", "1")}));
  const std::int64_t second = must(client.txn({}, {erase("a"), put("c", "")}));
  Watcher past(client, second);
  Watcher now(client, 0);
  REQUIRE(past.stands());
  REQUIRE(now.stands());
  CHECK(now.revision() == second);
  must(client.txn({}, {{"/elsewhere", "x"}}));
  const std::int64_t fourth = must(client.txn({}, {{kPrefix, std::nullopt, prefix_end(kPrefix)}}));
  const std::vector<std::string> last{std::to_string(fourth) + " b gone", std::to_string(fourth) + " c gone"};
  REQUIRE(eventually([&] { return past.texts().size() == 4 && now.texts().size() == 2; }));
  CHECK(now.texts() == last);
  CHECK(past.texts() == std::vector<std::string>{std::to_string(second) + " a gone",
                                                 std::to_string(second) + " c=", last[0], last[1]});
  CHECK(now.revision() == fourth);
  CHECK(first < second);

  now.stop_at_next();
  must(client.txn({}, {put("d", "1")}));
  CHECK(now.end().why == WatchEnd::Why::kStopped);
  CHECK_FALSE(past.has_ended());
}

TEST_CASE("etcd: a watch catches up with thousands of revisions, and with transactions that come in parts") {
  if (is_skipped()) return;
  const EtcdCluster cluster;
  const EtcdClient client = client_of(cluster);
  const std::string large(100'000, 'x');
  const std::int64_t first = must(client.txn({}, {put("a", "0")}));
  std::int64_t last = first;
  for (int i = 0; i < 40; ++i) {  // 32 MB, which etcd cuts into parts
    std::vector<Mutation> mutations;
    for (int j = 0; j < 8; ++j) mutations.push_back(put(std::to_string(j), large + std::to_string(i)));
    last = must(client.txn({}, mutations));
  }
  for (int i = 0; i < 1500; ++i) last = must(client.txn({}, {put("a", std::to_string(i))}));

  std::size_t events_told = 0;
  std::int64_t revision = first;
  bool is_whole = true;
  const WatchEnd end = client.watch(kPrefix, prefix_end(kPrefix), first + 1, [&](const WatchEvents& events) {
    std::map<std::int64_t, std::size_t> sizes;
    for (const std::int64_t one : events.revisions) {
      ++sizes[one];
      is_whole = is_whole && one > revision && one <= events.revision;
    }
    for (const auto& [one, size] : sizes) is_whole = is_whole && (size == 8 || size == 1);
    is_whole = is_whole && events.revision >= revision;
    revision = events.revision;
    events_told += events.events.size();
    return revision < last;
  });
  CHECK(end.why == WatchEnd::Why::kStopped);
  CHECK(is_whole);
  CHECK(revision == last);
  CHECK(events_told == 40 * 8 + 1500);
}

TEST_CASE("etcd: a watch is told that time has passed, by etcd and by asking the member") {
  if (is_skipped()) return;
  SECTION("by etcd") {
    const EtcdCluster cluster({.arguments = {"--experimental-watch-progress-notify-interval=200ms"}});
    const EtcdClient client = client_of(cluster);
    const Watcher watcher(client, 0);
    REQUIRE(watcher.stands());
    const std::int64_t elsewhere = must(client.txn({}, {{"/elsewhere", "x"}}));
    CHECK(eventually([&] { return watcher.revision() >= elsewhere; }));
    CHECK(watcher.texts().empty());
  }
  SECTION("by asking the member") {
    const EtcdCluster cluster;
    EtcdOptions options = cluster.client_options();
    options.timeout = std::chrono::milliseconds(300);
    const EtcdClient client = client_of(cluster, options);
    const Watcher watcher(client, 0);
    CHECK(eventually([&] { return watcher.told() >= 4; }));
    CHECK_FALSE(watcher.has_ended());
  }
}

TEST_CASE("etcd: a client that is stopped waits for nothing any more") {
  if (is_skipped()) return;
  const EtcdCluster cluster;
  const EtcdClient client = client_of(cluster);
  Watcher watcher(client, 0);
  REQUIRE(watcher.stands());
  client.stop();
  CHECK(watcher.end().why == WatchEnd::Why::kStopped);
  CHECK_FALSE(client.range(all()));
  CHECK(client.watch(kPrefix, "", 0, [](const auto&) { return true; }).why == WatchEnd::Why::kStopped);
  const auto refused = client.txn({}, {put("a", "1")});
  REQUIRE_FALSE(refused);
  CHECK(EtcdClient::is_certain(refused.error()));
  CHECK(client_of(cluster).range(all())->values.empty());
}
