// What a flood of unknown keys costs: memory, writes of pending.json, log lines, and whether known clients
// still get in. All by ZapAuthenticator::handle of an AuthService, without sockets: a CURVE handshake costs
// more than what is measured here. The same requests with penalties and without, each in a process of its
// own. usage: flood_bench [--quick] [--out FILE]

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <vipauth/auth_service.hpp>
#include <vipauth/json.hpp>

#include "support.hpp"

namespace {

namespace fs = std::filesystem;
using namespace vipauth;
using bench::give_up;
using bench::resident_kilobytes;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kAddresses = 1000;
constexpr std::size_t kKnown = 100;
constexpr std::size_t kKnownEvery = 100;  // one request of a known client among so many

/// A key that no secret belongs to.
CurveKey key_of(std::uint64_t number, std::uint8_t kind) {
  CurveKey::Bytes bytes{};
  bytes[0] = kind;
  for (std::size_t i = 0; i < sizeof number; ++i) bytes[i + 1] = static_cast<std::uint8_t>(number >> (8 * i));
  return CurveKey(bytes);
}

std::string auth_json() {
  Json::Array allow;
  for (std::size_t i = 0; i < kKnown; ++i) {
    allow.emplace_back(Json::Object{{"user_id", "known." + std::to_string(i)},
                                    {"credentials", key_of(i, 1).to_base64url()}});
  }
  return Json(
             Json::Object{{"allow", std::move(allow)}, {"version", Json::Object{{"major", 1}, {"minor", 4}}}})
      .dump_pretty();
}

/// Counts how often a file is replaced, by looking at it all the time: each version is another file.
class Replacements {
 public:
  explicit Replacements(fs::path file) : file_(std::move(file)), thread_([this] { look(); }) {}
  std::size_t stop() {
    stopping_ = true;
    thread_.join();
    return count_;
  }

 private:
  void look() {
    timespec last{};
    while (!stopping_) {
      struct stat info{};
      if (::stat(file_.c_str(), &info) == 0 &&
          (info.st_ctim.tv_sec != last.tv_sec || info.st_ctim.tv_nsec != last.tv_nsec)) {
        last = info.st_ctim;
        ++count_;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  const fs::path file_;
  std::atomic<bool> stopping_ = false;
  std::size_t count_ = 0;
  std::thread thread_;
};

bool ask(const ZapAuthenticator& zap, const CurveKey& key, const std::string& address) {
  const std::string_view raw(reinterpret_cast<const char*>(key.bytes().data()), key.bytes().size());
  const std::string_view frames[] = {"1.0", "1", "vip", address, "", "CURVE", raw};
  return zap.handle(frames).status_code == "200";
}

/// Requests a second, seconds, known clients let in and asked for, the slowest of them in ms, MB more at
/// most, writes, log lines, sources that are counted.
std::vector<double> flood(const fs::path& home, std::size_t requests, bool with_penalties) {
  AuthService::Options options;
  if (!with_penalties) options.penalties.reset();
  std::atomic<std::size_t> lines = 0;
  options.log = [&](LogLevel, const std::string&) { ++lines; };
  auto service = AuthService::open(home, std::move(options));
  if (!service) give_up(service.error().to_string());
  const ZapAuthenticator zap = service->zap_authenticator();
  std::vector<std::string> addresses;
  addresses.reserve(kAddresses);
  for (std::size_t i = 0; i < kAddresses; ++i) {
    addresses.push_back("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250));
  }
  std::size_t known = 0;
  std::size_t known_in = 0;
  Clock::duration slowest{};
  const std::size_t before = resident_kilobytes("VmRSS:");
  Replacements writes(home / "pending.json");
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < requests; ++i) {
    const std::string& address = addresses[i % kAddresses];
    if (ask(zap, key_of(i, 2), address)) give_up("a stranger got in");
    if (i % kKnownEvery != 0) continue;
    const auto asked = Clock::now();
    ++known;
    known_in += ask(zap, key_of(known % kKnown, 1), address) ? 1U : 0U;
    slowest = std::max(slowest, Clock::now() - asked);
  }
  const std::chrono::duration<double> took = Clock::now() - begin;
  const std::size_t most = resident_kilobytes("VmHWM:");
  const std::size_t written = writes.stop();
  const auto counters = service->penalties();
  if (known_in != known) give_up("a known client was refused");
  return {static_cast<double>(requests) / took.count(),
          took.count(),
          static_cast<double>(known_in),
          static_cast<double>(known),
          std::chrono::duration<double, std::milli>(slowest).count(),
          (static_cast<double>(most) - static_cast<double>(before)) / 1024,
          static_cast<double>(written),
          static_cast<double>(lines.load()),
          static_cast<double>(counters.sources)};
}

void run(std::size_t requests, bool with_penalties, bench::Results& results) {
  const bench::TempFolder home;
  std::ofstream(home.path() / "auth.json") << auth_json();
  fs::permissions(home.path() / "auth.json", fs::perms(0600));
  const auto seen = bench::in_a_process([&] { return flood(home.path(), requests, with_penalties); });
  const char* guard = with_penalties ? "penalties" : "none";
  std::printf("| %s | %.0f | %.1f s | %.0f of %.0f | %.1f ms | %.1f MB | %.0f | %.0f | %.0f |\n", guard,
              seen.at(0), seen.at(1), seen.at(2), seen.at(3), seen.at(4), seen.at(5), seen.at(6), seen.at(7),
              seen.at(8));
  std::fflush(stdout);
  const std::string who = std::string("/") + guard + '/' + std::to_string(requests);
  results.note("flood" + who, {seen[0]}, "requests/s");
  results.note("flood_slowest_known" + who, {seen[4]}, "ms");
  results.note("flood_memory" + who, {seen[5]}, "MB");
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv);
  const std::size_t requests = arguments.effort == bench::Effort::kFull ? 1'000'000 : 20'000;
  std::printf("\n%zu unknown keys from %zu addresses\n\n", requests, kAddresses);
  std::printf(
      "| guard | requests/s | time | known let in | slowest known | most memory more | writes of "
      "pending.json | "
      "log lines | sources |\n");
  std::printf("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
  bench::Results results;
  run(requests, false, results);
  run(requests, true, results);
  results.write(arguments.out);
}
