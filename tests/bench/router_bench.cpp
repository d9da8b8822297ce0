// What authorization costs a router of VIP: agents that call each other and publish, through a router that
// asks vipauth about each message, and through the same router that asks nothing (CURVE and ZAP stay). Both
// take turns in one process. usage: router_bench [--quick] [--out FILE]

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>
#include <zmq.hpp>

#include <vipauth/vipauth.hpp>

#include "router.hpp"
#include "support.hpp"

namespace {

namespace fs = std::filesystem;
using namespace vipauth;
using bench::give_up;
using bench::median;
using bench::must;
using vip_router::Frames;
using vip_router::VipRouter;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kThreads = 4;
constexpr std::size_t kPatienceSeconds = 120;

struct Size {
  std::size_t agents;
  std::size_t messages;  // of each kind, of each agent, in one round
  std::size_t rounds;
};

struct Rate {
  double in_a_second = 0;     // calls and publishes
  double router_time_us = 0;  // that the router's thread computes for one: other programs do not disturb it
};

std::string name_of(std::size_t agent) { return "agent." + std::to_string(agent); }

/// Each agent holds what its neighbour's method requires, for one argument, and may publish under its own
/// name.
void write_home(const fs::path& home, const std::vector<CurveKeyPair>& keys) {
  Json::Array allow;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    allow.emplace_back(Json::Object{
        {"user_id", name_of(i)},
        {"identity", name_of(i)},
        {"credentials", keys[i].public_key.to_base64url()},
        {"capabilities", Json::Object{{"may_set", Json::Object{{"x", "/[0-9]+/"}}},
                                      {"may_publish", Json::Object{{"topic", "/devices/{identity}/.*/"}}}}},
        {"rpc_method_authorizations", Json::Object{{"set", Json::Array{"may_set"}}}}});
  }
  const auto write = [&](const char* name, const Json& content) {
    std::ofstream(home / name) << content.dump_pretty();
    fs::permissions(home / name, fs::perms(0600));
  };
  write("auth.json",
        Json::Object{{"allow", std::move(allow)}, {"version", Json::Object{{"major", 1}, {"minor", 4}}}});
  write("protected_topics.json",
        Json::Object{
            {"write-protect", Json::Array{Json::Object{{"topic", "devices/"},
                                                       {"capabilities", Json::Array{"may_publish"}}}}}});
}

void send(zmq::socket_t& socket, const Frames& frames) {
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const int flags = i + 1 < frames.size() ? ZMQ_SNDMORE : 0;
    if (zmq_send(socket.handle(), frames[i].data(), frames[i].size(), flags) < 0) give_up("cannot send");
  }
}

/// A router on a thread of its own, with its agents connected.
class Bus {
 public:
  Bus(const fs::path& home, const std::vector<CurveKeyPair>& keys, bool authorize)
      : context_(2), keys_(keys), sockets_(keys.size()) {
    VipRouter::Options options;
    options.addresses.push_back(must(VipAddress::parse("tcp://127.0.0.1:*")));
    options.authorize = authorize;
    router_ = must(VipRouter::open(home, std::move(options)));
    thread_ = std::thread([this] { router_->run(); });
    context_.set(zmq::ctxopt::max_sockets, static_cast<int>(keys.size()) + 10);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      sockets_[i] = zmq::socket_t(context_, zmq::socket_type::dealer);
      sockets_[i].set(zmq::sockopt::linger, 0);
      sockets_[i].set(zmq::sockopt::routing_id, name_of(i));
      if (!secure_client_socket(sockets_[i], keys[i], router_->server_key())) give_up("no CURVE");
      sockets_[i].connect(router_->addresses().front());
      // One in ten listens to its neighbour.
      if (i % 10 == 0) {
        const Json wanted(Json::Object{{"prefix", "devices/" + name_of(neighbour(i)) + "/"}, {"bus", ""}});
        send(sockets_[i], {"", "VIP1", "", "m", "pubsub", "subscribe", wanted.dump()});
      }
      send(sockets_[i], {"", "VIP1", "", "hello", "hello", "hello"});
    }
    for (zmq::socket_t& socket : sockets_) wait_for(socket, "hello");
    for (zmq::socket_t& socket : sockets_) drain(socket);
  }
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;
  ~Bus() {
    sockets_.clear();
    router_->stop();
    thread_.join();
  }

  /// Each agent calls its neighbour, which answers, and publishes; one message of each kind on its way.
  Rate round(std::size_t messages) {
    for (zmq::socket_t& socket : sockets_) drain(socket);
    const auto begin = Clock::now();
    const double cpu = cpu_seconds();
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (std::size_t t = 0; t < kThreads; ++t)
      threads.emplace_back([this, t, messages] { play(t, messages); });
    for (std::thread& thread : threads) thread.join();
    const std::chrono::duration<double> took = Clock::now() - begin;
    const double carried = 2.0 * static_cast<double>(sockets_.size() * messages);
    return {carried / took.count(), 1e6 * (cpu_seconds() - cpu) / carried};
  }

 private:
  /// What the router's thread has used.
  double cpu_seconds() {
    clockid_t clock{};
    timespec used{};
    if (pthread_getcpuclockid(thread_.native_handle(), &clock) != 0 || clock_gettime(clock, &used) != 0)
      give_up("there is no clock of a thread");
    return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
  }

  struct Progress {
    std::size_t calls = 0;
    std::size_t publishes = 0;
  };

  std::size_t neighbour(std::size_t agent) const {  // on the same thread: it must answer
    const std::size_t next = agent + kThreads;
    return next < keys_.size() ? next : agent % kThreads;
  }

  void call(std::size_t agent) {
    send(
        sockets_[agent],
        {name_of(neighbour(agent)), "VIP1", "", "m", "RPC",
         R"({"jsonrpc": "2.0", "method": "set", "params": {"x": "42", "y": [1.5, 2.5]}, "id": "1795291811.8727798262905"})"});
  }
  void publish(std::size_t agent) {
    send(
        sockets_[agent],
        {"", "VIP1", "", "p", "pubsub", "publish", "devices/" + name_of(agent) + "/all",
         R"({"bus": "", "headers": {"TimeStamp": "2024-01-01T00:00:00+00:00", "min_compatible_version": "3.0", "max_compatible_version": ""}, "message": [{"temperature": 21.5, "humidity": 40}, {"temperature": {"units": "C"}}]})"});
  }

  /// The agents whose number leaves `part` over, on one thread.
  void play(std::size_t part, std::size_t messages) {
    std::vector<std::size_t> agents;
    for (std::size_t i = part; i < sockets_.size(); i += kThreads) agents.push_back(i);
    std::vector<Progress> progress(agents.size());
    std::vector<zmq::pollitem_t> items;
    for (const std::size_t agent : agents) {
      items.push_back({sockets_[agent].handle(), 0, ZMQ_POLLIN, 0});
      call(agent);
      publish(agent);
    }
    const auto deadline = Clock::now() + std::chrono::seconds(kPatienceSeconds);
    for (std::size_t done = 0; done < agents.size();) {
      zmq::poll(items, std::chrono::seconds(1));
      if (Clock::now() > deadline) give_up("the router does not answer");
      for (std::size_t i = 0; i < agents.size(); ++i) {
        if (items[i].revents != 0) hear(agents[i], progress[i], messages, done);
      }
    }
  }

  void hear(std::size_t agent, Progress& progress, std::size_t messages, std::size_t& done) {
    vip_router::Incoming message;
    while (vip_router::receive(sockets_[agent], message)) {
      const Frames& frames = message.frames;
      if (frames.size() < 6) give_up("a message is cut");
      const bool is_rpc = frames[4] == "RPC";
      if (frames[4] == "error") give_up("refused: " + frames[6]);
      if (is_rpc && frames[5].find("\"method\"") != std::string::npos) {
        if (frames[0] == "platform.auth") continue;
        send(sockets_[agent], {frames[0], "VIP1", "", frames[3], "RPC",
                               R"({"jsonrpc": "2.0", "id": "1795291811.8727798262905", "result": true})"});
        continue;
      }
      if (is_rpc) {
        if (frames[5].find("\"error\"") != std::string::npos) give_up("refused: " + frames[5]);
        if (++progress.calls < messages) call(agent);
      } else if (frames[4] == "pubsub" && frames[5] == "request_response") {
        if (++progress.publishes < messages) publish(agent);
      } else {
        continue;
      }
      if (progress.calls == messages && progress.publishes == messages) ++done;
    }
  }

  static void wait_for(zmq::socket_t& socket, const std::string& subsystem) {
    vip_router::Incoming message;
    const auto deadline = Clock::now() + std::chrono::seconds(kPatienceSeconds);
    for (;;) {
      if (vip_router::receive(socket, message)) {
        if (message.frames[4] == subsystem) return;
        if (message.frames[4] == "error") give_up("refused: " + message.frames[6]);
        continue;
      }
      if (Clock::now() > deadline) give_up("an agent was not let in");
      zmq::pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
      zmq::poll(&item, 1, std::chrono::seconds(1));
    }
  }

  static void drain(zmq::socket_t& socket) {
    vip_router::Incoming message;
    while (vip_router::receive(socket, message)) {
    }
  }

  zmq::context_t context_;
  const std::vector<CurveKeyPair>& keys_;
  std::vector<zmq::socket_t> sockets_;
  std::unique_ptr<VipRouter> router_;
  std::thread thread_;
};

void run(const fs::path& home, const Size& size, bench::Results& results) {
  std::vector<CurveKeyPair> keys;
  keys.reserve(size.agents);
  for (std::size_t i = 0; i < size.agents; ++i) keys.push_back(CurveKeyPair::generate());
  write_home(home, keys);
  Bus guarded(home, keys, true);
  Bus open(home, keys, false);
  guarded.round(1);
  open.round(1);
  std::printf("\n%zu agents, each with %zu calls and %zu publishes in a round\n\n", size.agents,
              size.messages, size.messages);
  std::printf(
      "| round | calls and publishes/s, authorized | authorization off | cost | router's time for one, "
      "authorized | authorization off | cost |\n");
  std::printf("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
  std::vector<double> costs;
  std::vector<double> time_costs;
  for (std::size_t i = 0; i < size.rounds; ++i) {
    Rate rates[2];
    for (const std::size_t turn : {i % 2, 1 - i % 2})
      rates[turn] = (turn == 0 ? guarded : open).round(size.messages);
    costs.push_back(100 * (rates[1].in_a_second / rates[0].in_a_second - 1));
    time_costs.push_back(100 * (rates[0].router_time_us / rates[1].router_time_us - 1));
    std::printf("| %zu | %.0f | %.0f | %.1f %% | %.1f us | %.1f us | %.1f %% |\n", i + 1,
                rates[0].in_a_second, rates[1].in_a_second, costs.back(), rates[0].router_time_us,
                rates[1].router_time_us, time_costs.back());
    std::fflush(stdout);
  }
  std::printf("\nAuthorization costs (median): %.1f %% of the throughput, %.1f %% of the router's time\n",
              median(costs), median(time_costs));
  results.note("router_cost/throughput/" + std::to_string(size.agents), costs, "%");
  results.note("router_cost/router_time/" + std::to_string(size.agents), time_costs, "%");
}

}  // namespace

int main(int argc, char** argv) try {
  const bench::Arguments arguments(argc, argv);
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  const bench::TempFolder home;
  bench::Results results;
  run(home.path(), arguments.effort == bench::Effort::kFull ? Size{1000, 20, 7} : Size{100, 10, 3}, results);
  results.write(arguments.out);
} catch (const std::exception& error) {
  std::fprintf(stderr, "router_bench: %s\n", error.what());
  return 1;
}
