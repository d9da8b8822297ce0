#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>

#include <vipauth/result.hpp>

namespace vipauth::web {

/// A file descriptor that is closed when it goes.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) noexcept : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }

 private:
  int fd_ = -1;
};

/// How much has come over a TCP connection, since it stands; 0 where the system does not say.
std::uint64_t received_bytes(int socket) noexcept;

/// Where to listen.
struct BindAddress {
  std::string host;  ///< without the brackets of an IPv6 address
  std::uint16_t port = 0;

  /// Reads "https://host:port", with or without a "/" behind; without a port it is 443.
  /// \return kInvalidArgument  anything else, plain HTTP above all
  static Result<BindAddress> parse(std::string_view text);
  bool is_wildcard() const { return host == "0.0.0.0" || host == "::" || host == "*"; }
};

/// A socket that listens there, and the port that it has got. Nobody else can listen there at once.
/// \return kAlreadyExists, kPermissionDenied, kUnavailable, kIoError
Result<std::pair<Socket, std::uint16_t>> listen_at(const BindAddress& address);

/// Who is at the other end.
struct PeerAddress {
  std::string address;  ///< "10.0.0.7", also where the socket says "::ffff:10.0.0.7"
  std::string source;   ///< whose connections are counted together: an IPv4 address, or an IPv6 /64
};
struct Accepted {
  Socket socket;
  PeerAddress peer;
};
/// \return the next connection, which does not block; kBusy  too few descriptors or too little memory;
///         kNotFound  there is none (any more)
Result<Accepted> accept_from(const Socket& listener);

}  // namespace vipauth::web
