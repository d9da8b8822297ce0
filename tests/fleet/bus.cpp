#include "bus.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <vipauth/call_arguments.hpp>
#include <vipauth/zap.hpp>

#include "network.hpp"
#include "soak/world.hpp"

namespace vipauth::fleet_drill {
namespace {

using soak::Ask;
using soak::Dice;
using test::model::StandingSession;

constexpr std::size_t kTalkers = 2;
constexpr std::size_t kMostHeard = 64;
constexpr std::chrono::milliseconds kBetweenQuestions{2};
constexpr const char* kAddress = "127.0.0.1";

template <typename T>
T must(Result<T>&& result) {
  if (!result) throw std::runtime_error(result.error().to_string());
  return *std::move(result);
}

Decision decide(Session& session, const Ask& ask) {
  if (ask.kind == "publish") return session.authorize_publish(ask.what);
  if (ask.kind == "receive") return session.authorize_receive(ask.what);
  if (ask.kind == "speak") return session.verify_sender(ask.what);
  const auto arguments = must(CallArguments::parse(ask.arguments));
  return session.authorize_call(CallRequest{ask.of, ask.what, arguments});
}

Mark mark_in(const PolicySnapshot& snapshot) {
  return mark_of(snapshot.capabilities.capabilities_of(kMarkUser));
}

}  // namespace

Bus::Bus(std::string name, StoreAddress address, Ledger& ledger, std::string network)
    : name_(std::move(name)), address_(std::move(address)), ledger_(ledger), network_(std::move(network)) {}

void Bus::start() {
  FleetFollower::Options options;
  options.address = address_;
  // Threads are of the network of the thread that starts them.
  std::string problem;
  std::jthread([&] {
    if (!network_.empty()) enter_network(network_);
    auto started = FleetFollower::start(home_.path(), options);
    if (started) {
      follower_ = *std::move(started);
    } else {
      problem = started.error().to_string();
    }
  }).join();
  if (follower_ == nullptr) throw std::runtime_error(problem);
  AuthService::Options service_options;
  service_options.store = follower_->store();
  service_options.audit.emplace();
  service_.emplace(must(AuthService::open(home_.path(), std::move(service_options))));
  service_->on_change([this](const PolicyChange& change) { note_change(*change.after); });
  note_change(*service_->policy()->current().snapshot);
  for (std::size_t i = 0; i < kTalkers; ++i) {
    talkers_.emplace_back(
        [this, i](const std::stop_token& stop) { talk(stop, std::hash<std::string>()(name_) + i); });
  }
}

void Bus::stop() {
  for (auto& talker : talkers_) talker.request_stop();
  talkers_.clear();
  service_.reset();
  follower_.reset();
}

void Bus::ask(bool yes) { asks_ = yes; }

std::uint64_t Bus::version() const { return mark_in(*service_->policy()->current().snapshot).version; }

std::optional<SteadyClock::time_point> Bus::time_of(std::uint64_t version) const {
  const std::lock_guard lock(mutex_);
  const auto found = times_.lower_bound(version);
  if (found == times_.end()) return std::nullopt;
  return found->second;
}

std::map<std::size_t, std::size_t> Bus::pushed_users() const {
  const std::lock_guard lock(mutex_);
  return pushed_;
}

void Bus::note_change(const PolicySnapshot& snapshot) {
  const auto now = SteadyClock::now();
  const std::uint64_t version = mark_in(snapshot).version;
  const auto users = snapshot.capabilities.users();
  const auto pushed = static_cast<std::size_t>(
      std::ranges::count_if(users, [](const std::string& user) { return user.starts_with("pushed-"); }));
  const std::lock_guard lock(mutex_);
  times_.try_emplace(version, now);
  ++pushed_[pushed];
  if (version < highest_)
    ledger_.wrong(name_ + " went back from version " + std::to_string(highest_) + " to " +
                  std::to_string(version));
  highest_ = std::max(highest_, version);
}

bool Bus::connects(const std::string& key_bytes) {
  const std::array<std::string_view, 7> frames{"1.0", "1", "vip", kAddress, "", "CURVE", key_bytes};
  return service_->zap_authenticator().handle(frames).status_code == "200";
}

std::optional<Session> Bus::session_of(std::size_t peer) {
  const AuthenticationRequest request{"vip", kAddress, soak::keys_of(peer).public_key};
  const auto present = service_->policy()->current();
  const Authentication answer = present.snapshot->authenticator.authenticate(request);
  if (!answer.decision) return std::nullopt;
  return service_->session(answer.acceptance());
}

void Bus::talk(const std::stop_token& stop, std::uint64_t seed) {
  Dice dice(seed);
  struct Peer {
    std::optional<Session> session;
    StandingSession standing;
    std::string key_bytes;
  };
  std::vector<Peer> peers(soak::kPeers);
  for (std::size_t i = 0; i < peers.size(); ++i) {
    const CurveKey& key = soak::keys_of(i).public_key;
    peers[i].standing.peer = {
        .domain = "vip", .address = kAddress, .mechanism = "CURVE", .key = key.to_base64url()};
    peers[i].key_bytes.assign(key.bytes().begin(), key.bytes().end());
  }
  std::vector<Heard> heard;
  while (!stop.stop_requested()) {
    std::this_thread::sleep_for(kBetweenQuestions);
    if (!asks_) {
      if (!heard.empty()) ledger_.hear(std::exchange(heard, {}));
      continue;
    }
    const std::size_t number = dice.below(peers.size());
    Peer& peer = peers[number];
    Heard one;
    one.bus = name_;
    one.first = version();
    if (!peer.session || dice.one_of(8)) {
      one.ask = {"connect", "", ""};
      one.allowed = connects(peer.key_bytes);
    } else {
      one.ask = soak::any_ask(dice);
      one.allowed = decide(*peer.session, one.ask).allowed();
    }
    one.last = version();
    one.session = peer.standing;
    if (one.last < one.first) {
      ledger_.wrong(name_ + " went back from version " + std::to_string(one.first));
    }
    if (!service_->policy()->current().snapshot->loaded) continue;
    heard.push_back(std::move(one));
    if (heard.back().ask.kind == "connect" && heard.back().allowed) {
      peer.session = session_of(number);  // it may have been taken away just now
      if (peer.session) peer.standing.user_id = peer.session->user_id();
    }
    if (heard.size() >= kMostHeard) ledger_.hear(std::exchange(heard, {}));
  }
  ledger_.hear(std::move(heard));
}

}  // namespace vipauth::fleet_drill
