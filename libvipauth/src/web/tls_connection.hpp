#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <sys/types.h>

#include "web/byte_connection.hpp"
#include "web/socket.hpp"
#include "web/tls_context.hpp"

struct ssl_st;

namespace vipauth::web {

/// One TLS connection, on a thread of its own. Whatever it waits for, it waits until its deadline at most.
class TlsConnection final : public ByteConnection {
 public:
  /// Does TLS's handshake. \return null  it failed, or took too long
  static std::unique_ptr<TlsConnection> accept(const TlsContext& context, const Socket& socket,
                                               Time deadline);

  ~TlsConnection() override;

  /// True as soon as there is something to read.
  bool wait_until_readable(Time deadline);

  void set_deadline(Time deadline) noexcept override { deadline_ = deadline; }
  void set_budget(std::size_t bytes) noexcept override { budget_ = bytes; }
  ssize_t read(char* data, std::size_t size) override;
  ssize_t write(const char* data, std::size_t size) override;
  std::string client_certificate() const override;

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
