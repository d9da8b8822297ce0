#include "mini_agent.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <vipauth/socket_security.hpp>

namespace mini_bus {

using std::chrono::steady_clock;
using vipauth::Result;

Result<MiniAgent> MiniAgent::connect(const std::string& endpoint, const vipauth::CurveKey& server_key,
                                     const vipauth::CurveKeyPair& keys, const std::string& identity) {
  try {
    MiniAgent agent;
    if (Result<void> secured = vipauth::secure_client_socket(agent.socket_, keys, server_key); !secured) {
      return secured.error();
    }
    auto monitor = vipauth::ConnectionMonitor::watch(agent.context_, agent.socket_);
    if (!monitor) return monitor.error();
    agent.monitor_.emplace(std::move(*monitor));
    agent.socket_.set(zmq::sockopt::linger, 0);
    agent.socket_.set(zmq::sockopt::routing_id, identity);
    agent.socket_.connect(endpoint);
    return agent;
  } catch (const zmq::error_t& error) {
    return vipauth::Error{vipauth::ErrorCode::kInvalidArgument, error.what(), endpoint};
  }
}

std::optional<MiniAgent::Reply> MiniAgent::serve(const std::string& method, Method run,
                                                 const std::string& declaration) {
  methods_[method] = std::move(run);
  Frames frames = {"serve", method};
  if (!declaration.empty()) frames.push_back(declaration);
  return request(std::move(frames), kPatience);
}

std::optional<MiniAgent::Event> MiniAgent::next_event(Milliseconds patience) {
  const auto deadline = steady_clock::now() + patience;
  while (events_.empty()) {
    std::optional<Frames> message = next_message(deadline);
    if (!message) return std::nullopt;
    take(std::move(*message));
  }
  Event event = std::move(events_.front());
  events_.pop_front();
  return event;
}

std::optional<MiniAgent::Reply> MiniAgent::request(Frames frames, Milliseconds patience) {
  const auto deadline = steady_clock::now() + patience;
  const std::string id = std::to_string(++last_id_);
  frames.insert(frames.begin() + 1, id);
  if (send(socket_, frames) != Sent::kYes) return std::nullopt;
  while (std::optional<Frames> message = next_message(deadline)) {
    const bool is_reply = message->size() == 3 && ((*message)[0] == "ok" || (*message)[0] == "error");
    if (is_reply && (*message)[1] == id) return Reply{(*message)[0] == "ok", std::move((*message)[2])};
    take(std::move(*message));
  }
  return std::nullopt;
}

std::optional<Frames> MiniAgent::next_message(steady_clock::time_point deadline) {
  Message message;
  while (!receive(socket_, message)) {
    const auto left = std::chrono::ceil<Milliseconds>(deadline - steady_clock::now());
    if (left <= Milliseconds(0)) return std::nullopt;
    zmq::pollitem_t item{socket_.handle(), 0, ZMQ_POLLIN, 0};
    try {
      zmq::poll(&item, 1, left);
    } catch (const zmq::error_t& error) {
      if (error.num() != EINTR) throw;
    }
  }
  return std::move(message.frames);
}

/// Keeps an event, answers a call, and leaves the rest.
void MiniAgent::take(Frames frames) {
  if (frames.size() == 4 && frames[0] == "event") {
    if (events_.size() >= kMaxEvents) events_.pop_front();
    events_.push_back({std::move(frames[1]), std::move(frames[2]), std::move(frames[3])});
  } else if (frames.size() == 5 && frames[0] == "invoke") {
    const auto method = methods_.find(frames[3]);
    const Reply reply =
        method != methods_.end() ? method->second(frames[2], frames[4]) : Reply{false, "no such method"};
    send(socket_, {"answer", frames[1], reply.ok ? "ok" : "error", reply.text});
  }
}

}  // namespace mini_bus
