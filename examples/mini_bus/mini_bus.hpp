#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <zmq.hpp>

#include <vipauth/vipauth.hpp>

#include "bell.hpp"
#include "protocol.hpp"

namespace mini_bus {

/// The smallest bus that is still a real one: it carries published messages and calls between agents, and
/// asks vipauth about each. What its agents say is data: nothing of it stops the bus, and what it keeps of
/// them is bounded.
///
/// Everything but stop() belongs to the thread that calls run().
class MiniBus {
 public:
  struct Options {
    std::string endpoint = "tcp://127.0.0.1:*";
    vipauth::LogSink log = [](vipauth::LogLevel, const std::string&) {};
    std::size_t max_peers = 1000;
    bool audit = false;  ///< keep an audit log in the home
  };

  /// Opens the home, and listens.
  static vipauth::Result<std::unique_ptr<MiniBus>> open(const std::filesystem::path& home, Options options);

  const std::string& endpoint() const { return endpoint_; }
  const vipauth::CurveKey& server_key() const { return server_key_; }

  void run();   ///< until stop()
  void stop();  ///< from any thread

 private:
  static constexpr std::size_t kMaxSubscriptions = 100;
  static constexpr std::size_t kMaxMethods = 100;
  static constexpr std::size_t kMaxCalls = 100;  // of one caller, that are not answered yet
  static constexpr std::size_t kMaxNameBytes = 255;

  /// An agent in good standing, known by its routing id, which is its VIP identity.
  struct Peer {
    std::string identity;
    vipauth::Session session;
    std::set<std::string, std::less<>> subscriptions;
    std::set<std::string, std::less<>> methods;
    std::size_t open_calls = 0;
    std::vector<vipauth::DeclaredMethod> declared = {};
    bool watches = false;
  };

  struct Call {
    std::string caller;
    std::string id;  // the caller's
    std::string callee;
  };

  /// What on_change reaches, on another thread and perhaps after the bus has gone.
  struct News {
    std::atomic<bool> policy_changed = false;
    Bell bell;
  };

  struct Operation;

  MiniBus(Options options, vipauth::AuthService service);
  vipauth::Result<void> listen();

  void handle_message();
  Peer* admit(const std::string& identity, zmq::message_t& origin, const std::string& id);
  void handle(Peer& peer, const Message& message);

  void hello(Peer& peer, const Frames& frames);
  void subscribe(Peer& peer, const Frames& frames);
  void publish(Peer& peer, const Frames& frames);
  void serve(Peer& peer, const Frames& frames);
  void call(Peer& caller, const Frames& frames);
  void answer(Peer& callee, const Frames& frames);
  void watch(Peer& peer, const Frames& frames);
  void finish(std::uint64_t number, std::string_view status, const std::string& text);

  vipauth::Decision may_watch(Peer& peer);
  void tell_changes();
  void judge_all();
  void drop_gone();
  void drop(const std::string& identity, const std::string& why);

  bool deliver(Peer& peer, Frames frames);
  Sent send_to(const std::string& identity, Frames frames);
  void accept(const Peer& peer, const Frames& request, const std::string& text = {});
  void refuse(const std::string& identity, const std::string& id, const std::string& why);
  void log(const std::string& line) const { options_.log(vipauth::LogLevel::kInfo, line); }

  Options options_;
  vipauth::AuthService service_;
  std::string endpoint_;
  vipauth::CurveKey server_key_{{}};

  // In this order: the ZAP handler outlives the sockets that need it, and the context outlives both.
  zmq::context_t context_;
  std::optional<vipauth::ZapServer> zap_;
  zmq::socket_t router_;

  std::map<std::string, Peer, std::less<>> peers_;
  std::map<std::uint64_t, Call> calls_;
  std::uint64_t last_call_ = 0;
  std::shared_ptr<const vipauth::PolicySnapshot> told_;  // what agents that watch know

  std::atomic<bool> stopping_ = false;
  std::shared_ptr<News> news_ = std::make_shared<News>();
};

}  // namespace mini_bus
