#pragma once

#include <vipauth/result.hpp>
#include <vipauth/socket_security.hpp>
#include <vipauth/vip_keys.hpp>

namespace vipauth {

/// Secures a libzmq socket with what find_client_keys() found, before it is connected to `keys.endpoint`: as
/// secure_client_socket(), and IPv6 and the routing id where they are given.
/// \return what secure_client_socket returns
VIPAUTH_EXPORT Result<void> secure_client_socket(void* socket, const ClientKeys& keys);

/// Secures a libzmq socket with what find_server_keys() found, before it is bound to `keys.endpoint`.
/// \return what secure_server_socket returns
VIPAUTH_EXPORT Result<void> secure_server_socket(void* socket, const ServerKeys& keys);

// The same for cppzmq's types (zmq::socket_t, zmq::socket_ref).

template <typename Socket>
  requires requires(Socket& socket) { socket.handle(); }
Result<void> secure_client_socket(Socket& socket, const ClientKeys& keys) {
  return secure_client_socket(static_cast<void*>(socket.handle()), keys);
}

template <typename Socket>
  requires requires(Socket& socket) { socket.handle(); }
Result<void> secure_server_socket(Socket& socket, const ServerKeys& keys) {
  return secure_server_socket(static_cast<void*>(socket.handle()), keys);
}

}  // namespace vipauth
