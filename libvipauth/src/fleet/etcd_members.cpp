#include "fleet/etcd_members.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <thread>
#include <utility>

#include <vipauth/json.hpp>

#include "web/tls_support.hpp"

namespace vipauth::fleet {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using web::HttpClient;

constexpr int kOk = 200;
constexpr std::size_t kMaxSecret = 4096;
constexpr std::string_view kRange = "/v3/kv/range";

/// etcd tells every ten minutes that nothing has happened. For a connection that nobody has closed, but
/// somebody between forgets: the member itself is asked much more often.
constexpr std::chrono::minutes kLongestSilence{11};
constexpr milliseconds kBetweenRounds{200};  // while there is no leader
constexpr milliseconds kBetweenLooks{20};    // at whether it is to stop

void wipe(std::string& text) { ::explicit_bzero(text.data(), text.size()); }

/// Wipes a text that holds a secret when it goes.
struct Wiped {
  std::string& text;
  ~Wiped() { wipe(text); }
};

milliseconds left_until(steady_clock::time_point deadline) {
  return std::max(std::chrono::ceil<milliseconds>(deadline - steady_clock::now()), milliseconds(0));
}

bool is_this_host(const std::string& host) {
  in_addr address{};
  constexpr std::uint32_t kNetwork = 127;
  if (::inet_pton(AF_INET, host.c_str(), &address) == 1) return ntohl(address.s_addr) >> 24U == kNetwork;
  in6_addr address6{};
  if (::inet_pton(AF_INET6, host.c_str(), &address6) == 1) return IN6_IS_ADDR_LOOPBACK(&address6);
  return host == "localhost";
}

Error wrong_option(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message), "etcd"};
}

/// Who stands between could be the store: what comes by it says who is let in.
Result<void> check_network(const StoreAddress& address) {
  if (address.is_tls || address.allows_plain_network) return {};
  for (const auto& endpoint : address.endpoints) {
    if (is_this_host(endpoint.host)) continue;
    return wrong_option("without TLS \"" + endpoint.host +
                        "\", another host, is not believed: use etcds://, or where nobody else is on that "
                        "network, add \"insecure-transport=true\" to the address");
  }
  return {};
}

Result<void> check_user(const StoreAddress& address, const EtcdOptions& options) {
  if (options.user.empty() != options.password.empty()) {
    return wrong_option(options.user.empty() ? "there is a password, but no user that it is of"
                                             : "there is a user, but no password");
  }
  if (options.user.size() > kMaxSecret || options.password.size() > kMaxSecret) {
    return wrong_option("the user or the password is longer than " + std::to_string(kMaxSecret) + " bytes");
  }
  if (!is_valid_utf8(options.user) || !is_valid_utf8(options.password)) {
    return wrong_option("the user or the password is not UTF-8");
  }
  if (address.is_tls || options.user.empty()) return {};
  for (const auto& endpoint : address.endpoints) {
    if (!is_this_host(endpoint.host)) {
      return wrong_option("a password is not sent in clear to \"" + endpoint.host +
                          "\", another host: use etcds:// (TLS)");
    }
  }
  return {};
}

Result<void> read_tls(const StoreAddress& address, const EtcdOptions& options, HttpClient::Options& out) {
  if (options.certificate.empty() != options.key.empty()) {
    return wrong_option("a client's certificate and its key must be given together");
  }
  if (!address.is_tls) {
    if (options.authorities.empty() && options.certificate.empty()) return {};
    return wrong_option(
        "authorities and certificates are for TLS, but the address begins with etcd://: use etcds://");
  }
  if (options.authorities.empty()) {
    return wrong_option(
        "TLS needs the authorities that have signed the members' certificates: name their file");
  }
  auto authorities = web::read_authorities(options.authorities);
  if (!authorities) return authorities.error();
  out.trust.authorities = *std::move(authorities);
  if (options.certificate.empty()) return {};
  auto certificate = web::ClientCertificate::read(options.certificate, options.key);
  if (!certificate) return certificate.error();
  out.certificate = *std::move(certificate);
  return {};
}

/// Which of several errors tells most about why no member has answered.
int weight(ErrorCode code) {
  switch (code) {
    case ErrorCode::kPermissionDenied: return 5;
    case ErrorCode::kBusy: return 4;
    case ErrorCode::kParseError: return 3;
    case ErrorCode::kIoError: return 2;
    case ErrorCode::kUnavailable: return 1;
    default: return 6;
  }
}

}  // namespace

// ---- Making ----

Result<std::unique_ptr<EtcdMembers>> EtcdMembers::create(const StoreAddress& address, EtcdOptions options) {
  const Wiped wiped{options.password};
  if (address.endpoints.empty()) return wrong_option("the address of the store names no member");
  if (auto checked = check_user(address, options); !checked) return checked.error();
  if (auto checked = check_network(address); !checked) return checked.error();
  HttpClient::Options http;
  if (auto read = read_tls(address, options, http); !read) return read.error();
  http.connect_timeout = options.connect_timeout;
  http.timeout = options.timeout;
  http.max_bytes = EtcdClient::kMaxAnswerBytes;
  http.keeps_connections = true;
  return std::unique_ptr<EtcdMembers>(new EtcdMembers(address, options, std::move(http)));
}

// NOLINTNEXTLINE(modernize-pass-by-value): what a short password is moved out of keeps it
EtcdMembers::EtcdMembers(const StoreAddress& address, const EtcdOptions& options, HttpClient::Options http)
    : options_(options), stop_(std::make_shared<std::atomic<bool>>(false)) {
  http.stop = stop_;
  for (const auto& endpoint : address.endpoints) {
    members_.emplace_back(web::WebAddress{address.is_tls, endpoint.host, endpoint.port, ""}, http);
  }
}

EtcdMembers::~EtcdMembers() {
  wipe(options_.password);
  wipe(token_);
}

void EtcdMembers::set_token(const std::string& token) {
  const std::lock_guard lock(mutex_);
  wipe(token_);
  token_ = token;
  is_auth_off_ = token.empty();
}

void EtcdMembers::log(LogLevel level, const std::string& text) const {
  if (options_.log) options_.log(level, text);
}

bool EtcdMembers::pause_until(Time time) const {
  while (!is_stopped() && steady_clock::now() < time) std::this_thread::sleep_for(kBetweenLooks);
  return !is_stopped();
}

// ---- What went wrong ----

Trouble EtcdMembers::from_failure(const HttpClient::Failure& failure) const {
  Trouble out{failure.error, failure.is_sent, false};
  // Of one that got nothing, it is certain that it does nothing.
  if (!failure.is_sent && out.error.code == ErrorCode::kIoError) out.error.code = ErrorCode::kUnavailable;
  out.is_final = is_stopped() || out.error.code == ErrorCode::kLimitExceeded;
  return out;
}

Trouble EtcdMembers::from_answer(std::size_t at, const HttpClient::Answer& answer) const {
  return trouble_of(members_[at].address().origin(), answer.status, answer.body);
}

void EtcdMembers::Troubles::add(Trouble trouble) {
  is_without_leader = is_without_leader || trouble.is_without_leader;
  errors.push_back(std::move(trouble.error));
}

Error EtcdMembers::Troubles::sum() const {
  Error out{ErrorCode::kUnavailable, "no member of the cluster has answered", "etcd"};
  for (const Error& error : errors) {
    if (weight(error.code) > weight(out.code)) out.code = error.code;
  }
  if (errors.size() == 1) return Error{out.code, errors.front().message, "etcd"};
  for (std::size_t i = 0; i < errors.size(); ++i) out.message += (i == 0 ? ": " : "; ") + errors[i].message;
  return out;
}

// ---- Questions ----

HttpClient::Request EtcdMembers::request_of(std::string_view path, std::string_view body,
                                            Time deadline) const {
  HttpClient::Request out{"POST", path, body, {}, left_until(deadline)};
  // A member that has lost its leader says so at once, instead of waiting for one.
  // Source: etcd, clientv3.WithRequireLeader; grpc-gateway takes it as a header.
  out.headers.emplace_back("Grpc-Metadata-hasleader", "true");
  return out;
}

bool EtcdMembers::authenticate(std::size_t at, const std::string& old, Time deadline, Trouble& trouble) {
  {
    const std::lock_guard lock(mutex_);
    if (!token_.empty() && token_ != old) return true;  // another thread was faster
  }
  std::string body = authenticate_text(options_.user, options_.password);
  const Wiped wiped{body};
  HttpClient::Failure failure;
  auto answer = members_[at].send(request_of("/v3/auth/authenticate", body, deadline), failure);
  if (!answer) {
    trouble = from_failure(failure);
    trouble.may_be_done = false;
    return false;
  }
  const Wiped wiped_answer{answer->body};
  if (answer->status != kOk) {
    const auto refusal = parse_refusal(answer->body);
    if (refusal && refusal->is_auth_off()) {
      log(LogLevel::kWarning, "etcd: the cluster knows no users: \"" + options_.user + "\" is not asked for");
      set_token("");
      return true;
    }
    trouble = from_answer(at, *answer);
    trouble.may_be_done = false;
    if (trouble.error.code == ErrorCode::kPermissionDenied) {
      trouble.error.message += ": check the user \"" + options_.user + "\" and its password";
    }
    return false;
  }
  auto token = parse_token(answer->body);
  if (!token) {
    trouble = {token.error(), false, false};
    return false;
  }
  const Wiped wiped_token{*token};
  set_token(*token);
  return true;
}

std::optional<std::string> EtcdMembers::token_for(std::size_t at, Time deadline, Trouble& trouble) {
  for (bool is_again = false;; is_again = true) {
    {
      const std::lock_guard lock(mutex_);
      if (options_.user.empty() || is_auth_off_ || !token_.empty() || is_again) return token_;
    }
    if (!authenticate(at, "", deadline, trouble)) return std::nullopt;
  }
}

std::optional<std::string> EtcdMembers::ask_member(std::size_t at, std::string_view path,
                                                   std::string_view body, Time deadline, Trouble& trouble) {
  const bool has_user = !options_.user.empty();
  bool is_again = false;
  while (true) {
    auto token = token_for(at, deadline, trouble);
    if (!token) return std::nullopt;
    const Wiped wiped{*token};
    HttpClient::Request request = request_of(path, body, deadline);
    if (!token->empty()) request.headers.emplace_back("Authorization", *token);
    HttpClient::Failure failure;
    auto answer = members_[at].send(request, failure);
    for (auto& [name, value] : request.headers) wipe(value);
    if (!answer) {
      trouble = from_failure(failure);
      return std::nullopt;
    }
    if (answer->status == kOk) return std::move(answer->body);
    const auto refusal = parse_refusal(answer->body);
    if (!has_user || is_again || !refusal || !refusal->is_unauthenticated()) {
      trouble = from_answer(at, *answer);
      return std::nullopt;
    }
    is_again = true;
    if (!authenticate(at, *token, deadline, trouble)) return std::nullopt;
  }
}

std::optional<Result<std::string>> EtcdMembers::ask_each(std::string_view path, std::string_view body,
                                                         Repeat repeat, Time deadline, Troubles& troubles) {
  const std::size_t first = first_;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const std::size_t at = (first + i) % members_.size();
    const milliseconds left = left_until(deadline);
    if (i > 0 && left == milliseconds(0)) break;
    // A member that takes a question and says nothing leaves time for the others.
    const auto rest = static_cast<milliseconds::rep>(members_.size() - i);
    const milliseconds share = repeat == Repeat::kAlways ? left / rest : left;
    Trouble trouble;
    if (auto answer = ask_member(at, path, body, steady_clock::now() + share, trouble)) {
      first_ = at;
      return *std::move(answer);
    }
    const bool is_lost = repeat == Repeat::kUnlessSent && trouble.may_be_done;
    if (trouble.is_final || is_lost) {
      if (is_lost && EtcdClient::is_certain(trouble.error)) trouble.error.code = ErrorCode::kParseError;
      if (is_lost || !trouble.is_final) first_ = after(at);
      return trouble.error.location.empty() ? trouble.error.at("etcd") : trouble.error;
    }
    log(LogLevel::kDebug, "etcd: " + trouble.error.message);
    troubles.add(std::move(trouble));
  }
  return std::nullopt;
}

Result<std::string> EtcdMembers::ask(std::string_view path, std::string_view body, Repeat repeat,
                                     EtcdClient::Deadline until) {
  const Time now = steady_clock::now();
  const Time deadline = std::min(until.value_or(Time::max()), now + options_.timeout);
  if (deadline <= now) {
    return Error{ErrorCode::kUnavailable, "there is no time left to ask the cluster: try again", "etcd"};
  }
  std::optional<Error> last;
  while (true) {
    Troubles troubles;
    if (auto out = ask_each(path, body, repeat, deadline, troubles)) return *std::move(out);
    if (!last || troubles.is_without_leader) last = troubles.sum();
    // They choose another leader: that takes a second or some.
    const Time next = steady_clock::now() + kBetweenRounds;
    if (!troubles.is_without_leader || next >= deadline || !pause_until(next)) return *std::move(last);
  }
}

// ---- Watches ----

/// A linearizable read: the member can be reached, answers, has a leader, a majority behind it, and still
/// knows the user. TCP's own probes would be answered for a process that stands still, too.
bool EtcdMembers::is_alive(std::size_t at, const WatchPlan& plan, Error& error) {
  RangeQuestion question;
  question.key = plan.key;
  question.limit = 1;
  question.keys_only = true;
  Trouble trouble;
  const auto answer =
      ask_member(at, kRange, range_text(question), steady_clock::now() + options_.timeout, trouble);
  if (!answer) {
    error = trouble.error;
    return false;
  }
  const auto range = parse_range(*answer, question);
  if (!range) error = range.error();
  return range.has_value();
}

std::optional<WatchEnd> EtcdMembers::watch_member(std::size_t at, const WatchPlan& plan, Time deadline,
                                                  Trouble& trouble) {
  const bool has_user = !options_.user.empty();
  const std::string body = watch_text(plan.key, plan.range_end, plan.start_revision);
  for (bool is_again = false;; is_again = true) {
    auto token = token_for(at, deadline, trouble);
    if (!token) return std::nullopt;
    const Wiped wiped{*token};
    HttpClient::Request request = request_of("/v3/watch", body, deadline);
    if (!token->empty()) request.headers.emplace_back("Authorization", *token);

    WatchReader watch(plan);
    std::optional<Error> silence;
    std::size_t answers = 0;
    Time heard = steady_clock::now();  // of the watch
    Time asked = heard;
    HttpClient::Reader reader;
    reader.on_data = [&](std::string_view data) { return watch.take(data); };
    reader.on_look = [&] {
      const Time now = steady_clock::now();
      if (watch.answers() != answers) {
        answers = watch.answers();
        heard = asked = now;
      }
      if (!watch.is_standing()) {
        if (now < deadline) return true;
        silence = Error{ErrorCode::kIoError, "the watch does not come to stand", "etcd"};
        return false;
      }
      if (now - asked < options_.timeout) return true;
      Error error{ErrorCode::kIoError, "the watch is silent for too long", "etcd"};
      if (now - heard > kLongestSilence || !is_alive(at, plan, error)) {
        silence = error;
        return false;
      }
      asked = steady_clock::now();
      return watch.tell_time();
    };
    HttpClient::Failure failure;
    const auto answer = members_[at].read(request, reader, failure);
    for (auto& [name, value] : request.headers) wipe(value);

    if (is_stopped()) return WatchEnd{};
    if (answer && !silence) watch.finish();
    if (watch.is_standing()) {
      first_ = at;
      if (watch.end()) return watch.end();
      if (silence) return WatchEnd{WatchEnd::Why::kFailed, 0, *silence};
      return WatchEnd{
          WatchEnd::Why::kFailed, 0,
          answer ? Error{ErrorCode::kIoError, "the member has ended the watch", "etcd"} : failure.error};
    }
    // It never stood.
    const auto refusal = answer && answer->status != kOk ? parse_refusal(answer->body) : std::nullopt;
    const bool is_unauthenticated = watch.is_unauthenticated() || (refusal && refusal->is_unauthenticated());
    if (has_user && !is_again && is_unauthenticated) {
      if (!authenticate(at, *token, deadline, trouble)) return std::nullopt;
      continue;
    }
    if (!answer) {
      trouble = from_failure(failure);
    } else if (answer->status != kOk) {
      trouble = from_answer(at, *answer);
    } else if (watch.end()) {
      if (watch.end()->why == WatchEnd::Why::kCompacted) return watch.end();
      const ErrorCode code = watch.end()->error.code;
      const bool is_final = code == ErrorCode::kPermissionDenied || code == ErrorCode::kConflict;
      trouble = {watch.end()->error, true, is_final};
    } else {
      trouble = {silence.value_or(Error{ErrorCode::kIoError, "the member has ended the watch", "etcd"}), true,
                 false};
    }
    return std::nullopt;
  }
}

WatchEnd EtcdMembers::watch(const WatchPlan& plan) {
  const Time deadline = steady_clock::now() + options_.timeout;
  Troubles troubles;
  const std::size_t first = first_;
  for (std::size_t i = 0; i < members_.size() && !is_stopped(); ++i) {
    const std::size_t at = (first + i) % members_.size();
    const auto rest = static_cast<milliseconds::rep>(members_.size() - i);
    Trouble trouble;
    auto end = watch_member(at, plan, steady_clock::now() + left_until(deadline) / rest, trouble);
    if (end) {
      if (end->why == WatchEnd::Why::kFailed) first_ = after(at);  // whoever goes on asks another one first
      return *std::move(end);
    }
    if (trouble.is_final) {
      return is_stopped() ? WatchEnd{} : WatchEnd{WatchEnd::Why::kFailed, 0, std::move(trouble.error)};
    }
    log(LogLevel::kDebug, "etcd: " + trouble.error.message);
    troubles.add(std::move(trouble));
  }
  if (is_stopped()) return WatchEnd{};
  return WatchEnd{WatchEnd::Why::kFailed, 0, troubles.sum()};
}

}  // namespace vipauth::fleet
