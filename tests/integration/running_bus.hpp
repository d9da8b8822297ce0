#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "mini_agent.hpp"
#include "mini_bus.hpp"
#include "support/curve_peers.hpp"

namespace vipauth::test {

/// A MiniBus on a thread of its own, and what it logs.
class RunningBus {
 public:
  explicit RunningBus(const TempHome& home, mini_bus::MiniBus::Options options = {}) {
    options.log = [this](LogLevel, const std::string& line) {
      const std::scoped_lock lock(mutex_);
      lines_.push_back(line);
    };
    bus_ = must(mini_bus::MiniBus::open(home.path(), std::move(options)));
    thread_ = std::thread([this] { bus_->run(); });
  }
  RunningBus(const RunningBus&) = delete;
  RunningBus& operator=(const RunningBus&) = delete;
  ~RunningBus() {
    bus_->stop();
    thread_.join();
    bus_.reset();  // before the lines that it still writes
  }

  const std::string& endpoint() const { return bus_->endpoint(); }
  const CurveKey& key() const { return bus_->server_key(); }

  mini_bus::MiniAgent connect(const std::string& identity, const CurveKeyPair& keys) const {
    return must(mini_bus::MiniAgent::connect(endpoint(), key(), keys, identity));
  }

  bool has_logged(const std::string& text) const {
    const std::scoped_lock lock(mutex_);
    for (const std::string& line : lines_) {
      if (line.find(text) != std::string::npos) return true;
    }
    return false;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  std::unique_ptr<mini_bus::MiniBus> bus_;
  std::thread thread_;
};

}  // namespace vipauth::test
