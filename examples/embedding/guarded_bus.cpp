// A whole small bus: the code of docs/embedding.md, which shows the parts between [name] and [/name].
//
// A peer sends an operation and its arguments, and is answered by one frame: "ok", or why not.
//   subscribe PREFIX | publish TOPIC BODY | call AGENT METHOD PARAMS | register METHODS | approve USER_ID |
//   metrics
// What it has subscribed to comes as "event" TOPIC BODY, calls of its methods come as "invoke" METHOD PARAMS.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <zmq.hpp>
#include <zmq_addon.hpp>

#include <vipauth/vipauth.hpp>

namespace {

using vipauth::Decision;
using vipauth::Result;
using Frames = std::vector<std::string>;

// [peer]
/// An admitted peer, for as long as it is connected.
struct Peer {
  vipauth::Session session;
  std::set<std::string> subscriptions;
  int connection;  ///< that its last message came over
};

/// A socket, the addresses that it is bound to, and who speaks there, by the name that each chose.
struct Door {
  zmq::socket_t router;
  vipauth::Disconnections disconnections;
  std::map<std::string, Peer> peers;
};
// [/peer]

// [bell]
/// Wakes zmq::poll from another thread. ZeroMQ's sockets must not be shared between threads; this may be.
struct Bell {
  int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  Bell() = default;
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  ~Bell() { close(fd); }
};
// [/bell]

/// False where the peer has gone, or reads too slowly.
bool send(zmq::socket_t& router, const std::string& name, const Frames& frames) {
  std::vector<zmq::const_buffer> parts{zmq::buffer(name)};
  for (const std::string& frame : frames) parts.push_back(zmq::buffer(frame));
  try {
    return zmq::send_multipart(router, parts).has_value();
  } catch (const zmq::error_t&) {
    return false;
  }
}

class GuardedBus {
 public:
  explicit GuardedBus(vipauth::AuthService service) : service_(std::move(service)) {}

  // [start]
  /// Listens at addresses such as "tcp://127.0.0.1:22916?domain=field"; without a domain it is "vip".
  Result<void> listen(const std::filesystem::path& home, const std::vector<std::string>& addresses) {
    auto zap = vipauth::ZapServer::start(context_, service_);  // before any server socket
    if (!zap) return zap.error();
    zap_.emplace(std::move(*zap));
    for (const std::string& text : addresses) {
      const auto address = vipauth::VipAddress::parse(text);
      if (!address) return address.error();
      const auto keys = vipauth::find_server_keys(home, *address);  // made on first use
      if (!keys) return keys.error();
      zmq::socket_t router(context_, zmq::socket_type::router);
      auto disconnections = vipauth::Disconnections::watch(context_, router);
      if (!disconnections) return disconnections.error();
      Door& door = doors_.emplace_back(Door{std::move(router), std::move(*disconnections), {}});
      if (auto secured = vipauth::secure_server_socket(door.router, *keys); !secured) return secured;
      door.router.set(zmq::sockopt::router_mandatory, true);  // tells who has gone; never ZMQ_ROUTER_HANDOVER
      door.router.set(zmq::sockopt::maxmsgsize, std::int64_t{1'000'000});
      door.router.set(zmq::sockopt::sndtimeo, 0);            // never waits for a peer
      door.router.set(zmq::sockopt::heartbeat_ivl, 10'000);  // ends a connection that is cut off, or stuck
      door.router.set(zmq::sockopt::linger, 0);
      door.router.bind(keys->endpoint);
      std::cout << door.router.get(zmq::sockopt::last_endpoint) << ' ' << keys->own.public_key.to_base64url()
                << '\n'
                << std::flush;
    }
    follow_changes();
    return {};
  }
  // [/start]

  // [loop]
  void run() {
    std::vector<zmq::pollitem_t> items{{nullptr, bell_->fd, ZMQ_POLLIN, 0}};
    for (Door& door : doors_) items.push_back({door.router.handle(), 0, ZMQ_POLLIN, 0});
    while (true) {
      zmq::poll(items, std::chrono::milliseconds(-1));
      if (eventfd_t rings = 0; eventfd_read(bell_->fd, &rings) == 0) judge_all();
      for (Door& door : doors_) hear(door);
    }
  }
  // [/loop]

 private:
  // [change]
  /// The callback runs on the thread that reloads: it only rings, and owns what it rings.
  void follow_changes() {
    service_.on_change([bell = bell_](const vipauth::PolicyChange&) { eventfd_write(bell->fd, 1); });
  }

  /// Drops whom the new policy no longer accepts. Sessions refuse by themselves; this frees what the bus
  /// keeps.
  void judge_all() {
    for (Door& door : doors_) {
      for (auto peer = door.peers.begin(); peer != door.peers.end();) {
        if (peer->second.session.verify_sender(peer->first)) {
          ++peer;
          continue;
        }
        service_.forget_methods(peer->first);
        peer = door.peers.erase(peer);
      }
    }
  }
  // [/change]

  void hear(Door& door) {
    drop_ended(door);
    std::vector<zmq::message_t> message;
    if (!zmq::recv_multipart(door.router, std::back_inserter(message), zmq::recv_flags::dontwait)) return;
    const std::string name = message.front().to_string();
    Frames frames;
    for (std::size_t i = 1; i < message.size(); ++i) frames.push_back(message[i].to_string());
    std::string refusal;
    Peer* peer = admit(door, name, message.back(), refusal);
    send(door.router, name, {peer == nullptr ? refusal : answer(*peer, name, frames)});
  }

  // [admit]
  /// The peer that sent a frame under that name; or nullptr, and why it is not listened to.
  Peer* admit(Door& door, const std::string& name, zmq::message_t& frame, std::string& refusal) {
    auto peer = door.peers.find(name);
    if (peer != door.peers.end() && !vipauth::is_from(peer->second.session, frame)) {
      service_.forget_methods(name);  // the peer before has gone, and another one has its routing id
      door.peers.erase(peer);
      peer = door.peers.end();
    }
    if (peer == door.peers.end()) {
      auto session = vipauth::session_of(service_, frame);  // who it is, as ZAP said when it connected
      if (!session) return refusal = session.error().message, nullptr;
      peer = door.peers.emplace(name, Peer{std::move(*session), {}, -1}).first;
    }
    peer->second.connection = vipauth::connection_of(frame);
    const Decision may = peer->second.session.verify_sender(name);
    if (may) return &peer->second;
    door.peers.erase(peer);
    return refusal = may.message(), nullptr;
  }
  // [/admit]

  // [ended]
  /// Drops the peers that have gone, before anything is sent to whoever has their routing ids now.
  void drop_ended(Door& door) {
    for (const int connection : door.disconnections.take()) {
      for (auto peer = door.peers.begin(); peer != door.peers.end();) {
        if (peer->second.connection != connection) {
          ++peer;
          continue;
        }
        service_.forget_methods(peer->first);
        peer = door.peers.erase(peer);
      }
    }
  }
  // [/ended]

  std::string answer(Peer& peer, const std::string& name, const Frames& frames) {
    const std::string operation = frames.empty() ? "" : frames[0];
    if (operation == "subscribe" && frames.size() == 2) return subscribe(peer, frames[1]);
    if (operation == "publish" && frames.size() == 3) return publish(peer, frames[1], frames[2]);
    if (operation == "call" && frames.size() == 4) return call(peer, frames[1], frames[2], frames[3]);
    if (operation == "register" && frames.size() == 2) return register_methods(peer, name, frames[1]);
    if (operation == "approve" && frames.size() == 2) return approve(peer, frames[1]);
    if (operation == "metrics" && frames.size() == 1) return metrics(peer);
    return "no such operation";
  }

  std::string subscribe(Peer& peer, const std::string& prefix) {
    if (peer.subscriptions.size() >= 100) return "too many subscriptions";
    peer.subscriptions.insert(prefix);
    return "ok";
  }

  // [publish]
  std::string publish(Peer& publisher, const std::string& topic, const std::string& body) {
    if (const Decision may = publisher.session.authorize_publish(topic); !may) return may.message();
    for (Door& door : doors_) {
      drop_ended(door);
      for (auto& [name, peer] : door.peers) {
        if (!is_wanted(peer, topic)) continue;
        if (peer.session.authorize_receive(topic)) send(door.router, name, {"event", topic, body});
      }
    }
    return "ok";
  }
  // [/publish]

  static bool is_wanted(const Peer& peer, const std::string& topic) {
    for (const std::string& prefix : peer.subscriptions) {
      if (topic.starts_with(prefix)) return true;
    }
    return false;
  }

  // [call]
  /// params: JSON, a list by position or an object by name.
  std::string call(Peer& caller, const std::string& callee, const std::string& method,
                   const std::string& params) {
    const auto arguments = vipauth::Json::parse(params);
    if (!arguments) return arguments.error().to_string();
    const Decision may = caller.session.authorize_call(
        vipauth::UnboundCall{.callee = callee, .method = method, .params = *arguments});
    if (!may) return may.message();
    for (Door& door : doors_) {
      drop_ended(door);
      const auto peer = door.peers.find(callee);
      if (peer == door.peers.end() || !peer->second.session.check()) continue;  // revoked: hears nothing
      if (send(door.router, callee, {"invoke", method, params})) return "ok";
    }
    return "no such agent";
  }
  // [/call]

  // [register]
  /// methods: {"set": {"capabilities": ["CAP_SET"], "params": {"temp": {"kind": "POSITIONAL_OR_KEYWORD"}}}}
  std::string register_methods(Peer& agent, const std::string& name, const std::string& methods) {
    const auto json = vipauth::Json::parse(methods);
    if (!json) return json.error().to_string();
    auto declared = vipauth::parse_declaration(*json);
    if (!declared) return declared.error().to_string();
    const auto registered = service_.register_methods(agent.session, name, std::move(*declared));
    return registered ? "ok" : registered.error().to_string();
  }
  // [/register]

  // [administer]
  std::string approve(Peer& administrator, const std::string& user_id) {
    const auto approved =
        vipauth::Administration(service_, administrator.session).approve_authorization(user_id);
    return approved ? "ok" : approved.error().to_string();
  }
  // [/administer]

  // [metrics]
  std::string metrics(Peer& asker) {
    static const std::vector<std::string> kOneOf{"CAP_SEE_METRICS"};
    const vipauth::CallArguments none;
    const Decision may = asker.session.authorize_operation(
        vipauth::CallRequest{.callee = "bus", .method = "metrics", .arguments = none}, kOneOf);
    return may ? vipauth::to_prometheus(service_.metrics()) : may.message();
  }
  // [/metrics]

  std::shared_ptr<Bell> bell_ = std::make_shared<Bell>();
  // [members]
  vipauth::AuthService service_;  // destroyed last
  zmq::context_t context_;
  std::optional<vipauth::ZapServer> zap_;
  std::list<Door> doors_;  // destroyed first
  // [/members]
};

int failed(const vipauth::Error& error) {
  std::cerr << error.to_string() << '\n';
  return 1;
}

}  // namespace

/// usage: guarded_bus HOME SETUP_MINUTES ADDRESS...
int main(int argc, char** argv) {
  const Frames arguments(argv + 1, argv + argc);
  if (arguments.size() < 3) return std::cerr << "usage: guarded_bus HOME SETUP_MINUTES ADDRESS...\n", 64;
  const std::filesystem::path home = arguments[0];
  // [open]
  vipauth::AuthService::Options options;
  options.log = [](vipauth::LogLevel level, const std::string& line) {
    if (level != vipauth::LogLevel::kDebug) std::cerr << line + "\n";
  };
  options.audit.emplace();                         // an audit log, in the folder `audit` of the home
  options.penalties->exempt = {"192.168.7.0/24"};  // never penalised
  auto service = vipauth::AuthService::open(home, std::move(options));
  if (!service) return failed(service.error());
  if (const auto problem = service->last_problem())
    std::cerr << problem->to_string() << '\n';  // refuses, and goes on
  // [/open]
  // [setup]
  const std::chrono::minutes setup(std::stoi(arguments[1]));
  if (setup.count() > 0) {
    const auto begun = service->begin_setup_mode(setup, {.peers = 40, .per_address = 40});
    if (!begun) return failed(begun.error());
  }
  // [/setup]
  GuardedBus bus(std::move(*service));
  if (const auto listening = bus.listen(home, {arguments.begin() + 2, arguments.end()}); !listening) {
    return failed(listening.error());
  }
  bus.run();
}
