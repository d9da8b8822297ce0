#pragma once

#include <chrono>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <zmq.hpp>

#include <vipauth/auth_service.hpp>
#include <vipauth/connection_monitor.hpp>
#include <vipauth/curve_key.hpp>
#include <vipauth/json.hpp>
#include <vipauth/socket_security.hpp>
#include <vipauth/zap_server.hpp>

#include "support/eventually.hpp"
#include "support/temp_home.hpp"
#include "transport/zmq_support.hpp"

namespace vipauth::test {

/// The value, or the error as an exception: for what a test takes for granted.
template <typename T>
  requires(!std::is_void_v<T>)
T must(Result<T>&& result) {
  if (!result) throw std::runtime_error(result.error().to_string());
  return *std::move(result);
}
inline void must(const Result<void>& result) {
  if (!result) throw std::runtime_error(result.error().to_string());
}

// ---- Messages ----

using Frames = std::vector<std::string>;

inline void send(zmq::socket_t& socket, const Frames& frames) {
  for (std::size_t i = 0; i < frames.size(); ++i) {
    send_frame(socket.handle(), zmq::message_t(frames[i].data(), frames[i].size()), i + 1 < frames.size());
  }
}

/// The next message, or nothing in that time. `last` becomes its last frame, with what libzmq attached.
inline std::optional<Frames> receive(zmq::socket_t& socket, std::chrono::milliseconds patience,
                                     zmq::message_t& last) {
  zmq::pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
  if (zmq::poll(&item, 1, patience) == 0) return std::nullopt;
  Frames frames;
  do {
    if (!receive_frame(socket.handle(), last, 0)) return std::nullopt;
    frames.push_back(last.to_string());
  } while (last.more());
  return frames;
}

inline std::optional<Frames> receive(zmq::socket_t& socket,
                                     std::chrono::milliseconds patience = std::chrono::seconds(60)) {
  zmq::message_t last;
  return receive(socket, patience, last);
}

// ---- Policies ----

/// A record of auth.json for a key.
inline Json curve_record(const std::string& user_id, const CurveKey& key) {
  return Json::Object{{"user_id", user_id}, {"credentials", key.to_base64url()}};
}

inline std::string auth_json(Json::Array allow, Json::Array deny = {}) {
  const Json version(Json::Object{{"major", Json(1)}, {"minor", Json(4)}});
  return Json(Json::Object{{"allow", std::move(allow)}, {"deny", std::move(deny)}, {"version", version}})
             .dump_pretty() +
         "\n";
}

// ---- Peers ----

/// A connecting socket, watched.
class CurveClient {
 public:
  CurveClient(zmq::context_t& context, const std::string& endpoint, const CurveKey& server_key,
              const CurveKeyPair& keys, const std::string& routing_id = {})
      : socket(context, zmq::socket_type::dealer), monitor(must(ConnectionMonitor::watch(context, socket))) {
    must(secure_client_socket(socket, keys, server_key));
    socket.set(zmq::sockopt::linger, 0);
    if (!routing_id.empty()) socket.set(zmq::sockopt::routing_id, routing_id);
    socket.connect(endpoint);
  }

  /// True once its connection is in that state; false where that never happens.
  bool becomes(ConnectionState state) {
    return eventually([&] { return monitor.update(std::chrono::milliseconds(10)) == state; });
  }

  zmq::socket_t socket;
  ConnectionMonitor monitor;
};

/// A ROUTER on tcp://127.0.0.1 that a home's AuthService guards.
class CurveServer {
 public:
  explicit CurveServer(const TempHome& home, ZapServer::Options options = {},
                       AuthService::Options service_options = {})
      : service(must(AuthService::open(home.path(), std::move(service_options)))),
        keys(must(service.server_keys())),
        zap(must(ZapServer::start(context.handle(), service.zap_authenticator(), options))),
        router(context, zmq::socket_type::router) {
    must(secure_server_socket(router, keys));
    router.set(zmq::sockopt::linger, 0);
    router.bind("tcp://127.0.0.1:*");
    endpoint = router.get(zmq::sockopt::last_endpoint);
  }

  /// The session of whoever sends the next message, or nothing in that time.
  std::optional<Session> hear(std::chrono::milliseconds patience = std::chrono::seconds(60)) {
    zmq::message_t last;
    if (!receive(router, patience, last)) return std::nullopt;
    return must(session_of(service, last));
  }

  AuthService service;
  CurveKeyPair keys;
  zmq::context_t context;
  ZapServer zap;
  zmq::socket_t router;
  std::string endpoint;
};

}  // namespace vipauth::test
