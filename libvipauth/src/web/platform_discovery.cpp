#include <vipauth/platform_discovery.hpp>

#include <array>
#include <string_view>
#include <utility>

namespace vipauth {
namespace {

using Field = std::pair<std::string_view, std::string PlatformDiscovery::*>;

constexpr std::array kFields{
    Field{"instance-name", &PlatformDiscovery::instance_name},
    Field{"vip-address", &PlatformDiscovery::vip_address},
    Field{"serverkey", &PlatformDiscovery::serverkey},
    Field{"rmq-address", &PlatformDiscovery::rmq_address},
    Field{"rmq-ca-cert", &PlatformDiscovery::rmq_ca_cert},
};

}  // namespace

PlatformDiscovery PlatformDiscovery::parse(const Json& document) {
  PlatformDiscovery out;
  for (const auto& [name, field] : kFields) out.*field = document.text_at(name);
  return out;
}

Json PlatformDiscovery::to_json() const {
  Json out = Json::Object();
  for (const auto& [name, field] : kFields) {
    if (!(this->*field).empty()) out.set(name, this->*field);
  }
  return out;
}

}  // namespace vipauth
