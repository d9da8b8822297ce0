#include "web/http_client.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <openssl/crypto.h>

#include "web/quiet_thread.hpp"

namespace vipauth::web {
namespace {

using std::chrono::steady_clock;

/// Of what a server sends besides the body: header fields, and what TLS adds.
constexpr std::size_t kMaxOverhead = std::size_t{64} * 1024;
constexpr std::size_t kMostUntaken = std::size_t{64} * 1024;  // of an answer
constexpr int kOk = 200;

/// A request on a thread that takes no signals, SIGPIPE neither, and what came of it so far.
class Exchange {
 public:
  explicit Exchange(HttpConnection& connection) : connection_(connection) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() {
    if (worker_.joinable()) end();
  }

  /// \throws std::system_error
  void start(HttpConnection::Exchange plan) {
    plan.on_status = [this](int status) {
      const std::lock_guard lock(mutex_);
      status_ = status;
    };
    plan.on_data = [this](std::string_view data) { return hand_over(data); };
    worker_ = start_quiet_thread([this, plan = std::move(plan)] {
      auto outcome = connection_.run(plan);
      const std::lock_guard lock(mutex_);
      outcome_ = std::move(outcome);
      is_done_ = true;
      changed_.notify_all();
    });
  }

  /// What has come since the last time; waits for it, but not for long.
  struct News {
    int status = 0;
    std::string data;
    bool is_done = false;  ///< and nothing more comes
  };
  News wait(steady_clock::time_point until) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, until, [this] { return is_done_ || !data_.empty(); });
    News out;
    out.status = status_;
    out.data.swap(data_);
    out.is_done = is_done_;
    changed_.notify_all();
    return out;
  }

  /// Cuts the connection, unless all is done.
  HttpConnection::Outcome end() {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
      if (!is_done_) connection_.cut();
      changed_.notify_all();
    }
    worker_.join();
    return std::move(outcome_);
  }

 private:
  bool hand_over(std::string_view data) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_over_ || data_.size() < kMostUntaken; });
    if (is_over_) return false;
    data_ += data;
    changed_.notify_all();
    return true;
  }

  HttpConnection& connection_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int status_ = 0;
  std::string data_;
  bool is_done_ = false;
  bool is_over_ = false;
  HttpConnection::Outcome outcome_;
  std::thread worker_;
};

Error not_trusted(const WebAddress& address, const ServerTrust& trust,
                  const HttpConnection::Outcome& outcome) {
  std::string message = "\"" + address.origin() + "\" is not trusted: " + outcome.distrust;
  message += "; its certificate has the fingerprint " + outcome.shown;
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

/// Those that nobody uses at the moment.
class HttpClient::Connections {
 public:
  std::unique_ptr<HttpConnection> take() {
    const std::lock_guard lock(mutex_);
    std::unique_ptr<HttpConnection> out;
    if (!idle_.empty() && steady_clock::now() - idle_.back().since < kLongestIdle) {
      out = std::move(idle_.back().connection);
      idle_.pop_back();
    } else {
      idle_.clear();  // all are at least as old
    }
    return out;
  }

  void put(std::unique_ptr<HttpConnection> connection) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < kMostIdle) idle_.push_back({std::move(connection), steady_clock::now()});
  }

 private:
  // What stands between may forget a connection without a word.
  static constexpr std::chrono::seconds kLongestIdle{30};
  static constexpr std::size_t kMostIdle = 4;
  struct Idle {
    std::unique_ptr<HttpConnection> connection;
    steady_clock::time_point since;
  };
  std::mutex mutex_;
  std::vector<Idle> idle_;  // the last one is the youngest
};

HttpClient::HttpClient(WebAddress address, Options options)
    : address_(std::move(address)), options_(std::move(options)) {
  if (options_.keeps_connections) kept_ = std::make_unique<Connections>();
}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() { OPENSSL_cleanse(options_.password.data(), options_.password.size()); }

Result<HttpClient::Answer> HttpClient::send(std::string_view method, std::string_view path,
                                            std::string_view body) const {
  Failure failure;
  auto answer = send(Request{method, path, body}, failure);
  if (!answer) return std::move(failure.error);
  return *std::move(answer);
}

std::optional<HttpClient::Answer> HttpClient::send(const Request& request, Failure& failure) const {
  return exchange(request, nullptr, failure);
}

std::optional<HttpClient::Answer> HttpClient::read(const Request& request, const Reader& reader,
                                                   Failure& failure) const {
  return exchange(request, &reader, failure);
}

Result<std::unique_ptr<HttpConnection>> HttpClient::connect() const {
  if (auto kept = kept_ ? kept_->take() : nullptr) return kept;
  HttpConnection::Options options;
  options.trust = options_.trust;
  options.certificate = options_.certificate;
  options.connect_timeout = options_.connect_timeout;
  options.most_bytes = options_.max_bytes + kMaxOverhead;
  options.is_kept = options_.keeps_connections;
  options.user = options_.user;
  options.password = options_.password;
  return HttpConnection::create(address_, std::move(options));
}

std::optional<HttpClient::Answer> HttpClient::exchange(const Request& request, const Reader* reader,
                                                       Failure& failure) const {
  const std::string origin = "\"" + address_.origin() + "\"";
  const auto timeout = request.timeout.value_or(options_.timeout);
  const auto is_stopped = [this] { return options_.stop && *options_.stop; };
  const Error stopped{ErrorCode::kIoError, origin + " is not waited for: this program ends", ""};
  if (is_stopped()) {
    failure = {stopped, false};
    return std::nullopt;
  }
  auto connection = connect();
  if (!connection) {
    failure = {connection.error(), false};
    return std::nullopt;
  }
  Exchange exchange(**connection);
  try {
    exchange.start({std::string(request.method), address_.path + std::string(request.path), &request.headers,
                    request.body, nullptr, nullptr});
  } catch (const std::exception& error) {
    failure = {
        Error{ErrorCode::kUnavailable, "cannot ask " + origin + ": there is no thread: " + error.what(), ""},
        false};
    return std::nullopt;
  }

  enum class End { kNone, kWhole, kStopped, kTooLate, kTooLong, kEnough };
  End end = End::kNone;
  Answer answer;
  const auto deadline = steady_clock::now() + timeout;
  while (end == End::kNone) {
    const auto news = exchange.wait(std::min(deadline, steady_clock::now() + kBetweenLooks));
    (*connection)->look();
    const bool is_read = reader != nullptr && news.status == kOk;
    answer.status = news.status;
    if (is_stopped()) {
      end = End::kStopped;
    } else if (!is_read && !news.is_done && steady_clock::now() >= deadline) {
      end = End::kTooLate;
    } else if (is_read) {
      const bool is_wanted = (news.data.empty() || reader->on_data(news.data)) && reader->on_look();
      if (!is_wanted) end = End::kEnough;
    } else if (news.data.size() > options_.max_bytes - answer.body.size()) {
      end = End::kTooLong;
    } else {
      answer.body += news.data;
    }
    if (end == End::kNone && news.is_done) end = End::kWhole;
  }
  const HttpConnection::Outcome outcome = exchange.end();

  failure.is_sent = outcome.is_sent;
  if (!outcome.distrust.empty()) {
    failure.error = not_trusted(address_, options_.trust, outcome);
  } else if (end == End::kEnough) {
    return answer;
  } else if (end == End::kTooLong || outcome.is_too_much) {
    failure.error = Error{ErrorCode::kLimitExceeded,
                          origin + " answers more than " + std::to_string(options_.max_bytes) + " bytes", ""};
  } else if (end == End::kStopped) {
    failure.error = stopped;
  } else if (end == End::kTooLate) {
    failure.error = Error{ErrorCode::kIoError, origin + " did not answer within " + seconds(timeout), ""};
  } else if (!outcome.refusal.empty()) {
    failure.error =
        Error{ErrorCode::kPermissionDenied,
              origin + " does not trust this client: \"" + outcome.refusal + "\": " +
                  (options_.certificate.is_none() ? "it wants to see a certificate"
                                                  : "show a certificate that its authority has signed"),
              ""};
  } else if (!outcome.failure.empty() && (reader == nullptr || answer.status != kOk)) {
    failure.error = Error{ErrorCode::kIoError,
                          origin + " cannot be reached: " + outcome.failure +
                              "; is the service running, and the address right?",
                          ""};
  } else {
    if (kept_ && outcome.failure.empty()) kept_->put(*std::move(connection));
    return answer;
  }
  return std::nullopt;
}

}  // namespace vipauth::web
