#include <vipauth/store_address.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <optional>
#include <utility>

namespace vipauth {
namespace {

constexpr std::size_t kMaxBytes = 2048;
constexpr std::size_t kMostEndpoints = 32;
constexpr std::size_t kLongestHost = 253;
constexpr std::size_t kLongestSite = 255;
constexpr int kDefaultPort = 2379;
constexpr int kMostPort = 65535;
constexpr std::string_view kPlainScheme = "etcd://";
constexpr std::string_view kTlsScheme = "etcds://";

/// Never with the text itself: somebody may have put a password in it.
Error not_an_address(const std::string& why) {
  return Error{
      ErrorCode::kInvalidArgument,
      "an address of a store is \"etcds://HOST:PORT,HOST:PORT/PREFIX?site=SITE\" (or etcd://, without "
      "TLS), but in the one that is given " +
          why,
      ""};
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Letters, digits and "-._~": a part of a path that needs no escapes, and is no step.
bool is_part(std::string_view text) {
  if (text.empty() || text == "." || text == "..") return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter_or_digit(c) || std::string_view("-._~").find(c) != std::string_view::npos;
  });
}

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > kLongestHost) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_'; });
}

bool is_ipv6(const std::string& text) {
  in6_addr ignored{};
  return ::inet_pton(AF_INET6, text.c_str(), &ignored) == 1;
}

std::optional<int> parse_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (!is_number || port < 1 || port > kMostPort) return std::nullopt;
  return port;
}

/// What stands before the first `mark`; `rest` keeps what stands behind it, and is empty where there is no
/// mark.
std::string_view cut_off(std::string_view& rest, char mark) {
  const std::size_t at = std::min(rest.find(mark), rest.size());
  const std::string_view before = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return before;
}

Result<StoreAddress::Endpoint> parse_endpoint(std::string_view text) {
  StoreAddress::Endpoint out;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return not_an_address("a bracket is open");
    out.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!is_ipv6(out.host)) return not_an_address("there is no IPv6 address in the brackets");
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    out.host = text.substr(0, colon);
    port = text.substr(colon);
    if (!is_host_name(out.host)) {
      return not_an_address("a host is no name and no IPv4 address (an IPv6 address stands in brackets)");
    }
  }
  if (port.empty()) return out;
  const auto number = port.starts_with(':') ? parse_port(port.substr(1)) : std::nullopt;
  if (!number) return not_an_address("a port is none from 1 to 65535");
  out.port = *number;
  return out;
}

Result<void> parse_endpoints(StoreAddress& out, std::string_view text) {
  if (text.empty()) return not_an_address("there is no host");
  if (text.ends_with(',')) return not_an_address("there is no host behind a comma");
  while (!text.empty()) {
    auto endpoint = parse_endpoint(cut_off(text, ','));
    if (!endpoint) return endpoint.error();
    if (std::find(out.endpoints.begin(), out.endpoints.end(), *endpoint) != out.endpoints.end()) {
      return not_an_address("a member stands twice");
    }
    if (out.endpoints.size() == kMostEndpoints) {
      return not_an_address("there are more than " + std::to_string(kMostEndpoints) + " members");
    }
    out.endpoints.push_back(*std::move(endpoint));
  }
  return {};
}

Result<void> parse_prefix(StoreAddress& out, std::string_view text) {
  out.prefix = text;
  if (text.empty()) return not_an_address("there is no prefix: it tells fleets in one cluster apart");
  if (text.ends_with('/')) return not_an_address("the prefix ends with \"/\"");
  while (!text.empty()) {
    if (!is_part(cut_off(text, '/'))) {
      return not_an_address(
          "a part of the prefix is empty, \".\" or \"..\", or holds something else than letters, digits and "
          "\"-._~\"");
    }
  }
  return {};
}

Result<void> parse_parameters(StoreAddress& out, std::string_view text) {
  bool has_edit = false;
  if (text.empty() || text.ends_with('&')) return not_an_address("a parameter is missing");
  while (!text.empty()) {
    std::string_view value = cut_off(text, '&');
    const std::string_view name = cut_off(value, '=');
    if (name == "site") {
      if (!out.site.empty()) return not_an_address("\"site\" stands twice");
      if (!is_part(value)) {
        return not_an_address("the site is not of letters, digits and \"-._~\", or is \".\" or \"..\"");
      }
      if (value.size() > kLongestSite) {
        return not_an_address("the site is longer than " + std::to_string(kLongestSite) + " bytes");
      }
      out.site = value;
    } else if (name == "edit") {
      if (has_edit) return not_an_address("\"edit\" stands twice");
      if (value != "fleet") return not_an_address("\"edit\" is not \"fleet\"");
      has_edit = true;
    } else if (name == "insecure-transport") {
      if (out.allows_plain_network) return not_an_address("\"insecure-transport\" stands twice");
      if (value != "true") return not_an_address("\"insecure-transport\" is not \"true\"");
      if (out.is_tls) return not_an_address("\"insecure-transport\" stands with etcds://, which is TLS");
      out.allows_plain_network = true;
    } else {
      return not_an_address(
          "there is a parameter that is neither \"site\" nor \"edit\" nor \"insecure-transport\"");
    }
  }
  if (!out.site.empty() && !has_edit) out.edits = StoreAddress::Edits::kSite;
  return {};
}

}  // namespace

Result<StoreAddress> StoreAddress::parse(std::string_view text) {
  StoreAddress out;
  if (text.size() > kMaxBytes) {
    return not_an_address("there are more than " + std::to_string(kMaxBytes) + " bytes");
  }
  if (text.starts_with(kTlsScheme)) {
    text.remove_prefix(kTlsScheme.size());
  } else if (text.starts_with(kPlainScheme)) {
    text.remove_prefix(kPlainScheme.size());
    out.is_tls = false;
  } else {
    return not_an_address("the scheme is another one");
  }
  if (text.find('@') != std::string_view::npos) {
    return not_an_address("there is a user or a password: give them by options, not here");
  }
  const std::size_t question = text.find('?');
  const bool has_parameters = question != std::string_view::npos;
  std::string_view prefix = cut_off(text, '?');
  const std::string_view endpoints = cut_off(prefix, '/');
  if (auto done = parse_endpoints(out, endpoints); !done) return done.error();
  if (auto done = parse_prefix(out, prefix); !done) return done.error();
  if (!has_parameters) return out;
  if (auto done = parse_parameters(out, text); !done) return done.error();
  return out;
}

std::string StoreAddress::to_string() const {
  std::string out(is_tls ? kTlsScheme : kPlainScheme);
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    const Endpoint& endpoint = endpoints[i];
    if (i > 0) out += ',';
    out += endpoint.host.find(':') == std::string::npos ? endpoint.host : "[" + endpoint.host + "]";
    if (endpoint.port != kDefaultPort) out += ":" + std::to_string(endpoint.port);
  }
  out += "/" + prefix;
  if (!site.empty()) out += "?site=" + site + (edits == Edits::kFleet ? "&edit=fleet" : "");
  if (allows_plain_network) out += std::string(site.empty() ? "?" : "&") + "insecure-transport=true";
  return out;
}

}  // namespace vipauth
