#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <vipauth/result.hpp>

namespace vipauth {

/// What a client's connection to a CURVE server looks like from the client.
enum class ConnectionState {
  kConnecting,      ///< nothing is known yet
  kConnected,       ///< the server let us in
  kWaiting,         ///< the server is there and does not answer for now: our key waits for approval (ZAP 300)
  kRefused,         ///< the server refused our key, for good (ZAP 400 or 500): libzmq will not try again
  kWrongServerKey,  ///< the server's key is not the one that we expect
  kNobodyThere,     ///< nobody listens at that address
  kNotCurve,        ///< somebody listens who does not speak CURVE
  kDisconnected,    ///< was connected, and is not any more
};

VIPAUTH_EXPORT std::string_view to_string(ConnectionState state) noexcept;

/// Tells a client what its connection waits for, and what to do about it, where plain libzmq is silent.
///
/// Watches one connecting socket through libzmq's monitor events. Use it on one thread, which need not be the
/// socket's. Source: zmq_socket_monitor(3).
class ConnectionMonitor {
 public:
  /// Call it before the socket connects. A socket has one monitor: an earlier one sees no more.
  /// \param zmq_context  the socket's context
  /// \param socket       a libzmq socket (`void*`)
  /// \return kInvalidArgument, kIoError
  VIPAUTH_EXPORT static Result<ConnectionMonitor> watch(void* zmq_context, void* socket);

  /// The same for cppzmq's types.
  template <typename Context, typename Socket>
    requires requires(Context& context, Socket& socket) {
      context.handle();
      socket.handle();
    }
  static Result<ConnectionMonitor> watch(Context& context, Socket& socket) {
    return watch(static_cast<void*>(context.handle()), static_cast<void*>(socket.handle()));
  }

  VIPAUTH_EXPORT ConnectionMonitor(ConnectionMonitor&&) noexcept;
  VIPAUTH_EXPORT ConnectionMonitor& operator=(ConnectionMonitor&&) noexcept;
  VIPAUTH_EXPORT ~ConnectionMonitor();

  /// Takes in what has happened since, waiting up to `timeout` for the state to change.
  VIPAUTH_EXPORT ConnectionState update(std::chrono::milliseconds timeout = std::chrono::milliseconds(0));

  /// As update(), and certain of kWrongServerKey: a server without CURVE may hang up so fast that libzmq
  /// tells no difference, so this asks for its greeting, over a connection of its own. Call it while the
  /// context lives.
  /// \param timeout  for the greeting; without one the state stays
  VIPAUTH_EXPORT ConnectionState confirm(std::chrono::milliseconds timeout = std::chrono::milliseconds(1000));

  VIPAUTH_EXPORT ConnectionState state() const noexcept;

  /// How often the server has let us in, up to the last update(): libzmq connects again by itself.
  VIPAUTH_EXPORT std::uint64_t connections() const noexcept;

  /// One or two sentences for the client's user: what it is, and what to do.
  VIPAUTH_EXPORT std::string advice() const;

 private:
  struct Impl;
  explicit ConnectionMonitor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vipauth
