#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <vipauth/result.hpp>

namespace vipauth {

/// An IP address, and the interface that a link-local one is of.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};  ///< IPv4: as ::ffff:a.b.c.d
  bool is_ipv4 = false;
  std::string scope;  ///< "eth0" of "fe80::1%eth0"

  /// Nothing where it is no IP address. An IPv4-mapped one is IPv4.
  static std::optional<IpAddress> parse(std::string_view text);
};

/// A block of addresses of one family.
class IpNetwork {
 public:
  /// Reads "10.0.0.0/8", "2001:db8::/32", or one address.
  /// \return kInvalidArgument  no such text, or an address with bits beyond the length of the network
  static Result<IpNetwork> parse(std::string_view text);

  bool contains(const IpAddress& address) const noexcept;

 private:
  IpNetwork(IpAddress first, std::size_t bits) : first_(std::move(first)), bits_(bits) {}

  IpAddress first_;
  std::size_t bits_;  // of the 128
};

/// Who an address stands for: itself for IPv4, its /64 for IPv6, since a host may use all of that, and
/// "localhost:UID" for IPC. What is none of these stands for itself, cut to 64 bytes.
/// \param ip  what IpAddress::parse made of it
std::string source_of(std::string_view address, const std::optional<IpAddress>& ip);

}  // namespace vipauth
