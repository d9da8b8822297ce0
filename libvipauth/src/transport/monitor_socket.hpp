#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <vipauth/result.hpp>

#include "transport/zmq_support.hpp"

namespace vipauth {

/// What libzmq tells of a socket's connections. Source: zmq_socket_monitor(3).
struct MonitorEvent {
  std::uint16_t number = 0;  ///< ZMQ_EVENT_...
  std::uint32_t value = 0;
  std::string endpoint;
};

/// A socket on which libzmq tells of `socket`, without a limit on what waits: it would block at one.
/// \param events  of ZMQ_EVENT_...
Result<ZmqSocket> open_monitor(void* zmq_context, void* socket, int events);

/// The next event; nothing where it would have to wait, and must not.
/// \throws zmq::error_t
std::optional<MonitorEvent> take_monitor_event(void* monitor, int flags);

}  // namespace vipauth
