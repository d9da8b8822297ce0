#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <sys/types.h>

namespace vipauth::web {

/// What HTTP is spoken over.
class ByteConnection {
 public:
  using Time = std::chrono::steady_clock::time_point;

  ByteConnection() = default;
  ByteConnection(const ByteConnection&) = delete;
  ByteConnection& operator=(const ByteConnection&) = delete;
  virtual ~ByteConnection() = default;

  /// From now on reads and writes until then, and reads at most that much.
  virtual void set_deadline(Time deadline) noexcept = 0;
  virtual void set_budget(std::size_t bytes) noexcept = 0;

  /// \return how much; 0  the other end has closed; -1  it failed, took too long, or is more than the budget
  virtual ssize_t read(char* data, std::size_t size) = 0;
  /// Writes all of it. \return -1  it failed, or took too long
  virtual ssize_t write(const char* data, std::size_t size) = 0;

  /// PEM of the certificate that the peer has shown, and has the key of; empty: none.
  virtual std::string client_certificate() const = 0;
};

}  // namespace vipauth::web
