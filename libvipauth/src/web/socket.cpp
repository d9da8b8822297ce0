#include "web/socket.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <netinet/in.h>
#include <sys/socket.h>
#include <system_error>

#include <linux/tcp.h>  // whose tcp_info knows more than netinet's
#include <netdb.h>

namespace vipauth::web {
namespace {

constexpr int kBacklog = 511;

Error system_error(std::string_view what, int error) {
  ErrorCode code = ErrorCode::kIoError;
  if (error == EADDRINUSE) code = ErrorCode::kAlreadyExists;
  if (error == EACCES || error == EPERM) code = ErrorCode::kPermissionDenied;
  if (error == EADDRNOTAVAIL) code = ErrorCode::kUnavailable;
  return {code, std::string(what) + ": " + std::generic_category().message(error), ""};
}

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

std::uint16_t port_of(const Socket& socket) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                                           : reinterpret_cast<const sockaddr_in&>(bound).sin_port);
}

PeerAddress peer_of(const sockaddr_storage& from) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  PeerAddress out;
  if (from.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(from).sin_addr, text.data(), text.size());
    out.address = out.source = text.data();
    return out;
  }
  in6_addr address = reinterpret_cast<const sockaddr_in6&>(from).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    ::inet_ntop(AF_INET, &address.s6_addr[12], text.data(), text.size());
    out.address = out.source = text.data();
    return out;
  }
  ::inet_ntop(AF_INET6, &address, text.data(), text.size());
  out.address = text.data();
  std::memset(&address.s6_addr[8], 0, 8);
  ::inet_ntop(AF_INET6, &address, text.data(), text.size());
  out.source = std::string(text.data()) + "/64";
  return out;
}

}  // namespace

std::uint64_t received_bytes(int socket) noexcept {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return info.tcpi_bytes_received;
}

Result<BindAddress> BindAddress::parse(std::string_view text) {
  const Error wrong{ErrorCode::kInvalidArgument,
                    "an address to bind is \"https://HOST:PORT\": there is no plain HTTP", ""};
  constexpr std::string_view kScheme = "https://";
  if (!text.starts_with(kScheme)) return wrong;
  text.remove_prefix(kScheme.size());
  if (text.ends_with('/')) text.remove_suffix(1);
  BindAddress out{"", 443};
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return wrong;
    out.host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    in6_addr ignored{};
    if (::inet_pton(AF_INET6, out.host.c_str(), &ignored) != 1) return wrong;
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    out.host = text.substr(0, colon);
    text.remove_prefix(colon);
    for (const char c : out.host) {
      const bool is_host = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           c == '.' || c == '-' || c == '*';
      if (!is_host) return wrong;
    }
  }
  if (out.host.empty() || out.host.size() > 253) return wrong;
  if (text.empty()) return out;
  if (!text.starts_with(':')) return wrong;
  text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.port);
  if (error != std::errc() || end != text.data() + text.size()) return wrong;
  return out;
}

Result<std::pair<Socket, std::uint16_t>> listen_at(const BindAddress& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  const int failure =
      ::getaddrinfo(address.host == "*" ? nullptr : address.host.c_str(), port.c_str(), &hints, &found);
  if (failure != 0) {
    return Error{ErrorCode::kUnavailable,
                 "cannot find the address of \"" + address.host + "\": " + ::gai_strerror(failure), ""};
  }
  const std::unique_ptr<addrinfo, FreeAddresses> list(found);
  Error last{ErrorCode::kUnavailable, "there is no address of \"" + address.host + "\"", ""};
  for (const addrinfo* one = list.get(); one != nullptr; one = one->ai_next) {
    Socket socket(::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // Not SO_REUSEPORT: another process could listen there too, and get some of the connections.
    const int on = 1;
    if (socket.get() >= 0 && ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        ::bind(socket.get(), one->ai_addr, one->ai_addrlen) == 0 && ::listen(socket.get(), kBacklog) == 0) {
      const std::uint16_t bound = port_of(socket);
      return std::pair{std::move(socket), bound};
    }
    last = system_error("cannot listen at https://" + address.host + ":" + port, errno);
  }
  return last;
}

Result<Accepted> accept_from(const Socket& listener) {
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  Socket socket(
      ::accept4(listener.get(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (socket.get() < 0) {
    const int error = errno;
    const bool is_short = error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
    return Error{is_short ? ErrorCode::kBusy : ErrorCode::kNotFound,
                 "cannot accept a connection: " + std::generic_category().message(error), ""};
  }
  const int on = 1;
  static_cast<void>(::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
  return Accepted{std::move(socket), peer_of(from)};
}

}  // namespace vipauth::web
