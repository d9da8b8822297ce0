#include "unit/web/fake_web_server.hpp"

#include <arpa/inet.h>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <openssl/ssl.h>

namespace vipauth::test {
namespace {

using ContextPtr = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using SslPtr = std::unique_ptr<SSL, decltype(&SSL_free)>;

/// One connection, in clear or by TLS.
class Peer {
 public:
  Peer(int fd, SSL_CTX* context) : fd_(fd), ssl_(nullptr, SSL_free) {
    if (context == nullptr) return;
    ssl_.reset(SSL_new(context));
    SSL_set_fd(ssl_.get(), fd_);
    is_good_ = SSL_accept(ssl_.get()) == 1;
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { ::close(fd_); }

  bool is_good() const { return is_good_; }

  std::string read() {
    char buffer[65536];
    const auto size =
        ssl_ ? ssize_t{SSL_read(ssl_.get(), buffer, sizeof buffer)} : ::recv(fd_, buffer, sizeof buffer, 0);
    return size > 0 ? std::string(buffer, static_cast<std::size_t>(size)) : std::string();
  }

  bool write(const std::string& text) {
    std::size_t sent = 0;
    while (sent < text.size()) {
      const auto size = ssl_ ? ssize_t{SSL_write(ssl_.get(), text.data() + sent, int(text.size() - sent))}
                             : ::send(fd_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (size <= 0) return false;
      sent += static_cast<std::size_t>(size);
    }
    if (ssl_) SSL_shutdown(ssl_.get());
    return true;
  }

 private:
  int fd_;
  SslPtr ssl_;
  bool is_good_ = true;
};

std::size_t length_of_body(const std::string& headers) {
  const std::size_t at = headers.find("Content-Length: ");
  return at == std::string::npos ? 0 : std::strtoul(headers.c_str() + at + 16, nullptr, 10);
}

FakeWebServer::Request read_request(Peer& peer) {
  std::string text;
  std::size_t end = std::string::npos;
  while (end == std::string::npos || text.size() < end + 4 + length_of_body(text.substr(0, end))) {
    const std::string more = peer.read();
    if (more.empty()) return {};
    text += more;
    end = text.find("\r\n\r\n");
  }
  FakeWebServer::Request out;
  const std::size_t space = text.find(' ');
  out.method = text.substr(0, space);
  out.path = text.substr(space + 1, text.find(' ', space + 1) - space - 1);
  out.headers = text.substr(0, end);
  out.body = text.substr(end + 4);
  return out;
}

}  // namespace

struct FakeWebServer::Impl {
  Answer answer;
  ContextPtr context{nullptr, SSL_CTX_free};
  int listener = -1;
  int port = 0;
  std::atomic<bool> is_over{false};
  mutable std::mutex mutex;
  std::vector<Request> requests;
  std::vector<std::unique_ptr<Peer>> silent;  ///< those that are left without an answer
  std::thread thread;

  void serve() {
    while (!is_over) {
      pollfd waiting{listener, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      auto peer = std::make_unique<Peer>(fd, context.get());
      if (!peer->is_good()) continue;
      const Request request = read_request(*peer);
      if (request.method.empty()) continue;
      {
        const std::lock_guard lock(mutex);
        requests.push_back(request);
      }
      const std::string text = answer(request);
      if (text.empty()) {
        silent.push_back(std::move(peer));
      } else {
        peer->write(text);
      }
    }
  }
};

FakeWebServer::FakeWebServer(Answer answer, const std::optional<Certificate>& certificate)
    : impl_(std::make_unique<Impl>()) {
  impl_->answer = std::move(answer);
  if (certificate) {
    impl_->context.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX* context = impl_->context.get();
    const bool is_usable =
        SSL_CTX_use_certificate_chain_file(context, certificate->certificate.c_str()) == 1 &&
        SSL_CTX_use_PrivateKey_file(context, certificate->key.c_str(), SSL_FILETYPE_PEM) == 1;
    if (!is_usable) throw std::runtime_error("the fake server cannot use its certificate");
  }
  impl_->listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool listens = ::bind(impl_->listener, generic, size) == 0 && ::listen(impl_->listener, 16) == 0 &&
                       ::getsockname(impl_->listener, generic, &size) == 0;
  if (!listens) throw std::runtime_error("the fake server cannot listen");
  impl_->port = ntohs(address.sin_port);
  // OpenSSL writes to sockets that may be closed by now: on a thread without signals that is only an error.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  impl_->thread = std::thread([this] { impl_->serve(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

FakeWebServer::~FakeWebServer() {
  impl_->is_over = true;
  impl_->thread.join();
  ::close(impl_->listener);
}

int FakeWebServer::port() const noexcept { return impl_->port; }

std::string FakeWebServer::url() const {
  return (impl_->context ? "https://localhost:" : "http://localhost:") + std::to_string(impl_->port);
}

std::vector<FakeWebServer::Request> FakeWebServer::requests() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->requests;
}

}  // namespace vipauth::test
