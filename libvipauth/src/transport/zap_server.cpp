#include <vipauth/zap_server.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <optional>
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
constexpr int kBatch = 64;  // requests answered before looking whether to stop

// A 300 that arrives while libzmq (4.3.4) is still sending the request makes it hang up on the peer, which
// then tries again at once, and takes us for a server with another key. A later one leaves the peer in
// silence until its handshake time is over: that is how a peer knows that it waits.
constexpr std::chrono::milliseconds kPause{10};
constexpr std::size_t kMaxPaused = 1000;

}  // namespace

struct ZapServer::Impl {
  Impl(ZmqSocket bound, ZapAuthenticator deciding, Options options)
      : authenticator(std::move(deciding)),
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
  void answer(ZapExchange& exchange);
  void send(ZapExchange exchange, ZapReply reply);
  void send_paused();
  long time_to_next() const;

  struct Paused {
    std::chrono::steady_clock::time_point until;
    ZapExchange exchange;
    ZapReply reply;
  };

  const ZapAuthenticator authenticator;
  WakeUp wake_up;  // rings for stopping, and for answers of the pool
  std::atomic<bool> stopping = false;
  ZmqSocket socket;           // the thread's, once it runs
  std::deque<Paused> paused;  // the thread's; earliest first
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
}

void ZapServer::Impl::serve() {
  zmq_pollitem_t items[] = {{socket.get(), 0, ZMQ_POLLIN, 0}, {nullptr, wake_up.fd(), ZMQ_POLLIN, 0}};
  if (zmq_poll(items, 2, time_to_next()) < 0) throw zmq::error_t();
  if (items[1].revents != 0) {
    wake_up.hear();
    for (PasswordPool::Answer& done : pool.take_answers())
      send(std::move(done.exchange), std::move(done.reply));
  }
  send_paused();
  if (items[0].revents == 0) return;
  for (int i = 0; i < kBatch; ++i) {
    std::optional<ZapExchange> exchange = ZapExchange::receive(socket.get());
    if (!exchange) return;
    answer(*exchange);
  }
}

void ZapServer::Impl::answer(ZapExchange& exchange) {
  if (!exchange.has_envelope()) return;
  const std::vector<std::string_view> request = exchange.request();
  const bool is_slow = ZapAuthenticator::is_slow(request);
  if (is_slow && pool.offer(exchange, authenticator.is_penalised(request))) return;
  ZapReply reply = is_slow ? ZapAuthenticator::busy(request) : authenticator.handle(request);
  send(std::move(exchange), std::move(reply));
}

void ZapServer::Impl::send(ZapExchange exchange, ZapReply reply) {
  if (reply.status_code == "300" && paused.size() < kMaxPaused) {
    paused.push_back({std::chrono::steady_clock::now() + kPause, std::move(exchange), std::move(reply)});
    return;
  }
  if (reply.status_code == "200") reply.metadata.emplace_back(kMetadataProof, acceptance_proof());
  exchange.reply(socket.get(), reply);
}

void ZapServer::Impl::send_paused() {
  const auto now = std::chrono::steady_clock::now();
  while (!paused.empty() && paused.front().until <= now) {
    const Paused next = std::move(paused.front());
    paused.pop_front();
    next.exchange.reply(socket.get(), next.reply);
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
  try {
    return ZapServer(std::make_unique<Impl>(std::move(socket), std::move(authenticator), options));
  } catch (const std::system_error& error) {
    return Error{ErrorCode::kIoError, std::string("cannot start the ZAP handler: ") + error.what(), {}};
  }
}

Result<ZapServer> ZapServer::start(void* zmq_context, const AuthService& service) {
  return start(zmq_context, service.zap_authenticator(), Options{});
}

}  // namespace vipauth
