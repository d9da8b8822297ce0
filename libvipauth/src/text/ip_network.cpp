#include "text/ip_network.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <netinet/in.h>

namespace vipauth {
namespace {

constexpr std::size_t kAddressBits = 128;
constexpr std::size_t kMappedBits = 96;  // of ::ffff:0:0
constexpr std::size_t kHostBytes = 8;    // a /64
constexpr std::size_t kMaxSourceBytes = 64;
constexpr std::size_t kMaxScopeBytes = 16;  // IFNAMSIZ
constexpr std::string_view kIpcPrefix = "localhost:";

Error not_a_network(std::string_view text, std::string_view why) {
  return Error{ErrorCode::kInvalidArgument, "\"" + std::string(text) + "\" " + std::string(why), ""};
}

std::optional<std::size_t> parse_bits(std::string_view text) {
  std::size_t bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return bits;
}

/// True where the first `bits` bits of both are equal.
bool same_prefix(const IpAddress& a, const IpAddress& b, std::size_t bits) {
  const std::size_t whole = bits / 8;
  if (!std::equal(a.bytes.begin(), a.bytes.begin() + static_cast<std::ptrdiff_t>(whole), b.bytes.begin())) {
    return false;
  }
  const std::size_t rest = bits % 8;
  return rest == 0 || ((a.bytes[whole] ^ b.bytes[whole]) >> (8 - rest)) == 0;
}

IpAddress masked(IpAddress address, std::size_t bits) {
  for (std::size_t i = 0; i < address.bytes.size(); ++i) {
    const std::size_t kept = std::clamp<std::size_t>(bits, 8 * i, 8 * (i + 1)) - 8 * i;
    address.bytes[i] = static_cast<std::uint8_t>(address.bytes[i] & (0xff00U >> kept));
  }
  return address;
}

std::string to_text(const IpAddress& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.is_ipv4) {
    inet_ntop(AF_INET, &address.bytes[12], text, sizeof text);
  } else {
    inet_ntop(AF_INET6, address.bytes.data(), text, sizeof text);
  }
  return text;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.size() > kMaxSourceBytes) return std::nullopt;
  IpAddress out;
  if (const std::size_t percent = text.find('%'); percent != std::string_view::npos) {
    out.scope = text.substr(percent + 1, kMaxScopeBytes);
    text = text.substr(0, percent);
  }
  const std::string terminated(text);
  if (terminated.find('\0') != std::string::npos) return std::nullopt;
  in_addr ipv4{};
  if (inet_pton(AF_INET, terminated.c_str(), &ipv4) == 1) {
    if (!out.scope.empty()) return std::nullopt;
    out.bytes[10] = out.bytes[11] = 0xff;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&ipv4.s_addr);
    std::copy_n(bytes, sizeof ipv4.s_addr, out.bytes.begin() + 12);
    out.is_ipv4 = true;
    return out;
  }
  in6_addr ipv6{};
  if (inet_pton(AF_INET6, terminated.c_str(), &ipv6) != 1) return std::nullopt;
  std::copy_n(static_cast<const std::uint8_t*>(ipv6.s6_addr), out.bytes.size(), out.bytes.begin());
  out.is_ipv4 = IN6_IS_ADDR_V4MAPPED(&ipv6) != 0;
  return out;
}

Result<IpNetwork> IpNetwork::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address || !address->scope.empty()) {
    return not_a_network(text, "is no network: write for example 10.0.0.0/8, 2001:db8::/32 or 10.0.0.7");
  }
  std::size_t bits = kAddressBits;
  if (slash != std::string_view::npos) {
    const std::size_t before = address->is_ipv4 ? kMappedBits : 0;
    const auto length = parse_bits(text.substr(slash + 1));
    if (!length || *length > kAddressBits - before) {
      return not_a_network(
          text, address->is_ipv4 ? "must end in a length of 0 to 32" : "must end in a length of 0 to 128");
    }
    bits = before + *length;
  }
  const IpAddress first = masked(*address, bits);
  if (first.bytes != address->bytes) {
    return not_a_network(text, "has bits beyond the length of the network: write " + to_text(first) +
                                   std::string(text.substr(slash)));
  }
  return IpNetwork(first, bits);
}

bool IpNetwork::contains(const IpAddress& address) const noexcept {
  return address.is_ipv4 == first_.is_ipv4 && same_prefix(address, first_, bits_);
}

std::string source_of(std::string_view address, const std::optional<IpAddress>& ip) {
  if (ip) {
    if (ip->is_ipv4) return to_text(*ip);
    return to_text(masked(*ip, kAddressBits - 8 * kHostBytes)) + "/64" +
           (ip->scope.empty() ? "" : "%" + ip->scope);
  }
  if (address.starts_with(kIpcPrefix)) {
    address = address.substr(0, address.find(':', kIpcPrefix.size()));  // without group and process
  }
  return std::string(address.substr(0, kMaxSourceBytes));
}

}  // namespace vipauth
