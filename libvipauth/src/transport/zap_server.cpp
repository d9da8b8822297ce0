#include <vipauth/zap_server.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/quiet_threads.hpp"
#include "transport/acceptance_proof.hpp"
#include "transport/password_pool.hpp"
#include "transport/wake_up.hpp"
#include "transport/zap_exchange.hpp"
#include "transport/zmq_support.hpp"

namespace vipauth {
namespace {

constexpr const char* kEndpoint = "inproc://zeromq.zap.01";
// Requests that are answered before their answers go out. Who asks many at once wakes to many, and not for
// each; what one waits for the others is some microseconds.
constexpr std::size_t kBatch = 32;

// A 300 that arrives while libzmq (4.3.4) is still sending the request makes it hang up on the peer, which
// then tries again at once, and takes us for a server with another key. A later one leaves the peer in
// silence until its handshake time is over: that is how a peer knows that it waits.
constexpr std::chrono::milliseconds kPause{10};
constexpr std::size_t kMaxPaused = 1000;

}  // namespace

struct ZapServer::Impl {
  Impl(ZmqSocket bound, ZmqSocket waking, ZapAuthenticator deciding, Options options)
      : authenticator(std::move(deciding)),
        wake_up(std::move(waking)),
        socket(std::move(bound)),
        pool(authenticator, wake_up, options.password_threads, options.password_queue),
        thread(start_thread([this] { run(); })) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    stopping = true;
    wake_up.ring();
    thread.join();
  }

  void run();
  void serve();
  bool answer(ZapExchange& exchange, ZapReply& reply);
  bool pause(ZapExchange& exchange, ZapReply& reply);
  void reply(ZapExchange& exchange, const ZapReply& reply);
  void send_answers();
  void send_paused();
  long time_to_next() const;

  struct Answered {
    ZapExchange exchange;
    ZapReply reply;
  };
  struct Paused {
    std::chrono::steady_clock::time_point until;
    ZapExchange exchange;
    ZapReply reply;
  };

  const ZapAuthenticator authenticator;
  WakeUp wake_up;  // rings for stopping, and for answers of the pool
  std::atomic<bool> stopping = false;
  ZmqSocket socket;                    // the thread's, once it runs
  std::deque<Paused> paused;           // the thread's; earliest first
  std::array<Answered, kBatch> batch;  // the thread's, used again and again
  std::size_t answered = 0;            // of the batch
  std::size_t sent = 0;                // of those
  PasswordPool pool;
  std::thread thread;
};

void ZapServer::Impl::run() {
  while (!stopping) {
    try {
      serve();
    } catch (const zmq::error_t& error) {
      if (error.num() != EINTR) break;  // ETERM: the context ends
    } catch (const std::exception&) {
      continue;  // no memory: this request stays unanswered, and its client tries again
    }
  }
  // Unbound at once, so that another server can start: closing leaves it to libzmq's own time.
  zmq_unbind(socket.get(), kEndpoint);
  socket.reset();
  wake_up.close();
}

void ZapServer::Impl::serve() {
  send_answers();  // those that a failure has kept
  int flags = 0;
  if (!paused.empty()) {
    zmq_pollitem_t item{socket.get(), 0, ZMQ_POLLIN, 0};
    if (zmq_poll(&item, 1, time_to_next()) < 0) throw zmq::error_t();
    flags = ZMQ_DONTWAIT;
  }
  for (std::size_t i = 0; i < kBatch; ++i, flags = ZMQ_DONTWAIT) {
    auto& [exchange, reply] = batch[answered];
    if (!exchange.receive(socket.get(), flags)) break;
    if (answer(exchange, reply)) ++answered;
  }
  send_answers();
  for (PasswordPool::Answer& done : pool.take_answers()) {
    if (!pause(done.exchange, done.reply)) reply(done.exchange, done.reply);
  }
  send_paused();
}

/// False where there is nothing to send now.
bool ZapServer::Impl::answer(ZapExchange& exchange, ZapReply& reply) {
  if (!exchange.has_envelope()) return false;
  const std::span<const std::string_view> request = exchange.request();
  const bool is_slow = ZapAuthenticator::is_slow(request);
  if (is_slow && pool.offer(exchange, authenticator.is_penalised(request))) return false;
  if (is_slow) {
    reply = ZapAuthenticator::busy(request);
  } else {
    authenticator.handle(request, reply);
  }
  if (pause(exchange, reply)) return false;
  if (!is_slow) return true;
  this->reply(exchange, reply);
  exchange = ZapExchange();  // it holds a password
  return false;
}

/// Takes both over where the answer is to wait.
bool ZapServer::Impl::pause(ZapExchange& exchange, ZapReply& reply) {
  if (reply.status_code != "300" || paused.size() >= kMaxPaused) return false;
  paused.push_back({std::chrono::steady_clock::now() + kPause, std::move(exchange), std::move(reply)});
  return true;
}

void ZapServer::Impl::send_answers() {
  while (sent < answered) {
    Answered& next = batch[sent++];
    reply(next.exchange, next.reply);
  }
  answered = sent = 0;
}

void ZapServer::Impl::reply(ZapExchange& exchange, const ZapReply& reply) {
  const ZapProperty proof{kMetadataProof, acceptance_proof()};
  const bool is_accepted = reply.status_code == "200";
  exchange.reply(socket.get(), reply, {&proof, is_accepted ? std::size_t{1} : std::size_t{0}});
}

void ZapServer::Impl::send_paused() {
  const auto now = std::chrono::steady_clock::now();
  while (!paused.empty() && paused.front().until <= now) {
    Paused due = std::move(paused.front());
    paused.pop_front();
    reply(due.exchange, due.reply);
  }
}

/// For zmq_poll: milliseconds, or -1.
long ZapServer::Impl::time_to_next() const {
  if (paused.empty()) return -1;
  const auto time = paused.front().until - std::chrono::steady_clock::now();
  return std::max<long>(0, std::chrono::ceil<std::chrono::milliseconds>(time).count());
}

ZapServer::ZapServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ZapServer::ZapServer(ZapServer&&) noexcept = default;
ZapServer& ZapServer::operator=(ZapServer&&) noexcept = default;
ZapServer::~ZapServer() = default;

Result<ZapServer> ZapServer::start(void* zmq_context, ZapAuthenticator authenticator, Options options) {
  if (Result<void> curve = require_curve(); !curve) return curve.error();
  ZmqSocket socket(zmq_socket(zmq_context, ZMQ_ROUTER));
  if (!socket) return zmq_failure("the ZAP socket");
  if (const Result<void> set = SocketOptions(socket.get()).set(ZMQ_LINGER, "ZMQ_LINGER", 0).result(); !set) {
    return set.error();
  }
  if (zmq_bind(socket.get(), kEndpoint) != 0) {
    if (zmq_errno() == EADDRINUSE) {
      return Error{ErrorCode::kAlreadyExists, "this ZeroMQ context has a ZAP handler already", kEndpoint};
    }
    return zmq_failure(kEndpoint);
  }
  ZmqSocket waking(zmq_socket(zmq_context, ZMQ_DEALER));
  if (!waking || zmq_connect(waking.get(), kEndpoint) != 0) return zmq_failure("the ZAP socket");
  if (const Result<void> set = SocketOptions(waking.get()).set(ZMQ_LINGER, "ZMQ_LINGER", 0).result(); !set) {
    return set.error();
  }
  try {
    return ZapServer(
        std::make_unique<Impl>(std::move(socket), std::move(waking), std::move(authenticator), options));
  } catch (const std::system_error& error) {
    return Error{ErrorCode::kIoError, std::string("cannot start the ZAP handler: ") + error.what(), {}};
  }
}

Result<ZapServer> ZapServer::start(void* zmq_context, const AuthService& service) {
  return start(zmq_context, service.zap_authenticator(), Options{});
}

}  // namespace vipauth
