// `vctl auth serve --store` at a site, and `vctl auth --store remote` at a desk, with a real etcd between
// them.

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <signal.h>

#include <vipauth/json.hpp>

#include "cli/cli.hpp"
#include "etcd_cluster.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/paths.hpp"

namespace vipauth::test {

using Catch::Contains;

namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// A platform "v1" whose web service tells a store, as the site "berlin".
struct Site {
  explicit Site(const EtcdCluster& cluster) : store(cluster.address("/vipauth/acme?site=berlin")) {
    home.write("config", "[volttron]\ninstance-name = v1\nbind-web-address = https://127.0.0.1:0\n");
    start();
  }

  void start() {
    std::filesystem::remove(home / "serve.out");
    process = GuardedProcess(
        {VCTL_PATH, "--home", home.path().string(), "--json", "--store", store, "auth", "serve"},
        home / "serve.out");
    REQUIRE(eventually([&] {
      const auto document = Json::parse(read_file(home / "serve.out"));
      if (!document || document->find("address") == nullptr) return false;
      url = document->text_at("address");
      fingerprint = document->text_at("fingerprint");
      return true;
    }));
  }
  Outcome ask(Cli& asker, const std::string& identity) const {
    return asker.auth(
        {"csr", "request", url, "--instance", "there", "--identity", identity, "--fingerprint", fingerprint});
  }

  TempHome home;
  std::string store;
  GuardedProcess process;
  std::string url;
  std::string fingerprint;
};

}  // namespace

TEST_CASE("vctl: what agents ask one site for is decided at a desk, by the store") {
  const EtcdCluster cluster;
  Site berlin(cluster);
  Cli asker;
  asker.now = system_now();
  Cli desk;
  desk.now = system_now();
  desk.environment.clear();
  const auto remote = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"auth", "--store", cluster.address("/vipauth/acme"), "remote"});
    return desk.run(arguments);
  };
  CHECK(remote({"list"}).out == "No remote certificates or credentials\n");
  REQUIRE(berlin.ask(asker, "agent").exit_code == 1);
  REQUIRE(eventually([&] { return remote({"list"}).out.find("v1.there.agent") != std::string::npos; }));
  CHECK_THAT(remote({"list"}).out, Contains("PENDING berlin"));
  const Json listed = json(remote({"list", "--json"}).out);
  const std::string key = at(listed.find("remote")->as_array().at(0), "key_fingerprint").as_string();

  std::string wrong = key;
  wrong.front() = wrong.front() == 'A' ? 'B' : 'A';
  const Outcome refused = remote({"approve", "v1.there.agent", "--fingerprint", wrong});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Contains("another key"));
  REQUIRE(berlin.ask(asker, "agent").exit_code == 1);

  const Outcome approved = remote({"approve", "v1.there.agent", "--fingerprint", key});
  CHECK(approved.err.empty());
  CHECK(approved.exit_code == 0);
  CHECK_THAT(approved.out, Contains("approved v1.there.agent") && Contains("site berlin"));
  CHECK(berlin.ask(asker, "agent").exit_code == 0);  // it has its certificate

  SECTION("which can take it back") {
    CHECK(remote({"deny", "v1.there.agent"}).exit_code == 0);
    CHECK(berlin.ask(asker, "agent").exit_code == 2);
    CHECK(remote({"delete", "v1.there.agent"}).exit_code == 0);
    CHECK(remote({"list"}).out == "No remote certificates or credentials\n");
    CHECK(remote({"delete", "v1.there.agent"}).exit_code == 1);
  }
  SECTION("and waits for the site's service where that is down") {
    berlin.process.kill();
    const Outcome asked = remote({"-t", "0.5", "deny", "v1.there.agent"});
    CHECK(asked.exit_code == 1);
    CHECK_THAT(asked.err, Contains("berlin: the site has not answered yet"));
    CHECK_THAT(remote({"list"}).err,
               Contains("asked to deny v1.there.agent, which the site has not done yet"));
    berlin.start();
    REQUIRE(eventually([&] { return remote({"list"}).out.find("DENIED") != std::string::npos; }));
    CHECK_THAT(desk.run({"--home", berlin.home.path().string(), "auth", "remote", "list"}).out,
               Contains("DENIED"));
    ::kill(berlin.process.pid(), SIGTERM);  // which ends the relay, too
    const std::string stat = "/proc/" + std::to_string(berlin.process.pid()) + "/stat";
    CHECK(eventually([&] { return read_file(stat).find(") Z ") != std::string::npos; }));
  }
}

}  // namespace vipauth::test
