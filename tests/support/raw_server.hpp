#pragma once

#include <arpa/inet.h>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <list>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace vipauth::test {

/// A server in clear whose every connection is a script of the test: what it reads and writes, when, and when
/// it hangs up. Each connection has a thread.
class RawServer {
 public:
  class Connection {
   public:
    explicit Connection(int fd, const std::atomic<bool>& is_over) : fd_(fd), is_over_(is_over) {}

    /// The next HTTP request: its head and its body; empty: the other end has hung up.
    std::string read_request() {
      std::string text;
      while (true) {
        const std::size_t head = text.find("\r\n\r\n");
        if (head != std::string::npos) {
          const std::size_t at = text.find("Content-Length: ");
          const std::size_t length = at > head ? 0 : std::strtoul(text.c_str() + at + 16, nullptr, 10);
          if (text.size() >= head + 4 + length) return text;
        }
        if (!wait(POLLIN)) return {};
        char buffer[65536];
        const ssize_t size = ::recv(fd_, buffer, sizeof buffer, 0);
        if (size <= 0) return {};
        text.append(buffer, static_cast<std::size_t>(size));
      }
    }

    /// \return false  nobody reads it any more
    bool write(const std::string& text) {
      std::size_t sent = 0;
      while (sent < text.size()) {
        if (!wait(POLLOUT)) return false;
        const ssize_t size = ::send(fd_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (size <= 0) return false;
        sent += static_cast<std::size_t>(size);
      }
      return true;
    }
    bool answer(const std::string& body, const std::string& status = "200 OK") {
      return write("HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\nContent-Length: " +
                   std::to_string(body.size()) + "\r\n\r\n" + body);
    }
    bool begin_chunks() {
      return write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
    }
    bool write_chunk(const std::string& text) {
      char size[32];
      std::snprintf(size, sizeof size, "%zx\r\n", text.size());
      return write(size + text + "\r\n");
    }
    /// Until the other end hangs up, or the test is over.
    void wait_until_closed() {
      while (!read_request().empty()) {
      }
    }
    bool is_over() const { return is_over_; }

   private:
    bool wait(short events) const {
      while (!is_over_) {
        pollfd one{fd_, events, 0};
        if (::poll(&one, 1, 20) > 0) return true;
      }
      return false;
    }

    int fd_;
    const std::atomic<bool>& is_over_;
  };

  using Script = std::function<void(Connection&)>;

  explicit RawServer(Script script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    const bool listens = ::bind(listener_, generic, size) == 0 && ::listen(listener_, 64) == 0 &&
                         ::getsockname(listener_, generic, &size) == 0;
    if (!listens) throw std::runtime_error("the server of the test cannot listen");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { accept(); });
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;
  ~RawServer() {
    is_over_ = true;
    thread_.join();
    for (std::thread& one : connections_) one.join();
    ::close(listener_);
  }

  int port() const noexcept { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int connections() const noexcept { return count_; }

 private:
  void accept() {
    while (!is_over_) {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      ++count_;
      connections_.emplace_back([this, fd] {
        Connection connection(fd, is_over_);
        script_(connection);
        ::close(fd);
      });
    }
  }

  Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> is_over_{false};
  std::atomic<int> count_{0};
  std::list<std::thread> connections_;
  std::thread thread_;
};

}  // namespace vipauth::test
