// The C interface on real sockets, as C and as other languages' programs use it.

#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <string>

#include <vipauth.h>

#include "support/catch.hpp"
#include "support/curve_peers.hpp"

namespace vipauth::test {
namespace {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* handle) const {
    Free(handle);
  }
};
using ServicePtr = std::unique_ptr<vipauth_service, Freed<vipauth_service_free>>;
using ZapPtr = std::unique_ptr<vipauth_zap, Freed<vipauth_zap_free>>;
using SessionPtr = std::unique_ptr<vipauth_session, Freed<vipauth_session_free>>;
using DecisionPtr = std::unique_ptr<vipauth_decision, Freed<vipauth_decision_free>>;

const CurveKey& bus_key() {
  static const CurveKey key = CurveKeyPair::generate().public_key;
  return key;
}

const CurveKeyPair& alice_keys() {
  static const CurveKeyPair keys = CurveKeyPair::generate();
  return keys;
}

/// alice may publish to `open`, not to `closed`, and call bus.set with x=1 only.
void write_policy(const TempHome& home, bool has_alice = true) {
  Json record = curve_record("alice", alice_keys().public_key);
  record.set("capabilities", Json(Json::Object{{"can_set", Json(Json::Object{{"x", Json(1)}})}}));
  const Json bus(Json::Object{
      {"user_id", "bus"},
      {"identity", "bus"},
      {"credentials", bus_key().to_base64url()},
      {"rpc_method_authorizations", Json(Json::Object{{"set", Json(Json::Array{Json("can_set")})}})}});
  home.write("auth.json", auth_json(has_alice ? Json::Array{record, bus} : Json::Array{bus}));
  home.write("protected_topics.json",
             R"({"write-protect": [{"topic": "closed", "capabilities": ["can_publish"]}]})");
}

vipauth_options without_watching() {
  vipauth_options options = vipauth_options_default();
  options.watch = 0;
  return options;
}

/// A ROUTER that the C interface guards.
struct CServer {
  explicit CServer(const TempHome& home) {
    const vipauth_options options = without_watching();
    service.reset(vipauth_service_open(home.path().c_str(), &options));
    REQUIRE(service);
    zap.reset(vipauth_zap_start(context.handle(), service.get()));
    REQUIRE(zap);
    router = zmq::socket_t(context, zmq::socket_type::router);
    router.set(zmq::sockopt::linger, 0);
    REQUIRE(vipauth_secure_server_socket(router.handle(), service.get(), "vip") == 1);
    router.bind("tcp://127.0.0.1:*");
  }

  CurveKey key() const { return must(CurveKey::parse(vipauth_service_server_key(service.get()))); }
  std::string endpoint() const { return router.get(zmq::sockopt::last_endpoint); }

  ServicePtr service;
  zmq::context_t context;
  ZapPtr zap;
  zmq::socket_t router;
};

struct Met {
  std::unique_ptr<CurveClient> client;
  zmq::message_t message;
  SessionPtr session;
};

/// alice connects and is heard.
Met meet(CServer& server) {
  Met out;
  out.client =
      std::make_unique<CurveClient>(server.context, server.endpoint(), server.key(), alice_keys(), "alice");
  send(out.client->socket, {"hello"});
  REQUIRE(receive(server.router, std::chrono::seconds(60), out.message));
  out.session.reset(vipauth_session_of_message(server.service.get(), out.message.handle()));
  REQUIRE(out.session);
  return out;
}

int publish(vipauth_session* session, const std::string& topic, vipauth_decision* why = nullptr) {
  return vipauth_authorize_publish(session, topic.data(), topic.size(), why);
}

int call(vipauth_session* session, const std::string& arguments, vipauth_decision* why = nullptr) {
  return vipauth_authorize_call(session, "bus", 3, "set", 3, arguments.data(), arguments.size(), why);
}

std::string message_of(const DecisionPtr& why) { return vipauth_decision_message(why.get()); }

}  // namespace

TEST_CASE("vipauth.h: a peer is let in, and asked about through its session") {
  const TempHome home;
  write_policy(home);
  CServer server(home);
  const Met met = meet(server);
  vipauth_session* alice = met.session.get();
  CHECK(std::string(vipauth_session_user_id(alice)) == "alice");
  const DecisionPtr why(vipauth_decision_new());

  CHECK(vipauth_check(alice, nullptr) == 1);
  CHECK(vipauth_verify_sender(alice, "alice", 5, nullptr) == 1);
  CHECK(vipauth_verify_sender(alice, "bus", 3, why.get()) == 0);
  CHECK(std::string(vipauth_decision_reason(why.get())) == "wrong_identity");
  CHECK(publish(alice, "open") == 1);
  CHECK(publish(alice, "closed", why.get()) == 0);
  CHECK(message_of(why).find("requires capabilities ['can_publish']") != std::string::npos);
  CHECK(std::string(vipauth_decision_source(why.get(), 0)) == "/write-protect/0");
  CHECK(vipauth_decision_source(why.get(), 99) == nullptr);
  CHECK(vipauth_authorize_receive(alice, "closed", 6, nullptr) == 1);
  CHECK(call(alice, R"({"x": 1})", why.get()) == 1);
  CHECK(vipauth_decision_allowed(why.get()) == 1);
  CHECK(call(alice, R"({"x": 2})", why.get()) == 0);
  CHECK(message_of(why) == "User alice can call method set only with x=1 but called with x=2");
}

TEST_CASE("vipauth.h: a revoked peer is refused, and the callback names it") {
  const TempHome home;
  write_policy(home);
  CServer server(home);
  struct Seen {
    std::atomic<std::uint64_t> generation{0};
    std::string revoked;
  } seen;
  const auto on_change = [](void* user, std::uint64_t generation, const char* const* revoked,
                            std::size_t count) {
    auto* out = static_cast<Seen*>(user);
    for (std::size_t i = 0; i < count; ++i) out->revoked += revoked[i];
    out->generation = generation;
  };
  REQUIRE(vipauth_service_on_change(server.service.get(), on_change, &seen) == 1);
  const Met met = meet(server);
  CHECK(publish(met.session.get(), "open") == 1);
  write_policy(home, false);
  REQUIRE(vipauth_service_reload(server.service.get()) == 1);
  CHECK(seen.generation > 0);
  CHECK(seen.revoked == "alice");
  CHECK(publish(met.session.get(), "open") == 0);

  home.write("auth.json", "{");
  CHECK(vipauth_service_reload(server.service.get()) == 0);
  CHECK(vipauth_last_error()->code == VIPAUTH_PARSE_ERROR);
  CHECK(std::string(vipauth_last_error()->location).find("auth.json:1:2") != std::string::npos);
}

TEST_CASE("vipauth.h: a message is known by its properties as by itself") {
  const TempHome home;
  write_policy(home);
  CServer server(home);
  Met met = meet(server);
  const auto property = [](void* message, const char* name) -> const char* {
    return zmq_msg_gets(static_cast<zmq_msg_t*>(message), name);
  };
  const SessionPtr session(
      vipauth_session_of_properties(server.service.get(), property, met.message.handle()));
  REQUIRE(session);
  CHECK(std::string(vipauth_session_user_id(session.get())) == "alice");
  CHECK(vipauth_session_sent_message(session.get(), met.message.handle()) == 1);
  CHECK(vipauth_session_sent_properties(session.get(), property, met.message.handle()) == 1);

  zmq::message_t made_here;
  const auto forged = [](void*, const char* name) -> const char* {
    return std::strcmp(name, "User-Id") == 0 ? "alice" : "CURVE";
  };
  CHECK(vipauth_session_of_message(server.service.get(), made_here.handle()) == nullptr);
  CHECK(vipauth_last_error()->code == VIPAUTH_INVALID_ARGUMENT);
  CHECK(vipauth_session_of_properties(server.service.get(), forged, nullptr) == nullptr);
  CHECK(vipauth_session_sent_message(session.get(), made_here.handle()) == 0);
  CHECK(vipauth_session_sent_properties(session.get(), forged, nullptr) == 0);
}

TEST_CASE("vipauth.h: what makes no sense fails or refuses, and never crashes") {
  const TempHome home;
  write_policy(home);
  CServer server(home);
  const Met met = meet(server);
  const DecisionPtr why(vipauth_decision_new());

  CHECK(vipauth_service_open(nullptr, nullptr) == nullptr);
  CHECK(std::string(vipauth_last_error()->location) == "home");
  CHECK(vipauth_service_open((home / "missing").c_str(), nullptr) == nullptr);
  CHECK(vipauth_last_error()->code == VIPAUTH_NOT_FOUND);
  vipauth_options options = vipauth_options_default();
  options.size = 1;
  CHECK(vipauth_service_open(home.path().c_str(), &options) == nullptr);
  options.size = sizeof options + 8;
  CHECK(vipauth_service_open(home.path().c_str(), &options) == nullptr);
  CHECK(vipauth_last_error()->code == VIPAUTH_INVALID_ARGUMENT);

  CHECK(vipauth_zap_start(nullptr, server.service.get()) == nullptr);
  CHECK(vipauth_zap_start(server.context.handle(), server.service.get()) == nullptr);
  CHECK(vipauth_last_error()->code == VIPAUTH_ALREADY_EXISTS);
  CHECK(vipauth_secure_server_socket(server.router.handle(), nullptr, "vip") == 0);
  CHECK(vipauth_secure_server_socket(server.router.handle(), server.service.get(), "") == 0);

  // An answer is never that of the question before.
  REQUIRE(publish(met.session.get(), "open", why.get()) == 1);
  CHECK(publish(nullptr, "open", why.get()) == 0);
  CHECK(vipauth_decision_allowed(why.get()) == 0);
  CHECK(call(met.session.get(), "{", why.get()) == 0);
  CHECK(std::string(vipauth_decision_reason(why.get())) == "malformed");
  CHECK(call(met.session.get(), R"({"x": 1, "x": 1})", why.get()) == 0);
  CHECK(vipauth_verify_sender(met.session.get(), nullptr, 5, nullptr) == 0);
  CHECK(std::string(vipauth_session_user_id(nullptr)).empty());
  CHECK(vipauth_decision_allowed(nullptr) == 0);
  vipauth_service_free(nullptr);
  vipauth_zap_free(nullptr);
  vipauth_session_free(nullptr);
  vipauth_decision_free(nullptr);
}

TEST_CASE("vipauth.h: its binary interface is the one that programs were built against") {
  CHECK(vipauth_abi() == VIPAUTH_ABI);
  CHECK(VIPAUTH_ABI == 1);
  CHECK(std::string(vipauth_version()).find('.') != std::string::npos);
  CHECK(sizeof(vipauth_options) == 40);
  CHECK(sizeof(vipauth_error) == 24);
  CHECK(offsetof(vipauth_options, log) == 24);
  CHECK(VIPAUTH_INTERNAL == 13);
}

TEST_CASE("vipauth.h: an earlier program's shorter options keep the defaults of the rest") {
  const TempHome home;
  write_policy(home);
  vipauth_options options = vipauth_options_default();
  options.size = offsetof(vipauth_options, audit);
  options.audit = 1;  // which that program does not know
  const ServicePtr service(vipauth_service_open(home.path().c_str(), &options));
  REQUIRE(service);
  CHECK_FALSE(std::filesystem::exists(home / "audit"));
}

}  // namespace vipauth::test
