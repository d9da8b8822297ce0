// A CURVE server whose ZAP handler answers rubbish, is slow, dies or is stopped: that nobody gets in by it,
// that both sides are told, and that a good handler in its place lets Alice in, and nobody else.
// Source: ZeroMQ RFC 27; libzmq, tests/test_security_zap.cpp.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/guarded_bus.hpp"

namespace vipauth::test {
namespace {

using namespace std::string_literals;
using std::chrono::milliseconds;

const std::string kMalformedReply = "no protocol 0x20000001";
const std::string kBadRequestId = "no protocol 0x20000002";
const std::string kBadVersion = "no protocol 0x20000003";
const std::string kBadStatus = "no protocol 0x20000004";
const std::string kBadReplyMetadata = "no protocol 0x20000005";

/// A ZAP handler that answers what a test wants, or nothing.
class OddHandler {
 public:
  using Answer = std::function<std::optional<Frames>(const std::string& request_id)>;

  OddHandler(zmq::context_t& context, Answer answer)
      : socket_(context, zmq::socket_type::router), answer_(std::move(answer)) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.bind("inproc://zeromq.zap.01");
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) serve_one();
      socket_.unbind("inproc://zeromq.zap.01");
      socket_.close();
    });
  }

  std::size_t requests() const { return requests_; }

 private:
  void serve_one() {
    const auto request = receive(socket_, milliseconds(5));
    if (!request) return;
    if (const auto answer = answer_(request->at(3))) {  // behind the envelope, the delimiter and the version
      Frames frames{request->at(0), ""};
      frames.insert(frames.end(), answer->begin(), answer->end());
      send(socket_, frames);
    }
    ++requests_;
  }

  zmq::socket_t socket_;
  const Answer answer_;
  std::atomic<std::size_t> requests_ = 0;
  std::jthread thread_;
};

/// A socket that secure_server_socket() has secured, and a policy that lets Alice in; the handler comes
/// later.
struct Bus {
  Bus() {
    home.write("auth.json", auth_json({curve_record("alice", alice.public_key)}));
    service.emplace(must(AuthService::open(home.path())));
    must(secure_server_socket(router, keys));
    router.set(zmq::sockopt::linger, 0);
    router.bind("tcp://127.0.0.1:*");
    endpoint = router.get(zmq::sockopt::last_endpoint);
  }

  /// A client of Alice, whom a right handler would let in. It tries again after half a second.
  WatchedPeer connect(const CurveKeyPair& own) {
    return {peers, endpoint, [&](zmq::socket_t& socket) {
              must(secure_client_socket(socket, own, keys.public_key));
              socket.set(zmq::sockopt::handshake_ivl, 500);
            }};
  }

  /// That nothing was heard so far, and that with a good handler Alice is.
  void check_recovers(WatchedPeer& waiting) {
    CHECK_FALSE(receive(router, milliseconds(0)));
    const ZapServer zap = must(ZapServer::start(context, *service));
    WatchedPeer next = connect(alice);
    CHECK(next.events.have(kSucceeded));
    zmq::message_t last;
    REQUIRE(receive(router, std::chrono::seconds(60), last));
    CHECK(must(session_of(*service, last)).user_id() == "alice");
    if (waiting.events.count(kNoDetail) > 0) {  // otherwise it was told to give up
      CHECK(waiting.events.have(kSucceeded));
    }
    WatchedPeer other = connect(stranger);
    CHECK(events.have(kPutOff));
    CHECK(other.events.next_handshake() == kNoDetail);
  }

  const TempHome home;
  const CurveKeyPair alice = CurveKeyPair::generate();
  const CurveKeyPair stranger = CurveKeyPair::generate();
  const CurveKeyPair keys = CurveKeyPair::generate();
  std::optional<AuthService> service;
  zmq::context_t context;
  zmq::context_t peers;
  zmq::socket_t router{context, zmq::socket_type::router};
  SocketEvents events{context, router};
  std::string endpoint;
};

struct Fault {
  const char* name;
  Frames answer;  ///< "ID" stands for the request's
  std::string server_told;
  std::string client_told = kNoDetail;
};

Frames with_id(Frames frames, const std::string& request_id) {
  for (std::string& frame : frames) {
    if (frame == "ID") frame = request_id;
  }
  return frames;
}

/// Stops the threads that pass it until it is opened.
class Barrier {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.wait(lock, [&] { return open_; });
  }
  void open() {
    {
      const std::scoped_lock lock(mutex_);
      open_ = true;
    }
    changed_.notify_all();
  }
  std::size_t waiting() {
    const std::scoped_lock lock(mutex_);
    return waiting_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t waiting_ = 0;
  bool open_ = false;
};

}  // namespace

TEST_CASE("ZAP: an answer that is right in form lets a peer in, one that is not lets nobody in") {
  const auto fault = GENERATE(values<Fault>({
      {"another version", {"1.1", "ID", "200", "", "alice", ""}, kBadVersion},
      {"no version", {"", "ID", "200", "", "alice", ""}, kBadVersion},
      {"another request's id", {"1.0", "other", "200", "", "alice", ""}, kBadRequestId},
      {"no id", {"1.0", "", "200", "", "alice", ""}, kBadRequestId},
      {"a status of two digits", {"1.0", "ID", "20", "", "alice", ""}, kBadStatus},
      {"a status that does not exist", {"1.0", "ID", "100", "", "alice", ""}, kBadStatus},
      {"another such", {"1.0", "ID", "600", "", "alice", ""}, kBadStatus},
      {"a status in words", {"1.0", "ID", "yes", "", "alice", ""}, kBadStatus},
      {"a status with more behind it", {"1.0", "ID", "2000", "", "alice", ""}, kBadStatus},
      {"too few frames", {"1.0", "ID", "200", "", "alice"}, kMalformedReply},
      {"one frame", {"1.0"}, kMalformedReply},
      {"too many frames", {"1.0", "ID", "200", "", "alice", "", ""}, kMalformedReply},
      {"metadata without an end", {"1.0", "ID", "200", "", "alice", "\x05X"}, kBadReplyMetadata},
      {"status 300", {"1.0", "ID", "300", "", "", ""}, kPutOff},
      {"status 300 with a user", {"1.0", "ID", "300", "", "alice", ""}, kPutOff},
      {"status 400", {"1.0", "ID", "400", "", "", ""}, kRefused, kRefused},
      {"status 400 with a user", {"1.0", "ID", "400", "OK", "alice", ""}, kRefused, kRefused},
      {"status 500", {"1.0", "ID", "500", "", "", ""}, "no authentication 500", "no authentication 500"},
  }));
  CAPTURE(fault.name);
  Bus bus;
  std::optional<OddHandler> handler(std::in_place, bus.context, [&](const std::string& request_id) {
    return std::optional(with_id(fault.answer, request_id));
  });
  WatchedPeer peer = bus.connect(bus.alice);
  CHECK(bus.events.next_handshake() == fault.server_told);
  CHECK(peer.events.next_handshake() == fault.client_told);
  CHECK(peer.events.count(kSucceeded) == 0);
  CHECK(bus.events.count(kSucceeded) == 0);
  handler.reset();
  bus.check_recovers(peer);
}

TEST_CASE("ZAP: whom another handler lets in is no session of ours") {
  const std::string user = GENERATE(as<std::string>(), "", "alice");
  Bus bus;
  const OddHandler handler(bus.context, [&](const std::string& request_id) {
    return std::optional(Frames{"1.0", request_id, "200", "OK", user, ""});
  });
  WatchedPeer peer = bus.connect(bus.stranger);
  CHECK(bus.events.next_handshake() == kSucceeded);
  zmq::message_t last;
  REQUIRE(receive(bus.router, std::chrono::seconds(60), last));
  CHECK_FALSE(session_of(*bus.service, last));
}

TEST_CASE("ZAP: without a handler nobody gets in, and a later one lets in who waits") {
  Bus bus;
  WatchedPeer peer = bus.connect(bus.alice);
  CHECK(bus.events.next_handshake() == kNoDetail);
  CHECK(peer.events.next_handshake() == kNoDetail);
  CHECK(bus.events.count(kSucceeded) == 0);
  bus.check_recovers(peer);
}

TEST_CASE("ZAP: a handler that does not answer, or dies before it does, lets nobody in") {
  const bool dies = GENERATE(false, true);
  Bus bus;
  std::optional<OddHandler> handler(std::in_place, bus.context,
                                    [](const std::string&) { return std::optional<Frames>(); });
  WatchedPeer peer = bus.connect(bus.alice);
  REQUIRE(eventually([&] { return handler->requests() > 0; }));
  if (dies) handler.reset();
  CHECK(peer.events.next_handshake() == kNoDetail);  // its time is over
  CHECK(bus.events.next_handshake() == kNoDetail);
  handler.reset();
  bus.check_recovers(peer);
}

TEST_CASE("ZAP: answers that nobody asked for let nobody in") {
  Bus bus;
  std::optional<OddHandler> handler(std::in_place, bus.context, [](const std::string& request_id) {
    return std::optional(Frames{"1.0", request_id, "300", "", "", ""});
  });
  WatchedPeer peer = bus.connect(bus.alice);
  REQUIRE(bus.events.have(kPutOff));
  // In the context of the server anybody may connect to the handler, but not to who asks it.
  zmq::socket_t forger(bus.context, zmq::socket_type::router);
  forger.set(zmq::sockopt::linger, 0);
  forger.connect("inproc://zeromq.zap.01");
  for (int i = 0; i < 100; ++i) send(forger, {"peer", "", "1.0", "1", "200", "OK", "alice", ""});
  CHECK(peer.events.next_handshake() == kNoDetail);
  CHECK(bus.events.count(kSucceeded) == 0);
  handler.reset();
  forger.close();
  bus.check_recovers(peer);
}

TEST_CASE("ZapServer: while it is slow nobody gets in, and then each one who may") {
  constexpr int kClients = 20;
  Bus bus;
  Barrier barrier;
  std::optional<ZapServer> zap(must(ZapServer::start(
      bus.context.handle(),
      ZapAuthenticator(bus.service->policy(), [&](const ZapAuthenticator::Event&) { barrier.pass(); }), {})));
  std::vector<std::unique_ptr<WatchedPeer>> clients;
  for (int i = 0; i < kClients; ++i) {
    const CurveKeyPair& own = i % 2 == 0 ? bus.alice : bus.stranger;
    clients.push_back(std::make_unique<WatchedPeer>(bus.peers, bus.endpoint, [&](zmq::socket_t& socket) {
      must(secure_client_socket(socket, own, bus.keys.public_key));
    }));
  }
  REQUIRE(eventually([&] { return barrier.waiting() > 0; }));
  // Some of them have given up and come again before anybody is answered.
  CHECK(clients[1]->events.next_handshake() == kNoDetail);
  CHECK(bus.events.count(kSucceeded) == 0);
  CHECK_FALSE(receive(bus.router, milliseconds(0)));

  barrier.open();
  for (std::size_t i = 0; i < clients.size(); i += 2) CHECK(clients[i]->events.have(kSucceeded));
  for (std::size_t i = 1; i < clients.size(); i += 2) CHECK(clients[i]->events.count(kSucceeded) == 0);
  for (std::size_t i = 0; i < clients.size(); i += 2) {
    zmq::message_t last;
    REQUIRE(receive(bus.router, std::chrono::seconds(60), last));
    CHECK(must(session_of(*bus.service, last)).user_id() == "alice");
  }
}

TEST_CASE(
    "ZapServer: stopped and started again in the midst of handshakes, it lets in who may, and nobody else") {
  constexpr int kClients = 40;
  Bus bus;
  std::vector<std::unique_ptr<WatchedPeer>> clients;
  std::optional<ZapServer> zap;
  for (int i = 0; i < kClients; ++i) {
    if (i % 4 == 0) {
      zap.reset();
      zap.emplace(must(ZapServer::start(bus.context, *bus.service)));
    }
    if (i % 4 == 3) zap.reset();
    const CurveKeyPair& own = i % 2 == 0 ? bus.alice : bus.stranger;
    clients.push_back(std::make_unique<WatchedPeer>(bus.peers, bus.endpoint, [&](zmq::socket_t& socket) {
      must(secure_client_socket(socket, own, bus.keys.public_key));
      socket.set(zmq::sockopt::handshake_ivl, 500);
    }));
  }
  if (!zap) zap.emplace(must(ZapServer::start(bus.context, *bus.service)));
  for (std::size_t i = 0; i < clients.size(); i += 2) CHECK(clients[i]->events.have(kSucceeded));
  for (std::size_t i = 1; i < clients.size(); i += 2) CHECK(clients[i]->events.count(kSucceeded) == 0);
  for (std::size_t i = 0; i < clients.size(); i += 2) {
    zmq::message_t last;
    REQUIRE(receive(bus.router, std::chrono::seconds(60), last));
    CHECK(must(session_of(*bus.service, last)).user_id() == "alice");
  }
  CHECK_FALSE(receive(bus.router, milliseconds(0)));
}

}  // namespace vipauth::test
