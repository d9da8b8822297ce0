#include "web/http_client.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <fcntl.h>
#include <memory>
#include <mutex>
#include <optional>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <httplib.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "web/quiet_thread.hpp"
#include "web/tls_support.hpp"

namespace vipauth::web {
namespace {

/// Of what a server sends besides the body: header fields, and what TLS adds.
constexpr std::size_t kMaxOverhead = std::size_t{64} * 1024;
constexpr std::chrono::milliseconds kBetweenLooks{100};  // at whether it is told to stop

/// The connection of one request, which ends when its time is over, or too much has come.
class Line {
 public:
  ~Line() {
    if (socket_ >= 0) ::close(socket_);
  }

  /// Keeps hold of the socket that is about to connect. A copy of its number: that of the client may be
  /// closed, and be another's, when it is cut.
  void watch(int socket) {
    const std::lock_guard lock(mutex_);
    if (socket_ >= 0) ::close(socket_);
    socket_ = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (is_cut_ && socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
  }

  void cut() {
    const std::lock_guard lock(mutex_);
    is_cut_ = true;
    if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
  }

 private:
  std::mutex mutex_;
  int socket_ = -1;
  bool is_cut_ = false;
};

/// What OpenSSL's callbacks know of a request, and find out.
struct Handshake {
  const ServerTrust* trust = nullptr;
  Line* line = nullptr;
  std::size_t most_bytes = 0;
  std::size_t bytes = 0;  ///< of TLS records that came
  bool is_too_much = false;
  std::string shown;    ///< the fingerprint of the server's certificate
  std::string problem;  ///< why it is not trusted
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

/// Counts what comes, below HTTP: a server may send header fields without end.
void count_record(int is_sent, int /*version*/, int kind, const void* data, std::size_t size, SSL* /*ssl*/,
                  void* argument) {
  constexpr std::size_t kHeaderBytes = 5;
  if (is_sent != 0 || kind != SSL3_RT_HEADER || size < kHeaderBytes) return;
  auto& handshake = *static_cast<Handshake*>(argument);
  const auto* header = static_cast<const unsigned char*>(data);
  handshake.bytes += kHeaderBytes + (std::size_t{header[3]} << 8U) + header[4];
  if (handshake.bytes <= handshake.most_bytes) return;
  handshake.is_too_much = true;
  handshake.line->cut();
}

Result<void> prepare_tls(SSL_CTX* context, const WebAddress& address, const ServerTrust& trust,
                         Handshake& handshake) {
  if (context == nullptr) return Error{ErrorCode::kUnavailable, "cannot set up TLS", ""};
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, verify_server, &handshake);
  SSL_CTX_set_msg_callback(context, count_record);
  SSL_CTX_set_msg_callback_arg(context, &handshake);
  if (!trust.fingerprint.empty()) return {};
  if (!add_authorities(SSL_CTX_get_cert_store(context), trust.authorities)) {
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

/// What came of a request.
struct Outcome {
  HttpClient::Answer answer;
  std::optional<httplib::Error> failure;
  bool is_too_long = false;
};

Outcome run(httplib::ClientImpl& client, const httplib::Request& plan, std::size_t max_bytes) try {
  Outcome out;
  httplib::Request request = plan;
  request.response_handler = [&](const httplib::Response& response) {
    out.answer.status = response.status;
    return true;
  };
  request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    out.is_too_long = size > max_bytes - out.answer.body.size();
    if (!out.is_too_long) out.answer.body.append(data, size);
    return !out.is_too_long;
  };
  const httplib::Result result = client.send(request);
  if (!result) {
    out.failure = result.error();
  } else {
    out.answer.status = result->status;
  }
  return out;
} catch (const std::exception&) {  // no memory
  Outcome out;
  out.failure = httplib::Error::Unknown;
  return out;
}

/// Runs `work` on a thread that takes no signals, SIGPIPE neither, and cuts the line when the time is over,
/// or it is told to stop.
/// \return whether it was cut; kUnavailable  there is no thread
template <typename Work>
Result<bool> run_in_time(Line& line, std::chrono::milliseconds timeout, const std::atomic<bool>* stop,
                         Work work) {
  std::mutex mutex;
  std::condition_variable finished;
  bool is_done = false;
  std::thread worker;
  try {
    worker = start_quiet_thread([&] {
      work();
      const std::lock_guard lock(mutex);
      is_done = true;
      finished.notify_one();
    });
  } catch (const std::exception& error) {
    return Error{ErrorCode::kUnavailable, std::string("there is no thread: ") + error.what(), ""};
  }
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  bool is_cut = false;
  {
    std::unique_lock lock(mutex);
    while (!is_done && !is_cut) {
      const auto look = std::min(deadline, std::chrono::steady_clock::now() + kBetweenLooks);
      finished.wait_until(lock, look, [&] { return is_done; });
      const bool is_over = std::chrono::steady_clock::now() >= deadline || (stop != nullptr && *stop);
      is_cut = !is_done && is_over;
    }
  }
  if (is_cut) line.cut();
  worker.join();
  return is_cut;
}

std::unique_ptr<httplib::ClientImpl> make_client(const WebAddress& address) {
  if (!address.is_tls) return std::make_unique<httplib::ClientImpl>(address.host, address.port);
  return std::make_unique<httplib::SSLClient>(address.host, address.port);
}

Error not_trusted(const WebAddress& address, const ServerTrust& trust, const Handshake& handshake) {
  std::string message = "\"" + address.origin() + "\" is not trusted: " + handshake.problem;
  message += "; its certificate has the fingerprint " + handshake.shown;
  if (!trust.fingerprint.empty()) message += ", expected was " + trust.fingerprint;
  message += ": ask who runs it which is right; nothing was sent";
  return Error{ErrorCode::kPermissionDenied, std::move(message), ""};
}

std::string seconds(std::chrono::milliseconds time) {
  std::string out = std::to_string(time.count() / 1000);
  if (time.count() % 1000 != 0) out = std::to_string(time.count()) + " milli";
  return out + (out.ends_with("milli") ? "seconds" : " seconds");
}

}  // namespace

HttpClient::~HttpClient() { OPENSSL_cleanse(options_.password.data(), options_.password.size()); }

Result<HttpClient::Answer> HttpClient::send(std::string_view method, std::string_view path,
                                            std::string_view body) const {
  const std::string origin = "\"" + address_.origin() + "\"";
  const auto is_stopped = [this] { return options_.stop && *options_.stop; };
  const Error stopped{ErrorCode::kIoError, origin + " is not waited for: this program ends", ""};
  if (is_stopped()) return stopped;
  Line line;
  Handshake handshake{&options_.trust, &line, options_.max_bytes + kMaxOverhead, 0, false, {}, {}};
  const auto client = make_client(address_);
  if (address_.is_tls) {
    auto* tls = static_cast<httplib::SSLClient*>(client.get());
    client->enable_server_certificate_verification(false);  // the callback does it, before anything is sent
    auto prepared = prepare_tls(tls->ssl_context(), address_, options_.trust, handshake);
    if (!prepared) return prepared.error();
  }
  client->set_connection_timeout(options_.connect_timeout);
  // run_in_time ends it; these would otherwise be as quick now and then, and say less.
  const auto longer = options_.timeout + std::chrono::seconds(5);
  client->set_read_timeout(longer);
  client->set_write_timeout(longer);
  client->set_follow_location(false);
  client->set_keep_alive(false);
  client->set_url_encode(false);
  client->set_decompress(false);
  client->set_socket_options([&line](int socket) { line.watch(socket); });
  if (!options_.user.empty()) client->set_basic_auth(options_.user, options_.password);

  httplib::Request request;
  request.method = method;
  request.path = address_.path + std::string(path);
  request.set_header("Accept", "application/json");
  request.set_header("Accept-Encoding", "identity");
  if (!body.empty()) {
    request.body = body;
    request.set_header("Content-Type", "application/json");
  }

  Outcome outcome;
  const auto ran = run_in_time(line, options_.timeout, options_.stop.get(),
                               [&] { outcome = run(*client, request, options_.max_bytes); });
  if (!ran) return Error{ran.error().code, "cannot ask " + origin + ": " + ran.error().message, ""};
  const bool is_cut = *ran;
  if (!handshake.problem.empty()) return not_trusted(address_, options_.trust, handshake);
  if (outcome.is_too_long || handshake.is_too_much) {
    return Error{ErrorCode::kLimitExceeded,
                 origin + " answers more than " + std::to_string(options_.max_bytes) + " bytes", ""};
  }
  if (is_cut && is_stopped()) return stopped;
  if (is_cut) {
    return Error{ErrorCode::kIoError, origin + " did not answer within " + seconds(options_.timeout), ""};
  }
  if (outcome.failure) {
    return Error{ErrorCode::kIoError,
                 origin + " cannot be reached: " + httplib::to_string(*outcome.failure) +
                     "; is the service running, and the address right?",
                 ""};
  }
  return std::move(outcome.answer);
}

}  // namespace vipauth::web
