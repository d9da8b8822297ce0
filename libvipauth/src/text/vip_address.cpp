#include <vipauth/vip_address.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

#include <vipauth/json.hpp>

#include "text/control_characters.hpp"

namespace vipauth {
namespace {

constexpr std::string_view kMask = "XXXXX";

Error malformed(std::string message, std::string_view place = "") {
  return Error{ErrorCode::kParseError, std::move(message), std::string(place)};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool has_control_or_space(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c == ' ' || is_control_character(c); });
}

/// What stands before the first `mark`; `text` keeps what stands behind it. Nothing where there is no mark.
std::optional<std::string_view> split_off(std::string_view& text, char mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view before = text.substr(0, at);
  text.remove_prefix(at + 1);
  return before;
}

// ---- Values ----

int hex_digit(char c) {
  int value = -1;
  const auto [stop, error] = std::from_chars(&c, &c + 1, value, 16);
  return error == std::errc() && stop == &c + 1 ? value : -1;
}

Result<std::string> percent_decode(std::string_view text, std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return malformed("\"%\" must be followed by two hexadecimal digits", name);
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (!is_valid_utf8(out)) return malformed("is not UTF-8", name);
  if (has_control_character(out)) return malformed("holds a control character", name);
  return out;
}

/// As Python's urlencode.
std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '-' || c == '~') {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += '%';
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 0xfU];
    }
  }
  return out;
}

/// 0, f, false, n, no and off are no. Source: VOLTTRON vip/socket.py, Address.
Result<bool> parse_bool(std::string_view text, std::string_view name) {
  const std::string small = to_lower(text);
  for (const std::string_view no : {"0", "f", "false", "n", "no", "off"}) {
    if (small == no) return false;
  }
  for (const std::string_view yes : {"1", "t", "true", "y", "yes", "on"}) {
    if (small == yes) return true;
  }
  return malformed("must be 1 or 0, not \"" + std::string(text) + "\"", name);
}

Result<VipAddress::Server> parse_server(std::string_view text) {
  const std::string small = to_lower(text);
  if (small == "null") return VipAddress::Server::kNull;
  if (small == "plain") return VipAddress::Server::kPlain;
  if (small == "curve") return VipAddress::Server::kCurve;
  return malformed("must be NULL, PLAIN or CURVE, not \"" + std::string(text) + "\"", "server");
}

std::string_view server_name(VipAddress::Server server) {
  switch (server) {
    case VipAddress::Server::kNull: return "NULL";
    case VipAddress::Server::kPlain: return "PLAIN";
    case VipAddress::Server::kCurve: return "CURVE";
  }
  return "";
}

template <typename T>
Result<void> assign(std::optional<T>& field, Result<T>&& value, std::string_view name) {
  if (!value) {
    Error error = std::move(value).error();
    if (error.location.empty()) error.location = name;
    return error;
  }
  field = *std::move(value);
  return {};
}

Result<void> set_parameter(VipAddress& out, std::string_view name, const std::string& value) {
  if (name == "domain") return assign(out.domain, Result<std::string>(value), name);
  if (name == "server") return assign(out.server, parse_server(value), name);
  if (name == "secretkey") return assign(out.secretkey, CurveKeyPair::from_secret(value), name);
  if (name == "publickey") return assign(out.publickey, CurveKey::parse(value), name);
  if (name == "serverkey") return assign(out.serverkey, CurveKey::parse(value), name);
  if (name == "ipv6") return assign(out.ipv6, parse_bool(value, name), name);
  if (name == "username") return assign(out.username, Result<std::string>(value), name);
  if (value == kMask) return malformed("is the mask of a password, not the password", name);
  return assign(out.password, Result<std::string>(value), name);
}

constexpr std::string_view kNames[] = {"domain",    "server", "secretkey", "publickey",
                                       "serverkey", "ipv6",   "username",  "password"};

/// What is not known might be a piece of a secret with an "&" in it: only what looks like a name is repeated.
Error unknown_parameter(std::string_view name, bool has_value) {
  constexpr std::size_t kLongestName = 16;
  const bool is_name = has_value && !name.empty() && name.size() <= kLongestName &&
                       std::all_of(name.begin(), name.end(), is_letter);
  std::string list;
  for (const std::string_view known : kNames) list += (list.empty() ? "" : ", ") + std::string(known);
  return malformed((is_name ? "unknown parameter \"" + std::string(name) + "\""
                            : std::string("a parameter is not of the form NAME=VALUE")) +
                   ": expected " + list + " (\"&\" in a value is written %26)");
}

/// An empty ipv6 means no, as upstream has it; any other empty value is more likely an unset variable of a
/// script.
Result<void> parse_parameters(VipAddress& out, std::string_view query) {
  std::string_view seen[std::size(kNames)];
  std::size_t seen_count = 0;
  while (!query.empty()) {
    std::string_view value = query;
    if (const auto first = split_off(query, '&')) {
      value = *first;
    } else {
      query = {};
    }
    if (value.empty()) continue;
    const auto name = split_off(value, '=');
    const std::string small = to_lower(name.value_or(value));
    const auto* known = std::find(std::begin(kNames), std::end(kNames), small);
    if (known == std::end(kNames)) return unknown_parameter(name.value_or(value), name.has_value());
    if (std::find(seen, seen + seen_count, *known) != seen + seen_count)
      return malformed("is given twice", *known);
    seen[seen_count++] = *known;
    if (*known == "ipv6" && value.empty()) value = "0";
    if (!name || value.empty()) return malformed("is empty: leave it out for none", *known);
    auto decoded = percent_decode(value, *known);
    if (!decoded) return decoded.error();
    if (auto set = set_parameter(out, *known, *decoded); !set) return set.error();
  }
  return {};
}

// ---- The part that ZeroMQ takes ----

bool is_port(std::string_view text) {
  if (text == "*") return true;
  unsigned port = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return !text.empty() && error == std::errc() && stop == text.data() + text.size() && port <= 65535;
}

/// `text` in quotes, where it cannot hold a secret that was meant for a parameter; else what it is.
std::string shown(std::string_view text, const char* what) {
  constexpr std::size_t kMost = 30;
  const bool may_be_secret = text.size() > kMost || text.find_first_of("=&;?") != std::string_view::npos;
  return may_be_secret ? what : "\"" + std::string(text) + "\"";
}

Result<void> parse_host_and_port(VipAddress& out, std::string_view place) {
  if (place.find('=') != std::string_view::npos) {
    return malformed("parameters stand behind a \"?\", as in \"tcp://127.0.0.1:22916?ipv6=1\"");
  }
  if (place.find('@') != std::string_view::npos) {
    return malformed("an address holds no user name: give it as the parameters username and password");
  }
  std::size_t colon = std::string_view::npos;
  if (place.starts_with('[')) {
    const std::size_t end = place.find(']');
    if (end == std::string_view::npos) return malformed("the IPv6 address has no \"]\"");
    if (place.substr(end + 1).starts_with(':')) colon = end + 1;
  } else {
    colon = place.rfind(':');
    if (colon != std::string_view::npos && place.find(':') != colon) {
      return malformed("an IPv6 address needs brackets, as in \"tcp://[::1]:22916\"");
    }
  }
  if (colon == std::string_view::npos) {
    return malformed(shown(place, "the address") + " has no port: write \"HOST:PORT\"");
  }
  out.host = place.substr(0, colon);
  out.port = place.substr(colon + 1);
  if (out.host.empty()) return malformed("the host is empty");
  if (!is_port(std::string_view(out.port).substr(0, out.port.find('/')))) {
    return malformed(shown(out.port, "what stands behind the host") + " is not a port from 0 to 65535, or *");
  }
  return {};
}

/// Takes the scheme, if there is one: letters, digits, "+", "-", "." before a colon, and a letter first.
/// Source: RFC 3986, section 3.1.
std::optional<std::string> take_scheme(std::string_view& text) {
  const auto is_scheme = [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  };
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || !is_letter(text.front()) ||
      !std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), is_scheme)) {
    return std::nullopt;
  }
  std::string scheme = to_lower(text.substr(0, colon));
  text.remove_prefix(colon + 1);
  return scheme;
}

Result<void> parse_endpoint(VipAddress& out, std::string_view text) {
  if (has_control_or_space(text)) return malformed("an address holds no space and no control character");
  std::string_view place = text;
  const std::string scheme = take_scheme(place).value_or("tcp");
  if (scheme == "tcp") {
    out.transport = VipAddress::Transport::kTcp;
  } else if (scheme == "ipc") {
    out.transport = VipAddress::Transport::kIpc;
  } else if (scheme == "inproc") {
    out.transport = VipAddress::Transport::kInproc;
  } else if (text.find('@') != std::string_view::npos) {  // perhaps USER:PASSWORD@HOST
    return malformed("unknown address scheme: expected tcp, ipc or inproc");
  } else {
    return malformed("unknown address scheme \"" + scheme +
                     "\": expected tcp, ipc or inproc, as in \"tcp://HOST:PORT\"");
  }
  if (place.starts_with("//")) place.remove_prefix(2);
  if (place.empty()) return malformed("nothing follows \"" + scheme + "://\"");
  out.endpoint = scheme + "://" + std::string(place);
  if (out.transport == VipAddress::Transport::kTcp) return parse_host_and_port(out, place);
  if (place == "@") return malformed("the name of the socket is empty");
  return {};
}

Result<void> parse_identity(VipAddress& out, std::string_view text) {
  if (text.size() > VipAddress::kMaxIdentityBytes) {
    return Error{ErrorCode::kLimitExceeded, "the identity is longer than 255 bytes", ""};
  }
  if (has_control_character(text)) return malformed("the identity holds a control character");
  out.identity = text;
  return {};
}

}  // namespace

Result<VipAddress> VipAddress::parse(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return Error{ErrorCode::kLimitExceeded,
                 "an address is at most " + std::to_string(kMaxBytes) + " bytes long", ""};
  }
  if (!is_valid_utf8(text)) return malformed("the address is not UTF-8");
  VipAddress out;
  std::string_view rest = text;
  std::string_view before = rest;
  if (const auto up_to_fragment = split_off(rest, '#')) {
    before = *up_to_fragment;
    if (auto parsed = parse_identity(out, rest); !parsed) return parsed.error();
  }
  std::string_view endpoint = before;
  if (const auto up_to_query = split_off(before, '?')) {
    endpoint = *up_to_query;
    if (auto parsed = parse_parameters(out, before); !parsed) return parsed.error();
  }
  if (auto parsed = parse_endpoint(out, endpoint); !parsed) return parsed.error();
  return out;
}

std::string VipAddress::to_string() const {
  std::string out = endpoint;
  char mark = '?';
  const auto add = [&](std::string_view name, std::string_view value) {
    out += mark;
    out += std::string(name) + "=" + percent_encode(value);
    mark = '&';
  };
  if (domain) add("domain", *domain);
  if (server) add("server", server_name(*server));
  if (secretkey) add("secretkey", kMask);
  if (publickey) add("publickey", publickey->to_base64url());
  if (serverkey) add("serverkey", serverkey->to_base64url());
  if (ipv6) add("ipv6", *ipv6 ? "True" : "False");
  if (username) add("username", *username);
  if (password) add("password", kMask);
  if (identity) out += "#" + *identity;
  return out;
}

}  // namespace vipauth
