#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <zmq.hpp>

#include <vipauth/vipauth.hpp>

#include "../mini_bus/bell.hpp"
#include "auth_worker.hpp"
#include "brake.hpp"
#include "frames.hpp"
#include "open_calls.hpp"
#include "pubsub.hpp"

namespace vip_router {

/// A router of VIP 1, VOLTTRON's protocol, that asks vipauth about each message: who sends it, which methods
/// the sender may call, and which topics it may publish to and receive. Agents of VOLTTRON connect to it as
/// they are.
///
/// What peers say is data: nothing of it stops the router, and what it keeps of them is bounded. Everything
/// but stop() belongs to the thread that calls run(). Source: VOLTTRON vip/router.py, main.py,
/// pubsubservice.py.
class VipRouter {
 public:
  struct Options {
    /// Where to listen; none: as the file `config` of the home says, else `ipc://@HOME/run/vip.socket`.
    std::vector<vipauth::VipAddress> addresses;
    vipauth::LogSink log = [](vipauth::LogLevel, const std::string&) {};
    bool log_messages = false;  ///< a line of kDebug for each, without what it carries
    bool audit = false;         ///< keep an audit log in the home
    /// Of a home that follows a fleet: what its FleetFollower edits. Null: the home's own files.
    std::shared_ptr<vipauth::PolicyStore> store = nullptr;
    /// Tells how old the policy is; empty: there is no store that it could differ from.
    std::function<std::optional<std::chrono::milliseconds>()> policy_age = {};
    /// The age beyond which nobody new is let in; nothing: any will do.
    std::optional<std::chrono::milliseconds> max_policy_age = {};
    std::size_t max_peers = 10'000;
    std::size_t max_peers_of_one = 100;  ///< under free names, of a user whose record gives no identity
    std::int64_t max_frame_bytes = std::int64_t{4} * 1024 * 1024;
    int high_water_mark = 6000;  ///< messages that wait for one peer, as VOLTTRON has it
    int io_threads = 1;
    /// Only to measure what it costs: without it, who connects by CURVE may do everything under any name.
    bool authorize = true;
  };

  /// Prepares the home as a platform does, opens it, and listens.
  static vipauth::Result<std::unique_ptr<VipRouter>> open(const std::filesystem::path& home, Options options);

  const std::vector<std::string>& addresses() const { return addresses_; }  ///< as bound
  const vipauth::CurveKey& server_key() const { return server_key_; }       ///< of the home
  vipauth::AuthService& service() { return service_; }

  void run();   ///< until stop(), or until the platform's own `control` says quit
  void stop();  ///< from any thread

 private:
  static constexpr std::size_t kMaxNameBytes = 255;  // of a peer, a message id, a subsystem
  static constexpr std::size_t kMaxListed = 10'000;  // subscriptions in one answer
  static constexpr std::chrono::seconds kTellInterval{1};
  static constexpr std::chrono::seconds kProbeInterval{1};
  using Clock = std::chrono::steady_clock;

  /// An agent in good standing, known by its routing id, which is its VIP identity.
  struct Peer {
    std::string identity;
    std::uint64_t number;  // nobody else ever has it
    vipauth::Session session;
    int connection;  // of its last message
    OpenCalls calls = {};
    std::uint64_t verified_at = 0;  // the policy under which it was last found to own its identity
  };

  /// What other threads reach, perhaps after the router has gone.
  struct News {
    std::atomic<bool> policy_changed = false;
    mini_bus::Bell bell;
  };

  struct Leaving {
    std::string identity;
    std::uint64_t number;
    std::string why;
  };
  struct Judged;

  VipRouter(std::filesystem::path home, Options options, vipauth::PlatformConfig config,
            vipauth::AuthService service);

  // router_listen.cpp
  vipauth::Result<void> listen();
  vipauth::Result<void> bind(const vipauth::VipAddress& address);
  std::string fact(std::string_view name) const;

  // router.cpp
  std::chrono::milliseconds patience() const;
  void handle_news();
  void handle_message(Incoming& incoming);
  Peer* admit(const std::string& identity, Incoming& incoming, const vipauth::VipMessage* message);
  Peer* add_peer(const std::string& identity, vipauth::Session session, int connection,
                 const vipauth::VipMessage* message);
  std::string why_not(const std::string& identity, vipauth::Session& session);
  bool has_ended(const Peer& peer);
  void drop_ended();
  void handle(Peer& peer, vipauth::VipMessage& message);
  void carry(Peer& sender, vipauth::VipMessage& message);
  void hello(Peer& peer, const vipauth::VipMessage& message);
  void ping(Peer& peer, vipauth::VipMessage& message);
  void peerlist(Peer& peer, const vipauth::VipMessage& message);
  void query(Peer& peer, const vipauth::VipMessage& message);
  void agentstop(Peer& peer, const vipauth::VipMessage& message);
  void quit(Peer& peer, const vipauth::VipMessage& message);
  void judge_all();
  void tell_changes();
  void drop_gone();
  void leave(const Peer& peer, std::string why);
  void see_off();
  void remove(const Leaving& leaving);
  Peer* find(std::string_view identity);

  // router_rpc.cpp
  void carry_rpc(Peer& caller, Peer& callee, vipauth::VipMessage& message);
  Judged judge(Peer& caller, const Peer& callee, const std::vector<std::string>& arguments);
  void call_auth(Peer& caller, vipauth::VipMessage& message);
  void answer_for_auth();

  // router_pubsub.cpp
  void pubsub(Peer& peer, const vipauth::VipMessage& message);
  void subscribe(Peer& peer, const vipauth::VipMessage& message);
  void unsubscribe(Peer& peer, const vipauth::VipMessage& message);
  void publish(Peer& peer, const vipauth::VipMessage& message);
  void list(Peer& peer, const vipauth::VipMessage& message);
  void synchronize(Peer& peer, const vipauth::VipMessage& message);
  std::size_t deliver(Peer& publisher, const vipauth::VipMessage& message, const std::string& topic,
                      const std::string& body);
  void respond(Peer& peer, const vipauth::VipMessage& message, std::string operation, std::string value);
  void refuse_publish(Peer& peer, const vipauth::VipMessage& message, const std::string& why);
  void reject(Peer& peer, const vipauth::VipMessage& message, const vipauth::Error& error);

  Sent send_to(Peer& peer, const vipauth::VipMessage& message);
  Sent send_shared(Peer& peer, SharedMessage& message);
  template <typename Send>
  Sent send_if_there(Peer& peer, Send send);
  void broadcast(const vipauth::VipMessage& message, std::string_view but);
  void send_error(Peer& peer, const vipauth::VipMessage& request, const vipauth::VipError& error);
  void forward(Peer& sender, Peer& recipient, vipauth::VipMessage& message);
  void log(const std::string& line) const { options_.log(vipauth::LogLevel::kInfo, printable(line)); }
  void log_refusal(const std::string& line);

  Options options_;
  std::filesystem::path home_;
  vipauth::PlatformConfig config_;
  vipauth::AuthService service_;
  std::vector<std::string> addresses_;
  vipauth::CurveKey server_key_{{}};
  std::string id_;  // of this router, in each welcome

  // In this order: the ZAP handler outlives the sockets that need it, and the context outlives both.
  zmq::context_t context_;
  std::optional<vipauth::ZapServer> zap_;
  zmq::socket_t router_;
  std::optional<vipauth::Disconnections> disconnections_;
  std::set<int> ended_;  // connections, of which some peers are still there

  std::map<std::string, Peer, std::less<>> peers_;
  std::uint64_t last_number_ = 0;
  std::vector<Leaving> leaving_;
  std::array<Subscriptions, kReaches> subscriptions_;
  Brake refusals_;

  std::shared_ptr<const vipauth::PolicySnapshot> told_;  // what agents know
  bool has_news_to_tell_ = false;
  Clock::time_point next_tell_;
  Clock::time_point next_probe_;

  std::atomic<bool> stopping_ = false;
  std::shared_ptr<News> news_ = std::make_shared<News>();
  std::optional<AuthWorker> auth_;  // last: its thread uses the service and the bell
};

}  // namespace vip_router
