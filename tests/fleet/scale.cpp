#include "scale.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <vipauth/auth_service.hpp>
#include <vipauth/etcd_store.hpp>
#include <vipauth/fleet_follower.hpp>

#include "etcd_cluster.hpp"
#include "fleet/etcd_client.hpp"
#include "fleet/fleet_guard.hpp"
#include "fleet/fleet_layout.hpp"
#include "support/eventually.hpp"
#include "support/temp_home.hpp"

namespace vipauth::fleet_drill {
namespace {

using Clock = std::chrono::steady_clock;
using test::eventually;

constexpr const char* kPrefix = "vipauth/scale";
constexpr std::chrono::minutes kPatience{30};

template <typename T>
T must(Result<T>&& result) {
  if (!result) throw std::runtime_error(result.error().to_string());
  return *std::move(result);
}

double seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }
double seconds_since(Clock::time_point begin) { return seconds(Clock::now() - begin); }

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

/// Of /proc/<pid>/status, in MB: "VmRSS", "VmHWM".
std::size_t memory(const std::string& pid, const std::string& name) {
  std::ifstream lines("/proc/" + pid + "/status");
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + ":")) return std::stoul(line.substr(name.size() + 1)) / 1000;
  }
  return 0;
}

/// That have come through the loopback.
std::uint64_t loopback_bytes() {
  std::ifstream lines("/proc/net/dev");
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.find("lo:");
    if (at != std::string::npos) return std::stoull(line.substr(at + 3));
  }
  return 0;
}

CurveKey key_of(std::size_t number) {
  CurveKey::Bytes bytes{};
  for (std::size_t i = 0; i < 8; ++i) bytes.at(i) = static_cast<std::uint8_t>(number >> (8 * i));
  bytes[31] = 9;
  return CurveKey(bytes);
}

Json record_of(std::size_t number) {
  const std::string name = "agent-" + std::to_string(number);
  return Json(Json::Object{{"user_id", name},
                           {"credentials", key_of(number).to_base64url()},
                           {"capabilities", Json(Json::Array{Json("can_read"), Json("can_publish")})},
                           {"roles", Json(Json::Array{Json("agent")})},
                           {"comments", "agent number " + std::to_string(number) + " of the drill"}});
}

/// A record that nobody else makes, written as an administrator's tool would; a bus is only told of it.
void write_record(const fleet::EtcdClient& client, std::size_t number) {
  using Kind = fleet::FleetKey::Kind;
  const fleet::FleetLayout layout(kPrefix, "s");
  const std::uint64_t rank = 0x7000000000000000U + number;
  const Json record(Json::Object{{"user_id", "late-" + std::to_string(number)},
                                 {"credentials", key_of((std::size_t{1} << 40U) + number).to_base64url()},
                                 {"mechanism", "CURVE"}});
  const auto made = must(
      client.txn({}, {{.key = layout.key({.scope = fleet::Scope::kFleet, .kind = Kind::kAllow, .rank = rank}),
                       .value = record.dump()},
                      {.key = layout.key({.scope = fleet::Scope::kFleet, .kind = Kind::kGuard}),
                       .value = fleet::FleetGuard::of(EditOptions()).to_text()}}));
  if (!made.succeeded) throw std::runtime_error("a record is not written");
}

void tell(const char* name, double value) { std::printf("%s %.6f\n", name, value); }

using Figures = std::map<std::string, double>;

Figures run_bus(const std::string& program, const std::string& address, const std::filesystem::path& home,
                bool edits) {
  const std::string command =
      program + " --scale-bus '" + address + "' '" + home.string() + "' " + (edits ? "edits" : "restarts");
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot start a bus");
  std::string text;
  std::array<char, 4096> block{};
  for (std::size_t count = 0; (count = std::fread(block.data(), 1, block.size(), pipe)) > 0;) {
    text.append(block.data(), count);
  }
  if (::pclose(pipe) != 0) throw std::runtime_error("a bus failed");
  Figures out;
  std::istringstream words(text);
  std::string name;
  double value = 0;
  while (words >> name >> value) out[name] = value;
  return out;
}

void row(const std::string& what, const std::string& value) {
  std::cout << "| " << what << " | " << value << " |\n" << std::flush;
}

std::string time_text(double time) {
  std::ostringstream out;
  if (time < 1) {
    out << static_cast<int>(time * 1000 + 0.5) << " ms";
  } else {
    out << std::fixed << std::setprecision(1) << time << " s";
  }
  return out.str();
}

std::string bytes_text(double bytes) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(1);
  if (bytes < 1e5) {
    out << bytes / 1e3 << " kB";
  } else {
    out << bytes / 1e6 << " MB";
  }
  return out.str();
}

}  // namespace

int run_scale_bus(const std::string& address, const std::string& home, bool edits) {
  const auto begin = Clock::now();
  const auto bytes = loopback_bytes();
  FleetFollower::Options options;
  options.address = must(StoreAddress::parse(address));
  options.log = [](LogLevel, std::string_view line) { std::cerr << line << '\n'; };
  const auto follower = must(FleetFollower::start(home, options));
  tell("follower_started", seconds_since(begin));
  AuthService::Options service_options;
  service_options.store = follower->store();
  AuthService service = must(AuthService::open(home, std::move(service_options)));
  const auto knows = [&](const std::string& user) {
    return service.policy()->current().snapshot->capabilities.knows(user);
  };
  const auto wait_for = [&](const std::string& user) {
    if (!eventually([&] { return knows(user); }, kPatience))
      throw std::runtime_error("not in force: " + user);
  };
  wait_for("agent-0");
  tell("in_force", seconds_since(begin));
  if (auto synced = follower->wait_until_synced(kPatience); !synced) {
    throw std::runtime_error(synced.error().to_string());
  }
  tell("synced", seconds_since(begin));
  tell("bytes", static_cast<double>(loopback_bytes() - bytes));
  tell("full_reads", static_cast<double>(follower->status().full_reads));
  tell("cpu", cpu_seconds());
  tell("rss", static_cast<double>(memory("self", "VmRSS")));
  tell("most_rss", static_cast<double>(memory("self", "VmHWM")));
  if (!edits) return 0;

  const auto client = must(fleet::EtcdClient::create(options.address, {}));
  write_record(client, 1);
  wait_for("late-1");
  if (auto synced = follower->wait_until_synced(kPatience); !synced) return 1;
  {
    const double cpu = cpu_seconds();
    const auto bytes_before = loopback_bytes();
    const auto edited = Clock::now();
    write_record(client, 2);
    wait_for("late-2");
    tell("edit_in_force", seconds_since(edited));
    tell("edit_cpu", cpu_seconds() - cpu);
    tell("edit_bytes", static_cast<double>(loopback_bytes() - bytes_before));
  }
  const auto edited = Clock::now();
  const auto report = must(follower->store()->edit_policy([](Policy& policy) -> Result<void> {
    const auto added = policy.add_allow(Json(Json::Object{
        {"user_id", "by-the-bus"}, {"credentials", key_of(std::size_t{1} << 50U).to_base64url()}}));
    if (!added) return added.error();
    return {};
  }));
  if (!report.warnings.empty()) std::cerr << report.warnings.front() << '\n';
  tell("own_edit", seconds_since(edited));
  wait_for("by-the-bus");
  tell("own_edit_in_force", seconds_since(edited));
  tell("rss_after", static_cast<double>(memory("self", "VmRSS")));
  tell("most_rss_after", static_cast<double>(memory("self", "VmHWM")));
  return 0;
}

int run_scale(std::size_t records, const std::string& program) {
  const test::EtcdCluster cluster({.members = 1, .arguments = {"--quota-backend-bytes=8000000000"}});
  const std::string path = "/" + std::string(kPrefix);
  row("records", std::to_string(records));
  std::cout << "| --- | ---: |\n";
  {
    const auto store = must(EtcdStore::open(cluster.store_address(path), cluster.client_options()));
    Policy policy;
    {
      std::vector<Json> all;
      all.reserve(records);
      for (std::size_t i = 0; i < records; ++i) all.push_back(record_of(i));
      if (auto added = policy.add_allow_together(all); !added) {
        throw std::runtime_error(added.error().to_string());
      }
    }
    if (auto added = policy.add_role("agent", Json(Json::Array{Json("can_log")})); !added) return 1;
    row("of each", bytes_text(static_cast<double>(policy.allow().front().source.dump().size())));
    const auto begin = Clock::now();
    must(store->push(policy, TopicDocument()));
    row("first push", time_text(seconds_since(begin)));
    const auto edited = Clock::now();
    must(store->edit_policy([](Policy& there) { return there.add_role("another", Json(Json::Array{})); }));
    row("an administrator's edit, with reading all", time_text(seconds_since(edited)));
  }
  const auto status = must(Json::parse(cluster.etcdctl("endpoint status --write-out=json")));
  const double size = std::stod(status.as_array().front().find("Status")->find("dbSize")->as_number().digits);
  row("etcd's database", bytes_text(size));
  row("etcd's memory", std::to_string(memory(std::to_string(cluster.pid_of(0)), "VmRSS")) + " MB");

  const std::string address = cluster.address(path + "?site=s&edit=fleet");
  const test::TempHome home;
  Figures bus = run_bus(program, address, home.path(), true);
  row("a new bus: until in force", time_text(bus["in_force"]));
  row("... until it is known to be in step", time_text(bus["synced"]));
  row("... read over the network", bytes_text(bus["bytes"]));
  row("... CPU", time_text(bus["cpu"]));
  row("... memory, then; at most", std::to_string(static_cast<int>(bus["rss"])) + " MB; " +
                                       std::to_string(static_cast<int>(bus["most_rss"])) + " MB");
  row("an edit: until in force on a bus", time_text(bus["edit_in_force"]));
  row("... CPU of the bus", time_text(bus["edit_cpu"]));
  row("... over the network, both ways", bytes_text(bus["edit_bytes"]));
  row("an edit of the bus itself: until it returns; in force",
      time_text(bus["own_edit"]) + "; " + time_text(bus["own_edit_in_force"]));
  row("... memory, then; at most", std::to_string(static_cast<int>(bus["rss_after"])) + " MB; " +
                                       std::to_string(static_cast<int>(bus["most_rss_after"])) + " MB");
  const auto client = must(fleet::EtcdClient::create(cluster.store_address(path), cluster.client_options()));
  write_record(client, 3);
  Figures again = run_bus(program, address, home.path(), false);
  row("a restart, after one edit: until in force", time_text(again["in_force"]));
  row("... until it is known to be in step", time_text(again["synced"]));
  row("... read over the network", bytes_text(again["bytes"]));
  row("... of which the follower, before the service", time_text(again["follower_started"]));
  if (again["full_reads"] > 0) std::cerr << "all was read again\n";
  row("etcd's memory, then", std::to_string(memory(std::to_string(cluster.pid_of(0)), "VmRSS")) + " MB");
  return 0;
}

}  // namespace vipauth::fleet_drill
