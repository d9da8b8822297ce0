// Where the router listens, and what it says of itself.

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <utility>

#include "router.hpp"

namespace vip_router {

namespace fs = std::filesystem;
using vipauth::Error;
using vipauth::ErrorCode;
using vipauth::Json;
using vipauth::Result;
using vipauth::VipAddress;

namespace {

Result<std::vector<VipAddress>> addresses_of(const fs::path& home, const vipauth::PlatformConfig& config) {
  auto addresses = config.vip_addresses();
  if (!addresses) return addresses.error().at("config");
  if (!addresses->empty()) return addresses;
  auto preset = VipAddress::parse("ipc://@" + fs::absolute(home).string() + "/run/vip.socket");
  if (!preset) return preset.error();
  addresses->push_back(*std::move(preset));
  return addresses;
}

bool has_any_port(const VipAddress& address) { return address.port == "*" || address.port == "0"; }

/// known_hosts tells one key for one place: not of addresses that have keys of their own, nor of those that
/// stand for several places.
bool is_one_place(const VipAddress& address) {
  const bool is_every_host = address.host == "*" || address.host == "0.0.0.0" || address.host == "[::]";
  return !address.secretkey && !is_every_host;
}

Result<void> prepare(const fs::path& home, std::vector<std::string> addresses,
                     const VipRouter::Options& options) {
  const auto report =
      vipauth::prepare_platform(home, {.addresses = std::move(addresses), .store = options.store});
  if (!report) return report.error();
  for (const std::string& warning : report->warnings) options.log(vipauth::LogLevel::kWarning, warning);
  return {};
}

std::string random_uuid() {
  std::ifstream file("/proc/sys/kernel/random/uuid");
  std::string uuid;
  std::getline(file, uuid);
  return uuid;
}

}  // namespace

VipRouter::VipRouter(fs::path home, Options options, vipauth::PlatformConfig config,
                     vipauth::AuthService service)
    : options_(std::move(options)),
      home_(std::move(home)),
      config_(std::move(config)),
      service_(std::move(service)),
      id_(random_uuid()),
      context_(options_.io_threads) {}

Result<std::unique_ptr<VipRouter>> VipRouter::open(const fs::path& home, Options options) {
  auto config = vipauth::PlatformConfig::load(home / "config");
  if (!config) return config.error();
  if (options.addresses.empty()) {
    auto preset = addresses_of(home, *config);
    if (!preset) return preset.error();
    options.addresses = *std::move(preset);
  }
  // Before the service reads the files: the platform's own records are in force from the start.
  std::vector<std::string> known;
  for (const VipAddress& address : options.addresses) {
    if (is_one_place(address) && !has_any_port(address)) known.push_back(address.endpoint);
  }
  if (auto prepared = prepare(home, std::move(known), options); !prepared) return prepared.error();

  vipauth::AuthService::Options service_options;
  service_options.log = options.log;
  if (options.audit) service_options.audit.emplace();
  service_options.store = options.store;
  auto service = vipauth::AuthService::open(home, std::move(service_options));
  if (!service) return service.error();
  if (options.policy_age) service->set_policy_age(options.policy_age, options.max_policy_age);
  std::unique_ptr<VipRouter> router(
      new VipRouter(home, std::move(options), *std::move(config), *std::move(service)));
  try {
    if (auto listening = router->listen(); !listening) return listening.error();
  } catch (const zmq::error_t& error) {
    return Error{ErrorCode::kIoError, error.what(), ""};
  }
  return router;
}

Result<void> VipRouter::listen() {
  const auto keys = service_.server_keys();
  if (!keys) return keys.error();
  server_key_ = keys->public_key;

  auto zap = vipauth::ZapServer::start(context_, service_);  // before any server socket
  if (!zap) return zap.error();
  zap_.emplace(*std::move(zap));

  router_ = zmq::socket_t(context_, zmq::socket_type::router);
  auto disconnections = vipauth::Disconnections::watch(context_, router_);
  if (!disconnections) return disconnections.error();
  disconnections_.emplace(*std::move(disconnections));
  router_.set(zmq::sockopt::linger, 0);
  router_.set(zmq::sockopt::sndhwm, options_.high_water_mark);
  router_.set(zmq::sockopt::rcvhwm, options_.high_water_mark);
  router_.set(zmq::sockopt::maxmsgsize, options_.max_frame_bytes);
  // An agent that has gone, or reads too slowly, is told apart and never waited for. ZMQ_ROUTER_HANDOVER
  // stays off: it would give a routing id, and the messages on their way to it, to whoever claims it next.
  router_.set(zmq::sockopt::router_mandatory, true);
  router_.set(zmq::sockopt::heartbeat_ivl, 10'000);
  router_.set(zmq::sockopt::heartbeat_timeout, 30'000);
  router_.set(zmq::sockopt::tcp_keepalive, 1);

  std::vector<std::string> bound_by_chance;
  for (const VipAddress& address : options_.addresses) {
    if (auto bound = bind(address); !bound) return bound.error().at(address.endpoint);
    if (is_one_place(address) && has_any_port(address)) bound_by_chance.push_back(addresses_.back());
  }
  if (!bound_by_chance.empty()) {
    if (auto prepared = prepare(home_, std::move(bound_by_chance), options_); !prepared) return prepared;
  }

  told_ = service_.policy()->current().snapshot;
  service_.on_change([news = news_](const vipauth::PolicyChange&) {
    news->policy_changed = true;
    news->bell.ring();
  });
  auth_.emplace(service_, [news = news_] { news->bell.ring(); });
  return {};
}

Result<void> VipRouter::bind(const VipAddress& address) {
  if (address.transport == VipAddress::Transport::kInproc) {
    return Error{ErrorCode::kUnsupported, "nobody proves who it is over inproc: listen on tcp or ipc", ""};
  }
  const auto keys = vipauth::find_server_keys(home_, address);
  if (!keys) return keys.error();
  if (auto secured = vipauth::secure_server_socket(router_, keys->own, keys->domain); !secured)
    return secured;
  router_.set(zmq::sockopt::ipv6, keys->ipv6.value_or(false));
  try {
    router_.bind(keys->endpoint);
  } catch (const zmq::error_t& error) {
    return Error{ErrorCode::kIoError, error.what(), ""};
  }
  addresses_.push_back(router_.get(zmq::sockopt::last_endpoint));
  return {};
}

/// What `query` answers; empty where it is not known. Source: VOLTTRON main.py, Router.handle_subsystem.
std::string VipRouter::fact(std::string_view name) const {
  static constexpr std::string_view kOfConfig[] = {"instance-name", "bind-web-address",
                                                   "volttron-central-address", "volttron-central-serverkey",
                                                   "agent-monitor-frequency"};
  if (name == "addresses") return Json::strings(addresses_).dump();
  if (name == "serverkey") return server_key_.to_base64url();
  if (name == "platform-version") return std::string(vipauth::version());
  if (name == "message-bus") return "zmq";
  if (name == "local_address") {
    const auto local = std::find_if(addresses_.begin(), addresses_.end(),
                                    [](const std::string& address) { return address.starts_with("ipc:"); });
    return local == addresses_.end() ? std::string() : *local;
  }
  if (std::find(std::begin(kOfConfig), std::end(kOfConfig), name) == std::end(kOfConfig)) return {};
  return config_.get(name).value_or("");
}

}  // namespace vip_router
