#include <vipauth/zap_server.hpp>

#include <array>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/curve_peers.hpp"

namespace vipauth::test {
namespace {

using namespace std::string_literals;

/// A socket that talks to the ZAP handler as libzmq does.
class ZapCaller {
 public:
  explicit ZapCaller(zmq::context_t& context) : socket(context, zmq::socket_type::dealer) {
    socket.set(zmq::sockopt::linger, 0);
    socket.connect("inproc://zeromq.zap.01");
  }

  /// Asks, without the delimiter.
  std::optional<Frames> ask(Frames frames) {
    frames.insert(frames.begin(), "");
    send(socket, frames);
    return receive(socket);
  }

  zmq::socket_t socket;
};

Frames curve_request(const std::string& id, const CurveKey& key) {
  return {"1.0", id, "vip", "127.0.0.1", "", "CURVE", std::string(key.bytes().begin(), key.bytes().end())};
}

Frames plain_request(const std::string& id, const std::string& user, const std::string& password) {
  return {"1.0", id, "vip", "127.0.0.1", "", "PLAIN", user, password};
}

/// A server socket with another mechanism than CURVE, that asks the ZAP handler all the same.
zmq::socket_t guarded_socket(zmq::context_t& context, bool plain) {
  zmq::socket_t socket(context, zmq::socket_type::router);
  const int on = 1;
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::zap_domain, "vip");
  zmq_setsockopt(socket.handle(), 93, &on, sizeof on);  // ZMQ_ZAP_ENFORCE_DOMAIN
  if (plain) socket.set(zmq::sockopt::plain_server, true);
  socket.bind("tcp://127.0.0.1:*");
  return socket;
}

zmq::socket_t plain_client(zmq::context_t& context, const std::string& user, const std::string& password) {
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::plain_username, user);
  socket.set(zmq::sockopt::plain_password, password);
  return socket;
}

Json plain_record(const std::string& user, const std::string& password) {
  return Json::Object{{"user_id", user}, {"mechanism", "PLAIN"}, {"credentials", password}};
}

}  // namespace

TEST_CASE("ZapServer: an allowed key connects, and its messages carry its session") {
  const TempHome home;
  const CurveKeyPair alice = CurveKeyPair::generate();
  Json record = curve_record("alice", alice.public_key);
  record.set("identity", "agent.alice");
  home.write("auth.json", auth_json({record}));
  CurveServer server(home);
  zmq::context_t context;
  CurveClient client(context, server.endpoint, server.keys.public_key, alice, "agent.alice");

  REQUIRE(client.becomes(ConnectionState::kConnected));
  send(client.socket, {"hi"});
  auto session = server.hear();
  REQUIRE(session);
  CHECK(session->check());
  CHECK(session->user_id() == "alice");
  CHECK(session->identity() == "agent.alice");
  CHECK(session->acceptance().mechanism == Mechanism::kCurve);
  CHECK(session->acceptance().credentials == alice.public_key.to_base64url());
  CHECK(session->acceptance().domain == "vip");
  CHECK(session->acceptance().address == "127.0.0.1");
  CHECK(session->verify_sender("agent.alice"));
  CHECK_FALSE(session->verify_sender("agent.bob"));
}

TEST_CASE("ZapServer: a denied key is refused for good") {
  const TempHome home;
  const CurveKeyPair mallory = CurveKeyPair::generate();
  const Json record = curve_record("mallory", mallory.public_key);
  home.write("auth.json", auth_json({record}, {record}));
  CurveServer server(home);
  zmq::context_t context;
  CurveClient client(context, server.endpoint, server.keys.public_key, mallory);

  CHECK(client.becomes(ConnectionState::kRefused));
}

TEST_CASE("ZapServer: a stranger waits, and approval lets the same socket in") {
  const TempHome home;
  CurveServer server(home);
  const CurveKeyPair stranger = CurveKeyPair::generate();
  zmq::context_t context;
  CurveClient client(context, server.endpoint, server.keys.public_key, stranger);
  send(client.socket, {"hi"});

  REQUIRE(client.becomes(ConnectionState::kWaiting));
  const auto pending = must(server.service.get_pending_authorizations());
  REQUIRE(pending.size() == 1);
  CHECK(pending[0].credentials == stranger.public_key.to_base64url());
  CHECK(pending[0].address == "127.0.0.1");

  Approval approval;
  approval.user_id = "alice";
  must(server.service.approve_authorization(pending[0].user_id, approval));
  REQUIRE(client.becomes(ConnectionState::kConnected));
  const auto session = server.hear();
  REQUIRE(session);
  CHECK(session->user_id() == "alice");
}

TEST_CASE("ZapServer: a stranger that is denied while it waits is told so") {
  const TempHome home;
  CurveServer server(home);
  const CurveKeyPair stranger = CurveKeyPair::generate();
  zmq::context_t context;
  CurveClient client(context, server.endpoint, server.keys.public_key, stranger);

  REQUIRE(client.becomes(ConnectionState::kWaiting));
  const auto pending = must(server.service.get_pending_authorizations());
  REQUIRE(pending.size() == 1);
  must(server.service.deny_authorization(pending[0].user_id));
  CHECK(client.becomes(ConnectionState::kRefused));
}

TEST_CASE("ZapServer: in setup mode a stranger gets in at once, and after it none does") {
  const TempHome home;
  home.write("auth.json", auth_json({}));
  CurveServer server(home);
  must(server.service.set_shadow_policy(home / "auth.json"));
  must(server.service.begin_setup_mode(std::chrono::hours(1), {.peers = 1}));
  zmq::context_t context;
  const CurveKeyPair first = CurveKeyPair::generate();
  CurveClient client(context, server.endpoint, server.keys.public_key, first);
  REQUIRE(client.becomes(ConnectionState::kConnected));
  send(client.socket, {"hi"});
  auto session = server.hear();
  REQUIRE(session);
  CHECK(session->authorize_publish("topic"));
  const Policy policy = must(AuthFile(home / "auth.json").load());
  REQUIRE(policy.allow().size() == 1);
  CHECK(policy.allow()[0].record->user_id == session->user_id());
  CHECK_FALSE(server.service.setup_mode_until());

  CurveClient second(context, server.endpoint, server.keys.public_key, CurveKeyPair::generate());
  CHECK(second.becomes(ConnectionState::kWaiting));
  // The candidate is the file as it was before the first came.
  const auto report = server.service.shadow_report();
  REQUIRE(report);
  CHECK(report->authentications.only_live_allows == 1);
  CHECK(report->publishes.only_live_allows == 1);
}

TEST_CASE("ZapServer: a context has one handler") {
  const TempHome home;
  const AuthService service = must(AuthService::open(home.path()));
  zmq::context_t context;
  zmq::context_t other;
  const ZapServer first = must(ZapServer::start(context, service));

  const auto second = ZapServer::start(context, service);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::kAlreadyExists);
  CHECK(second.error().message == "this ZeroMQ context has a ZAP handler already");
  CHECK(ZapServer::start(other, service));
}

TEST_CASE("ZapServer: refuses what is no context") {
  const TempHome home;
  const AuthService service = must(AuthService::open(home.path()));
  const auto zap = ZapServer::start(nullptr, service);
  REQUIRE_FALSE(zap);
  CHECK(zap.error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("ZapServer: starts again where another has stopped") {
  const TempHome home;
  const CurveKeyPair alice = CurveKeyPair::generate();
  home.write("auth.json", auth_json({curve_record("alice", alice.public_key)}));
  const AuthService service = must(AuthService::open(home.path()));
  zmq::context_t context;
  for (int i = 0; i < 50; ++i) {
    const ZapServer zap = must(ZapServer::start(context, service));
    const auto reply = ZapCaller(context).ask(curve_request("1", alice.public_key));
    REQUIRE(reply);
    CHECK((*reply)[3] == "200");
  }
}

TEST_CASE("ZapServer: may be moved") {
  const TempHome home;
  const AuthService service = must(AuthService::open(home.path()));
  zmq::context_t context;
  zmq::context_t other;
  ZapServer zap = must(ZapServer::start(context, service));
  ZapServer moved = std::move(zap);
  CHECK_FALSE(ZapServer::start(context, service));
  moved = must(ZapServer::start(other, service));
  CHECK(ZapServer::start(context, service));
}

TEST_CASE("ZapServer: the context may be ended first") {
  const TempHome home;
  const AuthService service = must(AuthService::open(home.path()));
  std::optional<zmq::context_t> context(std::in_place);
  const ZapServer zap = must(ZapServer::start(*context, service));
  context.reset();  // waits until the handler has closed its socket
  SUCCEED();
}

TEST_CASE(
    "ZapServer: whatever an in-process sender puts on the endpoint, it is answered and the next one gets "
    "in") {
  const TempHome home;
  const CurveKeyPair alice = CurveKeyPair::generate();
  home.write("auth.json", auth_json({curve_record("alice", alice.public_key)}));
  CurveServer server(home);
  ZapCaller caller(server.context);

  const std::string key(alice.public_key.bytes().begin(), alice.public_key.bytes().end());
  const Frames honest = curve_request("id", alice.public_key);
  const auto with = [&](std::size_t index, const std::string& value) {
    Frames frames = honest;
    frames[index] = value;
    return frames;
  };
  std::vector<Frames> hostile;
  for (std::size_t length = 1; length < honest.size(); ++length) {
    hostile.emplace_back(honest.begin(), honest.begin() + static_cast<std::ptrdiff_t>(length));
  }
  for (const std::size_t length : {8U, 30U, 32U, 33U, 1000U}) {
    for (const char* filler : {"x", ""}) {
      Frames frames = honest;
      frames.resize(length, filler);
      hostile.push_back(std::move(frames));
    }
  }
  for (const std::string& version : {""s, "2.0"s, "1.0\0"s, std::string(100'000, '1')})
    hostile.push_back(with(0, version));
  for (const std::string& text : {"\xff\xfe"s, std::string(256, 'a'), std::string(100'000, 'a')}) {
    hostile.push_back(with(2, text));
    hostile.push_back(with(3, text));
    hostile.push_back(with(5, text));
  }
  for (const std::size_t length : {0U, 1U, 31U, 33U, 64U, 100'000U})
    hostile.push_back(with(6, std::string(length, 'k')));
  hostile.push_back(plain_request("id", "\xff", "\xff"));
  hostile.push_back(plain_request("id", std::string(100'000, 'u'), std::string(100'000, 'p')));
  hostile.push_back({"1.0", "id", "vip", "127.0.0.1", "", "NULL", key});
  hostile.push_back({"1.0", "id", "vip", "127.0.0.1", "", "GSSAPI", "principal"});
  hostile.push_back({""});

  for (const Frames& frames : hostile) {
    CAPTURE(frames.size(), frames.front().substr(0, 10));
    const auto reply = caller.ask(frames);
    REQUIRE(reply);
    REQUIRE(reply->size() == 7);
    CHECK((*reply)[0].empty());
    CHECK((*reply)[1] == "1.0");
    CHECK((*reply)[2] == (frames.size() > 1 ? frames[1] : ""));
    CHECK((*reply)[3] != "200");
    CHECK((*reply)[5].empty());
  }

  // Without an envelope there is nobody to answer, and nothing breaks.
  send(caller.socket, {"1.0"});
  send(caller.socket, Frames(1000, "x"));
  send(caller.socket, Frames(40, ""));
  CHECK(receive(caller.socket));  // whose first frame was taken for the delimiter

  const auto reply = caller.ask(honest);
  REQUIRE(reply);
  CHECK((*reply)[3] == "200");
  CHECK((*reply)[5] == "alice");
  zmq::context_t context;
  CurveClient client(context, server.endpoint, server.keys.public_key, alice);
  CHECK(client.becomes(ConnectionState::kConnected));
}

TEST_CASE("ZapServer: answers through every envelope that is not too long") {
  const TempHome home;
  const AuthService service = must(AuthService::open(home.path()));
  zmq::context_t context;
  const ZapServer zap = must(ZapServer::start(context, service));
  ZapCaller caller(context);
  const Frames request = curve_request("id", CurveKeyPair::generate().public_key);

  for (const std::size_t hops : {1U, 2U, 15U}) {
    Frames frames(hops, "hop");
    frames.emplace_back();
    frames.insert(frames.end(), request.begin(), request.end());
    send(caller.socket, frames);
    const auto reply = receive(caller.socket);
    REQUIRE(reply);
    CHECK(reply->size() == hops + 7);
    CHECK(reply->front() == "hop");
    CHECK((*reply)[hops + 3] == "300");
  }
  Frames endless(16, "hop");
  endless.emplace_back();
  endless.insert(endless.end(), request.begin(), request.end());
  send(caller.socket, endless);
  const auto reply = caller.ask(request);  // the first answer is that of the second question
  REQUIRE(reply);
  CHECK(reply->size() == 7);
}

TEST_CASE("ZapServer: PLAIN takes the right password, and refuses another one and an unknown user") {
  const TempHome home;
  home.write("auth.json", auth_json({plain_record("bob", "secret")}));
  CurveServer server(home);
  zmq::socket_t guarded = guarded_socket(server.context, true);
  const std::string endpoint = guarded.get(zmq::sockopt::last_endpoint);
  zmq::context_t context;

  for (const auto& [user, password] : {std::pair("bob"s, "wrong"s), std::pair("eve"s, "secret"s)}) {
    zmq::socket_t client = plain_client(context, user, password);
    ConnectionMonitor monitor = must(ConnectionMonitor::watch(context, client));
    client.connect(endpoint);
    CHECK(eventually(
        [&] { return monitor.update(std::chrono::milliseconds(10)) == ConnectionState::kRefused; }));
  }
  zmq::socket_t client = plain_client(context, "bob", "secret");
  client.connect(endpoint);
  send(client, {"hi"});
  zmq::message_t last;
  REQUIRE(receive(guarded, std::chrono::seconds(60), last));
  const Session session = must(session_of(server.service, last));
  CHECK(session.user_id() == "bob");
  CHECK(session.acceptance().mechanism == Mechanism::kPlain);
  CHECK(session.acceptance().credentials.find("secret") == std::string::npos);
}

TEST_CASE("ZapServer: with no room for a password it says so, and each one asked is answered") {
  const TempHome home;
  home.write("auth.json", auth_json({plain_record("bob", "secret")}));
  const AuthService service = must(AuthService::open(home.path()));
  zmq::context_t context;
  const ZapServer zap = must(ZapServer::start(context.handle(), service.zap_authenticator(),
                                              {.password_threads = 2, .password_queue = 1}));
  ZapCaller caller(context);

  constexpr int kRequests = 100;
  for (int i = 0; i < kRequests; ++i) {
    Frames request = plain_request(std::to_string(i), "bob", i % 2 == 0 ? "secret" : "wrong");
    request.insert(request.begin(), "");
    send(caller.socket, request);
  }
  int accepted = 0;
  int refused = 0;
  int later = 0;
  for (int i = 0; i < kRequests; ++i) {
    const auto reply = receive(caller.socket);
    REQUIRE(reply);
    REQUIRE(reply->size() == 7);
    const bool is_right = std::stoi((*reply)[2]) % 2 == 0;
    const std::string& status = (*reply)[3];
    if (status == "300") {
      ++later;
    } else {
      CHECK(status == (is_right ? "200" : "400"));
      ++(is_right ? accepted : refused);
    }
  }
  CHECK(later > 0);
  CHECK(accepted + refused > 0);

  // With room again, the right password is taken.
  const auto reply = caller.ask(plain_request("again", "bob", "secret"));
  REQUIRE(reply);
  CHECK((*reply)[3] == "200");
}

TEST_CASE("ZapServer: who guesses passwords from a penalised address keeps no other user out") {
  const TempHome home;
  home.write("auth.json", auth_json({plain_record("bob", "secret")}));
  const AuthService service = must(AuthService::open(home.path()));
  zmq::context_t context;
  const ZapServer zap = must(ZapServer::start(context.handle(), service));
  ZapCaller caller(context);
  const auto ask = [&](const std::string& id, const std::string& address, const std::string& password) {
    send(caller.socket, {"", "1.0", id, "vip", address, "", "PLAIN", "bob", password});
  };
  while (service.penalties().penalised == 0) {
    ask("guess", "10.0.0.1", "wrong");
    REQUIRE(receive(caller.socket));
  }

  // Sixteen passwords may wait: of that address four, so that there is room for these.
  constexpr int kGuesses = 50;
  constexpr int kOthers = 5;
  for (int i = 0; i < kGuesses; ++i) ask("guess", "10.0.0.1", "wrong");
  for (int i = 0; i < kOthers; ++i) ask("other", "10.0.0.2", "secret");
  for (int i = 0; i < kGuesses + kOthers; ++i) {
    const auto reply = receive(caller.socket);
    REQUIRE(reply);
    REQUIRE(reply->size() == 7);
    CHECK((*reply)[3] == ((*reply)[2] == "other" ? "200" : "300"));
  }
  // Nor the user itself behind that address.
  ask("bob", "10.0.0.1", "secret");
  const auto reply = receive(caller.socket);
  REQUIRE(reply);
  CHECK((*reply)[3] == "200");
}

TEST_CASE("ZapServer: stops while passwords are being checked") {
  const TempHome home;
  const AuthService service = must(AuthService::open(home.path()));
  zmq::context_t context;
  for (int i = 0; i < 5; ++i) {
    const ZapServer zap = must(ZapServer::start(context, service));
    ZapCaller caller(context);
    for (int j = 0; j < 10; ++j) {
      Frames request = plain_request("id", "nobody", "nothing");
      request.insert(request.begin(), "");
      send(caller.socket, request);
    }
  }
  SUCCEED();
}

TEST_CASE("ZapServer: a NULL peer is known by its address alone") {
  const std::string address = GENERATE("127.0.0.1", "127.0.0.2");
  const TempHome home;
  home.write("auth.json",
             auth_json({Json::Object{{"user_id", "local"}, {"mechanism", "NULL"}, {"address", address}}}));
  CurveServer server(home);
  zmq::socket_t guarded = guarded_socket(server.context, false);
  zmq::context_t context;
  zmq::socket_t client(context, zmq::socket_type::dealer);
  client.set(zmq::sockopt::linger, 0);
  ConnectionMonitor monitor = must(ConnectionMonitor::watch(context, client));
  client.connect(guarded.get(zmq::sockopt::last_endpoint));
  send(client, {"hi"});

  if (address == "127.0.0.1") {
    zmq::message_t last;
    REQUIRE(receive(guarded, std::chrono::seconds(60), last));
    CHECK(must(session_of(server.service, last)).user_id() == "local");
  } else {
    CHECK(eventually(
        [&] { return monitor.update(std::chrono::milliseconds(10)) == ConnectionState::kRefused; }));
  }
}

}  // namespace vipauth::test
