// VipClient on a running router, and before one that means it ill.

#include <vipauth/vip_client.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>
#include <signal.h>

#include <vipauth/vip_message.hpp>

#include "running_router.hpp"
#include "support/catch.hpp"
#include "support/curve_peers.hpp"

namespace vipauth::test {
namespace {

using Catch::Matchers::Contains;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kMoment{300};  // in which nothing comes

VipClient client_of(const std::string& endpoint, const CurveKey& server_key, const CurveKeyPair& own,
                    const std::string& identity) {
  return must(VipClient::open({.endpoint = endpoint,
                               .server_key = server_key,
                               .own = {own.public_key, SecretKey(own.secret_key.bytes())},
                               .ipv6 = {},
                               .identity = identity}));
}

/// A platform that knows alice and bob, and the agent "callee", whose method "guarded" requires a capability
/// that bob holds.
struct Bus {
  Bus() { home.write("auth.json", records()); }

  std::string records(bool with_alice = true, Json::Array denied = {}) const {
    Json callees = curve_record("callee", callee.public_key);
    callees.set("identity", "callee");
    callees.set("rpc_method_authorizations", Json::Object{{"guarded", Json::Array{"may_call"}}});
    Json bobs = curve_record("bob", bob.public_key);
    bobs.set("capabilities", Json::Array{"may_call", "can_pub"});
    Json::Array all{bobs, callees};
    if (with_alice) all.push_back(curve_record("alice", alice.public_key));
    return auth_json(std::move(all), std::move(denied));
  }

  void protect_topics() const {
    home.write("protected_topics.json",
               R"({"write-protect": [{"topic": "secret", "capabilities": ["can_pub"]}]})");
  }

  CurveKeyPair alice = CurveKeyPair::generate();
  CurveKeyPair bob = CurveKeyPair::generate();
  CurveKeyPair callee = CurveKeyPair::generate();
  TempHome home;
};

VipClient client_of(const RunningRouter& router, const CurveKeyPair& own, const std::string& identity) {
  return client_of(router.endpoint(), router.key(), own, identity);
}

VipClient welcomed(const RunningRouter& router, const CurveKeyPair& own, const std::string& identity) {
  VipClient client = client_of(router, own, identity);
  must(client.hello());
  return client;
}

std::vector<Parameter> one_parameter() { return {{"x", Parameter::Kind::kPositional, std::nullopt}}; }

/// Answers calls of `double` and `guarded` on a thread of its own.
class Callee {
 public:
  Callee(const RunningRouter& router, const CurveKeyPair& keys) : client_(client_of(router, keys, "callee")) {
    client_.methods().add("echo", one_parameter(), "",
                          [](VipClient::Caller& caller, const CallArguments& arguments) -> Result<Json> {
                            return Json(Json::Array{caller.identity, caller.user_id, *arguments.find("x")});
                          });
    client_.methods().add("guarded", {}, "", [](VipClient::Caller&, const CallArguments&) -> Result<Json> {
      return Json("done");
    });
    must(client_.hello());
    thread_ = std::thread([this] {
      while (!stopping_) client_.next_publication(milliseconds(20));
    });
  }
  Callee(const Callee&) = delete;
  Callee& operator=(const Callee&) = delete;
  ~Callee() {
    stopping_ = true;
    thread_.join();
  }

 private:
  VipClient client_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

ErrorCode code_of(const Error& error) { return error.code; }

/// What a test sets and its router's thread reads.
template <typename T>
class Shared {
 public:
  void set(T value) {
    const std::scoped_lock lock(mutex_);
    value_ = std::move(value);
  }
  T get() const {
    const std::scoped_lock lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  T value_;
};

/// A CURVE ROUTER that answers each message as a test wants it.
class HostileRouter {
 public:
  /// What it sends for one message: frames behind the routing id.
  using Answer = std::function<std::vector<Frames>(const VipMessage&)>;

  explicit HostileRouter(Answer answer) : router_(context_, zmq::socket_type::router) {
    router_.set(zmq::sockopt::curve_server, true);  // and no ZAP: it takes everybody
    const auto secret = keys_.secret_key.bytes();
    router_.set(zmq::sockopt::curve_secretkey, zmq::const_buffer(secret.data(), secret.size()));
    router_.set(zmq::sockopt::linger, 0);
    router_.set(zmq::sockopt::sndhwm, 0);
    router_.bind("tcp://127.0.0.1:*");
    endpoint_ = router_.get(zmq::sockopt::last_endpoint);
    thread_ = std::thread([this, answer = std::move(answer)] {
      while (!stopping_) {
        auto frames = receive(router_, milliseconds(20));
        if (!frames) continue;
        const std::string routing_id = frames->front();
        frames->erase(frames->begin());
        const auto message = VipMessage::parse(*std::move(frames));
        if (!message) continue;
        for (Frames reply : answer(*message)) {
          reply.insert(reply.begin(), routing_id);
          send(router_, reply);
        }
      }
    });
  }
  HostileRouter(const HostileRouter&) = delete;
  HostileRouter& operator=(const HostileRouter&) = delete;
  ~HostileRouter() {
    stopping_ = true;
    thread_.join();
  }

  VipClient connect() const {
    return client_of(endpoint_, keys_.public_key, CurveKeyPair::generate(), "victim");
  }
  VipClient welcomed() const {
    VipClient client = connect();
    must(client.hello());
    return client;
  }

 private:
  CurveKeyPair keys_ = CurveKeyPair::generate();
  zmq::context_t context_;
  zmq::socket_t router_;
  std::string endpoint_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

Frames reply(const VipMessage& to, std::vector<std::string> arguments, const std::string& peer = {}) {
  return VipMessage{
      .peer = peer, .user = "user", .id = to.id, .subsystem = to.subsystem, .arguments = std::move(arguments)}
      .to_frames();
}

Frames welcome(const VipMessage& to) { return reply(to, {"welcome", "1.0", "router", "victim"}); }

Frames error(const VipMessage& to, const std::string& number, const std::string& peer = {}) {
  return VipMessage{.peer = peer,
                    .user = {},
                    .id = to.id,
                    .subsystem = "error",
                    .arguments = {number, "wrong", to.peer, to.subsystem}}
      .to_frames();
}

std::string result_of(const std::string& id, const std::string& result) {
  return Json(Json::Object{{"jsonrpc", "2.0"}, {"id", id}, {"result", result}}).dump();
}

}  // namespace

// ---- hello ----

TEST_CASE("VipClient: hello tells who one is, and over which connection") {
  const Bus bus;
  const RunningRouter router(bus.home);
  VipClient client = client_of(router, bus.alice, "alice.agent");
  const auto welcome = client.hello();
  REQUIRE(welcome);
  CHECK(welcome->user_id == "alice");
  CHECK(welcome->identity == "alice.agent");
  CHECK_FALSE(welcome->router_id.empty());
  const auto again = client.hello();
  REQUIRE(again);
  CHECK(again->connection == welcome->connection);
  CHECK(again->router_id == welcome->router_id);
}

TEST_CASE("VipClient: hello waits for approval, and goes on once it is given") {
  const Bus bus;
  bus.home.write("auth.json", bus.records(false));
  const RunningRouter router(bus.home);
  VipClient client = client_of(router, bus.alice, "alice");
  REQUIRE(eventually([&] {
    const auto welcome = client.hello(milliseconds(500));
    return !welcome && welcome.error().code == ErrorCode::kBusy;
  }));
  CHECK_THAT(client.hello(milliseconds(0)).error().message, Contains("vctl auth remote approve"));
  bus.home.replace("auth.json", bus.records());
  const auto welcome = client.hello();
  REQUIRE(welcome);
  CHECK(welcome->user_id == "alice");
}

TEST_CASE("VipClient: hello says why there will be no welcome") {
  Bus bus;
  const CurveKeyPair denied = CurveKeyPair::generate();
  bus.home.write("auth.json", bus.records(true, {curve_record("denied", denied.public_key)}));
  const RunningRouter router(bus.home);

  const auto refused = client_of(router, denied, "denied").hello();
  REQUIRE_FALSE(refused);
  CHECK(code_of(refused.error()) == ErrorCode::kPermissionDenied);
  CHECK_THAT(refused.error().message, Contains("refused this key for good"));

  const CurveKey other_key = CurveKeyPair::generate().public_key;
  const auto wrong_key = client_of(router.endpoint(), other_key, bus.alice, "alice").hello();
  REQUIRE_FALSE(wrong_key);
  CHECK(code_of(wrong_key.error()) == ErrorCode::kConflict);

  const auto nobody = client_of("tcp://127.0.0.1:1", router.key(), bus.alice, "alice").hello(kMoment);
  REQUIRE_FALSE(nobody);
  CHECK(code_of(nobody.error()) == ErrorCode::kUnavailable);

  zmq::context_t context;
  zmq::socket_t plain(context, zmq::socket_type::router);
  plain.bind("tcp://127.0.0.1:*");
  const std::string at_plain = plain.get(zmq::sockopt::last_endpoint);
  CHECK(eventually([&] {  // now and then it hangs up first, which looks like another server key
    const auto not_curve = client_of(at_plain, router.key(), bus.alice, "alice").hello();
    return !not_curve && not_curve.error().code == ErrorCode::kUnsupported;
  }));

  const auto impostor = client_of(router, bus.alice, "callee").hello();
  REQUIRE_FALSE(impostor);
  CHECK(code_of(impostor.error()) == ErrorCode::kPermissionDenied);
  CHECK_THAT(impostor.error().message, Contains("belongs to another user's record"));
  CHECK(client_of(router, bus.alice, "alice").hello());
}

TEST_CASE("VipClient: needs an identity") {
  const CurveKeyPair keys = CurveKeyPair::generate();
  for (const auto& identity : {std::optional<std::string>(), std::optional<std::string>("")}) {
    const auto client = VipClient::open({.endpoint = "tcp://127.0.0.1:1",
                                         .server_key = keys.public_key,
                                         .own = {keys.public_key, SecretKey(keys.secret_key.bytes())},
                                         .ipv6 = {},
                                         .identity = identity});
    REQUIRE_FALSE(client);
    CHECK(client.error().code == ErrorCode::kInvalidArgument);
  }
}

TEST_CASE("VipClient: an identity in use is had once who has it leaves, at once") {
  const Bus bus;
  const RunningRouter router(bus.home);
  std::optional<VipClient> first = welcomed(router, bus.alice, "alice");
  VipClient second = client_of(router, bus.alice, "alice");
  const auto waiting = second.hello(milliseconds(1500));
  REQUIRE_FALSE(waiting);
  CHECK(code_of(waiting.error()) == ErrorCode::kUnavailable);
  CHECK_THAT(waiting.error().message, Contains("nobody else connected as \"alice\""));
  CHECK(first->query("serverkey"));  // undisturbed
  first.reset();
  CHECK(second.hello());
}

TEST_CASE("VipClient: hello tells of another connection when the router was away") {
  const Bus bus;
  std::optional<RunningRouter> router(bus.home);
  vip_router::VipRouter::Options at_the_same_place;
  at_the_same_place.addresses.push_back(must(VipAddress::parse(router->endpoint())));
  VipClient client = client_of(*router, bus.alice, "alice");
  const auto before = must(client.hello());
  router.reset();
  REQUIRE(eventually([&] { return client.monitor().update() != ConnectionState::kConnected; }));
  const auto begun = steady_clock::now();
  const auto lost = client.query("serverkey");
  CHECK(steady_clock::now() - begun < VipClient::kPatience / 2);  // it is not waited for in vain
  REQUIRE_FALSE(lost);
  CHECK(code_of(lost.error()) == ErrorCode::kUnavailable);
  router.emplace(bus.home, std::move(at_the_same_place));
  const auto after = must(client.hello());
  CHECK(after.connection > before.connection);
  CHECK(after.router_id != before.router_id);
  CHECK(client.query("serverkey"));
}

TEST_CASE("VipClient: learns that it is revoked while it is connected") {
  const Bus bus;
  const RunningRouter router(bus.home);
  VipClient alice = welcomed(router, bus.alice, "alice");
  VipClient bob = welcomed(router, bus.bob, "bob");
  REQUIRE(alice.publish("t", Json(), 1));
  bus.home.replace("auth.json", bus.records(false));
  REQUIRE(eventually([&] {
    const auto answer = alice.publish("t", Json(), 1);
    return !answer && answer.error().code == ErrorCode::kPermissionDenied;
  }));
  const auto welcome = alice.hello();
  REQUIRE_FALSE(welcome);
  CHECK(code_of(welcome.error()) == ErrorCode::kPermissionDenied);
  CHECK_THAT(welcome.error().message, Contains("no longer accepted"));
  CHECK(bob.publish("t", Json(), 1));
}

// ---- Requests ----

TEST_CASE("VipClient: a call is answered, refused with the reason, or finds nobody") {
  const Bus bus;
  const RunningRouter router(bus.home);
  const Callee callee(router, bus.callee);
  VipClient alice = welcomed(router, bus.alice, "alice");
  VipClient bob = welcomed(router, bus.bob, "bob");

  const auto echoed = alice.call("callee", "echo", Json::Array{7});
  REQUIRE(echoed);
  CHECK(*echoed == Json(Json::Array{"alice", "alice", 7}));
  const auto named = alice.call("callee", "echo", Json::Object{{"x", "y"}});
  REQUIRE(named);
  CHECK(*named == Json(Json::Array{"alice", "alice", "y"}));

  const auto done = bob.call("callee", "guarded", Json());
  REQUIRE(done);
  CHECK(*done == Json("done"));
  const auto refused = alice.call("callee", "guarded", Json());
  REQUIRE_FALSE(refused);
  CHECK(code_of(refused.error()) == ErrorCode::kPermissionDenied);
  CHECK(refused.error().message ==
        "method \"guarded\" requires capabilities ['may_call'], but capability list [] was provided");

  CHECK(code_of(alice.call("callee", "echo", Json()).error()) == ErrorCode::kInvalidArgument);
  CHECK(code_of(alice.call("callee", "none", Json()).error()) == ErrorCode::kUnsupported);
  const auto nobody = alice.call("nobody", "echo", Json());
  REQUIRE_FALSE(nobody);
  CHECK(code_of(nobody.error()) == ErrorCode::kNotFound);
  CHECK_THAT(nobody.error().message, Contains("\"nobody\""));
}

TEST_CASE("VipClient: a silent peer is waited for no longer than asked, and its late answer taken for none") {
  const Bus bus;
  const RunningRouter router(bus.home);
  VipClient alice = welcomed(router, bus.alice, "alice");
  VipClient bob = welcomed(router, bus.bob, "bob");
  bob.methods().add("echo", one_parameter(), "",
                    [](VipClient::Caller&, const CallArguments& arguments) -> Result<Json> {
                      return *arguments.find("x");
                    });
  const auto begun = steady_clock::now();
  const auto unanswered = alice.call("bob", "echo", Json::Array{1}, kMoment);
  REQUIRE_FALSE(unanswered);
  CHECK(code_of(unanswered.error()) == ErrorCode::kUnavailable);
  CHECK(steady_clock::now() - begun >= kMoment);

  std::atomic<bool> stopping = false;
  std::thread serving([&] {
    while (!stopping) bob.next_publication(milliseconds(20));
  });
  const auto answer = alice.call("bob", "echo", Json::Array{2});
  stopping = true;
  serving.join();
  REQUIRE(answer);
  CHECK(*answer == Json(2));
}

TEST_CASE("VipClient: two that call each other both get their answers") {
  constexpr int kCalls = 200;
  const Bus bus;
  const RunningRouter router(bus.home);
  std::atomic<int> done = 0;
  std::atomic<int> right = 0;
  const auto play = [&](const CurveKeyPair& keys, const std::string& self, const std::string& other) {
    VipClient client = client_of(router, keys, self);
    client.methods().add("echo", one_parameter(), "",
                         [](VipClient::Caller&, const CallArguments& arguments) -> Result<Json> {
                           return *arguments.find("x");
                         });
    if (!client.hello()) return;
    eventually([&] { return client.call(other, "echo", Json::Array{0}).has_value(); });
    for (int i = 0; i < kCalls; ++i) {
      const auto answer = client.call(other, "echo", Json::Array{i});
      if (answer && *answer == Json(i)) ++right;
    }
    ++done;
    while (done < 2) client.next_publication(milliseconds(20));  // the other may still call
  };
  std::thread alice([&] { play(bus.alice, "alice", "bob"); });
  std::thread bob([&] { play(bus.bob, "bob", "alice"); });
  alice.join();
  bob.join();
  CHECK(right == 2 * kCalls);
}

TEST_CASE("VipClient: publishes where it may, and subscribers get it with its sender") {
  const Bus bus;
  bus.protect_topics();
  const RunningRouter router(bus.home);
  VipClient alice = welcomed(router, bus.alice, "alice");
  VipClient bob = welcomed(router, bus.bob, "bob");
  CHECK(must(bob.publish("news/today", Json(), "unheard")) == 0);
  REQUIRE(alice.subscribe("news"));
  REQUIRE(alice.subscribe("secret"));
  CHECK(must(bob.publish("news/today", Json::Object{{"a", 1}}, Json::Array{1, "two"})) == 1);
  CHECK(must(bob.publish("secret", Json(), "heard")) == 1);
  const auto news = alice.next_publication(VipClient::kPatience);
  REQUIRE(news);
  CHECK(news->topic == "news/today");
  CHECK(news->sender == "bob");
  CHECK(news->headers == Json(Json::Object{{"a", 1}}));
  CHECK(news->message == Json(Json::Array{1, "two"}));
  const auto secret = alice.next_publication(VipClient::kPatience);
  REQUIRE(secret);
  CHECK(secret->message == Json("heard"));

  const auto refused = alice.publish("secret", Json(), "x");
  REQUIRE_FALSE(refused);
  CHECK(code_of(refused.error()) == ErrorCode::kPermissionDenied);
  CHECK_THAT(refused.error().message, Contains("requires capabilities ['can_pub']"));
  CHECK_FALSE(alice.next_publication(kMoment));
  CHECK(must(alice.publish("other", Json(), "x")) == 0);

  REQUIRE(alice.unsubscribe("news"));
  CHECK(must(bob.publish("news/today", Json(), "unheard")) == 0);
}

TEST_CASE("VipClient: asks the router what it is, and who is there") {
  const Bus bus;
  const RunningRouter router(bus.home);
  VipClient alice = welcomed(router, bus.alice, "alice");
  const VipClient bob = welcomed(router, bus.bob, "bob");
  CHECK(must(alice.query("serverkey")) == router.key().to_base64url());
  CHECK_THAT(must(alice.query("addresses")), Contains(router.endpoint()));
  CHECK(must(alice.query("no-such-thing")).empty());
  CHECK(must(alice.peers()) == std::vector<std::string>{"platform.auth", "alice", "bob"});
}

TEST_CASE("VipClient: a signal ends no wait") {
  struct sigaction nothing{};
  nothing.sa_handler = [](int) {};
  struct sigaction before{};
  REQUIRE(sigaction(SIGUSR1, &nothing, &before) == 0);
  const Bus bus;
  const RunningRouter router(bus.home);
  const Callee callee(router, bus.callee);
  std::atomic<bool> stopping = false;
  const pthread_t waiting = pthread_self();
  std::thread signalling([&] {
    while (!stopping) {
      pthread_kill(waiting, SIGUSR1);
      std::this_thread::yield();
    }
  });
  auto alice = VipClient::open({.endpoint = router.endpoint(),
                                .server_key = router.key(),
                                .own = {bus.alice.public_key, SecretKey(bus.alice.secret_key.bytes())},
                                .ipv6 = {},
                                .identity = "alice"});
  const bool is_welcome = alice && alice->hello();
  const bool is_answered = alice && alice->call("callee", "echo", Json::Array{1});
  const auto begun = steady_clock::now();
  const bool has_publication = alice && alice->next_publication(kMoment);
  const auto waited = steady_clock::now() - begun;
  stopping = true;
  signalling.join();
  sigaction(SIGUSR1, &before, nullptr);
  CHECK(is_welcome);
  CHECK(is_answered);
  CHECK_FALSE(has_publication);
  CHECK(waited >= kMoment);
}

// ---- A router that means it ill ----

TEST_CASE("VipClient: takes no answer but the one to its call") {
  const HostileRouter router([](const VipMessage& message) -> std::vector<Frames> {
    if (message.subsystem == "hello") return {welcome(message)};
    if (message.subsystem != "RPC") return {};
    const std::string wrong = result_of(message.id, "wrong");
    const Frames right = reply(message, {result_of(message.id, "right")}, message.peer);
    Frames of_another_version = right;
    of_another_version[1] = "VIP2";
    VipMessage of_another_subsystem = *VipMessage::parse(right);
    of_another_subsystem.subsystem = "pubsub";
    return {{""},
            {"", "VIP1"},
            {"", "VIP1", "", message.id},
            Frames(70'000),
            of_another_version,
            of_another_subsystem.to_frames(),
            reply(message, {wrong}, "another"),
            reply(message, {wrong}),
            reply(message, {result_of("another id", "wrong")}, message.peer),
            reply(message, {Json(Json::Object{{"jsonrpc", "2.0"}, {"id", 1}, {"result", "wrong"}}).dump()},
                  message.peer),
            reply(message, {}, message.peer),
            reply(message, {"no JSON", "\xff\xfe", "{", std::string(100'000, '['), "[]", "null", ""},
                  message.peer),
            error(message, "13", "another"),
            reply(message, {"request_response", "1"}, "another"),
            right};
  });
  VipClient client = router.welcomed();
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.call("peer", "method", Json());
    REQUIRE(answer);
    CHECK(*answer == Json("right"));
  }
}

TEST_CASE("VipClient: takes no welcome but the one to its hello") {
  std::atomic<bool> is_kind = false;
  const HostileRouter router([&](const VipMessage& message) -> std::vector<Frames> {
    if (message.subsystem != "hello") return {};
    if (is_kind) return {welcome(message)};
    VipMessage other = message;
    other.id = "other";
    return {reply(message, {"welcome", "1.0", "router"}),
            reply(message, {"goodbye", "1.0", "router", "victim"}),
            reply(message, {}),
            reply(message, {"welcome", "1.0", "router", "victim"}, "peer"),
            error(message, "13", "peer"),
            welcome(other),
            error(other, "13")};
  });
  VipClient client = router.connect();
  const auto none = client.hello(milliseconds(1000));
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::kUnavailable);
  is_kind = true;
  CHECK(client.hello());
}

TEST_CASE("VipClient: a router that counts and lists wrongly does no harm") {
  Shared<std::string> count;
  const HostileRouter router([&](const VipMessage& message) -> std::vector<Frames> {
    if (message.subsystem == "hello") return {welcome(message)};
    if (message.subsystem == "peerlist") {
      Frames listing = reply(message, {"listing"});
      listing.resize(200'000, "peer");
      return {reply(message, {"listing", "wrong"}, "peer"), reply(message, {}), listing};
    }
    if (message.subsystem == "query") return {reply(message, {"", "wrong"}, "peer"), reply(message, {""})};
    return {reply(message, {"request_response"}), reply(message, {"request_response", "9"}, "peer"),
            reply(message, {"request_response", count.get()})};
  });
  VipClient client = router.welcomed();
  for (const std::string& text :
       {std::string(), std::string("-1"), std::string("99999999999999999999999999"), std::string("abc"),
        std::string("1e9"), std::string("\xff\xff\xff\xff\xff", 5), std::string(100'000, '9')}) {
    count.set(text);
    const auto published = client.publish("t", Json(), "x");
    REQUIRE(published);
    CHECK(*published == 0);
  }
  count.set(std::string("\x02\x00\x00\x00", 4));  // as VOLTTRON's router packs it
  CHECK(must(client.publish("t", Json(), "x")) == 2);
  CHECK(must(client.query("serverkey")).empty());
  CHECK(code_of(client.peers(milliseconds(1000)).error()) == ErrorCode::kUnavailable);  // a part is no list
}

TEST_CASE("VipClient: an error of any form is an error") {
  Shared<std::vector<std::string>> arguments;
  const HostileRouter router([&](const VipMessage& message) -> std::vector<Frames> {
    if (message.subsystem == "hello") return {welcome(message)};
    VipMessage answer{
        .peer = {}, .user = {}, .id = message.id, .subsystem = "error", .arguments = arguments.get()};
    return {answer.to_frames()};
  });
  VipClient client = router.welcomed();
  const auto code_for = [&](std::vector<std::string> of_error) {
    arguments.set(std::move(of_error));
    const auto answer = client.call("peer", "method", Json(), milliseconds(5000));
    REQUIRE_FALSE(answer);
    return answer.error().code;
  };
  CHECK(code_for({"13", "out", "", "RPC"}) == ErrorCode::kPermissionDenied);
  CHECK(code_for({"-32001", "not allowed", "", "RPC"}) == ErrorCode::kPermissionDenied);
  CHECK(code_for({"113", "no route", "peer", "RPC"}) == ErrorCode::kNotFound);
  CHECK(code_for({"11", "busy", "peer", "RPC"}) == ErrorCode::kBusy);
  CHECK(code_for({"93", "what", "peer", "RPC"}) == ErrorCode::kUnsupported);
  CHECK(code_for({"no number", "\x1b[31m", "", ""}) == ErrorCode::kInvalidArgument);
  CHECK(code_for({"99999999999999999999", "", "", ""}) == ErrorCode::kInvalidArgument);
}

TEST_CASE("VipClient: a flood of publications keeps the newest thousand, and hostile ones none") {
  constexpr int kFlood = 1500;
  const HostileRouter router([](const VipMessage& message) -> std::vector<Frames> {
    if (message.subsystem == "hello") return {welcome(message)};
    std::vector<Frames> out;
    const auto publish = [&](const std::string& body, const std::string& peer = {}) {
      out.push_back(reply(message, {"publish", "t", body}, peer));
    };
    for (int i = 0; i < kFlood; ++i)
      publish(Json(Json::Object{{"sender", "s"}, {"message", i}, {"headers", Json::Object()}}).dump());
    publish("no JSON");
    publish("[]");
    publish(R"({"sender": "router", "message": "forged"})", "peer");
    out.push_back(reply(message, {"publish"}));
    out.push_back(reply(message, {}));
    out.push_back(reply(message, {"request_response", "1"}));
    return out;
  });
  VipClient client = router.welcomed();
  REQUIRE(client.subscribe("t"));
  int next = kFlood - 1000;
  while (const auto publication = client.next_publication(milliseconds(0))) {
    REQUIRE(publication->message == Json(next));
    ++next;
  }
  CHECK(next == kFlood);
}

TEST_CASE("VipClient: answers while it says hello again") {
  std::atomic<int> answered = 0;
  std::optional<VipMessage> hello;
  const HostileRouter router([&](const VipMessage& message) -> std::vector<Frames> {
    if (message.subsystem == "RPC" || message.subsystem == "ping") {
      ++answered;
      return answered == 2 ? std::vector<Frames>{welcome(*hello)} : std::vector<Frames>();
    }
    if (message.subsystem != "hello") return {};
    if (!std::exchange(hello, message)) return {welcome(message)};
    return {VipMessage{.peer = "peer",
                       .user = {},
                       .id = "1",
                       .subsystem = "RPC",
                       .arguments = {R"({"jsonrpc": "2.0", "id": "1", "method": "inspect"})"}}
                .to_frames(),
            VipMessage{.peer = {}, .user = {}, .id = "2", .subsystem = "ping", .arguments = {"ping"}}
                .to_frames()};
  });
  VipClient client = router.welcomed();
  CHECK(client.hello());
  CHECK(answered == 2);
}

}  // namespace vipauth::test
