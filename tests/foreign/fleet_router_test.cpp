// examples/vip_router on a home that follows a fleet.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <vipauth/etcd_store.hpp>
#include <vipauth/platform_start.hpp>

#include "etcd_cluster.hpp"
#include "stores/policy_store_contract.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/paths.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

using Users = std::vector<std::string>;

std::unique_ptr<EtcdStore> open_store(const EtcdCluster& cluster, const std::string& parameters) {
  auto store = EtcdStore::open(cluster.store_address("/vipauth/acme" + parameters), cluster.client_options());
  if (!store) throw std::runtime_error(store.error().to_string());
  return *std::move(store);
}

Users users_of(const Result<Policy>& policy) {
  Users out;
  if (!policy) return {policy.error().to_string()};
  for (const Policy::Entry& entry : policy->allow()) out.push_back(entry.record->user_id);
  return out;
}

/// The program, and all that it has printed.
class Router {
 public:
  Router(const TempHome& home, const std::string& store, std::vector<std::string> more = {})
      : output_(home / "output") {
    std::vector<std::string> command{EXAMPLES_DIR "/vip_router",
                                     "--home",
                                     home.path().string(),
                                     "--vip-address",
                                     "tcp://127.0.0.1:*",
                                     "--store",
                                     store};
    command.insert(command.end(), more.begin(), more.end());
    std::filesystem::remove(output_);
    process_ = GuardedProcess(command, output_);
  }
  bool has_printed(const std::string& text) const {
    return eventually([&] { return read().find(text) != std::string::npos; });
  }
  std::string read() const {
    std::ifstream file(output_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::filesystem::path output_;
  GuardedProcess process_;
};

}  // namespace

TEST_CASE("vip_router: follows a fleet, and edits there") {
  EtcdCluster cluster;
  const auto fleet = open_store(cluster, "");
  REQUIRE(fleet->edit_policy(add_user("alice", kKeyA)));
  const TempHome home;
  const auto users_here = [&] { return users_of(AuthFile(home / "auth.json").load()); };
  Users all{"alice"};
  {
    const Router router(home, cluster.address("/vipauth/acme?site=berlin"), {"--max-staleness", "1"});
    INFO(router.read());
    REQUIRE(router.has_printed("serverkey "));
    for (const PlatformRecord& record : PlatformRecord::volttron()) all.push_back(record.user_id);
    CHECK(users_of(open_store(cluster, "?site=berlin")->load_policy()) == all);
    CHECK(users_of(fleet->load_policy()) == Users{"alice"});  // they are the site's
    CHECK(users_here() == all);
    REQUIRE(fleet->edit_policy(add_user("bob", kKeyB)));
    all.insert(all.begin() + 1, "bob");
    CHECK(eventually([&] { return users_here() == all; }));

    cluster.pause(0);
    CHECK(router.has_printed("new peers are refused"));
    cluster.resume(0);
    CHECK(router.has_printed("new peers are let in again"));
  }
  // It starts again without the store, by what it has.
  cluster.kill(0);
  const Router router(home, cluster.address("/vipauth/acme?site=berlin"));
  CHECK(router.has_printed("serverkey "));
  CHECK(users_here() == all);
}

TEST_CASE("vip_router: a home that follows a fleet is not run as one that does not") {
  const TempHome home;
  home.write("fleet.json", R"({"store": "etcd://localhost/vipauth/acme?site=berlin"})");
  home.write("output", "");
  const GuardedProcess process({EXAMPLES_DIR "/vip_router", "--home", home.path().string()}, home / "output");
  CHECK(eventually([&] { return home.read("output").find("edit there by --store") != std::string::npos; }));
  CHECK_FALSE(std::filesystem::exists(home / "auth.json"));
}
