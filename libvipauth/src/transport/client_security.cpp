#include <vipauth/client_security.hpp>

#include "transport/zmq_support.hpp"

namespace vipauth {
namespace {

Result<void> set_ipv6(void* socket, const std::optional<bool>& ipv6) {
  if (!ipv6) return {};
  return SocketOptions(socket).set(ZMQ_IPV6, "ZMQ_IPV6", *ipv6 ? 1 : 0).result();
}

}  // namespace

Result<void> secure_client_socket(void* socket, const ClientKeys& keys) {
  if (auto secured = secure_client_socket(socket, keys.own, keys.server_key); !secured) return secured;
  if (auto set = set_ipv6(socket, keys.ipv6); !set || !keys.identity) return set;
  return SocketOptions(socket).set(ZMQ_ROUTING_ID, "ZMQ_ROUTING_ID", *keys.identity).result();
}

Result<void> secure_server_socket(void* socket, const ServerKeys& keys) {
  if (auto secured = secure_server_socket(socket, keys.own, keys.domain); !secured) return secured;
  return set_ipv6(socket, keys.ipv6);
}

}  // namespace vipauth
