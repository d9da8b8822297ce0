// Bytes by hand at the port of a CURVE server that a ZapServer guards: that none of them gets in, that the
// server hangs up or goes on waiting for the time of a handshake, and that Alice gets in all the same.
// Source: ZeroMQ RFC 23, 26 and 37; libzmq, tests/test_security_curve.cpp and its fuzzers.

#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <sys/resource.h>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/few_descriptors.hpp"
#include "support/guarded_bus.hpp"
#include "support/zmtp_peer.hpp"

namespace vipauth::test {
namespace {

using namespace std::string_literals;
using std::chrono::milliseconds;

constexpr std::size_t kGreetingSize = 64;

struct Garbage {
  const char* name;
  std::string bytes;
};

std::string random_bytes(std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::string out(size, '\0');
  for (char& byte : out) byte = static_cast<char>(random());
  return out;
}

/// That the server hangs up on whoever says this, and tells of its handshake so.
void check_hangs_up(GuardedBus& bus, const Garbage& garbage, const std::string& told) {
  CAPTURE(garbage.name);
  RawPeer peer(bus.endpoint());
  peer.write(garbage.bytes);
  CHECK(peer.is_hung_up_on());
  if (told != kNone) {
    CHECK(bus.events.next_handshake() == told);
  }
}

/// A peer that has done a CURVE handshake up to the other side's WELCOME.
struct Halfway {
  explicit Halfway(const GuardedBus& bus, const CurveKeyPair& own)
      : peer(bus.endpoint()), handshake(bus.key(), own) {
    peer.write(zmtp_greeting("CURVE") + zmtp_command(handshake.hello()));
    peer.read(kGreetingSize);
    handshake.take_welcome(peer.read_frame());
  }

  RawPeer peer;
  CurveHandshake handshake;
};

/// One that the server has let in.
struct Inside : Halfway {
  explicit Inside(const GuardedBus& bus, const CurveHandshake::Initiate& how = {}) : Halfway(bus, bus.alice) {
    peer.write(zmtp_command(handshake.initiate(how)));
    const std::string ready = peer.read_frame();
    if (!ready.starts_with("\x05READY")) throw std::runtime_error("no READY");
  }
};

}  // namespace

TEST_CASE("wire: a handshake by hand gets Alice in, whatever the greeting says beside the mechanism") {
  const char minor = GENERATE(as<char>(), 0, 1, 2, 127);
  const bool as_server = GENERATE(false, true);
  GuardedBus bus;
  RawPeer peer(bus.endpoint());
  CurveHandshake handshake(bus.key(), bus.alice);
  peer.write(zmtp_greeting("CURVE", minor, as_server) + zmtp_command(handshake.hello()));
  CHECK(peer.read(kGreetingSize) == zmtp_greeting("CURVE"));  // a libzmq server does not say that it is one
  handshake.take_welcome(peer.read_frame());
  peer.write(zmtp_command(handshake.initiate()));
  CHECK(peer.read_frame().starts_with("\x05READY"));
  CHECK(bus.events.next_handshake() == kSucceeded);
  peer.write(zmtp_message(handshake.message("hi")));
  const auto session = bus.server.hear();
  REQUIRE(session);
  CHECK(session->user_id() == "alice");
}

TEST_CASE("wire: nobody talks the server down to a protocol without a mechanism") {
  const auto garbage = GENERATE(values<Garbage>(
      {{"ZMTP 2.0", "\xff\0\0\0\0\0\0\0\x01\x7f\x01\x05\0\0\0\x02hi"s},
       {"ZMTP 2.0, with a name", "\xff\0\0\0\0\0\0\0\x06\x7f\x01\x05\0\x05"s + "alice" + "\0\x02hi"s},
       {"ZMTP 1.0, with a version", "\xff\0\0\0\0\0\0\0\x01\x7f\0\x05\x01\0\x03\0hi"s},
       {"ZMTP 1.0", "\x01\0\x03\0hi"s},
       {"ZMTP 1.0, with a long name", "\xff\0\0\0\0\0\0\0\x06\0alice\x03\0hi"s},
       {"ZMTP 1.0, with nothing", "\x01\0"s}}));
  GuardedBus bus;
  check_hangs_up(bus, garbage, kNone);
  bus.check_only_alice_gets_in();
}

TEST_CASE("wire: nobody talks the server down to another mechanism") {
  const std::string mechanism = GENERATE(as<std::string>(), "NULL", "PLAIN", "GSSAPI", "", "curve",
                                         "CURVE\0X"s, "CURVEX", "CURVECURVECURVECURVE");
  GuardedBus bus;
  const std::string ready = "\x05READY"s + zmtp_metadata({{"Socket-Type", "DEALER"}, {"User-Id", "alice"}});
  const std::string hello = "\x05HELLO\x05"s + "alice" + "\x06secret";
  for (const std::string& command : {ready, hello}) {
    check_hangs_up(bus, {"greeting", zmtp_greeting(mechanism) + zmtp_command(command) + zmtp_message("hi")},
                   kOtherMechanism);
  }
  bus.check_only_alice_gets_in();
}

TEST_CASE("wire: what is no ZMTP is hung up on") {
  const auto garbage = GENERATE(
      values<Garbage>({{"HTTP", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"},
                       {"TLS", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"s + random_bytes(512, 1)},
                       {"SSH", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"},
                       {"zeros", std::string(1000, '\0')},
                       {"a line", "\n"},
                       {"a WebSocket's upgrade",
                        "GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: ZWS2.0\r\n\r\n"},
                       {"a megabyte of noise", "\x01"s + random_bytes(1'000'000, 2)}}));
  GuardedBus bus;
  check_hangs_up(bus, garbage, kNone);
  bus.check_only_alice_gets_in();
}

TEST_CASE("wire: noise of any length, from many peers, lets nobody in and breaks nothing") {
  GuardedBus bus(milliseconds(300));
  const std::string signature = "\xff\0\0\0\0\0\0\0\x01\x7f"s;
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    const std::string noise = random_bytes(1 + seed * 7 % 300, seed);
    const std::string prefixes[] = {"", signature, zmtp_greeting("CURVE"),
                                    zmtp_greeting("CURVE") + "\x04\xc8"};
    RawPeer peer(bus.endpoint());
    peer.write(prefixes[seed % 4] + noise);
    if (seed % 2 == 0) REQUIRE(peer.is_hung_up_on());
  }
  bus.check_only_alice_gets_in();
}

TEST_CASE("wire: a greeting that stops anywhere is waited for, and then given up") {
  GuardedBus bus(milliseconds(300));
  std::vector<RawPeer> peers;
  const std::string greeting = zmtp_greeting("CURVE");
  for (std::size_t size = 0; size <= greeting.size(); ++size) {
    peers.emplace_back(bus.endpoint());
    peers.back().write(greeting.substr(0, size));
  }
  for (RawPeer& peer : peers) CHECK(peer.is_hung_up_on());
  bus.check_only_alice_gets_in();
}

TEST_CASE("wire: commands of CURVE that are no HELLO, or out of order, are hung up on") {
  GuardedBus bus;
  const CurveKeyPair own = CurveKeyPair::generate();
  const CurveHandshake handshake(bus.key(), own);
  const std::string hello = handshake.hello();
  const std::string greeting = zmtp_greeting("CURVE");

  const auto check = [&](const char* name, const std::string& frames, const std::string& told) {
    check_hangs_up(bus, {name, greeting + frames}, told);
  };
  std::string changed = hello;
  changed[6] = 2;
  check("HELLO of another version", zmtp_command(changed), kBadHello);
  changed = hello;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  check("HELLO, one bit off", zmtp_command(changed), kBadCryptography);
  changed = hello;
  changed[100] = static_cast<char>(changed[100] ^ 1);
  check("HELLO, another short-term key", zmtp_command(changed), kBadCryptography);
  changed = hello;
  changed.replace(80, 32, std::string(32, '\0'));
  check("HELLO, a short-term key of zeros", zmtp_command(changed), kBadCryptography);
  check("HELLO, too short", zmtp_command(hello.substr(0, 199)), kBadHello);
  check("HELLO, too long", zmtp_command(hello + "x"), kBadHello);
  check("HELLO, a megabyte", zmtp_command(hello + std::string(1'000'000, 'x')), kBadHello);
  check("nothing", zmtp_command(""), kBadCommand);
  check("a message", zmtp_message("hi"), kBadCommand);
  check("INITIATE first", zmtp_command("\x08INITIATE" + random_bytes(300, 3)), kUnexpectedCommand);
  check("READY first", zmtp_command("\x05READY" + random_bytes(300, 4)), kUnexpectedCommand);
  check("MESSAGE first", zmtp_message("\x07MESSAGE" + random_bytes(300, 5)), kUnexpectedCommand);
  check("WELCOME", zmtp_command("\x07WELCOME" + random_bytes(160, 6)), kUnexpectedCommand);
  check("ERROR", zmtp_command("\x05" + "ERROR\x03"s + "400"), kUnexpectedCommand);
  check("PING", zmtp_command("\x04PING\xff\xff" + std::string(16, 'x')), kUnexpectedCommand);
  check("SUBSCRIBE", zmtp_command("\x09SUBSCRIBE"), kUnexpectedCommand);
  // A client waits for the WELCOME: at once is out of turn, whatever it says.
  for (const std::string& next : {hello, std::string("hi"), "\x08INITIATE" + random_bytes(300, 7)}) {
    check("more behind HELLO", zmtp_command(hello) + zmtp_command(next), kOutOfTurn);
  }
  const auto check_second = [&](const char* name, const std::string& said, const std::string& told) {
    CAPTURE(name);
    Halfway halfway(bus, own);
    halfway.peer.write(zmtp_command(said));
    CHECK(halfway.peer.is_hung_up_on());
    CHECK(bus.events.next_handshake() == told);
  };
  check_second("HELLO again", hello, kUnexpectedCommand);
  check_second("a message", "hi", kBadCommand);
  check_second("READY", "\x05READY" + random_bytes(300, 8), kUnexpectedCommand);
  check_second("MESSAGE", "\x07MESSAGE" + random_bytes(300, 9), kUnexpectedCommand);
  check_second("INITIATE, too short", "\x08INITIATE" + random_bytes(247, 10), kBadInitiate);
  check_second("INITIATE, made up", "\x08INITIATE" + random_bytes(300, 11), kBadCryptography);
  check_second("INITIATE, a megabyte", "\x08INITIATE" + random_bytes(1'000'000, 12), kBadCryptography);
  bus.check_only_alice_gets_in();
}

TEST_CASE("wire: what was recorded of a handshake of Alice lets nobody else in") {
  GuardedBus bus;
  const std::string greeting = zmtp_greeting("CURVE");
  CurveHandshake handshake(bus.key(), bus.alice);
  const std::string hello = zmtp_command(handshake.hello());
  std::string initiate;
  std::string message;
  {
    RawPeer alice(bus.endpoint());
    alice.write(greeting + hello);
    alice.read(kGreetingSize);
    handshake.take_welcome(alice.read_frame());
    initiate = zmtp_command(handshake.initiate());
    message = zmtp_message(handshake.message("hi"));
    alice.write(initiate);
    alice.read_frame();
    alice.write(message);
    REQUIRE(bus.server.hear());
    REQUIRE(bus.events.next_handshake() == kSucceeded);
  }
  // HELLO is answered: it holds no secret. What comes then is of the other connection.
  RawPeer thief(bus.endpoint());
  thief.write(greeting + hello);
  thief.read(kGreetingSize);
  CHECK(thief.read_frame().starts_with("\x07WELCOME"));
  thief.write(initiate + message);
  CHECK(thief.is_hung_up_on());
  CHECK(bus.events.next_handshake() == kBadCryptography);
  // All in one go, and the message without the handshake.
  check_hangs_up(bus, {"all", greeting + hello + initiate + message}, kOutOfTurn);
  CHECK_FALSE(receive(bus.server.router, milliseconds(0)));
}

TEST_CASE("wire: a message that comes again, or is changed, is not heard, nor is anything behind it") {
  const bool is_changed = GENERATE(false, true);
  GuardedBus bus;
  // libzmq (4.3.4) may stop to read such a connection without ending it: heartbeats end it then.
  bus.server.router.set(zmq::sockopt::heartbeat_ivl, 100);
  bus.listen_again();
  Inside inside(bus);
  std::string message = zmtp_message(inside.handshake.message("hi"));
  inside.peer.write(message);
  REQUIRE(bus.server.hear());
  if (is_changed) {
    message = zmtp_message(inside.handshake.message("pay 10"));
    message.back() = static_cast<char>(message.back() ^ 1);
  }
  inside.peer.write(message);
  CHECK(bus.events.next_handshake() == kSucceeded);
  CHECK(bus.events.next_handshake() == (is_changed ? kBadCryptography : kBadSequence));
  inside.peer.write(zmtp_message(inside.handshake.message("more")));
  CHECK(inside.peer.is_hung_up_on());
  CHECK_FALSE(receive(bus.server.router, milliseconds(0)));
}

TEST_CASE("wire: who is inside and sends what is no MESSAGE is hung up on") {
  const auto garbage =
      GENERATE(values<Garbage>({{"in the clear", zmtp_message("hi")},
                                {"PING in the clear", zmtp_command("\x04PING\0\0"s)},
                                {"too short", zmtp_message("\x07MESSAGE12345678")},
                                {"HELLO", zmtp_command("\x05HELLO" + std::string(194, '\0'))},
                                {"nothing", zmtp_message("")},
                                {"made up", zmtp_message("\x07MESSAGE" + random_bytes(100, 9))}}));
  CAPTURE(garbage.name);
  GuardedBus bus;
  bus.server.router.set(zmq::sockopt::heartbeat_ivl, 100);  // as above
  bus.listen_again();
  {
    Inside inside(bus);
    CHECK(bus.events.next_handshake() == kSucceeded);
    inside.peer.write(garbage.bytes);
    const std::string told = bus.events.next_handshake();
    CHECK(told != kSucceeded);
    CHECK(told != kNone);
    CHECK(inside.peer.is_hung_up_on());
  }
  CHECK_FALSE(receive(bus.server.router, milliseconds(0)));
}

TEST_CASE("wire: a vouch that is not for this connection lets nobody in") {
  GuardedBus bus;
  const CurveKeyPair other = CurveKeyPair::generate();
  {
    Halfway peer(bus, bus.alice);
    peer.peer.write(zmtp_command(peer.handshake.initiate({.vouched_by = &other})));
    CHECK(peer.peer.is_hung_up_on());
    CHECK(bus.events.next_handshake() == kBadCryptography);
  }
  {
    Halfway peer(bus, bus.alice);
    peer.peer.write(zmtp_command(peer.handshake.initiate({.vouches_for_another = true})));
    CHECK(peer.peer.is_hung_up_on());
    CHECK(bus.events.next_handshake() == kBadKeyExchange);
  }
  bus.check_only_alice_gets_in();
}

TEST_CASE("wire: metadata that is malformed lets not even Alice in") {
  const auto garbage = GENERATE(values<Garbage>({{"a name without an end", "\x0bSocket"},
                                                 {"a value without an end",
                                                  "\x0bSocket-Type\0\0\0\xff"
                                                  "DEALER"s},
                                                 {"a value of 4 GiB",
                                                  "\x0bSocket-Type\xff\xff\xff\xff"
                                                  "DEALER"s},
                                                 {"another socket", zmtp_metadata({{"Socket-Type", "PUB"}})},
                                                 {"a lone byte", "\x01"}}));
  CAPTURE(garbage.name);
  GuardedBus bus;
  Halfway peer(bus, bus.alice);
  peer.peer.write(zmtp_command(peer.handshake.initiate({.metadata = garbage.bytes})));
  CHECK(peer.peer.is_hung_up_on());
  bus.check_only_alice_gets_in();
}

TEST_CASE("wire: metadata that is large is read, and changes nothing") {
  GuardedBus bus;
  Properties properties{{"Socket-Type", "DEALER"}, {"X-Large", std::string(1'000'000, 'x')}};
  for (int i = 0; i < 1000; ++i) properties.emplace_back("X-" + std::to_string(i), "value");
  Inside inside(bus, {.metadata = zmtp_metadata(properties)});
  inside.peer.write(zmtp_message(inside.handshake.message("hi")));
  const auto session = bus.server.hear();
  REQUIRE(session);
  CHECK(session->user_id() == "alice");
}

TEST_CASE("wire: who is accepted cannot say in its metadata who it is, or whence it comes") {
  GuardedBus bus;
  Inside inside(
      bus,
      {.metadata = zmtp_metadata({{"Socket-Type", "DEALER"},
                                  {"User-Id", "bob"},
                                  {"Peer-Address", "10.9.8.7"},
                                  {"X-Vip-Identity", "platform.auth"},
                                  {"X-Vip-Mechanism", "NULL"},
                                  {"X-Vip-Credentials", CurveKeyPair::generate().public_key.to_base64url()},
                                  {"X-Vip-Domain", "other"},
                                  {"X-Vip-Proof", "none"}})});
  inside.peer.write(zmtp_message(inside.handshake.message("hi")));
  zmq::message_t last;
  REQUIRE(receive(bus.server.router, std::chrono::seconds(60), last));
  Session session = must(session_of(bus.server.service, last));
  CHECK(session.acceptance().user_id == "alice");
  CHECK(session.acceptance().address == "127.0.0.1");
  CHECK(session.acceptance().mechanism == Mechanism::kCurve);
  CHECK(session.acceptance().credentials == bus.alice.public_key.to_base64url());
  CHECK(session.acceptance().domain == "vip");
  CHECK(session.identity() != "platform.auth");
  CHECK(session.verify_sender("alice"));
  CHECK_FALSE(session.verify_sender("platform.auth"));
}

TEST_CASE("wire: a length beyond what a message may have is hung up on before anything of it comes") {
  GuardedBus bus;
  bus.server.router.set(zmq::sockopt::maxmsgsize, std::int64_t{100'000});
  bus.listen_again();
  const std::string length =
      GENERATE(as<std::string>(), "\x7f\xff\xff\xff\xff\xff\xff\xff"s, std::string(8, '\xff'),
               "\0\0\0\x01\0\0\0\0"s, "\0\0\0\0\0\x01\x86\xa1"s);
  for (const char flags : {'\x02', '\x06'}) {
    RawPeer peer(bus.endpoint());
    peer.write(zmtp_greeting("CURVE") + flags + length);
    CHECK(peer.is_hung_up_on());
  }
  Inside inside(bus);
  inside.peer.write("\x02" + length);
  CHECK(inside.peer.is_hung_up_on());
  CHECK_FALSE(receive(bus.server.router, milliseconds(0)));
}

#if !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)  // they end a program that asks for so much
TEST_CASE("wire: a length that no memory has breaks nothing where messages have no limit") {
  const std::string length =
      GENERATE(as<std::string>(), "\x7f\xff\xff\xff\xff\xff\xff\xff"s, std::string(8, '\xff'));
  GuardedBus bus;
  RawPeer peer(bus.endpoint());
  peer.write(zmtp_greeting("CURVE") + "\x06" + length);
  CHECK(peer.is_hung_up_on());
  bus.check_only_alice_gets_in();
}
#endif

TEST_CASE(
    "wire: hundreds of handshakes that go no further keep Alice not out, and their descriptors come back") {
  constexpr std::size_t kPeers = 300;
  GuardedBus bus(std::chrono::seconds(3));
  const std::size_t before = open_descriptors();
  std::vector<RawPeer> peers;
  const std::string greeting = zmtp_greeting("CURVE");
  const CurveKeyPair stranger = CurveKeyPair::generate();
  for (std::size_t i = 0; i < kPeers; ++i) {
    CurveHandshake handshake(bus.key(), stranger);
    RawPeer& peer = peers.emplace_back(bus.endpoint());
    if (i % 4 >= 1) peer.write(greeting.substr(0, 20));
    if (i % 4 >= 2) peer.write(greeting.substr(20) + zmtp_command(handshake.hello()));
    if (i % 4 >= 3) {
      peer.read(kGreetingSize);
      handshake.take_welcome(peer.read_frame());
      peer.write(zmtp_command(handshake.initiate()));
    }
  }
  REQUIRE(eventually([&] { return bus.events.accepted() == kPeers; }));
  bus.check_only_alice_gets_in();

  const bool go_by_themselves = GENERATE(true, false);
  if (go_by_themselves) {
    peers.clear();
  } else {
    for (RawPeer& peer : peers) REQUIRE(peer.is_hung_up_on());  // when the time of a handshake is over
    peers.clear();
  }
  CHECK(eventually([&] { return open_descriptors() <= before + 10; }));
  CHECK(bus.events.count(kSucceeded) == 1);
}

TEST_CASE("wire: connections that take all descriptors keep nobody out for longer than they last") {
  GuardedBus bus;
  CurveClient alice(bus.context, bus.endpoint(), bus.key(), bus.alice);
  REQUIRE(alice.becomes(ConnectionState::kConnected));

  std::size_t count = 0;
  bool reloaded = true;
  bool heard = false;
  zmq::message_t last;
  {
    const FewDescriptors few(50);
    std::vector<RawPeer> peers;
    try {
      while (peers.size() < 1000) peers.emplace_back(bus.endpoint());
    } catch (const std::runtime_error&) {  // NOLINT(bugprone-empty-catch): there are none left
    }
    count = peers.size();
    // Who is inside is heard all the while, and the policy stands.
    reloaded = bus.server.service.reload().has_value();
    send(alice.socket, {"still here"});
    heard = receive(bus.server.router, std::chrono::seconds(60), last).has_value();
  }
  CHECK(count < 100);
  CHECK_FALSE(reloaded);
  REQUIRE(heard);
  CHECK(last.to_string() == "still here");
  CHECK(must(session_of(bus.server.service, last)).check());

  CurveClient again(bus.context, bus.endpoint(), bus.key(), bus.alice);
  CHECK(again.becomes(ConnectionState::kConnected));
  must(bus.server.service.reload());
}

}  // namespace vipauth::test
