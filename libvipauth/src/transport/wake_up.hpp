#pragma once

#include <cerrno>
#include <mutex>
#include <utility>

#include "transport/zmq_support.hpp"

namespace vipauth {

/// Wakes a thread that waits for a message, from any other thread, by a message. Not by a descriptor of its
/// own: to wait for one beside a socket takes several calls of the system for each message.
class WakeUp {
 public:
  /// \param socket  a DEALER, connected to the ROUTER that the thread waits at
  explicit WakeUp(ZmqSocket socket) : socket_(std::move(socket)) {}

  /// What arrives has no envelope. It is left out where more are waiting than may: they wake, too.
  void ring() const noexcept {
    const std::scoped_lock lock(mutex_);
    while (socket_ && zmq_send(socket_.get(), "!", 1, ZMQ_DONTWAIT) < 0 && zmq_errno() == EINTR) continue;
  }
  /// From now on nobody is woken: a context ends when all of its sockets are closed.
  void close() noexcept {
    const std::scoped_lock lock(mutex_);
    socket_.reset();
  }

 private:
  mutable std::mutex mutex_;  // a socket is one thread's at a time
  ZmqSocket socket_;
};

}  // namespace vipauth
