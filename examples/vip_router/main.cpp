// vip_router: runs a VipRouter on a home folder, until SIGINT or SIGTERM.

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <utility>

#include <pthread.h>
#include <signal.h>

#ifdef VIP_ROUTER_WITH_FLEET
#include <vipauth/fleet_follower.hpp>
#endif

#include "../mini_bus/arguments.hpp"
#include "router.hpp"

namespace {

using vip_router::VipRouter;
using vipauth::LogLevel;

constexpr const char* kUsage =
    R"(usage: vip_router [--home DIR] [--vip-address ADDRESS]... [-v | -vv] [--audit]
                  [--store ADDRESS [--max-staleness SECONDS]]

  --home DIR             the platform's folder; else VOLTTRON_HOME, else ~/.volttron
  --vip-address ADDRESS  where to listen, with domain, secretkey and ipv6 as parameters; may stand several
                         times. Else as the file "config" in the home says, else ipc://@DIR/run/vip.socket
  -v, -vv                say who comes, goes and is refused; say of each message where it goes
  --audit                keep an audit log in the home
  --store ADDRESS        follow what a fleet shares: "etcds://HOST,HOST/PREFIX?site=SITE"; who asks is told as
                         to etcdctl, by ETCDCTL_CACERT, ETCDCTL_USER, ETCDCTL_PASSWORD and the others
  --max-staleness SECONDS
                         let in nobody new while the policy was not known to be the fleet's for longer

Prints "address ADDRESS" for each address and "serverkey KEY", and runs until SIGINT or SIGTERM.
)";
constexpr int kWrongUsage = 64;

vipauth::LogSink log_to_stderr(LogLevel least) {
  return [least](LogLevel level, const std::string& line) {
    static std::mutex mutex;
    if (level < least) return;
    const std::scoped_lock lock(mutex);
    const bool is_trouble = level == LogLevel::kWarning || level == LogLevel::kError;
    std::cerr << (is_trouble ? "warning: " : "") + line + "\n";
  };
}

std::optional<std::string> home_folder(mini_bus::Arguments& arguments) {
  if (auto given = arguments.take_option("--home")) return given;
  for (const char* name : {"VOLTTRON_HOME", "HOME"}) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
    if (value == nullptr || *value == '\0') continue;
    return std::string(value) + (std::string_view(name) == "HOME" ? "/.volttron" : "");
  }
  return std::nullopt;
}

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

/// A whole number of seconds, of at most a hundred years. Nothing: it is none.
std::optional<std::chrono::seconds> parse_seconds(const std::string& text) {
  constexpr std::int64_t kMost = 3'153'600'000;
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (!is_number || count < 1 || count > kMost) return std::nullopt;
  return std::chrono::seconds(count);
}

#ifdef VIP_ROUTER_WITH_FLEET
constexpr std::chrono::seconds kPatienceForFirst{60};

/// Keeps the home in step with the fleet, and has the router edit there.
vipauth::Result<std::unique_ptr<vipauth::FleetFollower>> follow(const std::string& home,
                                                                const std::string& store,
                                                                VipRouter::Options& options) {
  auto address = vipauth::StoreAddress::parse(store);
  if (!address) return address.error();
  vipauth::FleetFollower::Options following;
  following.address = *std::move(address);
  following.etcd = vipauth::EtcdOptions::of_etcdctl(&variable);
  following.log = options.log;
  auto follower = vipauth::FleetFollower::start(home, std::move(following));
  if (!follower) return follower.error();
  // A home that was a copy before decides by that, whether the store is there or not.
  if (!(*follower)->status().synced_at) {
    if (auto synced = (*follower)->wait_until_synced(kPatienceForFirst); !synced) return synced.error();
  }
  options.store = (*follower)->store();
  options.policy_age = (*follower)->policy_age();
  return follower;
}
#endif

/// Each peer is a file to the system.
void allow_many_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int run(const std::string& home, const std::optional<std::string>& store, VipRouter::Options options) {
  // Blocked before any thread starts, so that only this one's sigwait() gets them.
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  allow_many_files();

#ifdef VIP_ROUTER_WITH_FLEET
  std::unique_ptr<vipauth::FleetFollower> follower;  // before the router, which goes first
  if (store) {
    auto following = follow(home, *store, options);
    if (!following) {
      std::cerr << "vip_router: --store: " << following.error().to_string() << '\n';
      return EXIT_FAILURE;
    }
    follower = *std::move(following);
  }
#else
  if (store) {
    std::cerr << "vip_router: --store: this program was built without etcd\n";
    return EXIT_FAILURE;
  }
#endif
  auto router = VipRouter::open(home, std::move(options));
  if (!router) {
    std::cerr << "vip_router: " << router.error().to_string() << '\n';
    return EXIT_FAILURE;
  }
  for (const std::string& address : (*router)->addresses()) std::cout << "address " << address << '\n';
  std::cout << "serverkey " << (*router)->server_key().to_base64url() << '\n' << std::flush;

  std::thread waiting([&] {
    int signal = 0;
    sigwait(&ending, &signal);
    (*router)->stop();
  });
  (*router)->run();
  // Where it was "control" that stopped it. The signal is blocked: sigwait takes it, and nothing ends by it.
  pthread_kill(waiting.native_handle(), SIGTERM);  // NOLINT(bugprone-bad-signal-to-kill-thread)
  waiting.join();
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    mini_bus::Arguments arguments(argc, argv);
    VipRouter::Options options;
    const auto home = home_folder(arguments);
    while (const auto text = arguments.take_option("--vip-address")) {
      auto address = vipauth::VipAddress::parse(*text);
      if (!address) {
        std::cerr << "vip_router: --vip-address: " << address.error().to_string() << '\n';
        return kWrongUsage;
      }
      options.addresses.push_back(*std::move(address));
    }
    const bool is_very_verbose = arguments.take_flag("-vv");
    const bool is_verbose = arguments.take_flag("-v") || is_very_verbose;
    options.log_messages = is_very_verbose;
    options.log = log_to_stderr(is_very_verbose ? LogLevel::kDebug
                                                : (is_verbose ? LogLevel::kInfo : LogLevel::kWarning));
    options.audit = arguments.take_flag("--audit");
    const auto store = arguments.take_option("--store");
    const auto staleness = arguments.take_option("--max-staleness");
    if (staleness) options.max_policy_age = parse_seconds(*staleness);
    if (staleness && (!options.max_policy_age || !store)) {
      std::cerr << "vip_router: --max-staleness: is a number of seconds, for --store\n";
      return kWrongUsage;
    }
    if (arguments.take_flag("--help") || arguments.take_flag("-h")) {
      std::cout << kUsage;
      return EXIT_SUCCESS;
    }
    if (!home || !arguments.left().empty()) {
      std::cerr << kUsage;
      return kWrongUsage;
    }
    return run(*home, store, std::move(options));
  } catch (const std::exception& error) {
    std::cerr << "vip_router: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
