#include "amqp_client.hpp"

#if __has_include(<amqp_ssl_socket.h>)

#include <cstdint>
#include <sys/time.h>
#include <utility>

#include <amqp.h>
#include <amqp_ssl_socket.h>

#include "support/eventually.hpp"

namespace vipauth::test {
namespace {

constexpr amqp_channel_t kChannel = 1;
constexpr timeval kPatience{10, 0};

std::string reason(const amqp_rpc_reply_t& reply) {
  if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) return amqp_error_string2(reply.library_error);
  return "the broker refuses";
}

bool is_good(const amqp_rpc_reply_t& reply) { return reply.reply_type == AMQP_RESPONSE_NORMAL; }

}  // namespace

struct AmqpClient::Impl {
  amqp_connection_state_t connection = amqp_new_connection();

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { amqp_destroy_connection(connection); }

  /// Empty, or why not.
  std::string connect(int port, const Files& files) const {
    amqp_socket_t* socket = amqp_ssl_socket_new(connection);
    if (socket == nullptr) return "no socket";
    amqp_ssl_socket_set_verify_peer(socket, 1);
    amqp_ssl_socket_set_verify_hostname(socket, 1);
    if (amqp_ssl_socket_set_cacert(socket, files.authority.c_str()) != AMQP_STATUS_OK) return "no authority";
    if (amqp_ssl_socket_set_key(socket, files.certificate.c_str(), files.key.c_str()) != AMQP_STATUS_OK) {
      return "no certificate or key";
    }
    // Not 127.0.0.1: librabbitmq knows no addresses in certificates.
    const int opened = amqp_socket_open_noblock(socket, "localhost", port, &kPatience);
    if (opened != AMQP_STATUS_OK) return amqp_error_string2(opened);
    amqp_set_handshake_timeout(connection, &kPatience);
    amqp_set_rpc_timeout(connection, &kPatience);
    constexpr int kFrameBytes = 131072;
    // The last argument counts for nothing: the broker takes the name from the certificate. Empty it cannot
    // be.
    const amqp_rpc_reply_t login =
        amqp_login(connection, "/", 1, kFrameBytes, 0, AMQP_SASL_METHOD_EXTERNAL, "-");
    if (!is_good(login)) return reason(login);
    amqp_channel_open(connection, kChannel);
    const amqp_rpc_reply_t channel = amqp_get_rpc_reply(connection);
    return is_good(channel) ? std::string() : reason(channel);
  }
};

bool AmqpClient::is_installed() { return true; }

AmqpClient::AmqpClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AmqpClient::AmqpClient(AmqpClient&&) noexcept = default;
AmqpClient& AmqpClient::operator=(AmqpClient&&) noexcept = default;
AmqpClient::~AmqpClient() = default;

std::optional<AmqpClient> AmqpClient::connect(int port, const Files& files, std::string* problem) {
  auto impl = std::make_unique<Impl>();
  const std::string why_not = impl->connect(port, files);
  if (problem != nullptr) *problem = why_not;
  if (!why_not.empty()) return std::nullopt;
  return AmqpClient(std::move(impl));
}

bool AmqpClient::publishes(const std::string& queue) {
  auto* const connection = impl_->connection;
  const amqp_bytes_t name = amqp_cstring_bytes(queue.c_str());
  amqp_queue_declare(connection, kChannel, name, 0, 0, 0, 1, amqp_empty_table);
  if (!is_good(amqp_get_rpc_reply(connection))) return false;
  const amqp_bytes_t exchange = amqp_cstring_bytes("volttron");
  amqp_queue_bind(connection, kChannel, name, exchange, name, amqp_empty_table);
  if (!is_good(amqp_get_rpc_reply(connection))) return false;
  const int sent = amqp_basic_publish(connection, kChannel, exchange, name, 0, 0, nullptr,
                                      amqp_cstring_bytes("a reading"));
  if (sent != AMQP_STATUS_OK) return false;
  bool is_lost = false;
  std::string body;
  const bool came = eventually([&] {
    const amqp_rpc_reply_t got = amqp_basic_get(connection, kChannel, name, 1);
    is_lost = !is_good(got);
    if (is_lost) return true;
    if (got.reply.id != AMQP_BASIC_GET_OK_METHOD) return false;
    amqp_message_t message;
    if (!is_good(amqp_read_message(connection, kChannel, &message, 0))) return false;
    body.assign(static_cast<const char*>(message.body.bytes), message.body.len);
    amqp_destroy_message(&message);
    return true;
  });
  return came && !is_lost && body == "a reading";
}

bool AmqpClient::is_ended() {
  return eventually([&] {
    amqp_frame_t frame;
    const timeval moment{0, 50000};
    const int got = amqp_simple_wait_frame_noblock(impl_->connection, &frame, &moment);
    if (got == AMQP_STATUS_TIMEOUT) return false;
    return got != AMQP_STATUS_OK ||
           (frame.frame_type == AMQP_FRAME_METHOD && frame.payload.method.id == AMQP_CONNECTION_CLOSE_METHOD);
  });
}

}  // namespace vipauth::test

#else  // without librabbitmq-dev

namespace vipauth::test {

struct AmqpClient::Impl {};

bool AmqpClient::is_installed() { return false; }
AmqpClient::AmqpClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AmqpClient::AmqpClient(AmqpClient&&) noexcept = default;
AmqpClient& AmqpClient::operator=(AmqpClient&&) noexcept = default;
AmqpClient::~AmqpClient() = default;
std::optional<AmqpClient> AmqpClient::connect(int, const Files&, std::string*) { return std::nullopt; }
bool AmqpClient::publishes(const std::string&) { return false; }
bool AmqpClient::is_ended() { return false; }

}  // namespace vipauth::test

#endif
