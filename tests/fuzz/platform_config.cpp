// The config of a home: its settings, and, written again, the same.
#include <vipauth/platform_config.hpp>

#include "fuzz.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;

namespace {

/// True for what needs no knowledge of the form to be written in one line.
bool is_plain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '/' || c == ':';
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  const auto config = PlatformConfig::parse(text);
  if (!config) {
    require_good(config.error(), size);
    return 0;
  }
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  std::string written = "[volttron]\n";
  std::vector<PlatformConfig::Setting> plain;
  for (const PlatformConfig::Setting& setting : config->settings()) {
    require(setting.line >= 1 && setting.line <= lines);
    require(setting.name.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_\n") == std::string::npos, setting.name);
    require(setting.value.find('\n') == std::string::npos, setting.value);
    require(text.find(setting.value) != std::string_view::npos, setting.value);
    const auto all = config->get_all(setting.name);
    require(!all.empty() && config->get(setting.name) == all.back());
    if (!is_plain(setting.name) || !is_plain(setting.value)) continue;
    plain.push_back(setting);
    written += setting.name + " = " + setting.value + "\n";
  }
  const auto again = PlatformConfig::parse(written);
  require(again && again->settings().size() == plain.size(), written);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    require_same(again->settings()[i].name, plain[i].name);
    require_same(again->settings()[i].value, plain[i].value);
  }
  const auto addresses = config->vip_addresses();
  if (!addresses) require_good(addresses.error(), size);
  return 0;
}
