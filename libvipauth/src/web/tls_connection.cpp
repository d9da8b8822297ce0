#include "web/tls_connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <poll.h>
#include <sys/socket.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "web/tls_support.hpp"

namespace vipauth::web {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLongestFarewell{2000};
constexpr std::size_t kLongestUnread = 4'194'304;

/// Waits for `events` of a socket. \return false  not in time, or the socket is broken
bool wait_for(int fd, short events, steady_clock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd asked{fd, events, 0};
    const int answer = ::poll(&asked, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
    if (answer > 0) return true;  // also of an error, which the next call on the socket tells
    if (answer < 0 && errno != EINTR) return false;
  }
}

}  // namespace

std::unique_ptr<TlsConnection> TlsConnection::accept(const TlsContext& context, const Socket& socket,
                                                     Time deadline) {
  ERR_clear_error();
  SSL* tls = SSL_new(context.get());
  if (tls == nullptr) return nullptr;
  std::unique_ptr<TlsConnection> out(new TlsConnection(tls, socket.get()));
  if (SSL_set_fd(tls, socket.get()) != 1) return nullptr;
  while (true) {
    const int result = SSL_accept(tls);
    if (result == 1) return out;
    if (!out->wait(result, deadline)) return nullptr;
  }
}

TlsConnection::~TlsConnection() {
  SSL_free(tls_);
  ERR_clear_error();
}

bool TlsConnection::wait(int result, Time deadline) {
  const int reason = SSL_get_error(tls_, result);
  // Looked at each time, for a peer that always has something to say, and never what was asked.
  if (steady_clock::now() < deadline) {
    if (reason == SSL_ERROR_WANT_READ) return wait_for(fd_, POLLIN, deadline);
    if (reason == SSL_ERROR_WANT_WRITE) return wait_for(fd_, POLLOUT, deadline);
  }
  is_broken_ = true;
  ERR_clear_error();
  return false;
}

bool TlsConnection::wait_until_readable(Time deadline) {
  return SSL_pending(tls_) > 0 || wait_for(fd_, POLLIN, deadline);
}

ssize_t TlsConnection::read(char* data, std::size_t size) {
  if (is_broken_ || budget_ == 0) return -1;
  const std::size_t most =
      std::min({size, budget_, static_cast<std::size_t>(std::numeric_limits<int>::max())});
  while (true) {
    const int result = SSL_read(tls_, data, static_cast<int>(most));
    if (result > 0) {
      budget_ -= static_cast<std::size_t>(result);
      return result;
    }
    if (SSL_get_error(tls_, result) == SSL_ERROR_ZERO_RETURN) return 0;
    if (!wait(result, deadline_)) return -1;
  }
}

ssize_t TlsConnection::write(const char* data, std::size_t size) {
  std::size_t written = 0;
  while (written < size) {
    if (is_broken_) return -1;
    const std::size_t most =
        std::min(size - written, static_cast<std::size_t>(std::numeric_limits<int>::max()));
    const int result = SSL_write(tls_, data + written, static_cast<int>(most));
    if (result > 0) {
      written += static_cast<std::size_t>(result);
    } else if (!wait(result, deadline_)) {
      return -1;
    }
  }
  return static_cast<ssize_t>(written);
}

std::string TlsConnection::client_certificate() const {
  X509* certificate = SSL_get0_peer_certificate(tls_);
  if (certificate == nullptr) return {};
  const TlsBio text(BIO_new(BIO_s_mem()));
  if (!text || PEM_write_bio_X509(text.get(), certificate) != 1) return {};
  char* data = nullptr;
  const long size = BIO_get_mem_data(text.get(), &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

void TlsConnection::close(bool is_unread) {
  if (is_broken_) return;
  SSL_shutdown(tls_);
  ERR_clear_error();
  if (!is_unread) return;
  // A socket that is closed with something unread takes the answer back that is on its way: RFC 9112, 9.6.
  ::shutdown(fd_, SHUT_WR);
  const Time deadline = std::min(deadline_, steady_clock::now() + kLongestFarewell);
  std::array<char, 16'384> ignored{};
  for (std::size_t total = 0; total < kLongestUnread;) {
    const ssize_t count = ::recv(fd_, ignored.data(), ignored.size(), MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) return;
    if (count > 0) {
      total += static_cast<std::size_t>(count);
      if (steady_clock::now() > deadline) return;
    } else if (!wait_for(fd_, POLLIN, deadline)) {
      return;
    }
  }
}

}  // namespace vipauth::web
