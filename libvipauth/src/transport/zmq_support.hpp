#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <zmq.h>
#include <zmq.hpp>

#include <vipauth/result.hpp>

namespace vipauth {

struct ZmqCloser {
  void operator()(void* socket) const noexcept { zmq_close(socket); }
};
/// A libzmq socket, closed when destroyed.
using ZmqSocket = std::unique_ptr<void, ZmqCloser>;

/// What libzmq just reported through its errno; `what` names what was asked of it.
Error zmq_failure(std::string_view what);

/// \return kUnavailable  this libzmq has no CURVE, or is older than 4.3.3, whose CURVE and heap fixes we need
Result<void> require_curve();

/// Sets options of a socket one after the other, until one fails.
class SocketOptions {
 public:
  explicit SocketOptions(void* socket) noexcept : socket_(socket) {}

  SocketOptions& set(int option, std::string_view name, std::string_view bytes) {
    return set(option, name, bytes.data(), bytes.size());
  }
  SocketOptions& set(int option, std::string_view name, std::span<const std::uint8_t> bytes) {
    return set(option, name, bytes.data(), bytes.size());
  }
  SocketOptions& set(int option, std::string_view name, int value) {
    return set(option, name, &value, sizeof value);
  }

  /// \return zmq_failure() of the one that failed, by its name
  const Result<void>& result() const noexcept { return result_; }

 private:
  SocketOptions& set(int option, std::string_view name, const void* value, std::size_t size);

  void* socket_;
  Result<void> result_;
};

/// True where the socket was bound or connected: too late for options that only count for later ones.
bool is_in_use(void* socket);

/// Receives one frame; false where it would have to wait.
/// \throws zmq::error_t
bool receive_frame(void* socket, zmq::message_t& frame, int flags);

/// Sends one frame, or drops it where it would have to wait.
/// \throws zmq::error_t
void send_frame(void* socket, zmq::message_t&& frame, bool more);

}  // namespace vipauth
