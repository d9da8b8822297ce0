#include "web/web_address.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace vipauth::web {
namespace {

constexpr std::size_t kMaxBytes = 2048;
constexpr int kMostPort = 65535;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

Error not_an_address(std::string_view url, std::string_view why) {
  constexpr std::size_t kShown = 200;
  return Error{ErrorCode::kInvalidArgument,
               "\"" + std::string(url.substr(0, kShown)) + "\" is no address of a web service: " +
                   std::string(why) + "; give one such as \"https://host:8443\"",
               ""};
}

std::optional<int> parse_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (!is_number || port < 1 || port > kMostPort) return std::nullopt;
  return port;
}

bool is_host_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_';
  });
}

}  // namespace

Result<WebAddress> WebAddress::parse(std::string_view url) {
  WebAddress out;
  std::string_view rest = url;
  if (url.size() > kMaxBytes) return not_an_address(url, "it is too long");
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
    out.is_tls = false;
    out.port = 80;
  } else {
    return not_an_address(url, "it does not begin with \"https://\"");
  }
  if (std::any_of(rest.begin(), rest.end(), [](char c) { return c <= ' ' || c > '~'; })) {
    return not_an_address(url, "it holds a character that must be escaped");
  }
  if (rest.find_first_of("@?#\\") != std::string_view::npos) {
    return not_an_address(url, "it holds a user, a query or a fragment");
  }

  const std::size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, slash);
  out.path = rest.substr(slash);
  while (out.path.ends_with('/')) out.path.pop_back();

  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return not_an_address(url, "a bracket is open");
    out.host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
    const bool is_ipv6 = out.host.find(':') != std::string::npos &&
                         out.host.find_first_not_of("0123456789abcdefABCDEF:.") == std::string::npos;
    if (!is_ipv6) return not_an_address(url, "there is no IPv6 address in the brackets");
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    out.host = authority.substr(0, colon);
    port = authority.substr(colon);
    if (!is_host_name(out.host)) return not_an_address(url, "there is no host name");
  }
  if (port.empty()) return out;
  const auto number = port.starts_with(':') ? parse_port(port.substr(1)) : std::nullopt;
  if (!number) return not_an_address(url, "its port is none from 1 to 65535");
  out.port = *number;
  return out;
}

std::string WebAddress::origin() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return std::string(is_tls ? "https://" : "http://") + (is_ipv6 ? "[" + host + "]" : host) + ":" +
         std::to_string(port);
}

std::string path_part(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_letter_or_digit(c) || std::string_view("-._~").find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 0xFU];
  }
  // "." and ".." would be steps, not names.
  if (out == "." || out == "..") return out == "." ? "%2E" : "%2E%2E";
  return out;
}

}  // namespace vipauth::web
