#pragma once

#include <memory>
#include <vector>

#include <vipauth/result.hpp>

struct zmq_msg_t;

namespace vipauth {

/// Tells which connections of a server socket have ended, so that nothing is sent to who comes next.
///
/// When a peer of a ROUTER goes, whoever is let in may take its routing id, and hears what is sent to it from
/// then on. is_from() notices when the next message comes; who stays silent is noticed by nothing else. So
/// note the connection of each peer (connection_of() its last message), and before each send, and before each
/// message is taken, drop the peers whose connection has ended. libzmq tells of an end before it frees the
/// routing id.
///
/// To be used on the thread of the socket, and destroyed before its context. Source: zmq_socket_monitor(3).
class Disconnections {
 public:
  /// Call it before the socket is bound. A socket has one monitor: an earlier one sees no more.
  /// \param zmq_context  the socket's context
  /// \param socket       a libzmq socket (`void*`)
  /// \return kInvalidArgument, kIoError
  VIPAUTH_EXPORT static Result<Disconnections> watch(void* zmq_context, void* socket);

  /// The same for cppzmq's types.
  template <typename Context, typename Socket>
    requires requires(Context& context, Socket& socket) {
      context.handle();
      socket.handle();
    }
  static Result<Disconnections> watch(Context& context, Socket& socket) {
    return watch(static_cast<void*>(context.handle()), static_cast<void*>(socket.handle()));
  }

  VIPAUTH_EXPORT Disconnections(Disconnections&&) noexcept;
  VIPAUTH_EXPORT Disconnections& operator=(Disconnections&&) noexcept;
  VIPAUTH_EXPORT ~Disconnections();

  /// The connections that have ended since it was last asked. A number may come again, for another
  /// connection.
  VIPAUTH_EXPORT std::vector<int> take();

 private:
  struct Impl;
  explicit Disconnections(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The connection that a message came over, as Disconnections names it; -1 where it came over none.
VIPAUTH_EXPORT int connection_of(zmq_msg_t* message);

template <typename Message>
  requires requires(Message& message) { message.handle(); }
int connection_of(Message& message) {
  return connection_of(static_cast<zmq_msg_t*>(message.handle()));
}

}  // namespace vipauth
