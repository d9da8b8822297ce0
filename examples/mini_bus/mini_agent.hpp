#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include <zmq.hpp>

#include <vipauth/connection_monitor.hpp>
#include <vipauth/curve_key.hpp>
#include <vipauth/result.hpp>

#include "protocol.hpp"

namespace mini_bus {

/// An agent on a MiniBus. For one thread.
class MiniAgent {
 public:
  using Milliseconds = std::chrono::milliseconds;

  struct Reply {
    bool ok = false;
    std::string text;
  };
  struct Event {
    std::string topic;
    std::string sender;
    std::string payload;
  };
  /// Answers a call: the caller's identity and the arguments (JSON) in, the result or an error text out.
  using Method = std::function<Reply(const std::string& caller, const std::string& arguments)>;

  /// Begins to connect, and goes on trying. Ask monitor() how that stands.
  static vipauth::Result<MiniAgent> connect(const std::string& endpoint, const vipauth::CurveKey& server_key,
                                            const vipauth::CurveKeyPair& keys, const std::string& identity);

  vipauth::ConnectionMonitor& monitor() { return *monitor_; }

  // Requests. Each waits for its answer, and answers calls meanwhile; nothing: there was no answer in that
  // time.

  static constexpr Milliseconds kPatience = std::chrono::seconds(30);
  std::optional<Reply> hello(Milliseconds patience = kPatience) { return request({"hello"}, patience); }
  std::optional<Reply> subscribe(const std::string& prefix) {
    return request({"subscribe", prefix}, kPatience);
  }
  std::optional<Reply> publish(const std::string& topic, const std::string& payload) {
    return request({"publish", topic, payload}, kPatience);
  }
  std::optional<Reply> call(const std::string& callee, const std::string& method,
                            const std::string& arguments) {
    return request({"call", callee, method, arguments}, kPatience);
  }
  /// \param declaration  what the code says of the method, as JSON; empty: nothing
  std::optional<Reply> serve(const std::string& method, Method run, const std::string& declaration = {});

  /// Takes the next event, waiting for it, and answers calls meanwhile.
  std::optional<Event> next_event(Milliseconds patience);

 private:
  static constexpr std::size_t kMaxEvents = 1000;

  MiniAgent() : socket_(context_, zmq::socket_type::dealer) {}

  /// `frames` without the id.
  std::optional<Reply> request(Frames frames, Milliseconds patience);
  std::optional<Frames> next_message(std::chrono::steady_clock::time_point deadline);
  void take(Frames frames);

  zmq::context_t context_;
  zmq::socket_t socket_;
  std::optional<vipauth::ConnectionMonitor> monitor_;
  std::map<std::string, Method> methods_;
  std::deque<Event> events_;
  std::uint64_t last_id_ = 0;
};

}  // namespace mini_bus
