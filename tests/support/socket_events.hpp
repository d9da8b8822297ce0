#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

#include <zmq.hpp>

#include "support/curve_peers.hpp"
#include "support/eventually.hpp"
#include "transport/monitor_socket.hpp"

namespace vipauth::test {

// How a handshake ends: a ZAP status, or ZMQ_PROTOCOL_ERROR_... Source: zmq_socket_monitor(3), zmq.h.
inline const std::string kSucceeded = "succeeded";
inline const std::string kNoDetail = "no detail";
inline const std::string kPutOff = "no authentication 300";
inline const std::string kRefused = "no authentication 400";
inline const std::string kOutOfTurn = "no protocol 0x10000000";
inline const std::string kUnexpectedCommand = "no protocol 0x10000001";
inline const std::string kBadSequence = "no protocol 0x10000002";
inline const std::string kBadKeyExchange = "no protocol 0x10000003";
inline const std::string kBadCommand = "no protocol 0x10000011";
inline const std::string kBadHello = "no protocol 0x10000013";
inline const std::string kBadInitiate = "no protocol 0x10000014";
inline const std::string kBadCryptography = "no protocol 0x11000001";
inline const std::string kOtherMechanism = "no protocol 0x11000002";
inline const std::string kNone = "none";  // nothing was told

/// How handshakes of one socket end, as libzmq tells on its monitor, as text: kSucceeded, kRefused and so on.
///
/// kNoDetail is that of ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: the other side hung up, or the time is over.
/// Its errno tells nothing, for it is that of whatever failed last.
class SocketEvents {
 public:
  SocketEvents(zmq::context_t& context, zmq::socket_t& socket)
      : socket_(socket), monitor_(must(open_monitor(context.handle(), socket.handle(), ZMQ_EVENT_ALL))) {}
  SocketEvents(const SocketEvents&) = delete;
  SocketEvents& operator=(const SocketEvents&) = delete;
  ~SocketEvents() { zmq_socket_monitor(socket_.handle(), nullptr, 0); }

  /// The end of the next handshake that was not asked for yet; kNone where none comes in that time.
  std::string next_handshake(std::chrono::milliseconds patience = std::chrono::seconds(60)) {
    eventually([&] { return take() && given_ < ends_.size(); }, patience);
    return given_ < ends_.size() ? ends_[given_++] : kNone;
  }

  /// True once a handshake has ended so.
  bool have(const std::string& end) {
    return eventually([&] { return count(end) > 0; });
  }
  std::size_t count(const std::string& end) {
    take();
    return static_cast<std::size_t>(std::count(ends_.begin(), ends_.end(), end));
  }

  /// How many connections of an endpoint have begun, and how many of them are over.
  std::size_t accepted() {
    take();
    return accepted_;
  }
  std::size_t disconnected() {
    take();
    return disconnected_;
  }

 private:
  bool take() {
    while (const auto event = take_monitor_event(monitor_.get(), ZMQ_DONTWAIT)) {
      switch (event->number) {
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: ends_.push_back(kSucceeded); break;
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
          ends_.push_back("no authentication " + std::to_string(event->value));
          break;
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: {
          char text[11];
          static_cast<void>(std::snprintf(text, sizeof text, "0x%08x", event->value));
          ends_.push_back(std::string("no protocol ") + text);
          break;
        }
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: ends_.push_back(kNoDetail); break;
        case ZMQ_EVENT_ACCEPTED: ++accepted_; break;
        case ZMQ_EVENT_DISCONNECTED: ++disconnected_; break;
        default: break;
      }
    }
    return true;
  }

  zmq::socket_t& socket_;
  ZmqSocket monitor_;
  std::vector<std::string> ends_;
  std::size_t given_ = 0;
  std::size_t accepted_ = 0;
  std::size_t disconnected_ = 0;
};

}  // namespace vipauth::test
