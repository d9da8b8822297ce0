#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "router.hpp"
#include "support/curve_peers.hpp"

namespace vipauth::test {

/// A VipRouter on a thread of its own, and what it logs.
class RunningRouter {
 public:
  explicit RunningRouter(const TempHome& home, vip_router::VipRouter::Options options = {}) {
    options.log = [this](LogLevel, const std::string& line) {
      const std::scoped_lock lock(mutex_);
      lines_.push_back(line);
    };
    if (options.addresses.empty()) options.addresses.push_back(must(VipAddress::parse("tcp://127.0.0.1:*")));
    router_ = must(vip_router::VipRouter::open(home.path(), std::move(options)));
    thread_ = std::thread([this] { router_->run(); });
  }
  RunningRouter(const RunningRouter&) = delete;
  RunningRouter& operator=(const RunningRouter&) = delete;
  ~RunningRouter() {
    router_->stop();
    thread_.join();
    router_.reset();  // before the lines that it still writes
  }

  const std::string& endpoint(std::size_t index = 0) const { return router_->addresses().at(index); }
  const CurveKey& key() const { return router_->server_key(); }

  AuthService& service() const { return router_->service(); }

  /// Waits until it has ended by itself.
  void wait() {
    thread_.join();
    thread_ = std::thread([] {});
  }

  std::size_t times_logged(const std::string& text) const {
    const std::scoped_lock lock(mutex_);
    std::size_t count = 0;
    for (const std::string& line : lines_) count += line.find(text) == std::string::npos ? 0U : 1U;
    return count;
  }
  bool has_logged(const std::string& text) const { return times_logged(text) > 0; }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  std::unique_ptr<vip_router::VipRouter> router_;
  std::thread thread_;
};

}  // namespace vipauth::test
