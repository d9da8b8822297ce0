#pragma once

#include <cerrno>
#include <cstdint>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

namespace mini_bus {

/// Wakes a thread that waits in zmq::poll, from any other thread.
class Bell {
 public:
  Bell() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  ~Bell() { close(fd_); }

  int fd() const noexcept { return fd_; }
  void ring() const noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(fd_, &one, sizeof one);
  }
  void hear() const noexcept {
    std::uint64_t rings = 0;
    [[maybe_unused]] const auto got = read(fd_, &rings, sizeof rings);
  }

 private:
  int fd_;
};

}  // namespace mini_bus
