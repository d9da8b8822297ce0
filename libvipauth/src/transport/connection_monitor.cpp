#include <vipauth/connection_monitor.hpp>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "base/quiet_threads.hpp"
#include "transport/monitor_socket.hpp"
#include "transport/zmq_support.hpp"
#include "transport/zmtp_greeting.hpp"

namespace vipauth {
namespace {

/// What the connection has come to, event by event.
/// Source: zmq_socket_monitor(3), and libzmq 4.3.4 as it behaves.
class ConnectionStory {
 public:
  static constexpr int kEvents = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED |
                                 ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                                 ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                                 ZMQ_EVENT_MONITOR_STOPPED;
  using Time = std::chrono::steady_clock::time_point;

  ConnectionState state() const noexcept { return state_; }
  std::uint64_t connections() const noexcept { return connections_; }

  /// What the server's greeting says beyond the events.
  void take_greeting(std::string_view mechanism) noexcept {
    if (state_ == ConnectionState::kWrongServerKey && mechanism != "CURVE")
      become(ConnectionState::kNotCurve);
  }

  void take(std::uint16_t event, std::uint32_t value, Time now) noexcept {
    switch (event) {
      case ZMQ_EVENT_CONNECTED: connected_ = now; return;  // only to the host: the handshake comes now
      case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: ++connections_; return become(ConnectionState::kConnected);
      case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: return become(ConnectionState::kRefused);
      case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        return become(value == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC ? ConnectionState::kWrongServerKey
                                                                     : ConnectionState::kNotCurve);
      case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        // Either the handshake time is over, and the value is an errno of long ago; or the server hung up.
        if ((value != EPIPE && value != ECONNRESET) || now - connected_ >= kSilence) {
          return become(ConnectionState::kWaiting);
        }
        if (++hang_ups_ >= kTellingHangUps) become(ConnectionState::kWrongServerKey);
        return;
      case ZMQ_EVENT_CLOSED: return become(ConnectionState::kNobodyThere);
      case ZMQ_EVENT_DISCONNECTED:
        if (state_ == ConnectionState::kConnected) become(ConnectionState::kDisconnected);
        return;
      default: return;
    }
  }

 private:
  // Somewhat less than the handshake time of secure_client_socket.
  static constexpr std::chrono::milliseconds kSilence{1500};

  // A server that cannot read what we say hangs up on us, again and again. So does, once, a server that is
  // just stopped, and now and then libzmq where the ZAP handler answers 300 at once. One without CURVE may
  // hang up before its greeting has been read: confirm() asks for that.
  static constexpr int kTellingHangUps = 3;

  void become(ConnectionState state) noexcept {
    state_ = state;
    hang_ups_ = 0;
  }

  ConnectionState state_ = ConnectionState::kConnecting;
  Time connected_{};
  std::uint64_t connections_ = 0;
  int hang_ups_ = 0;
};

/// What the reading thread and its monitor share.
struct Watch {
  std::mutex mutex;
  std::condition_variable changed;
  ConnectionStory story;
  std::string endpoint;  // that the last event was of
  bool ended = false;
};

/// Takes in the next event; false where it is the last one.
bool take_event(void* events, Watch& watch) {
  const auto event = take_monitor_event(events, 0);
  if (!event) return true;
  if (event->number == ZMQ_EVENT_MONITOR_STOPPED) return false;
  const std::scoped_lock lock(watch.mutex);
  watch.story.take(event->number, event->value, std::chrono::steady_clock::now());
  watch.endpoint = event->endpoint;
  watch.changed.notify_all();
  return true;
}

/// Takes in events until the monitored socket, or the context, is closed.
void take_events(ZmqSocket& events, Watch& watch) {
  try {
    while (take_event(events.get(), watch)) {
    }
  } catch (const zmq::error_t&) {
    events.reset();  // ETERM: the context ends, as soon as this is closed
  }
  events.reset();
  const std::scoped_lock lock(watch.mutex);
  watch.ended = true;
  watch.changed.notify_all();
}

}  // namespace

std::string_view to_string(ConnectionState state) noexcept {
  switch (state) {
    case ConnectionState::kConnecting: return "connecting";
    case ConnectionState::kConnected: return "connected";
    case ConnectionState::kWaiting: return "waiting";
    case ConnectionState::kRefused: return "refused";
    case ConnectionState::kWrongServerKey: return "wrong server key";
    case ConnectionState::kNobodyThere: return "nobody there";
    case ConnectionState::kNotCurve: return "not CURVE";
    case ConnectionState::kDisconnected: return "disconnected";
  }
  return "unknown";
}

// Events are read by a thread, for two reasons: a socket that still has unread events when nobody reads them
// any more blocks libzmq's own thread, and a context that is ended would wait for our socket. The thread
// lives as long as the monitored socket, which nobody here may touch: it may be closed already.
struct ConnectionMonitor::Impl {
  Impl(void* zmq_context, ZmqSocket socket)
      : context(zmq_context),
        reader(start_thread([shared = watch, events = std::make_shared<ZmqSocket>(std::move(socket))] {
          take_events(*events, *shared);
        })) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    std::unique_lock lock(watch->mutex);
    const bool ended = watch->ended;
    lock.unlock();
    if (ended) {
      reader.join();
    } else {
      reader.detach();
    }
  }

  void* const context;
  const std::shared_ptr<Watch> watch = std::make_shared<Watch>();
  ConnectionState state = ConnectionState::kConnecting;  // as last told
  std::uint64_t connections = 0;                         // the same
  std::thread reader;
};

Result<ConnectionMonitor> ConnectionMonitor::watch(void* zmq_context, void* socket) {
  auto events = open_monitor(zmq_context, socket, ConnectionStory::kEvents);
  if (!events) return events.error();
  try {
    return ConnectionMonitor(std::make_unique<Impl>(zmq_context, *std::move(events)));
  } catch (const std::system_error& error) {
    zmq_socket_monitor(socket, nullptr, 0);
    return Error{ErrorCode::kIoError, std::string("cannot watch the connection: ") + error.what(), {}};
  }
}

ConnectionMonitor::ConnectionMonitor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ConnectionMonitor::ConnectionMonitor(ConnectionMonitor&&) noexcept = default;
ConnectionMonitor& ConnectionMonitor::operator=(ConnectionMonitor&&) noexcept = default;
ConnectionMonitor::~ConnectionMonitor() = default;

ConnectionState ConnectionMonitor::update(std::chrono::milliseconds timeout) {
  Watch& watch = *impl_->watch;
  std::unique_lock lock(watch.mutex);
  watch.changed.wait_for(lock, timeout, [&] { return watch.ended || watch.story.state() != impl_->state; });
  impl_->connections = watch.story.connections();
  return impl_->state = watch.story.state();
}

ConnectionState ConnectionMonitor::confirm(std::chrono::milliseconds timeout) {
  if (update() != ConnectionState::kWrongServerKey) return impl_->state;
  Watch& watch = *impl_->watch;
  std::unique_lock lock(watch.mutex);
  const std::string endpoint = watch.endpoint;
  lock.unlock();
  if (!endpoint.starts_with("tcp://")) return impl_->state;
  if (const auto mechanism = greeted_mechanism(impl_->context, endpoint, timeout)) {
    lock.lock();
    watch.story.take_greeting(*mechanism);
    lock.unlock();
  }
  return update();
}

ConnectionState ConnectionMonitor::state() const noexcept { return impl_->state; }
std::uint64_t ConnectionMonitor::connections() const noexcept { return impl_->connections; }

std::string ConnectionMonitor::advice() const {
  switch (impl_->state) {
    case ConnectionState::kConnecting: return "connecting: the server has not answered yet";
    case ConnectionState::kConnected: return "connected: the server let this key in";
    case ConnectionState::kWaiting:
      return "the server is there but has not let this key in yet: ask its administrator to run "
             "'vctl auth remote list' and 'vctl auth remote approve USER_ID'; this client goes on trying by "
             "itself";
    case ConnectionState::kRefused:
      return "the server refused this key for good: ask its administrator, who sees denied keys in "
             "'vctl auth remote list'; once it is allowed, start this client again";
    case ConnectionState::kWrongServerKey:
      return "who answers there does not have the server key that this client expects: compare it with "
             "'vctl auth serverkey' on the server, and correct it in this client's known hosts; if nobody "
             "changed it, "
             "somebody may be posing as the server";
    case ConnectionState::kNobodyThere:
      return "nobody listens at that address: is the server running, and are address and port right? this "
             "client "
             "goes on trying by itself";
    case ConnectionState::kNotCurve:
      return "who listens there does not speak CURVE, so this client told it nothing: check address and "
             "port, then "
             "start this client again";
    case ConnectionState::kDisconnected:
      return "the server let this key in, and then the connection was lost: is the server still running? "
             "this client "
             "goes on trying by itself";
  }
  return {};
}

}  // namespace vipauth
