#include <vipauth/client_security.hpp>

#include <string>

#include <vipauth/agent_key_stores.hpp>

#include "support/catch.hpp"
#include "support/curve_peers.hpp"

namespace vipauth::test {
namespace {

/// A bus that lets the agent of its own home in, listening as an address of its configuration says.
struct Bus {
  Bus() {
    home.write("auth.json", auth_json({curve_record("agent", agent.public_key)}));
    service.emplace(must(AuthService::open(home.path())));
    zap.emplace(must(ZapServer::start(context.handle(), service->zap_authenticator(), {})));
    const ServerKeys keys = must(find_server_keys(home.path(), must(VipAddress::parse("tcp://127.0.0.1:*"))));
    must(secure_server_socket(router, keys));
    router.set(zmq::sockopt::linger, 0);
    router.bind(keys.endpoint);
    endpoint = router.get(zmq::sockopt::last_endpoint);
    server_key.emplace(keys.own.public_key);
  }

  Result<ClientKeys> client_keys(const std::string& parameters = "") const {
    return find_client_keys(home.path(), must(VipAddress::parse(endpoint + parameters)), "agent");
  }

  TempHome home;
  CurveKeyPair agent = must(AgentKeyStores(home.path()).load_or_create("agent"));
  zmq::context_t context;
  std::optional<AuthService> service;
  std::optional<ZapServer> zap;
  zmq::socket_t router{context, zmq::socket_type::router};
  std::string endpoint;
  std::optional<CurveKey> server_key;
};

}  // namespace

TEST_CASE("secure_client_socket: a known host and the agent's key store are all that is needed") {
  Bus bus;
  CHECK_FALSE(bus.client_keys());  // nobody has said which key is right
  must(KnownHosts(bus.home / "known_hosts").add(bus.endpoint, *bus.server_key));

  const ClientKeys keys = must(bus.client_keys("?ipv6=0"));
  zmq::context_t context;
  zmq::socket_t dealer(context, zmq::socket_type::dealer);
  must(secure_client_socket(dealer, keys));
  dealer.set(zmq::sockopt::linger, 0);
  dealer.connect(keys.endpoint);
  send(dealer, {"hello"});
  zmq::message_t last;
  const auto heard = receive(bus.router, std::chrono::seconds(60), last);
  REQUIRE(heard);
  CHECK(heard->front() == "agent");  // the routing id
  CHECK(must(session_of(*bus.service, last)).acceptance().user_id == "agent");
}

TEST_CASE("secure_client_socket: a known host with another key is refused before anything connects") {
  Bus bus;
  must(KnownHosts(bus.home / "known_hosts").add(bus.endpoint, CurveKeyPair::generate().public_key));
  const auto refused = bus.client_keys("?serverkey=" + bus.server_key->to_base64url());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kConflict);
}

TEST_CASE("secure_client_socket: a wrong key in known_hosts does not reach the server") {
  Bus bus;
  must(KnownHosts(bus.home / "known_hosts").add(bus.endpoint, CurveKeyPair::generate().public_key));
  const ClientKeys keys = must(bus.client_keys());
  zmq::context_t context;
  CurveClient client(context, keys.endpoint, keys.server_key, keys.own);
  CHECK(client.becomes(ConnectionState::kWrongServerKey));
}

}  // namespace vipauth::test
