#pragma once

#include <chrono>
#include <string>

#include <vipauth/curve_key.hpp>

#include "support/catch.hpp"
#include "support/curve_peers.hpp"
#include "support/socket_events.hpp"
#include "support/temp_home.hpp"

namespace vipauth::test {

/// A connecting socket that tries to say something, watched.
class WatchedPeer {
 public:
  template <typename Configure>
  WatchedPeer(zmq::context_t& context, const std::string& endpoint, const Configure& configure)
      : socket(context, zmq::socket_type::dealer), events(context, socket) {
    socket.set(zmq::sockopt::linger, 0);
    configure(socket);
    socket.connect(endpoint);
    send(socket, {"from a stranger"});
  }

  zmq::socket_t socket;
  SocketEvents events;
};

/// A CURVE server that lets Alice in, and nobody else, and whose socket is watched.
class GuardedBus {
 public:
  GuardedBus() : server((write_policy(), home)) {}
  /// One that gives a handshake so much time, in place of libzmq's 30 s.
  explicit GuardedBus(std::chrono::milliseconds handshake_time) : GuardedBus() {
    server.router.set(zmq::sockopt::handshake_ivl, static_cast<int>(handshake_time.count()));
    listen_again();
  }

  /// Binds another address, of the options that the socket has by now.
  void listen_again() {
    server.router.bind("tcp://127.0.0.1:*");
    server.endpoint = server.router.get(zmq::sockopt::last_endpoint);
  }

  const std::string& endpoint() const { return server.endpoint; }
  const CurveKey& key() const { return server.keys.public_key; }

  /// That nobody has got in so far, and that Alice gets in now and is the first one heard.
  void check_only_alice_gets_in() {
    CHECK(events.count(kSucceeded) == 0);
    CurveClient client(context, endpoint(), key(), alice);
    send(client.socket, {"from Alice"});
    zmq::message_t last;
    REQUIRE(receive(server.router, std::chrono::seconds(60), last));
    CHECK(last.to_string() == "from Alice");
    CHECK(must(session_of(server.service, last)).user_id() == "alice");
    CHECK(events.count(kSucceeded) == 1);
    CHECK_FALSE(receive(server.router, std::chrono::milliseconds(0)));
  }

  const TempHome home;
  const CurveKeyPair alice = CurveKeyPair::generate();
  CurveServer server;
  zmq::context_t context;  // of peers
  SocketEvents events{server.context, server.router};

 private:
  void write_policy() const { home.write("auth.json", auth_json({curve_record("alice", alice.public_key)})); }
};

}  // namespace vipauth::test
