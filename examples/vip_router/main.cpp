// vip_router: runs a VipRouter on a home folder, until SIGINT or SIGTERM.

#include <cstdlib>
#include <exception>
#include <iostream>
#include <mutex>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <utility>

#include <pthread.h>
#include <signal.h>

#include "../mini_bus/arguments.hpp"
#include "router.hpp"

namespace {

using vip_router::VipRouter;
using vipauth::LogLevel;

constexpr const char* kUsage =
    R"(usage: vip_router [--home DIR] [--vip-address ADDRESS]... [-v | -vv] [--audit]

  --home DIR             the platform's folder; else VOLTTRON_HOME, else ~/.volttron
  --vip-address ADDRESS  where to listen, with domain, secretkey and ipv6 as parameters; may stand several
                         times. Else as the file "config" in the home says, else ipc://@DIR/run/vip.socket
  -v, -vv                say who comes, goes and is refused; say of each message where it goes
  --audit                keep an audit log in the home

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

/// Each peer is a file to the system.
void allow_many_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int run(const std::string& home, VipRouter::Options options) {
  // Blocked before any thread starts, so that only this one's sigwait() gets them.
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  allow_many_files();

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
    if (arguments.take_flag("--help") || arguments.take_flag("-h")) {
      std::cout << kUsage;
      return EXIT_SUCCESS;
    }
    if (!home || !arguments.left().empty()) {
      std::cerr << kUsage;
      return kWrongUsage;
    }
    return run(*home, std::move(options));
  } catch (const std::exception& error) {
    std::cerr << "vip_router: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
