#pragma once

#include <cerrno>
#include <cstdint>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

#include "base/unique_fd.hpp"

namespace vipauth {

/// Wakes a thread that waits in zmq_poll, from any other thread.
class WakeUp {
 public:
  /// \throws std::system_error
  WakeUp() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!fd_) throw std::system_error(errno, std::generic_category(), "eventfd");
  }

  int fd() const noexcept { return fd_.get(); }  ///< readable from ring() until hear()

  void ring() const noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(fd_.get(), &one, sizeof one);
  }
  void hear() const noexcept {
    std::uint64_t rings = 0;
    [[maybe_unused]] const auto got = read(fd_.get(), &rings, sizeof rings);
  }

 private:
  UniqueFd fd_;
};

}  // namespace vipauth
