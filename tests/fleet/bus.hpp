#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <vipauth/auth_service.hpp>
#include <vipauth/fleet_follower.hpp>

#include "ledger.hpp"
#include "support/temp_home.hpp"

namespace vipauth::fleet_drill {

using SteadyClock = std::chrono::steady_clock;

/// A bus that follows the fleet: a home, its follower and its service, and threads that ask it without end.
class Bus {
 public:
  /// \param network  empty, or the name of the network namespace from which it sees the store
  Bus(std::string name, StoreAddress address, Ledger& ledger, std::string network = {});
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;
  ~Bus() { stop(); }

  void start();
  void stop();
  /// Begins and ends the load.
  void ask(bool yes);

  const std::string& name() const noexcept { return name_; }
  const FleetFollower& follower() const { return *follower_; }
  AuthService& service() { return *service_; }
  std::shared_ptr<PolicyStore> store() const { return follower_->store(); }
  const test::TempHome& home() const noexcept { return home_; }
  /// The version in force.
  std::uint64_t version() const;
  /// When it, or a later one, came into force; nothing: it has not yet.
  std::optional<SteadyClock::time_point> time_of(std::uint64_t version) const;
  /// How many users "pushed-N" there were in each version that was in force: the fewest, and the most.
  std::map<std::size_t, std::size_t> pushed_users() const;
  /// A session of that peer: nothing where it is not let in.
  std::optional<Session> session_of(std::size_t peer);

 private:
  void talk(const std::stop_token& stop, std::uint64_t seed);
  void note_change(const PolicySnapshot& snapshot);
  bool connects(const std::string& key_bytes);

  const std::string name_;
  const StoreAddress address_;
  Ledger& ledger_;
  const std::string network_;
  const test::TempHome home_;
  std::unique_ptr<FleetFollower> follower_;
  std::optional<AuthService> service_;
  std::atomic<bool> asks_ = false;

  mutable std::mutex mutex_;
  std::map<std::uint64_t, SteadyClock::time_point> times_;
  std::map<std::size_t, std::size_t> pushed_;
  std::uint64_t highest_ = 0;
  std::vector<std::jthread> talkers_;
};

}  // namespace vipauth::fleet_drill
