#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>

#include <zmq.hpp>

#include <vipauth/curve_key.hpp>

namespace vipauth::soak {

/// The bus itself: decides for its peers until it is told to end. Prints its endpoint and its key.
int run_bus(const std::filesystem::path& home);

/// A bus in a process of its own; killed when this object goes.
class Bus {
 public:
  Bus(zmq::context_t& context, const std::filesystem::path& home);
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;
  ~Bus();

  const std::string& endpoint() const noexcept { return endpoint_; }
  const CurveKey& key() const noexcept { return *key_; }

  /// Has it read its files. \return false  they cannot be put in force
  bool reload();

  struct Footprint {
    std::size_t kilobytes = 0;
    std::size_t files = 0;
    std::size_t threads = 0;
  };
  Footprint footprint() const;

 private:
  std::string endpoint_;
  std::optional<CurveKey> key_;
  pid_t pid_ = -1;
  zmq::socket_t control_;
};

}  // namespace vipauth::soak
