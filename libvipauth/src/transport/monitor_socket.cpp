#include "transport/monitor_socket.hpp"

#include <atomic>
#include <cstring>
#include <string>
#include <utility>

#include "transport/uninterrupted.hpp"

namespace vipauth {
namespace {

std::string next_endpoint() {
  static std::atomic<unsigned long> count = 0;
  return "inproc://vipauth-monitor-" + std::to_string(++count);
}

}  // namespace

Result<ZmqSocket> open_monitor(void* zmq_context, void* socket, int events) {
  const std::string endpoint = next_endpoint();
  ZmqSocket monitor(zmq_socket(zmq_context, ZMQ_PAIR));
  if (!monitor) return zmq_failure("the monitor's socket");
  const Result<void> set =
      SocketOptions(monitor.get()).set(ZMQ_LINGER, "ZMQ_LINGER", 0).set(ZMQ_RCVHWM, "ZMQ_RCVHWM", 0).result();
  if (!set) return set.error();
  if (uninterrupted([&] { return zmq_socket_monitor(socket, endpoint.c_str(), events); }) != 0)
    return zmq_failure("zmq_socket_monitor");
  if (uninterrupted([&] { return zmq_connect(monitor.get(), endpoint.c_str()); }) != 0) {
    const Error error = zmq_failure(endpoint);
    zmq_socket_monitor(socket, nullptr, 0);
    return error;
  }
  return monitor;
}

std::optional<MonitorEvent> take_monitor_event(void* monitor, int flags) {
  zmq::message_t frame;
  zmq::message_t endpoint;
  if (!receive_frame(monitor, frame, flags)) return std::nullopt;
  if (frame.more()) receive_frame(monitor, endpoint, 0);
  MonitorEvent event;
  event.endpoint = endpoint.to_string();
  if (frame.size() < sizeof event.number + sizeof event.value) return event;
  std::memcpy(&event.number, frame.data(), sizeof event.number);
  std::memcpy(&event.value, frame.data<char>() + sizeof event.number, sizeof event.value);
  return event;
}

}  // namespace vipauth
