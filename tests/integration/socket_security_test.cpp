#include <vipauth/socket_security.hpp>

#include <optional>
#include <string>

#include "support/catch.hpp"
#include "support/curve_peers.hpp"
#include "support/zmtp_peer.hpp"

namespace vipauth::test {
namespace {

/// Sends a message without a mechanism, with properties of its own choice.
void send_without_mechanism(RawPeer& peer, const Properties& properties, const std::string& text) {
  const std::string greeting = zmtp_greeting("NULL");
  peer.write(greeting + zmtp_command("\x05READY" + zmtp_metadata(properties)));
  peer.read(greeting.size());
  peer.read_frame();  // the other side's READY
  peer.write(zmtp_message(text));
}

/// What libzmq attached to a message.
std::string property_of(zmq::message_t& message, const char* name) { return message.gets(name); }

}  // namespace

TEST_CASE("secure_server_socket: refuses a domain that libzmq would take for none") {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::router);
  const CurveKeyPair keys = CurveKeyPair::generate();

  const auto empty = secure_server_socket(socket, keys, "");
  REQUIRE_FALSE(empty);
  CHECK(empty.error().code == ErrorCode::kInvalidArgument);
  CHECK(empty.error().message.find("domain") != std::string::npos);
  CHECK_FALSE(secure_server_socket(socket, keys, std::string(256, 'a')));
  CHECK(secure_server_socket(socket, keys, std::string(255, 'a')));
}

TEST_CASE("secure_server_socket: refuses a socket that is bound already") {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::router);
  socket.bind("tcp://127.0.0.1:*");
  const auto secured = secure_server_socket(socket, CurveKeyPair::generate());
  REQUIRE_FALSE(secured);
  CHECK(secured.error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("secure_server_socket: each address that a socket binds has keys and a domain of its own") {
  const TempHome home;
  const CurveKeyPair agent = CurveKeyPair::generate();
  Json record = curve_record("A", agent.public_key);
  record.set("domain", "second");
  home.write("auth.json", auth_json({record}));
  CurveServer server(home);
  const CurveKeyPair other_keys = CurveKeyPair::generate();
  must(secure_server_socket(server.router, other_keys, "second"));
  server.router.bind("tcp://127.0.0.1:*");
  const std::string second = server.router.get(zmq::sockopt::last_endpoint);

  zmq::context_t context;
  CurveClient welcome(context, second, other_keys.public_key, agent);
  CHECK(welcome.becomes(ConnectionState::kConnected));
  send(welcome.socket, {"hello"});
  const auto session = server.hear();
  REQUIRE(session);
  CHECK(session->acceptance().domain == "second");

  CurveClient wrong_domain(context, server.endpoint, server.keys.public_key, agent);
  CHECK(wrong_domain.becomes(ConnectionState::kWaiting));  // a stranger there
  CurveClient wrong_key(context, second, server.keys.public_key, agent);
  CHECK(wrong_key.becomes(ConnectionState::kWrongServerKey));
}

TEST_CASE("secure_client_socket: refuses a socket that is connected already") {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  socket.set(zmq::sockopt::linger, 0);
  socket.connect("tcp://127.0.0.1:1");
  CHECK_FALSE(secure_client_socket(socket, CurveKeyPair::generate(), CurveKeyPair::generate().public_key));
}

TEST_CASE("secure_server_socket, secure_client_socket: refuse what is no socket") {
  const CurveKeyPair keys = CurveKeyPair::generate();
  const auto server = secure_server_socket(nullptr, keys);
  REQUIRE_FALSE(server);
  CHECK(server.error().code == ErrorCode::kInvalidArgument);
  CHECK(server.error().message.find("ZMQ_") == 0);  // names the option
  CHECK_FALSE(secure_client_socket(nullptr, keys, keys.public_key));
}

TEST_CASE("secure_server_socket: without a ZAP handler nobody gets in") {
  const TempHome home;
  const CurveKeyPair alice = CurveKeyPair::generate();
  home.write("auth.json", auth_json({curve_record("alice", alice.public_key)}));
  const CurveKeyPair server_keys = CurveKeyPair::generate();
  zmq::context_t server_context;
  zmq::socket_t router(server_context, zmq::socket_type::router);
  must(secure_server_socket(router, server_keys));
  router.bind("tcp://127.0.0.1:*");
  const std::string endpoint = router.get(zmq::sockopt::last_endpoint);

  zmq::context_t context;
  {
    CurveClient client(context, endpoint, server_keys.public_key, alice);
    send(client.socket, {"hi"});
    // The server hangs up on it, again and again.
    CHECK(eventually([&] {
      return client.monitor.update(std::chrono::milliseconds(10)) != ConnectionState::kConnecting;
    }));
    CHECK(client.monitor.state() != ConnectionState::kConnected);
    CHECK_FALSE(receive(router, std::chrono::milliseconds(0)));
  }
  // The same key gets in where there is one.
  const AuthService service = must(AuthService::open(home.path()));
  const ZapServer zap = must(ZapServer::start(server_context, service));
  CurveClient client(context, endpoint, server_keys.public_key, alice);
  CHECK(client.becomes(ConnectionState::kConnected));
}

TEST_CASE("session_of: a peer of a socket without ZAP cannot pose as an accepted one") {
  const TempHome home;
  const CurveKeyPair alice = CurveKeyPair::generate();
  home.write("auth.json", auth_json({curve_record("alice", alice.public_key)}));
  CurveServer server(home);
  zmq::socket_t open_socket(server.context, zmq::socket_type::router);
  open_socket.set(zmq::sockopt::linger, 0);
  open_socket.bind("tcp://127.0.0.1:*");

  zmq::context_t context;
  RawPeer raw(open_socket.get(zmq::sockopt::last_endpoint));
  send_without_mechanism(raw,
                         {{"Socket-Type", "DEALER"},
                          {"User-Id", "alice"},
                          {"X-Vip-Mechanism", "CURVE"},
                          {"X-Vip-Credentials", alice.public_key.to_base64url()},
                          {"X-Vip-Domain", "vip"},
                          {"X-Vip-Proof", "0123456789012345678901234567890123456789012"}},
                         "hi");
  zmq::message_t message;
  REQUIRE(receive(open_socket, std::chrono::seconds(60), message));
  REQUIRE(message.to_string() == "hi");
  REQUIRE(property_of(message, "User-Id") == "alice");  // libzmq passes on what the peer claims
  const auto session = session_of(server.service, message);
  REQUIRE_FALSE(session);
  CHECK(session.error().code == ErrorCode::kInvalidArgument);

  // The real one.
  CurveClient client(context, server.endpoint, server.keys.public_key, alice);
  send(client.socket, {"hi"});
  const auto real = server.hear();
  REQUIRE(real);
  CHECK(real->user_id() == "alice");
  CHECK_FALSE(is_from(*real, message));
}

TEST_CASE("session_of: refuses a message that came over no connection") {
  const TempHome home;
  const AuthService service = must(AuthService::open(home.path()));
  zmq::message_t message("hi", 2);
  CHECK_FALSE(session_of(service, message));
}

TEST_CASE("is_from: a routing id that passes to another peer does not take the session with it") {
  const TempHome home;
  const CurveKeyPair alice = CurveKeyPair::generate();
  const CurveKeyPair bob = CurveKeyPair::generate();
  home.write("auth.json",
             auth_json({curve_record("alice", alice.public_key), curve_record("bob", bob.public_key)}));
  CurveServer server(home);
  zmq::context_t context;
  zmq::message_t message;

  std::optional<Session> session;
  {
    CurveClient client(context, server.endpoint, server.keys.public_key, alice, "agent");
    for (int i = 0; i < 2; ++i) {
      send(client.socket, {"hi"});
      REQUIRE(receive(server.router, std::chrono::seconds(60), message));
      if (!session) session.emplace(must(session_of(server.service, message)));
      CHECK(is_from(*session, message));
    }
  }
  std::optional<CurveClient> client;
  std::optional<Frames> frames;
  REQUIRE(eventually([&] {  // until libzmq has let go of the routing id
    client.reset();
    client.emplace(context, server.endpoint, server.keys.public_key, bob, "agent");
    send(client->socket, {"hi"});
    frames = receive(server.router, std::chrono::seconds(2), message);
    return frames.has_value();
  }));
  CHECK(frames->front() == "agent");
  CHECK_FALSE(is_from(*session, message));
}

}  // namespace vipauth::test
