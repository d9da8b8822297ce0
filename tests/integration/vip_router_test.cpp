#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <vipauth/agent_key_stores.hpp>
#include <vipauth/json_rpc.hpp>
#include <vipauth/vip_message.hpp>

#include "running_router.hpp"
#include "support/catch.hpp"
#include "support/paths.hpp"

namespace vipauth::test {
namespace {

using namespace std::string_literals;
using vip_router::VipRouter;

/// A home that knows alice, bob, an administrator, and the agent "callee", whose method "guarded" requires a
/// capability.
struct Cast {
  Cast() {
    home.write("config", "[volttron]\ninstance-name = volttron1\nbind-web-address = https://here:8443\n");
    home.write("protected_topics.json",
               R"({"write-protect": [{"topic": "secret/", "capabilities": ["can_pub"]}]})");
    write_records();
  }

  void write_records(Json::Object capabilities_of_bob = {{"may_call", Json::Object{{"x", 1}}}}) const {
    Json callees = curve_record("callee", callee.public_key);
    callees.set("identity", "callee");
    callees.set("rpc_method_authorizations", Json::Object{{"guarded", Json::Array{"may_call"}}});
    Json bobs = curve_record("bob", bob.public_key);
    bobs.set("capabilities", std::move(capabilities_of_bob));
    Json admins = curve_record("admin", admin.public_key);
    admins.set("capabilities", Json::Object{{"allow_auth_modifications", Json()}});
    home.replace("auth.json", auth_json({curve_record("alice", alice.public_key), bobs, callees, admins}));
  }

  /// For the foreign client, who takes them as text.
  std::string keys() const {
    Json out;
    const auto add = [&](const char* user, const CurveKeyPair& keys) {
      CurveKey::Bytes secret{};
      std::copy_n(keys.secret_key.bytes().begin(), secret.size(), secret.begin());
      out.set(user, Json::Array{keys.public_key.to_base64url(), CurveKey(secret).to_base64url()});
    };
    add("alice", alice);
    add("bob", bob);
    add("callee", callee);
    add("admin", admin);
    return out.dump();
  }

  TempHome home;
  CurveKeyPair alice = CurveKeyPair::generate();
  CurveKeyPair bob = CurveKeyPair::generate();
  CurveKeyPair callee = CurveKeyPair::generate();
  CurveKeyPair admin = CurveKeyPair::generate();
};

/// A client that speaks VIP.
class VipPeer {
 public:
  VipPeer(zmq::context_t& context, const RunningRouter& router, const CurveKeyPair& keys,
          const std::string& identity, std::size_t address = 0)
      : client(context, router.endpoint(address), router.key(), keys, identity) {}

  void send(VipMessage message) { test::send(client.socket, std::move(message).to_frames()); }
  void call(const std::string& callee, const std::string& method, const Json& id = "1") {
    send({callee, "", "m", "RPC", {rpc_request(id, method, {})}});
  }
  void publish(const std::string& topic, const std::string& message = "1") {
    send({"",
          "",
          "m",
          "pubsub",
          {"publish", topic, R"({"bus": "", "headers": {}, "message": )" + message + "}"}});
  }
  void subscribe(const std::string& prefix) {
    send({"", "", "m", "pubsub", {"subscribe", Json(Json::Object{{"prefix", prefix}, {"bus", ""}}).dump()}});
  }

  std::optional<VipMessage> hear(std::chrono::milliseconds patience = std::chrono::seconds(60)) {
    auto frames = receive(client.socket, patience);
    if (!frames) return std::nullopt;
    return must(VipMessage::parse(*std::move(frames)));
  }
  /// The next message of that subsystem.
  VipMessage hear_of(const std::string& subsystem) {
    for (;;) {
      auto message = hear();
      if (!message) throw std::runtime_error("no message of " + subsystem);
      if (message->subsystem == subsystem) return *std::move(message);
    }
  }
  /// All that comes before the router answers to what is asked now.
  std::vector<VipMessage> hear_all() {
    send({"", "", "last", "ping", {"ping"}});
    std::vector<VipMessage> out;
    for (;;) {
      auto message = hear();
      if (!message) throw std::runtime_error("the router does not answer");
      if (message->id == "last") return out;
      if (message->id == "\"last\"") throw std::runtime_error(message->arguments.at(1));
      out.push_back(*std::move(message));
    }
  }
  bool greet(std::chrono::milliseconds patience = std::chrono::seconds(60)) {
    send({"", "", "connect.hello.0", "hello", {"hello"}});
    for (auto message = hear(patience); message; message = hear(patience)) {
      if (message->subsystem == "hello") return true;
      if (message->subsystem == "error") return false;
    }
    return false;
  }

  CurveClient client;
};

std::size_t count_of(const std::vector<VipMessage>& messages, std::string_view text) {
  std::size_t count = 0;
  for (const VipMessage& message : messages) {
    for (const std::string& argument : message.arguments) {
      if (argument.find(text) != std::string::npos) ++count;
    }
  }
  return count;
}

std::string answer_text(const Json& id) { return RpcResponse{id, Json(1)}.to_json().dump(); }

VipAddress address(const std::string& text) { return must(VipAddress::parse(text)); }

}  // namespace

TEST_CASE("VipRouter: speaks to a foreign client frame by frame") {
  if (std::system("/usr/bin/python3 -c 'import zmq' 2>/dev/null") != 0) {
    WARN("skipped: python3-zmq is not installed");
    return;
  }
  const Cast cast;
  const RunningRouter router(cast.home);
  const std::string command = "/usr/bin/python3 -B " VIPAUTH_SOURCE_DIR "/tests/integration/vip_frames.py " +
                              router.endpoint() + " " + router.key().to_base64url() + " >" +
                              (cast.home / "output").string() + " 2>&1";
  std::FILE* python = ::popen(command.c_str(), "w");
  REQUIRE(python != nullptr);
  const std::string keys = cast.keys();
  std::fwrite(keys.data(), 1, keys.size(), python);
  const int status = ::pclose(python);
  INFO(cast.home.read("output"));
  CHECK(status == 0);
}

TEST_CASE("VipRouter: carries answers to open calls, and no others") {
  const Cast cast;
  const RunningRouter router(cast.home);
  zmq::context_t context;
  VipPeer alice(context, router, cast.alice, "alice");
  VipPeer bob(context, router, cast.bob, "bob");
  REQUIRE(alice.greet());
  REQUIRE(bob.greet());
  const auto answer = [&](VipPeer& from, const std::string& to, const Json& id) {
    from.send({to, "", "m", "RPC", {answer_text(id)}});
    from.hear_all();
  };

  answer(bob, "alice", "1");  // nobody asked
  CHECK(count_of(alice.hear_all(), "result") == 0);
  alice.call("bob", "m", "1");
  alice.hear_all();
  {
    VipPeer other(context, router, cast.callee, "callee");
    REQUIRE(other.greet());
    answer(other, "alice", "1");  // not asked
    CHECK(count_of(alice.hear_all(), "result") == 0);
  }
  answer(bob, "alice", "2");  // asked something else
  answer(bob, "alice", Json());
  CHECK(count_of(alice.hear_all(), "result") == 0);
  answer(bob, "alice", "1");
  answer(bob, "alice", "1");
  CHECK(count_of(alice.hear_all(), "result") == 1);
  CHECK(router.has_logged("does not wait for"));

  // As a whole, or not at all.
  alice.call("bob", "m", "3");
  alice.hear_all();
  bob.send({"alice", "", "m", "RPC", {answer_text("3"), answer_text("4")}});
  bob.hear_all();
  CHECK(count_of(alice.hear_all(), "result") == 0);
  answer(bob, "alice", "3");
  CHECK(count_of(alice.hear_all(), "result") == 1);

  // A number is the same number in another form.
  alice.call("bob", "m", Json(7));
  alice.hear_all();
  bob.send({"alice", "", "m", "RPC", {R"({"jsonrpc": "2.0", "id": 7.0, "result": 1})"}});
  bob.hear_all();
  CHECK(count_of(alice.hear_all(), "result") == 1);
}

TEST_CASE("VipRouter: a name that passes on takes neither calls nor subscriptions with it") {
  const Cast cast;
  const RunningRouter router(cast.home);
  zmq::context_t context;
  VipPeer watcher(context, router, cast.callee, "callee");
  REQUIRE(watcher.greet());
  {
    VipPeer first(context, router, cast.alice, "shared");
    first.subscribe("t");
    first.hear_all();
    watcher.call("shared", "m", "1");
    watcher.hear_all();
  }
  std::optional<VipPeer> second;
  REQUIRE(eventually([&] {  // until libzmq has let go of the routing id
    second.reset();
    second.emplace(context, router, cast.bob, "shared");
    return second->greet(std::chrono::seconds(2));
  }));
  second->send({"callee", "", "m", "RPC", {answer_text("1")}});
  second->hear_all();
  CHECK(count_of(watcher.hear_all(), "result") == 0);
  watcher.publish("t");
  CHECK(watcher.hear_of("pubsub").arguments.at(1) == "0");
  CHECK(count_of(second->hear_all(), "publish") == 0);
}

TEST_CASE("VipRouter: who takes the routing id of a peer that went, and says nothing, hears nothing") {
  const Cast cast;
  const RunningRouter router(cast.home);
  zmq::context_t context;
  VipPeer alice(context, router, cast.alice, "alice");
  REQUIRE(alice.greet());
  {
    VipPeer callee(context, router, cast.callee, "callee");
    callee.subscribe("t");
    callee.hear_all();
  }
  std::optional<VipPeer> thief;
  bool was_heard = false;
  for (int tries = 0; tries < 5 && !was_heard; ++tries) {  // until libzmq has let go of the routing id
    thief.reset();
    thief.emplace(context, router, cast.bob, "callee");
    REQUIRE(eventually([&] { return thief->client.monitor.update() == ConnectionState::kConnected; }));
    alice.call("callee", "open", "1");
    alice.publish("t");
    alice.hear_all();
    was_heard = thief->hear(std::chrono::milliseconds(300)).has_value();
  }
  CHECK_FALSE(was_heard);
}

TEST_CASE("VipRouter: a peer that is revoked is dropped, and nothing of it is carried") {
  const Cast cast;
  const RunningRouter router(cast.home);
  zmq::context_t context;
  VipPeer alice(context, router, cast.alice, "alice");
  VipPeer callee(context, router, cast.callee, "callee");
  VipPeer bob(context, router, cast.bob, "bob");
  for (VipPeer* peer : {&alice, &callee, &bob}) REQUIRE(peer->greet());
  bob.subscribe("t");
  bob.hear_all();
  alice.hear_all();

  cast.home.replace("auth.json", auth_json({curve_record("alice", cast.alice.public_key),
                                            curve_record("callee", cast.callee.public_key)}));
  VipMessage dropped = alice.hear_of("peerlist");
  while (dropped.arguments.front() != "drop") dropped = alice.hear_of("peerlist");
  CHECK(dropped.arguments == std::vector<std::string>{"drop", "bob"});
  alice.publish("t");
  CHECK(alice.hear_of("pubsub").arguments.at(1) == "0");
  alice.call("bob", "m");
  CHECK(VipError::parse(alice.hear_of("error"))->number == VipError::kUnreachable);

  bob.call("callee", "m");
  const auto refused = VipError::parse(bob.hear_of("error"));
  REQUIRE(refused);
  CHECK(refused->number == VipError::kAccess);
  CHECK(refused->text.find("no longer accepted") != std::string::npos);
  CHECK(count_of(callee.hear_all(), R"("method":"m")") == 0);

  // And it is a peer again when it is let in again.
  cast.write_records();
  CHECK(eventually([&] { return bob.greet(); }));
}

TEST_CASE("VipRouter: tells agents of new capabilities, at most once in a second") {
  const Cast cast;
  const RunningRouter router(cast.home);
  zmq::context_t context;
  VipPeer alice(context, router, cast.alice, "alice");
  const auto keys = must(AgentKeyStores(cast.home.path()).load_or_create("control.connection"));
  VipPeer control(context, router, keys, "control.connection");
  REQUIRE(alice.greet());
  REQUIRE(control.greet());

  constexpr int kEdits = 30;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 1; i <= kEdits; ++i) {
    must(router.service().update_user_capabilities(
        Json::Object{{"bob", Json::Object{{"edit_" + std::to_string(i), Json()}}}}));
  }
  std::size_t told = 0;
  for (;;) {
    const VipMessage update = alice.hear_of("RPC");
    CHECK(update.peer == "platform.auth");
    CHECK(update.user == "platform.auth");
    CHECK(count_of({update}, R"("method":"auth.update")") == 1);
    ++told;
    if (count_of({update}, "edit_" + std::to_string(kEdits)) == 1) break;
  }
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begin).count();
  CHECK(told <= static_cast<std::size_t>(seconds) + 2);
  CHECK(told < kEdits);
  // VOLTTRON leaves out who only gives commands.
  CHECK(count_of(control.hear_all(), "auth.update") == 0);
  CHECK(count_of(alice.hear_all(), "auth.update") == 0);

  // What is no change of capabilities is none.
  must(router.service().update_protected_topics(Json::Object{{"write-protect", Json::Array()}}));
  CHECK(count_of(alice.hear_all(), "auth.update") == 0);
}

TEST_CASE("VipRouter: each address has its own domain and key") {
  Cast cast;
  Json inside = curve_record("alice", cast.alice.public_key);
  inside.set("domain", "inside");
  cast.home.replace("auth.json", auth_json({inside, curve_record("bob", cast.bob.public_key)}));
  const CurveKeyPair other_keys = CurveKeyPair::generate();
  CurveKey::Bytes secret{};
  std::copy_n(other_keys.secret_key.bytes().begin(), secret.size(), secret.begin());
  VipRouter::Options options;
  const std::string other_secret = CurveKey(secret).to_base64url();
  for (const std::string& parameters :
       {"domain=inside"s, "domain=outside"s, "domain=inside&secretkey=" + other_secret}) {
    options.addresses.push_back(address("tcp://127.0.0.1:*?" + parameters));
  }
  const RunningRouter router(cast.home, std::move(options));
  zmq::context_t context;
  CHECK(VipPeer(context, router, cast.alice, "alice", 0).greet());
  VipPeer outside(context, router, cast.alice, "alice", 1);
  CHECK(outside.client.becomes(ConnectionState::kWaiting));
  CHECK(VipPeer(context, router, cast.bob, "bob", 0).greet());
  CHECK(VipPeer(context, router, cast.bob, "bob.2", 1).greet());

  VipPeer wrong_key(context, router, cast.bob, "bob.3", 2);
  CHECK(wrong_key.client.becomes(ConnectionState::kWrongServerKey));
  CurveClient right_key(context, router.endpoint(2), other_keys.public_key, cast.bob, "bob.4");
  CHECK(right_key.becomes(ConnectionState::kConnected));
  // Only the home's own key is what the home is known by.
  const std::string known = cast.home.read("known_hosts");
  CHECK(known.find(other_keys.public_key.to_base64url()) == std::string::npos);
  CHECK(known.find(router.endpoint(0).substr(6)) != std::string::npos);
  CHECK(known.find(router.endpoint(2).substr(6)) == std::string::npos);
}

TEST_CASE("VipRouter: says why it does not listen") {
  const Cast cast;
  for (const char* text : {"inproc://vip", "tcp://127.0.0.1:*?server=NULL", "tcp://127.0.0.1:*?server=PLAIN",
                           "tcp://nowhere.invalid:1"}) {
    CAPTURE(text);
    VipRouter::Options options;
    options.addresses.push_back(address(text));
    const auto router = VipRouter::open(cast.home.path(), std::move(options));
    REQUIRE_FALSE(router);
    CHECK_FALSE(router.error().message.empty());
  }
  CHECK_FALSE(VipRouter::open(cast.home / "missing", {}));
}

TEST_CASE("VipRouter: what peers may make it keep is bounded") {
  const Cast cast;
  VipRouter::Options options;
  options.max_peers = 3;
  const RunningRouter router(cast.home, std::move(options));
  zmq::context_t context;
  VipPeer alice(context, router, cast.alice, "alice");

  // Subscriptions.
  int accepted = 0;
  for (int i = 0; i < 1100; ++i) {
    alice.subscribe("t" + std::to_string(i));
    accepted += alice.hear()->arguments.front() == "request_response" ? 1 : 0;
  }
  CHECK(accepted == 1000);

  // Calls: the oldest are forgotten.
  VipPeer callee(context, router, cast.callee, "callee");
  REQUIRE(callee.greet());
  for (int i = 0; i <= 1000; ++i) {
    alice.call("callee", "m", std::to_string(i));
    CHECK(callee.hear_of("RPC").peer == "alice");
  }
  callee.send({"alice", "", "m", "RPC", {answer_text("0")}});
  callee.send({"alice", "", "m", "RPC", {answer_text("1")}});
  CHECK(alice.hear_of("RPC").arguments.front() == answer_text("1"));

  // Peers: who has gone makes room.
  {
    VipPeer third(context, router, cast.alice, "alice.3");
    REQUIRE(third.greet());
    VipPeer fourth(context, router, cast.alice, "alice.4");
    CHECK_FALSE(fourth.greet());
  }
  VipPeer fifth(context, router, cast.alice, "alice.5");
  CHECK(eventually([&] { return fifth.greet(); }));
  CHECK(alice.greet());
}

TEST_CASE("VipRouter: a peer that does not read is not waited for") {
  const Cast cast;
  VipRouter::Options options;
  options.high_water_mark = 10;
  const RunningRouter router(cast.home, std::move(options));
  zmq::context_t context;
  VipPeer alice(context, router, cast.alice, "alice");
  zmq::socket_t lazy(context, zmq::socket_type::dealer);
  must(secure_client_socket(lazy, cast.bob, router.key()));
  lazy.set(zmq::sockopt::linger, 0);
  lazy.set(zmq::sockopt::rcvhwm, 1);
  lazy.set(zmq::sockopt::routing_id, "bob");
  lazy.connect(router.endpoint());
  test::send(lazy, {"", "VIP1", "", "m", "pubsub", "subscribe", R"({"prefix": "t"})"});
  REQUIRE(receive(lazy));
  REQUIRE(alice.greet());
  const std::string large = Json(std::string(1'000'000, 'x')).dump();
  REQUIRE(eventually([&] {
    alice.publish("t", large);
    return alice.hear_of("pubsub").arguments.at(1) == "0";
  }));
  alice.call("bob", "m");
  const auto error = VipError::parse(alice.hear_of("error"));
  REQUIRE(error);
  CHECK(error->number == VipError::kAgain);
  CHECK(error->peer == "bob");
  CHECK(router.has_logged("reads too slowly"));
}

TEST_CASE("VipRouter: the platform's own control stops it, and nobody else") {
  const Cast cast;
  RunningRouter router(cast.home);
  zmq::context_t context;
  VipPeer admin(context, router, cast.admin, "admin");
  REQUIRE(admin.greet());
  admin.send({"", "", "m", "quit", {}});
  CHECK(VipError::parse(admin.hear_of("error"))->number == VipError::kUnauthorized);
  VipPeer bob(context, router, cast.bob, "bob");
  REQUIRE(bob.greet());
  const auto keys = must(AgentKeyStores(cast.home.path()).load_or_create("control"));
  VipPeer control(context, router, keys, "control");
  REQUIRE(control.greet());
  control.send({"", "", "m", "agentstop", {"bob"}});
  control.hear_all();
  CHECK(count_of(admin.hear_all(), "drop") == 1);
  control.send({"", "", "m", "quit", {}});
  router.wait();
}

TEST_CASE("VipRouter: starts again under load of 200 bad peers") {
  const Cast cast;
  std::optional<RunningRouter> router(std::in_place, cast.home);
  const std::string endpoint = router->endpoint();
  zmq::context_t context;
  context.set(zmq::ctxopt::io_threads, 2);
  VipPeer good(context, *router, cast.bob, "bob");
  REQUIRE(good.greet());

  const CurveKeyPair stranger = CurveKeyPair::generate();
  // Half are strangers; half have a key and no right to their names, or no manners.
  std::vector<std::unique_ptr<CurveClient>> bad;
  for (int i = 0; i < 200; ++i) {
    const bool is_known = i % 2 == 0;
    const std::string name = i % 4 == 0 ? "\"control\"" + std::to_string(i) : "bad." + std::to_string(i);
    bad.push_back(std::make_unique<CurveClient>(context, endpoint, router->key(),
                                                is_known ? cast.alice : stranger, name));
    bad.back()->socket.set(zmq::sockopt::sndhwm, 100);
  }
  const auto rave = [&] {
    for (const auto& client : bad) {
      for (const Frames& frames :
           {Frames{"", "VIP1", "", "-1", "pubsub", "publish", "123", "{"}, Frames{"", ""},
            Frames{"bob", "VIP1", "", "m", "RPC", std::string(1000, '[')}, Frames(200, "x"),
            Frames{"platform.auth", "VIP1", "", "m", "RPC",
                   R"({"jsonrpc": "2.0", "method": "inspect", "id": 1})"}}) {
        for (std::size_t i = 0; i < frames.size(); ++i) {
          const int flags = ZMQ_DONTWAIT | (i + 1 < frames.size() ? ZMQ_SNDMORE : 0);
          if (zmq_send(client->socket.handle(), frames[i].data(), frames[i].size(), flags) < 0) break;
        }
      }
      Frames heard;
      while (receive(client->socket, std::chrono::milliseconds(0))) {
      }
    }
  };
  for (int round = 0; round < 3; ++round) {
    rave();
    CHECK(count_of(good.hear_all(), "jsonrpc") == 0);
  }
  router.reset();
  rave();
  VipRouter::Options options;
  options.addresses.push_back(address(endpoint));
  router.emplace(cast.home, std::move(options));
  REQUIRE(eventually([&] {
    rave();
    return good.greet(std::chrono::seconds(2));
  }));
  CHECK(count_of(good.hear_all(), "jsonrpc") == 0);
  // What they cause is not written without end.
  CHECK(router->times_logged("ignored a message") < 10'000);
}

TEST_CASE("VipRouter: decides nothing where it is told to measure without authorization") {
  const Cast cast;
  VipRouter::Options options;
  options.authorize = false;
  const RunningRouter router(cast.home, std::move(options));
  zmq::context_t context;
  VipPeer alice(context, router, cast.alice, "alice");
  VipPeer callee(context, router, cast.callee, "callee");
  REQUIRE(callee.greet());
  alice.publish("secret/x");
  CHECK(alice.hear_of("pubsub").arguments.at(1) == "0");
  alice.call("callee", "guarded");
  CHECK(callee.hear_of("RPC").user == "alice");
  VipPeer stranger(context, router, CurveKeyPair::generate(), "stranger");
  CHECK(stranger.client.becomes(ConnectionState::kWaiting));
}

TEST_CASE("vip_router: says where it listens, and what is wrong with what it is told") {
  const Cast cast;
  const std::string program = EXAMPLES_DIR "/vip_router --home " + cast.home.path().string();
  for (const char* wrong : {"--vip-address", "--vip-address tcp://x?nonsense=1", "--wrong", "-vvv"}) {
    CAPTURE(wrong);
    CHECK(std::system((program + " " + wrong + " 2>/dev/null").c_str()) == 64 << 8);
  }
  CHECK(std::system((program + "/missing 2>/dev/null").c_str()) == 1 << 8);
  CHECK(std::system((program + " --vip-address inproc://x 2>/dev/null").c_str()) == 1 << 8);
  cast.home.write("config", "[volttron]\nvip-address = tcp://nowhere.invalid:1\n");
  CHECK(std::system((program + " 2>/dev/null").c_str()) == 1 << 8);
  cast.home.write("config", "");

  const std::string output = (cast.home / "output").string();
  const std::string command = "timeout -s TERM 60 " + program + " >" + output +
                              " & router=$!; while ! grep -qs serverkey " + output +
                              "; do sleep 0.01; done; kill $router; wait $router";
  CHECK(std::system(("bash -c '" + command + "'").c_str()) == 0);
  const std::string said = cast.home.read("output");
  CHECK(said.find("address ipc://@" + cast.home.path().string() + "/run/vip.socket\nserverkey ") == 0);
}

}  // namespace vipauth::test
