// The policy changes a thousand times while fifty clients talk without a pause.

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <vipauth/audit_trail.hpp>
#include <vipauth/auth_file.hpp>

#include "support/catch.hpp"
#include "support/curve_peers.hpp"

namespace vipauth::test {
namespace {

constexpr std::size_t kClients = 50;
constexpr std::size_t kChanges = 1000;

std::string name_of(std::size_t client) { return "client-" + std::to_string(client); }

/// What holds of a client's record, told by the thread that changes it: 0 it is there, 1 it is being removed,
/// 2 it is gone and reload() has said so, 3 it is being added; and so on, counted up.
using Epoch = std::atomic<std::uint64_t>;
constexpr bool is_in(std::uint64_t epoch) { return epoch % 4 == 0; }
constexpr bool is_out(std::uint64_t epoch) { return epoch % 4 == 2; }

/// The bus: decides on each message of its clients, and compares with what must hold.
class Judge {
 public:
  explicit Judge(CurveServer& server) : server_(server), thread_([this] { run(); }) {}
  Judge(const Judge&) = delete;
  Judge& operator=(const Judge&) = delete;
  ~Judge() {
    stopping_ = true;
    thread_.join();
  }

  std::array<Epoch, kClients> epochs{};
  std::array<std::atomic<std::size_t>, kClients> allowed{};  ///< while the record was there all the time
  std::array<std::atomic<std::size_t>, kClients> refused{};  ///< while it was gone
  std::atomic<std::size_t> wrongly_allowed = 0;
  std::atomic<std::size_t> wrongly_refused = 0;

 private:
  void run() {
    while (!stopping_) {
      zmq::message_t last;
      const auto frames = receive(server_.router, std::chrono::milliseconds(20), last);
      if (frames) judge(std::stoul(frames->at(1)), last);
    }
  }

  void judge(std::size_t client, zmq::message_t& message) {
    auto found = sessions_.find(client);
    if (found == sessions_.end())
      found = sessions_.emplace(client, must(session_of(server_.service, message))).first;
    const CallArguments none;
    const std::uint64_t before = epochs[client].load();
    const Decision decision =
        found->second.authorize_call({.callee = "agent", .method = "m", .arguments = none});
    if (epochs[client].load() != before) return;
    if (is_in(before)) (decision ? allowed[client] : wrongly_refused) += 1;
    if (is_out(before)) (decision ? wrongly_allowed : refused[client]) += 1;
  }

  CurveServer& server_;
  std::map<std::size_t, Session> sessions_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

/// Fifty connected clients who send their number as fast as they can.
class Crowd {
 public:
  Crowd(const CurveServer& server, const std::vector<CurveKeyPair>& keys)
      : thread_([this, endpoint = server.endpoint, server_key = server.keys.public_key, &keys] {
          run(endpoint, server_key, keys);
        }) {}
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  ~Crowd() {
    stopping_ = true;
    thread_.join();
  }

 private:
  void run(const std::string& endpoint, const CurveKey& server_key, const std::vector<CurveKeyPair>& keys) {
    zmq::context_t context;
    std::vector<zmq::socket_t> sockets;
    for (const CurveKeyPair& pair : keys) {
      zmq::socket_t& socket = sockets.emplace_back(context, zmq::socket_type::dealer);
      must(secure_client_socket(socket, pair, server_key));
      socket.set(zmq::sockopt::linger, 0);
      socket.set(zmq::sockopt::sndhwm, 20);
      socket.set(zmq::sockopt::sndtimeo, 1);
      socket.connect(endpoint);
    }
    while (!stopping_) {
      for (std::size_t i = 0; i < sockets.size() && !stopping_; ++i) {
        const std::string number = std::to_string(i);
        sockets[i].send(zmq::const_buffer(number.data(), number.size()), zmq::send_flags::dontwait);
      }
      std::this_thread::yield();
    }
  }

  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

/// What the agent's method requires, and what everybody's role grants: in each policy the same.
Json requirement(std::size_t number) {
  return Json::Object{{"m", Json::Array{"capability-" + std::to_string(number)}}};
}

std::size_t index_of(const Policy& policy, const std::string& user_id) {
  for (std::size_t i = 0; i < policy.allow().size(); ++i) {
    if (policy.allow()[i].record && policy.allow()[i].record->user_id == user_id) return i;
  }
  throw std::runtime_error("there is no record of " + user_id);
}

Json client_record(std::size_t client, const CurveKeyPair& keys) {
  Json record = curve_record(name_of(client), keys.public_key);
  record.set("roles", Json::Array{"caller"});
  return record;
}

}  // namespace

TEST_CASE(
    "AuthService: a thousand changes of the policy under load mix no two policies and let no revoked peer "
    "pass") {
  std::vector<CurveKeyPair> keys;
  Json::Array records;
  for (std::size_t i = 0; i < kClients; ++i) {
    keys.push_back(CurveKeyPair::generate());
    records.push_back(client_record(i, keys.back()));
  }
  Json agent = curve_record("agent", CurveKeyPair::generate().public_key);
  agent.set("identity", "agent");
  agent.set("rpc_method_authorizations", requirement(0));
  records.push_back(agent);
  Json document = *Json::parse(auth_json(records));
  document.set("roles", Json::Object{{"caller", Json::Array{"capability-0"}}, {"noise", Json::Array{"n"}}});
  const TempHome home;
  home.write("auth.json", document.dump());

  AuthService::Options options;
  options.audit = AuditLog::Options{};
  CurveServer server(home, {}, std::move(options));
  std::atomic<std::size_t> announced = 0;
  server.service.on_change([&](const PolicyChange& change) { announced += change.revoked.size(); });
  Judge judge(server);
  const Crowd crowd(server, keys);
  for (std::size_t i = 0; i < kClients; ++i) REQUIRE(eventually([&] { return judge.allowed[i] > 0; }));

  const AuthFile file(home / "auth.json");
  std::size_t changes = 0;
  const auto change = [&](const AuthFile::Change& edit) {
    REQUIRE(file.edit(edit));
    REQUIRE(server.service.reload());
    ++changes;
  };
  std::size_t capability = 0;
  std::size_t removals = 0;
  for (std::size_t round = 0; changes < kChanges; ++round) {
    const std::size_t client = round % kClients;
    ++judge.epochs[client];
    change([&](Policy& policy) { return policy.remove_allow({index_of(policy, name_of(client))}); });
    ++judge.epochs[client];
    ++removals;
    const std::size_t refused = judge.refused[client];

    // Two lists that belong together move in one change: a decision by the old and the new would refuse.
    change([&](Policy& policy) -> Result<void> {
      const std::string before = "capability-" + std::to_string(capability++);
      must(policy.remove_from_role("caller", {before}));
      must(policy.add_to_role("caller", Json::Array{"capability-" + std::to_string(capability)}));
      return policy.update_allow(index_of(policy, "agent"),
                                 Json::Object{{"rpc_method_authorizations", requirement(capability)}});
    });
    change([&](Policy& policy) {
      return policy.add_to_role("noise", Json::Array{"n" + std::to_string(round)});
    });
    REQUIRE(eventually([&] { return judge.refused[client] > refused; }));

    ++judge.epochs[client];
    change([&](Policy& policy) -> Result<void> {
      const auto added = policy.add_allow(client_record(client, keys[client]));
      return added ? Result<void>() : Result<void>(added.error());
    });
    ++judge.epochs[client];
    const std::size_t allowed = judge.allowed[client];
    REQUIRE(eventually([&] { return judge.allowed[client] > allowed; }));
  }

  CHECK(judge.wrongly_allowed == 0);
  CHECK(judge.wrongly_refused == 0);
  CHECK(announced >= removals);
  for (std::size_t i = 0; i < kClients; ++i) CHECK(judge.refused[i] > 0);
  CHECK(server.service.flush());
  const AuditReport report = must(AuditTrail(home / "audit").verify());
  CHECK(report.is_whole());
  CHECK(report.torn.empty());
  CHECK(report.lines >= changes);
}

}  // namespace vipauth::test
