#pragma once

#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <cstdio>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <vipauth/csr_server.hpp>

#include "support/web_home.hpp"

namespace vipauth::test {

/// The output of a shell command, and how it ended.
struct ShellResult {
  int code = 0;
  std::string out;
};

inline ShellResult shell(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  ShellResult result;
  std::array<char, 4096> buffer{};
  for (std::size_t count = 0; (count = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    result.out.append(buffer.data(), count);
  }
  result.code = ::pclose(pipe);
  return result;
}

/// A CsrServer on a port of the system's choice, for curl and openssl.
class RunningServer {
 public:
  explicit RunningServer(CsrServer::Options options = {}, CsrStore::Options store_options = {},
                         const std::string& auth = auth_file({}))
      : web(std::move(store_options), {}, auth), server_(start(web, std::move(options))) {}

  std::string url(const std::string& path) const {
    return "https://localhost:" + std::to_string(server_.port()) + path;
  }
  /// What curl prints; the last line is the status, "000" without an answer.
  ShellResult curl(const std::string& arguments, const std::string& path) const {
    return shell("curl --silent --show-error --max-time 30 --cacert '" + root_file() +
                 "' --write-out '\n%{http_code}' " + arguments + " '" + url(path) + "' 2>&1");
  }
  std::string root_file() const { return web.store->authority().root_path().string(); }
  const CsrServer& server() const { return server_; }

  WebHome web;

 private:
  static CsrServer start(WebHome& web, CsrServer::Options options) {
    options.bind = "https://127.0.0.1:0";
    auto server = CsrServer::start(web.service, web.store, web.users, options);
    if (!server) throw std::runtime_error(server.error().to_string());
    return *std::move(server);
  }

  CsrServer server_;
};

/// A TCP connection to a port here, that says nothing unless it is told to.
class RawConnection {
 public:
  explicit RawConnection(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      throw std::runtime_error("cannot connect");
    }
  }
  RawConnection(RawConnection&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  RawConnection& operator=(RawConnection&&) = delete;
  ~RawConnection() {
    if (fd_ >= 0) ::close(fd_);
  }

  bool send(const std::string& bytes) const {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  /// Everything until the other end closes.
  std::string read_all() const {
    std::string out;
    std::array<char, 4096> buffer{};
    for (ssize_t count = 0; (count = ::recv(fd_, buffer.data(), buffer.size(), 0)) > 0;) {
      out.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return out;
  }

 private:
  int fd_;
};

}  // namespace vipauth::test
