// mini_bus: runs a MiniBus on a home folder, until SIGINT or SIGTERM.

#include <cstdlib>
#include <exception>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>

#include <pthread.h>
#include <signal.h>

#include "arguments.hpp"
#include "mini_bus.hpp"

namespace {

constexpr const char* kUsage = "usage: mini_bus --home DIR [--endpoint tcp://127.0.0.1:0] [--audit]\n";
constexpr int kWrongUsage = 64;

void log_to_stderr(vipauth::LogLevel level, const std::string& line) {
  static std::mutex mutex;
  const std::scoped_lock lock(mutex);
  if (level == vipauth::LogLevel::kDebug) return;
  const bool is_trouble = level == vipauth::LogLevel::kWarning || level == vipauth::LogLevel::kError;
  std::cerr << (is_trouble ? "warning: " : "") + line + "\n";
}

int run(const std::string& home, mini_bus::MiniBus::Options options) {
  // Blocked before any thread starts, so that only sigwait() gets them.
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);

  options.log = log_to_stderr;
  auto bus = mini_bus::MiniBus::open(home, std::move(options));
  if (!bus) {
    std::cerr << "mini_bus: " << bus.error().to_string() << '\n';
    return EXIT_FAILURE;
  }
  std::cout << "endpoint " << (*bus)->endpoint() << "\nserverkey " << (*bus)->server_key().to_base64url()
            << '\n'
            << std::flush;

  std::thread waiting([&] {
    int signal = 0;
    sigwait(&ending, &signal);
    (*bus)->stop();
  });
  (*bus)->run();
  waiting.join();
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    mini_bus::Arguments arguments(argc, argv);
    mini_bus::MiniBus::Options options;
    const auto home = arguments.take_option("--home");
    options.endpoint = arguments.take_option("--endpoint").value_or(options.endpoint);
    options.audit = arguments.take_flag("--audit");
    if (!home || !arguments.left().empty()) {
      std::cerr << kUsage;
      return kWrongUsage;
    }
    return run(*home, std::move(options));
  } catch (const std::exception& error) {
    std::cerr << "mini_bus: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
