// Small texts that have a form of their own, each read in every form.
#include <vipauth/authorization_json.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/common_name.hpp>
#include <vipauth/platform_discovery.hpp>
#include <vipauth/python_repr.hpp>

#include "fuzz.hpp"
#include "text/ip_network.hpp"
#include "text/utf8_prefix.hpp"
#include "transport/zmtp_greeting.hpp"
#include "web/http_message.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;

namespace {

void check_greeting(std::string_view text) {
  const auto mechanism = mechanism_in_greeting(text);
  if (!mechanism) return require_good(mechanism.error(), text.size());
  require(text.size() >= kGreetingBytes && !mechanism->empty() && mechanism->size() <= 20);
  require(!has_control_character(*mechanism) && text.substr(12).starts_with(*mechanism), *mechanism);
}

void check_time(std::string_view text) {
  const auto time = parse_timestamp(text);
  if (!time) return require_good(time.error(), text.size());
  const std::string written = format_timestamp(*time);
  const auto again = parse_timestamp(written);
  require(again && *again == *time, written);
  require(text.substr(0, 19) == written.substr(0, 19), written);
}

void check_name(std::string_view text) {
  const auto name = CommonName::parse(text);
  if (!name) return require_good(name.error(), text.size());
  require_same(name->text(), text);
  require(text.find_first_of("/\\ ") == std::string_view::npos && text != "." && text != "..");
  require(text.size() <= CommonName::kMaxBytes && text.find("..") == std::string_view::npos);
}

void check_ip(std::string_view text) {
  const auto address = IpAddress::parse(text);
  require(source_of(text, address).size() <= 64 + 8);
  const auto network = IpNetwork::parse(text);
  if (!network) return require_good(network.error(), text.size());
  const auto first = IpAddress::parse(text.substr(0, text.find('/')));
  require(first && network->contains(*first), text);
}

void check_percents(std::string_view text) {
  const auto decoded = web::percent_decode(text);
  if (!decoded) return;
  require(is_valid_utf8(*decoded) && !has_control_character(*decoded) && decoded->size() <= text.size());
}

void check_json(std::string_view text) {
  const auto json = Json::parse(text);
  if (!json) return;
  for (const std::string& shown : {python_repr(*json), python_str(*json)}) {
    require(is_valid_utf8(shown) && !has_control_character(shown), shown);
    require_same(vctl::printable(shown), shown);
  }
  const PlatformDiscovery discovery = PlatformDiscovery::parse(*json);
  require_same(PlatformDiscovery::parse(discovery.to_json()).to_json().dump(), discovery.to_json().dump());
  const auto peer = parse_authorization(*json, AuthorizationStatus::kPending);
  if (!peer) return require_good(peer.error(), text.size());
  const Json written = to_json(*peer);
  const auto again = parse_authorization(written, AuthorizationStatus::kPending);
  require(again.has_value(), written.dump());
  require_same(to_json(*again).dump(), written.dump());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  check_greeting(text);
  check_time(text);
  check_name(text);
  check_ip(text);
  check_percents(text);
  check_json(text);
  for (const std::size_t most : {std::size_t{0}, std::size_t{1}, std::size_t{5}, size}) {
    const std::string_view prefix = utf8_prefix(text, most);
    require(prefix.size() <= most && (!is_valid_utf8(text) || is_valid_utf8(prefix)));
  }
  return 0;
}
