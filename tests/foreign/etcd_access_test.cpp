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

EtcdCluster::Options with_users() {
  return {.users = {{"bus", "a \"password\" of\tthe bus", "/vipauth/test/", false},
                    {"admin", "the admin's", "/vipauth/test/"}}};
}

/// What an error may not hold.
void check_no_secret(const Error& error) {
  CHECK_THAT(error.to_string(),
             !Contains("of the bus") && !Contains("password\" of") && !Contains("the admin's"));
}

}  // namespace

TEST_CASE("etcd: a user may what its role grants, and nobody else may anything") {
  if (is_skipped()) return;
  const EtcdCluster cluster(with_users());
  const EtcdClient admin = client_of(cluster, cluster.client_options("admin"));
  const EtcdClient bus = client_of(cluster, cluster.client_options("bus"));
  must(admin.txn({}, {put("a", "1")}));
  CHECK(bus.range(all())->values.size() == 1);
  Watcher watcher(bus, 0);
  REQUIRE(watcher.stands());
  const std::int64_t second = must(admin.txn({}, {put("a", "2")}));
  CHECK(eventually([&] { return watcher.texts() == std::vector{std::to_string(second) + " a=2"}; }));

  // One that may not write; elsewhere; a wrong password; no user.
  auto refused = bus.txn({}, {put("a", "3")});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kPermissionDenied);
  CHECK_THAT(refused.error().message, Contains("grant the user a role"));
  CHECK(EtcdClient::is_certain(refused.error()));
  refused = admin.txn({}, {{"/vipauth/other/a", "1"}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kPermissionDenied);
  CHECK(bus.range({.key = "/vipauth/other/a"}).error().code == ErrorCode::kPermissionDenied);
  const auto never = [](const WatchEvents&) { return true; };
  WatchEnd end = bus.watch("/vipauth/other/", "/vipauth/other0", 0, never);
  CHECK(end.why == WatchEnd::Why::kFailed);
  CHECK(end.error.code == ErrorCode::kPermissionDenied);

  EtcdOptions wrong = cluster.client_options("admin");
  wrong.password += "!";
  const EtcdClient impostor = client_of(cluster, wrong);
  refused = impostor.txn({}, {put("a", "4")});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kPermissionDenied);
  CHECK_THAT(refused.error().message, Contains("check the user \"admin\""));
  check_no_secret(refused.error());
  CHECK(EtcdClient::is_certain(refused.error()));
  end = impostor.watch(kPrefix, prefix_end(kPrefix), 0, never);
  CHECK(end.error.code == ErrorCode::kPermissionDenied);
  check_no_secret(end.error);

  const EtcdClient stranger = client_of(cluster);
  const auto found = stranger.range(all());
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::kPermissionDenied);
  CHECK_THAT(found.error().message, Contains("say as which one to ask"));
  CHECK(stranger.watch(kPrefix, prefix_end(kPrefix), 0, never).error.code == ErrorCode::kPermissionDenied);
  CHECK(admin.range(all())->values[0].value == "2");
}

TEST_CASE("etcd: a token that counts no more is replaced, in questions and in watches") {
  if (is_skipped()) return;
  EtcdCluster cluster(with_users());
  const EtcdClient admin = client_of(cluster, cluster.client_options("admin"));
  must(admin.txn({}, {put("a", "1")}));
  cluster.restart(0);  // simple tokens are kept in memory
  cluster.wait_until_healthy();
  CHECK(admin.range(all()));
  cluster.restart(0);
  cluster.wait_until_healthy();
  must(admin.txn({}, {put("a", "2")}));
  cluster.restart(0);
  cluster.wait_until_healthy();
  Watcher watcher(admin, 0);
  CHECK(watcher.stands());

  // And without end where it is of no use.
  cluster.etcdctl("user delete admin");
  const auto refused = admin.txn({}, {put("a", "3")});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kPermissionDenied);
}

TEST_CASE("etcd: a watch ends when its user goes") {
  if (is_skipped()) return;
  const EtcdCluster cluster(with_users());
  EtcdOptions options = cluster.client_options("bus");
  options.timeout = std::chrono::milliseconds(500);
  const EtcdClient bus = client_of(cluster, options);
  Watcher watcher(bus, 0);
  REQUIRE(watcher.stands());
  cluster.etcdctl("user delete bus");
  const WatchEnd end = watcher.end();
  CHECK(end.why == WatchEnd::Why::kFailed);
  CHECK(end.error.code == ErrorCode::kPermissionDenied);
}

TEST_CASE(
    "etcd: a cluster without users takes one that has a user, and a cluster that gets users later as well") {
  if (is_skipped()) return;
  const EtcdCluster cluster;
  EtcdOptions options;
  options.user = "late";
  options.password = "comer";
  std::vector<std::string> lines;
  options.log = [&](LogLevel level, const std::string& line) {
    if (level == LogLevel::kWarning) lines.push_back(line);
  };
  const EtcdClient client = client_of(cluster, options);
  must(client.txn({}, {put("a", "1")}));
  must(client.txn({}, {put("a", "2")}));
  REQUIRE(lines.size() == 1);
  CHECK_THAT(lines[0], Contains("\"late\" is not asked for") && !Contains("comer"));
  for (const char* command :
       {"user add root:pw", "user grant-role root root", "role add r", "user add late:comer",
        "role grant-permission --prefix=true r readwrite /vipauth/test/", "user grant-role late r",
        "auth enable"}) {
    cluster.etcdctl(command);
  }
  must(client.txn({}, {put("a", "3")}));
}

TEST_CASE("etcd: TLS with the right authority is good, with another one or another name nothing is sent") {
  if (is_skipped()) return;
  const EtcdCluster cluster({.tls = true});
  const EtcdClient client = client_of(cluster);
  for (int i = 0; i < 20; ++i) must(client.txn({}, {put("a", "1")}));
  Watcher watcher(client, 0);
  REQUIRE(watcher.stands());
  const std::int64_t last = must(client.txn({}, {put("a", "2")}));
  CHECK(eventually([&] { return watcher.texts() == std::vector{std::to_string(last) + " a=2"}; }));

  EtcdOptions other = cluster.client_options();
  other.authorities = cluster.other_authority();
  const auto refused = client_of(cluster, other).txn({}, {put("a", "3")});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kPermissionDenied);
  CHECK_THAT(refused.error().message, Contains("is not trusted") && Contains("nothing was sent"));
  CHECK(EtcdClient::is_certain(refused.error()));
  CHECK(client_of(cluster, other).watch(kPrefix, "", 0, [](const WatchEvents&) { return true; }).error.code ==
        ErrorCode::kPermissionDenied);

  auto address = cluster.store_address();
  address.endpoints[0].host =
      "127.0.0.2";  // listens there, too? No: only a name that is not in the certificate
  address.endpoints[0].host = "ip6-localhost";
  auto renamed = EtcdClient::create(address, cluster.client_options());
  REQUIRE(renamed);
  CHECK_FALSE(renamed->range(all()));

  // In clear to a port that wants TLS, and the other way round.
  address = cluster.store_address();
  address.is_tls = false;
  auto plain = EtcdClient::create(address, {});
  REQUIRE(plain);
  const auto found = plain->range(all());
  REQUIRE_FALSE(found);
  CHECK_THAT(found.error().message, Contains("cannot be reached"));
  CHECK(client.range(all())->values[0].value == "2");
}

TEST_CASE("etcd: a cluster that wants certificates refuses who shows none, or one of another authority") {
  if (is_skipped()) return;
  const EtcdCluster cluster({.tls = true, .wants_certificates = true});
  const EtcdClient client = client_of(cluster);
  must(client.txn({}, {put("a", "1")}));

  EtcdOptions none = cluster.client_options();
  none.certificate.clear();
  none.key.clear();
  const auto certificate = cluster.certificate("stranger", "/O=stranger", "other-ca");
  EtcdOptions stranger = cluster.client_options();
  stranger.certificate = certificate.certificate;
  stranger.key = certificate.key;
  for (const EtcdOptions& options : {none, stranger}) {
    const EtcdClient refused = client_of(cluster, options);
    // Whether what etcd says still arrives behind its hanging up is up to the system.
    Error error;
    CHECK(eventually([&] {
      const auto answer = refused.txn({}, {put("a", "2")});
      REQUIRE_FALSE(answer);
      error = answer.error();
      return error.code == ErrorCode::kPermissionDenied;
    }));
    CHECK_THAT(error.message, Contains("does not trust this client"));
    CHECK(EtcdClient::is_certain(error));
  }
  CHECK(client.range(all())->values[0].value == "1");
}

TEST_CASE("etcd: with users, a certificate with a common name is told to be one without") {
  if (is_skipped()) return;
  EtcdCluster::Options how = with_users();
  how.tls = true;
  how.wants_certificates = true;
  const EtcdCluster cluster(how);
  must(client_of(cluster, cluster.client_options("admin")).txn({}, {put("a", "1")}));
  const auto certificate = cluster.certificate("named", "/CN=bus");
  EtcdOptions options = cluster.client_options("admin");
  options.certificate = certificate.certificate;
  options.key = certificate.key;
  const auto refused = client_of(cluster, options).txn({}, {put("a", "2")});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kPermissionDenied);
  CHECK_THAT(refused.error().message, Contains("certificate with a common name"));
}
