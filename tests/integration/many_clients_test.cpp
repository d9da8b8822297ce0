#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/curve_peers.hpp"

namespace vipauth::test {
namespace {

constexpr int kClients = 200;

std::string address_of(int client) { return "127.0.0." + std::to_string(client + 10); }

/// A client that connects from an address of its own, and says hello as soon as it may.
zmq::socket_t connect(zmq::context_t& context, const CurveServer& server, const CurveKeyPair& keys,
                      const std::string& address) {
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  must(secure_client_socket(socket, keys, server.keys.public_key));
  socket.set(zmq::sockopt::linger, 0);
  const std::string prefix = "tcp://";
  socket.connect(prefix + address + ":0;" + server.endpoint.substr(prefix.size()));
  send(socket, {"hello"});
  return socket;
}

}  // namespace

TEST_CASE("ZapServer: of 200 clients at once each known one gets in, and each stranger is pending once") {
  std::vector<CurveKeyPair> keys;
  keys.reserve(kClients);
  Json::Array records;
  std::set<std::string> known;
  std::map<std::string, std::string> strangers;  // key -> address
  for (int i = 0; i < kClients; ++i) {
    keys.push_back(CurveKeyPair::generate());
    if (i % 2 == 0) {
      records.push_back(curve_record("agent-" + std::to_string(i), keys.back().public_key));
      known.insert("agent-" + std::to_string(i));
    } else {
      strangers.emplace(keys.back().public_key.to_base64url(), address_of(i));
    }
  }
  const TempHome home;
  home.write("auth.json", auth_json(records));
  CurveServer server(home);
  zmq::context_t context;
  std::vector<zmq::socket_t> clients;
  clients.reserve(kClients);
  for (int i = 0; i < kClients; ++i)
    clients.push_back(connect(context, server, keys[static_cast<std::size_t>(i)], address_of(i)));

  std::set<std::string> in;
  const auto hear_all = [&] {
    while (const auto session = server.hear(std::chrono::milliseconds(0))) {
      CHECK(session->acceptance().address == address_of(std::stoi(session->user_id().substr(6))));
      in.insert(session->user_id());
    }
  };
  CHECK(eventually([&] {
    hear_all();
    return in.size() >= known.size();
  }));
  CHECK(in == known);

  std::vector<Authorization> pending;
  REQUIRE(eventually([&] {
    pending = must(server.service.get_pending_authorizations());
    std::size_t again = 0;
    for (const Authorization& stranger : pending) again += stranger.retries >= 2 ? 1 : 0;
    return again == strangers.size();
  }));
  CHECK(pending.size() == strangers.size());
  for (const Authorization& stranger : pending) {
    CHECK(stranger.status == AuthorizationStatus::kPending);
    CHECK(strangers[stranger.credentials] == stranger.address);
  }
  // Their retries go on growing, and still none of them is in.
  REQUIRE(eventually([&] {
    std::map<std::string, std::uint64_t> now;
    for (const Authorization& stranger : must(server.service.get_pending_authorizations())) {
      now[stranger.credentials] = stranger.retries;
    }
    return std::all_of(pending.begin(), pending.end(),
                       [&](const Authorization& before) { return now[before.credentials] > before.retries; });
  }));
  hear_all();
  CHECK(in == known);
}

}  // namespace vipauth::test
