#include <vipauth/connection_monitor.hpp>

#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "support/catch.hpp"
#include "support/curve_peers.hpp"

namespace vipauth::test {
namespace {

/// Who hangs up on whoever says what libzmq says first, and greets who at once says what version it speaks.
class SurlyServer {
 public:
  explicit SurlyServer(const std::string& mechanism) : socket_(context_, zmq::socket_type::stream) {
    greeting_.replace(12, mechanism.size(), mechanism);
    socket_.set(zmq::sockopt::linger, 0);
    socket_.bind("tcp://127.0.0.1:*");
    endpoint_ = socket_.get(zmq::sockopt::last_endpoint);
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) serve_one();
    });
  }

  const std::string& endpoint() const { return endpoint_; }

 private:
  void serve_one() {
    const auto frames = receive(socket_, std::chrono::milliseconds(20));
    if (!frames || frames->at(1).empty()) return;
    const bool is_signature_alone = frames->at(1).size() == 10;
    try {
      send(socket_, {frames->at(0), is_signature_alone ? std::string() : greeting_});
    } catch (const zmq::error_t&) {  // it went first
    }
  }

  std::string greeting_ = std::string("\xff\0\0\0\0\0\0\0\1\x7f\3\1", 12) + std::string(52, '\0');
  zmq::context_t context_;
  zmq::socket_t socket_;
  std::string endpoint_;
  std::jthread thread_;
};

bool says(const ConnectionMonitor& monitor, const std::string& text) {
  return monitor.advice().find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("ConnectionMonitor: connected, then disconnected, then nobody there, then connected again") {
  const TempHome home;
  const CurveKeyPair alice = CurveKeyPair::generate();
  home.write("auth.json", auth_json({curve_record("alice", alice.public_key)}));
  std::optional<CurveServer> server(std::in_place, home);
  const std::string endpoint = server->endpoint;
  zmq::context_t context;
  CurveClient client(context, endpoint, server->keys.public_key, alice);
  CHECK(client.monitor.state() == ConnectionState::kConnecting);
  REQUIRE(client.becomes(ConnectionState::kConnected));
  CHECK(says(client.monitor, "let this key in"));

  server.reset();
  REQUIRE(client.becomes(ConnectionState::kNobodyThere));
  CHECK(says(client.monitor, "is the server running"));

  server.emplace(home);
  server->router.bind(endpoint);
  CHECK(client.becomes(ConnectionState::kConnected));
}

TEST_CASE("ConnectionMonitor: disconnected") {
  const TempHome home;
  const CurveKeyPair alice = CurveKeyPair::generate();
  home.write("auth.json", auth_json({curve_record("alice", alice.public_key)}));
  std::optional<CurveServer> server(std::in_place, home);
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  ConnectionMonitor monitor = must(ConnectionMonitor::watch(context, socket));
  must(secure_client_socket(socket, alice, server->keys.public_key));
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::reconnect_ivl, 3'600'000);  // it stays so
  socket.connect(server->endpoint);
  const auto becomes = [&](ConnectionState state) {
    return eventually([&] { return monitor.update(std::chrono::milliseconds(10)) == state; });
  };
  REQUIRE(becomes(ConnectionState::kConnected));
  server.reset();
  CHECK(becomes(ConnectionState::kDisconnected));
  CHECK(says(monitor, "connection was lost"));
}

TEST_CASE("ConnectionMonitor: waiting, as long as it takes") {
  const TempHome home;
  CurveServer server(home);
  const CurveKeyPair stranger = CurveKeyPair::generate();
  zmq::context_t context;
  CurveClient client(context, server.endpoint, server.keys.public_key, stranger);
  REQUIRE(client.becomes(ConnectionState::kWaiting));
  CHECK(says(client.monitor, "vctl auth remote approve"));
  CHECK(says(client.monitor, "goes on trying"));

  // It is never taken for anything else while it tries again.
  std::set<ConnectionState> seen;
  REQUIRE(eventually([&] {
    seen.insert(client.monitor.update(std::chrono::milliseconds(10)));
    const auto pending = must(server.service.get_pending_authorizations());
    return !pending.empty() && pending[0].retries >= 3;
  }));
  CHECK(seen == std::set{ConnectionState::kWaiting});
}

TEST_CASE("ConnectionMonitor: refused") {
  const TempHome home;
  const CurveKeyPair mallory = CurveKeyPair::generate();
  home.write("auth.json", auth_json({}, {curve_record("mallory", mallory.public_key)}));
  CurveServer server(home);
  zmq::context_t context;
  CurveClient client(context, server.endpoint, server.keys.public_key, mallory);
  REQUIRE(client.becomes(ConnectionState::kRefused));
  CHECK(says(client.monitor, "for good"));
}

TEST_CASE("ConnectionMonitor: wrong server key") {
  const TempHome home;
  const CurveKeyPair alice = CurveKeyPair::generate();
  home.write("auth.json", auth_json({curve_record("alice", alice.public_key)}));
  CurveServer server(home);
  zmq::context_t context;
  CurveClient client(context, server.endpoint, CurveKeyPair::generate().public_key, alice);
  REQUIRE(client.becomes(ConnectionState::kWrongServerKey));
  CHECK(says(client.monitor, "vctl auth serverkey"));
}

TEST_CASE("ConnectionMonitor: nobody there") {
  zmq::context_t context;
  CurveClient client(context, "tcp://127.0.0.1:1", CurveKeyPair::generate().public_key,
                     CurveKeyPair::generate());
  CHECK(client.becomes(ConnectionState::kNobodyThere));
}

TEST_CASE("ConnectionMonitor: not CURVE") {
  const bool plain = GENERATE(false, true);
  zmq::context_t context;
  zmq::socket_t router(context, zmq::socket_type::router);
  router.set(zmq::sockopt::linger, 0);
  if (plain) router.set(zmq::sockopt::plain_server, true);
  router.bind("tcp://127.0.0.1:*");
  CurveClient client(context, router.get(zmq::sockopt::last_endpoint), CurveKeyPair::generate().public_key,
                     CurveKeyPair::generate());
  REQUIRE(client.becomes(ConnectionState::kNotCurve));
  CHECK(says(client.monitor, "does not speak CURVE"));
}

TEST_CASE("ConnectionMonitor: a server that hangs up is asked whether it speaks CURVE") {
  const auto [mechanism, state] = GENERATE(table<std::string, ConnectionState>(
      {{"NULL", ConnectionState::kNotCurve}, {"CURVE", ConnectionState::kWrongServerKey}}));
  SurlyServer server(mechanism);
  zmq::context_t context;
  CurveClient client(context, server.endpoint(), CurveKeyPair::generate().public_key,
                     CurveKeyPair::generate());
  CHECK(client.monitor.confirm() == client.monitor.state());
  REQUIRE(client.becomes(ConnectionState::kWrongServerKey));
  CHECK(client.monitor.confirm(std::chrono::seconds(60)) == state);
}

TEST_CASE("ConnectionMonitor: a server that does not greet is taken for what it seems") {
  const TempHome home;
  CurveServer server(home);
  zmq::context_t context;
  CurveClient client(context, server.endpoint, CurveKeyPair::generate().public_key, CurveKeyPair::generate());
  REQUIRE(client.becomes(ConnectionState::kWrongServerKey));
  CHECK(client.monitor.confirm(std::chrono::milliseconds(0)) == ConnectionState::kWrongServerKey);
  CHECK(client.monitor.confirm(std::chrono::seconds(60)) == ConnectionState::kWrongServerKey);
}

TEST_CASE("ConnectionMonitor: gives advice for each state, without any key") {
  const TempHome home;
  CurveServer server(home);
  const CurveKeyPair stranger = CurveKeyPair::generate();
  zmq::context_t context;
  CurveClient client(context, server.endpoint, server.keys.public_key, stranger);
  CHECK_FALSE(client.monitor.advice().empty());
  REQUIRE(client.becomes(ConnectionState::kWaiting));
  for (const std::string& key : {stranger.public_key.to_base64url(), server.keys.public_key.to_base64url(),
                                 reveal_base64url(stranger.secret_key), reveal_z85(stranger.secret_key)}) {
    CHECK_FALSE(says(client.monitor, key));
  }
}

TEST_CASE("ConnectionMonitor: the socket may be closed first") {
  zmq::context_t context;
  std::optional<zmq::socket_t> socket(std::in_place, context, zmq::socket_type::dealer);
  ConnectionMonitor monitor = must(ConnectionMonitor::watch(context, *socket));
  socket->connect("tcp://127.0.0.1:1");
  socket->set(zmq::sockopt::linger, 0);
  socket.reset();
  monitor.update(std::chrono::milliseconds(10));
  CHECK_FALSE(monitor.advice().empty());
}

TEST_CASE("ConnectionMonitor: the context may be ended first") {
  std::optional<zmq::context_t> context(std::in_place);
  std::optional<zmq::socket_t> socket(std::in_place, *context, zmq::socket_type::dealer);
  ConnectionMonitor monitor = must(ConnectionMonitor::watch(*context, *socket));
  socket.reset();
  context.reset();                        // waits until the monitor has closed its socket
  monitor.update(std::chrono::hours(1));  // nothing can happen any more: no reason to wait
  SUCCEED();
}

TEST_CASE("ConnectionMonitor: when it goes, the socket goes on") {
  const TempHome home;
  CurveServer server(home);
  const CurveKeyPair stranger = CurveKeyPair::generate();
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  socket.set(zmq::sockopt::linger, 0);
  {
    const ConnectionMonitor monitor = must(ConnectionMonitor::watch(context, socket));
    must(secure_client_socket(socket, stranger, server.keys.public_key));
    socket.connect(server.endpoint);
  }
  send(socket, {"hi"});
  // It still tries again, and gets in.
  std::string user_id;
  REQUIRE(eventually([&] {
    const auto pending = must(server.service.get_pending_authorizations());
    if (!pending.empty()) user_id = pending[0].user_id;
    return !pending.empty() && pending[0].retries >= 2;
  }));
  must(server.service.approve_authorization(user_id, {}));
  CHECK(server.hear());
}

TEST_CASE("ConnectionMonitor: a second one takes over") {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  socket.set(zmq::sockopt::linger, 0);
  ConnectionMonitor first = must(ConnectionMonitor::watch(context, socket));
  ConnectionMonitor second = must(ConnectionMonitor::watch(context, socket));
  socket.connect("tcp://127.0.0.1:1");
  first.update(std::chrono::hours(1));
  CHECK(first.state() == ConnectionState::kConnecting);
  CHECK(eventually(
      [&] { return second.update(std::chrono::milliseconds(10)) == ConnectionState::kNobodyThere; }));
}

TEST_CASE("ConnectionMonitor: refuses what is no socket or no context") {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  CHECK_FALSE(ConnectionMonitor::watch(nullptr, socket.handle()));
  CHECK_FALSE(ConnectionMonitor::watch(context.handle(), nullptr));
}

}  // namespace vipauth::test
