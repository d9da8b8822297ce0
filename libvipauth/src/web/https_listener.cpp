#include "web/https_listener.hpp"

#include <algorithm>
#include <array>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <system_error>
#include <utility>

#include "web/quiet_thread.hpp"
#include "web/tls_connection.hpp"

namespace vipauth::web {
namespace {

using std::chrono::steady_clock;

/// A certificate of our own is renewed while the server runs; so is one of the operator's, where its files
/// are replaced.
constexpr std::chrono::hours kRenewal{1};
constexpr int kReapMilliseconds = 1000;
constexpr int kShortOfDescriptorsMilliseconds = 20;
/// So many are taken in a row, however many more are in the queue: what is done must be cleared away, too.
constexpr int kConnectionsInARow = 64;

/// Leaves the gate when the connection's thread is done with it.
class Leaving {
 public:
  Leaving(ConnectionGate& gate, ConnectionGate::Id id) : gate_(gate), id_(id) {}
  Leaving(const Leaving&) = delete;
  Leaving& operator=(const Leaving&) = delete;
  ~Leaving() { gate_.leave(id_); }

 private:
  ConnectionGate& gate_;
  ConnectionGate::Id id_;
};

}  // namespace

HttpsListener::HttpsListener(Site& site, Socket socket, TlsContext context, MakeContext make_context,
                             const CsrServer::Limits& limits)
    : site_(site),
      socket_(std::move(socket)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      context_(std::move(context)),
      make_context_(std::move(make_context)),
      next_renewal_(steady_clock::now() + kRenewal),
      limits_(limits),
      engine_(site, {limits.request, limits.idle, limits.requests_per_connection}),
      gate_({limits.connections, limits.connections_per_source}),
      accepting_(start_quiet_thread([this] { accept_all(); })) {}

HttpsListener::~HttpsListener() {
  is_stopping_ = true;
  ::eventfd_write(wake_.get(), 1);
  accepting_.join();
  gate_.end_all();
  for (const auto& worker : workers_) worker->thread.join();
}

void HttpsListener::accept_all() {
  bool is_short = false;
  while (!is_stopping_) {
    // Where descriptors are short, the connection stays in the queue: asking for it at once would spin.
    std::array<pollfd, 2> asked{pollfd{wake_.get(), POLLIN, 0}, pollfd{socket_.get(), POLLIN, 0}};
    static_cast<void>(::poll(asked.data(), is_short ? 1 : 2,
                             is_short ? kShortOfDescriptorsMilliseconds : kReapMilliseconds));
    is_short = false;
    join_done();
    if (steady_clock::now() >= next_renewal_) renew_context();
    for (int taken = 0; !is_stopping_ && taken < kConnectionsInARow; ++taken) {
      auto accepted = accept_from(socket_);
      if (accepted) {
        admit(*std::move(accepted));
        continue;
      }
      is_short = accepted.error().code == ErrorCode::kBusy;
      if (is_short) static_cast<void>(gate_.make_room());
      break;
    }
  }
}

void HttpsListener::admit(Accepted accepted) try {
  const int fd = accepted.socket.get();
  // shutdown() and not close(): the number stays the connection's until its own thread has left the gate.
  const auto id = gate_.admit(accepted.peer.source, [fd] { ::shutdown(fd, SHUT_RDWR); });
  if (!id) return;
  try {
    auto worker = std::make_unique<Worker>();
    Worker& ours = *worker;
    // A list node first, so that nothing can fail once the thread runs.
    workers_.push_back(std::move(worker));
    try {
      auto shared = std::make_shared<Accepted>(std::move(accepted));
      ours.thread = start_quiet_thread(
          [this, id = *id, shared = std::move(shared), context = context_, &ours]() mutable {
            serve(id, *shared, context);
            shared.reset();
            ours.is_done = true;
          });
    } catch (...) {
      workers_.pop_back();
      throw;
    }
  } catch (...) {
    gate_.leave(*id);
    throw;
  }
} catch (const std::exception&) {  // no thread, or no memory: this connection is lost, and only this one
  static_cast<void>(gate_.make_room());
}

void HttpsListener::serve(ConnectionGate::Id id, const Accepted& accepted, const TlsContext& context) try {
  const Leaving leaving(gate_, id);
  const auto connection =
      TlsConnection::accept(context, accepted.socket, steady_clock::now() + limits_.handshake);
  if (!connection) return;
  using Phase = ConnectionGate::Phase;
  gate_.enter(id, Phase::kReading);
  const HttpEngine::Peer peer{accepted.peer.address, [&] { gate_.enter(id, Phase::kAnswering); },
                              [&] { gate_.enter(id, Phase::kReading); }};
  for (std::size_t served = 1; !is_stopping_; ++served) {
    if (!connection->wait_until_readable(steady_clock::now() + limits_.idle)) break;
    const bool is_last = served >= limits_.requests_per_connection;
    const auto next = engine_.serve(*connection, peer, is_last);
    if (next == HttpEngine::Next::kNextRequest) continue;
    connection->close(next == HttpEngine::Next::kCloseUnread);
    return;
  }
  connection->close(false);
} catch (const std::exception&) {  // no memory: this connection is lost, and only this one
  return;
}

void HttpsListener::renew_context() {
  next_renewal_ = steady_clock::now() + kRenewal;
  auto made = make_context_();
  if (made) {
    context_ = *std::move(made);
  } else {
    site_.log(LogLevel::kError,
              "web: the certificate of the server stays as it is: " + made.error().to_string());
  }
}

void HttpsListener::join_done() {
  workers_.remove_if([](const std::unique_ptr<Worker>& worker) {
    if (!worker->is_done) return false;
    worker->thread.join();
    return true;
  });
}

}  // namespace vipauth::web
