#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <vipauth/auth_service.hpp>
#include <vipauth/curve_key.hpp>
#include <vipauth/result.hpp>

struct zmq_msg_t;

namespace vipauth {

/// Makes a libzmq socket a CURVE server that fails closed, before it is bound: its secret key, a ZAP domain,
/// and ZMQ_ZAP_ENFORCE_DOMAIN, so that nobody gets in without a ZAP handler. A socket that it has secured may
/// be bound to several addresses, and be given other keys or another domain before each.
/// \param socket      a libzmq socket (`void*`)
/// \param zap_domain  must not be empty: libzmq would skip ZAP
/// \return kInvalidArgument, kUnavailable, kIoError
/// Source: ZeroMQ RFC 26; zmq_curve(7).
VIPAUTH_EXPORT Result<void> secure_server_socket(void* socket, const CurveKeyPair& server_keys,
                                                 std::string_view zap_domain = "vip");

/// Makes a libzmq socket a CURVE client, before it is connected. A client that must wait for approval tries
/// again about every two seconds.
VIPAUTH_EXPORT Result<void> secure_client_socket(void* socket, const CurveKeyPair& client_keys,
                                                 const CurveKey& server_key);

/// The session of the peer that sent `message`, from what libzmq attached to it when ZAP accepted the peer.
/// \return kInvalidArgument  the message came from no peer that a ZapServer of this library accepted
VIPAUTH_EXPORT Result<Session> session_of(const AuthService& service, zmq_msg_t* message);

/// True where the peer of `session` sent `message`. Ask it for each message of a ROUTER: when a peer goes,
/// another one may take its routing id, and must not take its session with it.
VIPAUTH_EXPORT bool is_from(const Session& session, zmq_msg_t* message);

/// Reads a property that libzmq attached to a message (zmq_msg_gets): for languages that carry messages in
/// types of their own.
using MessageProperties = std::function<std::optional<std::string>(const std::string& name)>;

VIPAUTH_EXPORT Result<Session> session_of(const AuthService& service, const MessageProperties& properties);
VIPAUTH_EXPORT bool is_from(const Session& session, const MessageProperties& properties);

// The same for cppzmq's types (zmq::socket_t, zmq::socket_ref, zmq::message_t).

template <typename Socket>
  requires requires(Socket& socket) { socket.handle(); }
Result<void> secure_server_socket(Socket& socket, const CurveKeyPair& server_keys,
                                  std::string_view zap_domain = "vip") {
  return secure_server_socket(static_cast<void*>(socket.handle()), server_keys, zap_domain);
}

template <typename Socket>
  requires requires(Socket& socket) { socket.handle(); }
Result<void> secure_client_socket(Socket& socket, const CurveKeyPair& client_keys,
                                  const CurveKey& server_key) {
  return secure_client_socket(static_cast<void*>(socket.handle()), client_keys, server_key);
}

template <typename Message>
  requires requires(Message& message) { message.handle(); }
Result<Session> session_of(const AuthService& service, Message& message) {
  return session_of(service, static_cast<zmq_msg_t*>(message.handle()));
}

template <typename Message>
  requires requires(Message& message) { message.handle(); }
bool is_from(const Session& session, Message& message) {
  return is_from(session, static_cast<zmq_msg_t*>(message.handle()));
}

}  // namespace vipauth
