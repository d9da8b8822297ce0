#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <sys/types.h>

#include "web/socket.hpp"
#include "web/tls_context.hpp"

struct ssl_st;

namespace vipauth::web {

/// One TLS connection, on a thread of its own. Whatever it waits for, it waits until its deadline at most.
class TlsConnection {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Does TLS's handshake. \return null  it failed, or took too long
  static std::unique_ptr<TlsConnection> accept(const TlsContext& context, const Socket& socket,
                                               Time deadline);

  TlsConnection(const TlsConnection&) = delete;
  TlsConnection& operator=(const TlsConnection&) = delete;
  ~TlsConnection();

  /// True as soon as there is something to read.
  bool wait_until_readable(Time deadline);

  /// From now on reads and writes until then, and reads at most that much.
  void set_deadline(Time deadline) noexcept { deadline_ = deadline; }
  void set_budget(std::size_t bytes) noexcept { budget_ = bytes; }

  /// \return how much; 0  the other end has closed; -1  it failed, took too long, or is more than the budget
  ssize_t read(char* data, std::size_t size);
  /// Writes all of it. \return -1  it failed, or took too long
  ssize_t write(const char* data, std::size_t size);

  /// PEM of the certificate that the peer has shown, and has the key of; empty: none.
  std::string client_certificate() const;

  /// Says that this is the end. With what has not been read, waits for the peer to hear it, for a moment.
  void close(bool is_unread);

 private:
  TlsConnection(ssl_st* tls, int fd) : tls_(tls), fd_(fd) {}
  bool wait(int result, Time deadline);

  ssl_st* tls_;
  int fd_;
  Time deadline_;
  std::size_t budget_ = 0;
  bool is_broken_ = false;
};

}  // namespace vipauth::web
