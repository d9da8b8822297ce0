// What libzmq's own tests do to a CURVE server, done to one that a ZapServer guards: that nobody gets in,
// that both sides are told why, and that Alice gets in all the same. Source: libzmq,
// tests/test_security_curve.cpp.

#include <functional>
#include <string>

#include "support/catch.hpp"
#include "support/guarded_bus.hpp"

namespace vipauth::test {
namespace {

using Configure = std::function<void(zmq::socket_t&)>;

const CurveKey kZeroKey{CurveKey::Bytes{}};
const SecretKey kZeroSecret{CurveKey::Bytes{}};

/// A client that nothing has checked, as no secure_client_socket() makes it. What is given must outlive it.
Configure curve(const CurveKey& server, const CurveKey& own, const SecretKey& secret) {
  return [&](zmq::socket_t& socket) {
    const auto set = [&](int option, const auto& bytes) {
      REQUIRE(zmq_setsockopt(socket.handle(), option, bytes.data(), bytes.size()) == 0);
    };
    set(ZMQ_CURVE_SERVERKEY, server.bytes());
    set(ZMQ_CURVE_PUBLICKEY, own.bytes());
    set(ZMQ_CURVE_SECRETKEY, secret.bytes());
    socket.set(zmq::sockopt::handshake_ivl, 500);
  };
}

void null(zmq::socket_t&) {}

void plain(zmq::socket_t& socket) {
  socket.set(zmq::sockopt::plain_username, "alice");
  socket.set(zmq::sockopt::plain_password, "secret");
}

/// That a peer made so stays outside, and what the server and the peer are told.
void check_stays_outside(const Configure& configure, const std::string& server_told,
                         const std::string& peer_told) {
  GuardedBus bus;
  WatchedPeer peer(bus.context, bus.endpoint(), configure);
  CHECK(bus.events.next_handshake() == server_told);
  CHECK(peer.events.next_handshake() == peer_told);
  bus.check_only_alice_gets_in();
  CHECK(peer.events.count(kSucceeded) == 0);
}

/// The same, where each side may be told by the other's hanging up first.
void check_is_of_another_mechanism(const Configure& configure) {
  GuardedBus bus;
  WatchedPeer peer(bus.context, bus.endpoint(), configure);
  const std::string server_told = bus.events.next_handshake();
  const std::string peer_told = peer.events.next_handshake();
  CHECK((server_told == kOtherMechanism || server_told == kNoDetail));
  CHECK((peer_told == kOtherMechanism || peer_told == kNoDetail));
  CHECK((server_told == kOtherMechanism || peer_told == kOtherMechanism));
  bus.check_only_alice_gets_in();
  CHECK(peer.events.count(kSucceeded) == 0);
}

/// That a CURVE client tells a server of another mechanism nothing.
void check_tells_nothing_to(const Configure& configure) {
  const CurveKeyPair alice = CurveKeyPair::generate();
  zmq::context_t context;
  zmq::socket_t server(context, zmq::socket_type::router);
  server.set(zmq::sockopt::linger, 0);
  configure(server);
  SocketEvents events(context, server);
  server.bind("tcp://127.0.0.1:*");
  WatchedPeer peer(context, server.get(zmq::sockopt::last_endpoint), [&](zmq::socket_t& socket) {
    must(secure_client_socket(socket, alice, CurveKeyPair::generate().public_key));
  });
  const std::string server_told = events.next_handshake();
  const std::string peer_told = peer.events.next_handshake();
  CHECK((server_told == kOtherMechanism || server_told == kNoDetail));
  CHECK((peer_told == kOtherMechanism || peer_told == kNoDetail));
  CHECK((server_told == kOtherMechanism || peer_told == kOtherMechanism));
  CHECK(events.count(kSucceeded) == 0);
  CHECK(peer.events.count(kSucceeded) == 0);
  CHECK_FALSE(receive(server, std::chrono::milliseconds(0)));
}

}  // namespace

TEST_CASE("CURVE server: both sides are told of who gets in") {
  GuardedBus bus;
  WatchedPeer peer(bus.context, bus.endpoint(), curve(bus.key(), bus.alice.public_key, bus.alice.secret_key));
  CHECK(bus.events.next_handshake() == kSucceeded);
  CHECK(peer.events.next_handshake() == kSucceeded);
  const auto session = bus.server.hear();
  REQUIRE(session);
  CHECK(session->user_id() == "alice");
}

TEST_CASE("CURVE server: a client with a wrong server key stays outside") {
  const CurveKeyPair other = CurveKeyPair::generate();
  check_stays_outside(curve(other.public_key, other.public_key, other.secret_key), kBadCryptography,
                      kNoDetail);
}

TEST_CASE("CURVE server: a client with a server key of zeros says nothing") {
  const CurveKeyPair own = CurveKeyPair::generate();
  check_stays_outside(curve(kZeroKey, own.public_key, own.secret_key), kNoDetail, kBadCryptography);
}

TEST_CASE("CURVE server: a client whose key no record knows stays outside, and is told nothing") {
  const CurveKeyPair stranger = CurveKeyPair::generate();
  GuardedBus bus;
  WatchedPeer peer(bus.context, bus.endpoint(), curve(bus.key(), stranger.public_key, stranger.secret_key));
  CHECK(bus.events.next_handshake() == kPutOff);
  CHECK(peer.events.next_handshake() == kNoDetail);
  bus.check_only_alice_gets_in();
  CHECK(peer.events.count(kSucceeded) == 0);
}

TEST_CASE("CURVE server: a client whose key is denied stays outside, and is told so") {
  GuardedBus bus;
  const CurveKeyPair mallory = CurveKeyPair::generate();
  bus.home.write("auth.json", auth_json({curve_record("alice", bus.alice.public_key)},
                                        {curve_record("mallory", mallory.public_key)}));
  must(bus.server.service.reload());
  WatchedPeer peer(bus.context, bus.endpoint(), curve(bus.key(), mallory.public_key, mallory.secret_key));
  CHECK(bus.events.next_handshake() == kRefused);
  CHECK(peer.events.next_handshake() == kRefused);
  bus.check_only_alice_gets_in();
}

TEST_CASE("CURVE server: a client that claims the key of Alice, and has another secret, stays outside") {
  const bool is_zero = GENERATE(false, true);
  const CurveKeyPair other = CurveKeyPair::generate();
  GuardedBus bus;
  WatchedPeer peer(bus.context, bus.endpoint(),
                   curve(bus.key(), bus.alice.public_key, is_zero ? kZeroSecret : other.secret_key));
  CHECK(bus.events.next_handshake() == kBadCryptography);
  CHECK(peer.events.next_handshake() == kNoDetail);
  bus.check_only_alice_gets_in();
  CHECK(bus.events.count(kPutOff) == 0);  // nobody was asked about the key
}

TEST_CASE("CURVE server: a client without a key of its own stays outside") {
  const CurveKeyPair own = CurveKeyPair::generate();
  GuardedBus bus;
  const Configure no_key = curve(bus.key(), kZeroKey, kZeroSecret);
  const Configure no_public_key = curve(bus.key(), kZeroKey, own.secret_key);
  const Configure none_set = [&](zmq::socket_t& socket) {
    const auto& server = bus.key().bytes();
    REQUIRE(zmq_setsockopt(socket.handle(), ZMQ_CURVE_SERVERKEY, server.data(), server.size()) == 0);
  };
  for (const Configure& configure : {no_key, no_public_key, none_set}) {
    WatchedPeer peer(bus.context, bus.endpoint(), configure);
    CHECK(bus.events.next_handshake() == kBadCryptography);
    CHECK(peer.events.next_handshake() == kNoDetail);
  }
  bus.check_only_alice_gets_in();
}

TEST_CASE("CURVE server: a NULL client stays outside") { check_is_of_another_mechanism(null); }

TEST_CASE("CURVE server: a PLAIN client stays outside") { check_is_of_another_mechanism(plain); }

TEST_CASE("CURVE server: another server that connects to it stays outside") {
  const CurveKeyPair other = CurveKeyPair::generate();
  check_stays_outside(
      [&](zmq::socket_t& socket) {
        must(secure_server_socket(socket, other));
        socket.set(zmq::sockopt::handshake_ivl, 500);
      },
      kNoDetail, kNoDetail);
}

TEST_CASE("CURVE client: tells a NULL server nothing") { check_tells_nothing_to(null); }

TEST_CASE("CURVE client: tells a PLAIN server nothing") {
  check_tells_nothing_to([](zmq::socket_t& socket) { socket.set(zmq::sockopt::plain_server, true); });
}

TEST_CASE("CURVE client: tells a CURVE server with another key nothing") {
  const CurveKeyPair posing = CurveKeyPair::generate();
  GuardedBus bus;  // which lets Alice in, and has another key than she expects
  WatchedPeer peer(bus.context, bus.endpoint(), [&](zmq::socket_t& socket) {
    must(secure_client_socket(socket, bus.alice, posing.public_key));
  });
  CHECK(bus.events.next_handshake() == kBadCryptography);
  CHECK(peer.events.next_handshake() == kNoDetail);
  bus.check_only_alice_gets_in();
}

}  // namespace vipauth::test
