#include "web/http_connection.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <fcntl.h>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>

#include <httplib.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "web/quiet_thread.hpp"
#include "web/socket.hpp"
#include "web/tls_support.hpp"

namespace vipauth::web {
namespace {

// Who waits ends a request; httplib's own limits would otherwise be as quick now and then, and say less.
constexpr std::chrono::hours kNever{24};

/// A server that is cut off is noticed in a quarter of a minute, also where nothing is to be sent.
void keep_alive(int socket) {
  constexpr int kOn = 1;
  constexpr int kIdleSeconds = 5;
  constexpr int kBetweenSeconds = 3;
  constexpr int kProbes = 3;
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &kOn, sizeof kOn);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &kIdleSeconds, sizeof kIdleSeconds);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &kBetweenSeconds, sizeof kBetweenSeconds);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &kProbes, sizeof kProbes);
}

/// The socket of a connection, which can be ended from outside.
class Line {
 public:
  Line() = default;
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line() {
    if (socket_ >= 0) ::close(socket_);
  }

  /// Keeps hold of the socket that is about to connect. A copy of its number: that of the client may be
  /// closed, and be another's, when it is cut.
  void watch(int socket) {
    const std::lock_guard lock(mutex_);
    if (socket_ >= 0) ::close(socket_);
    socket_ = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
    counted_from_ = 0;
    if (is_cut_ && socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
  }

  void cut() noexcept {
    const std::lock_guard lock(mutex_);
    is_cut_ = true;
    if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
  }

  void count_from_here() noexcept {
    const std::lock_guard lock(mutex_);
    if (socket_ >= 0) counted_from_ = received_bytes(socket_);
  }
  std::uint64_t counted() noexcept {
    const std::lock_guard lock(mutex_);
    const std::uint64_t received = socket_ >= 0 ? received_bytes(socket_) : 0;
    return received - std::min(counted_from_, received);
  }

 private:
  std::mutex mutex_;
  int socket_ = -1;
  bool is_cut_ = false;
  std::uint64_t counted_from_ = 0;
};

/// What OpenSSL's callbacks know of a connection, and find out of a request.
struct Handshake {
  const ServerTrust* trust = nullptr;
  Line* line = nullptr;
  std::size_t most_bytes = 0;
  std::size_t bytes = 0;  ///< of TLS records that came
  std::atomic<bool> is_too_much{false};
  std::string shown;          ///< the fingerprint of the server's certificate
  std::string problem;        ///< why it is not trusted
  int alert = -1;             ///< what the server has ended the connection with
  bool has_answered = false;  ///< a request has been taken on this connection
};

/// In the place of OpenSSL's own verification, so that nothing is sent before.
int verify_server(X509_STORE_CTX* context, void* argument) {
  auto& handshake = *static_cast<Handshake*>(argument);
  X509* certificate = X509_STORE_CTX_get0_cert(context);
  if (certificate == nullptr) return 0;
  handshake.shown = fingerprint_of(*certificate);
  if (!handshake.trust->fingerprint.empty()) {
    if (handshake.shown == handshake.trust->fingerprint) return 1;
    handshake.problem = "its fingerprint is another one";
    return 0;
  }
  if (X509_verify_cert(context) == 1) return 1;
  handshake.problem = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
  return 0;
}

/// Counts what comes, below HTTP: a server may send header fields without end. And keeps its last word.
void look_at_record(int is_sent, int /*version*/, int kind, const void* data, std::size_t size, SSL* /*ssl*/,
                    void* argument) {
  constexpr std::size_t kHeaderBytes = 5;
  if (is_sent != 0) return;
  auto& handshake = *static_cast<Handshake*>(argument);
  const auto* bytes = static_cast<const unsigned char*>(data);
  if (kind == SSL3_RT_ALERT && size == 2 && bytes[0] == SSL3_AL_FATAL) handshake.alert = bytes[1];
  if (kind != SSL3_RT_HEADER || size < kHeaderBytes) return;
  handshake.bytes += kHeaderBytes + (std::size_t{bytes[3]} << 8U) + bytes[4];
  if (handshake.bytes <= handshake.most_bytes) return;
  handshake.is_too_much = true;
  handshake.line->cut();
}

/// What a server says of a client's certificate that it does not take. It has read nothing then.
bool is_refusal(int alert) {
  switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED: return true;
    default: return false;
  }
}

Result<void> prepare_tls(SSL_CTX* context, const WebAddress& address, const HttpConnection::Options& options,
                         Handshake& handshake) {
  if (context == nullptr) return Error{ErrorCode::kUnavailable, "cannot set up TLS", ""};
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, verify_server, &handshake);
  SSL_CTX_set_msg_callback(context, look_at_record);
  SSL_CTX_set_msg_callback_arg(context, &handshake);
  if (!options.certificate.is_none() && !options.certificate.add_to(context)) {
    return Error{ErrorCode::kUnavailable, "this TLS does not take the certificate of the client", ""};
  }
  if (!options.trust.fingerprint.empty()) return {};
  if (!add_authorities(SSL_CTX_get_cert_store(context), options.trust.authorities)) {
    return Error{ErrorCode::kPermissionDenied,
                 "nothing says which servers to trust: give a file of authorities, or a fingerprint", ""};
  }
  X509_VERIFY_PARAM* wanted = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_ip_asc(wanted, address.host.c_str()) == 1) return {};
  ERR_clear_error();
  if (X509_VERIFY_PARAM_set1_host(wanted, address.host.c_str(), address.host.size()) == 1) return {};
  return Error{ErrorCode::kInvalidArgument, "\"" + address.host + "\" is no host name", ""};
}

std::unique_ptr<httplib::ClientImpl> make_client(const WebAddress& address) {
  if (!address.is_tls) return std::make_unique<httplib::ClientImpl>(address.host, address.port);
  return std::make_unique<httplib::SSLClient>(address.host, address.port);
}

/// cpp-httplib (0.11) takes fields behind a body in chunks, as etcd's gateway adds them to its errors, for a
/// failure. The body came whole before them, or is cut off: its reader sees that.
bool has_trailer(const httplib::Response& response) {
  return response.has_header("Trailer") && response.get_header_value("Transfer-Encoding") == "chunked";
}

}  // namespace

struct HttpConnection::Impl {
  Options options;
  Line line;
  Handshake handshake;
  std::unique_ptr<httplib::ClientImpl> client;

  void ask(const Exchange& exchange, Outcome& out) {
    httplib::Request request;
    request.method = exchange.method;
    request.path = exchange.path;
    request.set_header("Accept", "application/json");
    request.set_header("Accept-Encoding", "identity");
    if (exchange.headers != nullptr) {
      for (const auto& [name, value] : *exchange.headers) request.set_header(name, value);
    }
    if (!exchange.body.empty()) {
      request.set_header("Content-Type", "application/json");
      request.content_length_ = exchange.body.size();
      // Not by its text, of which httplib would make copies.
      request.content_provider_ = [&](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
        out.is_sent = true;
        return sink.write(exchange.body.data() + offset, length);
      };
    }
    bool may_end_early = false;
    request.response_handler = [&](const httplib::Response& response) {
      out.is_sent = true;
      may_end_early = has_trailer(response);
      handshake.has_answered = true;
      exchange.on_status(response.status);
      return true;
    };
    request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
      handshake.bytes = 0;
      line.count_from_here();
      return exchange.on_data(std::string_view(data, size));
    };
    const httplib::Result result = client->send(request);
    for (auto& [name, value] : request.headers) OPENSSL_cleanse(value.data(), value.size());
    if (result) exchange.on_status(result->status);  // of an answer without a body nobody has told it
    if (result || (may_end_early && result.error() == httplib::Error::Read)) return;
    // Before a connection stands nothing is sent; afterwards what has no body to wait for may have been.
    const auto error = result.error();
    const bool is_connected = error != httplib::Error::Connection &&
                              error != httplib::Error::ConnectionTimeout &&
                              error != httplib::Error::SSLConnection;
    if (exchange.body.empty() && is_connected) out.is_sent = true;
    out.failure = httplib::to_string(error);
  }
};

HttpConnection::HttpConnection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpConnection::~HttpConnection() {
  {
    const BrokenPipesIgnored ignored;  // TLS says farewell
    impl_->client.reset();
  }
  OPENSSL_cleanse(impl_->options.password.data(), impl_->options.password.size());
}

Result<std::unique_ptr<HttpConnection>> HttpConnection::create(const WebAddress& address, Options options) {
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  impl->client = make_client(address);
  httplib::ClientImpl& client = *impl->client;
  impl->handshake.trust = &impl->options.trust;
  impl->handshake.line = &impl->line;
  impl->handshake.most_bytes = impl->options.most_bytes;
  if (address.is_tls) {
    auto& tls = static_cast<httplib::SSLClient&>(client);
    tls.enable_server_certificate_verification(false);  // the callback does it, before anything is sent
    auto prepared = prepare_tls(tls.ssl_context(), address, impl->options, impl->handshake);
    if (!prepared) return prepared.error();
  }
  client.set_connection_timeout(impl->options.connect_timeout);
  client.set_read_timeout(kNever);
  client.set_write_timeout(kNever);
  client.set_follow_location(false);
  client.set_keep_alive(impl->options.is_kept);
  client.set_url_encode(false);
  client.set_decompress(false);
  client.set_tcp_nodelay(true);  // head and body of a request are sent apart
  client.set_socket_options([&handshake = impl->handshake](int socket) {
    handshake.has_answered = false;
    keep_alive(socket);
    handshake.line->watch(socket);
  });
  if (!impl->options.user.empty()) client.set_basic_auth(impl->options.user, impl->options.password);
  return std::unique_ptr<HttpConnection>(new HttpConnection(std::move(impl)));
}

HttpConnection::Outcome HttpConnection::run(const Exchange& exchange) {
  Outcome out;
  Handshake& handshake = impl_->handshake;
  handshake.bytes = 0;
  impl_->line.count_from_here();
  handshake.alert = -1;
  handshake.problem.clear();
  try {
    impl_->ask(exchange, out);
  } catch (const std::exception&) {  // no memory
    out.failure = httplib::to_string(httplib::Error::Unknown);
    out.is_sent = true;
  }
  ERR_clear_error();
  out.is_too_much = handshake.is_too_much.load();
  out.distrust = handshake.problem;
  out.shown = handshake.shown;
  if (!out.failure.empty() && !handshake.has_answered && is_refusal(handshake.alert)) {
    out.refusal = SSL_alert_desc_string_long(handshake.alert);
    out.is_sent = false;
  }
  return out;
}

void HttpConnection::look() noexcept {
  if (impl_->line.counted() <= impl_->options.most_bytes) return;
  impl_->handshake.is_too_much = true;
  impl_->line.cut();
}

void HttpConnection::cut() noexcept { impl_->line.cut(); }

}  // namespace vipauth::web
