#include <vipauth/disconnections.hpp>

#include <utility>

#include "transport/monitor_socket.hpp"
#include "transport/zmq_support.hpp"

namespace vipauth {

struct Disconnections::Impl {
  ZmqSocket events;
};

Result<Disconnections> Disconnections::watch(void* zmq_context, void* socket) {
  auto events = open_monitor(zmq_context, socket, ZMQ_EVENT_DISCONNECTED);
  if (!events) return events.error();
  return Disconnections(std::make_unique<Impl>(Impl{*std::move(events)}));
}

Disconnections::Disconnections(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Disconnections::Disconnections(Disconnections&&) noexcept = default;
Disconnections& Disconnections::operator=(Disconnections&&) noexcept = default;
Disconnections::~Disconnections() = default;

std::vector<int> Disconnections::take() {
  std::vector<int> ended;
  try {
    while (const auto event = take_monitor_event(impl_->events.get(), ZMQ_DONTWAIT)) {
      if (event->number == ZMQ_EVENT_DISCONNECTED) ended.push_back(static_cast<int>(event->value));
    }
  } catch (const zmq::error_t&) {
    return ended;  // the context ends
  }
  return ended;
}

int connection_of(zmq_msg_t* message) { return zmq_msg_get(message, ZMQ_SRCFD); }

}  // namespace vipauth
