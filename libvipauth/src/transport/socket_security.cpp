#include <vipauth/socket_security.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include <vipauth/zap.hpp>

#include "base/equal_secrets.hpp"
#include "transport/acceptance_proof.hpp"
#include "transport/zmq_support.hpp"

namespace vipauth {
namespace {

// In libzmq since 4.3, but zmq.h shows it only to those who ask for drafts.
constexpr int kZapEnforceDomain = 93;

constexpr std::size_t kMaxZapString = 255;

// How a client that must wait tries again: a server that leaves it waiting is asked again after the handshake
// time and one to two reconnect times, 2.2 to 2.4 s. One with another key is asked again after a reconnect
// time alone: libzmq backs off (up to the maximum) only where nobody listens.
constexpr std::chrono::milliseconds kHandshakeTime{2000};
constexpr std::chrono::milliseconds kReconnectTime{200};
constexpr std::chrono::milliseconds kMaxReconnectTime{2000};
constexpr std::chrono::milliseconds kConnectTime{5000};  // for hosts that do not even refuse

Result<void> require_unused(void* socket) {
  if (!is_in_use(socket)) return {};
  return Error{
      ErrorCode::kInvalidArgument, "the socket is bound or connected already: secure it before that", {}};
}

/// True where secure_server_socket() has been here: what is bound already was bound as it left it.
bool is_secured_server(void* socket) {
  int is_curve_server = 0;
  std::size_t size = sizeof is_curve_server;
  if (zmq_getsockopt(socket, ZMQ_CURVE_SERVER, &is_curve_server, &size) != 0 || is_curve_server != 1)
    return false;
  int enforces = 0;
  size = sizeof enforces;
  return zmq_getsockopt(socket, kZapEnforceDomain, &enforces, &size) == 0 && enforces == 1;
}

constexpr int milliseconds(std::chrono::milliseconds time) { return static_cast<int>(time.count()); }

/// What libzmq attached to a message.
class AttachedProperties {
 public:
  explicit AttachedProperties(zmq_msg_t* message) : message_(message) {}
  std::optional<std::string_view> operator()(const std::string& name) const {
    const char* value = zmq_msg_gets(message_, name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  }

 private:
  zmq_msg_t* message_;
};

/// What is attached to a message that an accepted peer sent: views, or copies.
template <typename Text>
struct Sender {
  Text user_id;
  Mechanism mechanism;
  Text credentials;
  Text domain;
  Text address;

  Acceptance acceptance() const {
    return {.user_id = std::string(user_id),
            .mechanism = mechanism,
            .credentials = std::string(credentials),
            .domain = std::string(domain),
            .address = std::string(address)};
  }

  bool is(const Acceptance& accepted) const {
    return user_id == accepted.user_id && mechanism == accepted.mechanism &&
           credentials == accepted.credentials && domain == accepted.domain && address == accepted.address;
  }
};

template <typename Text, typename Properties>
std::optional<Sender<Text>> sender_of(const Properties& properties) {
  const auto property = [&](std::string_view name) -> std::optional<Text> {
    return properties(std::string(name));
  };
  if (!are_equal_secrets(property(kMetadataProof).value_or(""), acceptance_proof())) return std::nullopt;
  const std::optional<Text> user_id = property("User-Id");
  const auto mechanism = parse_mechanism(property(kMetadataMechanism).value_or(""));
  const std::optional<Text> domain = property(kMetadataDomain);
  const std::optional<Text> address = property("Peer-Address");
  if (!user_id || !mechanism || !domain || !address) return std::nullopt;
  // Without credentials the reply attached none, and the peer could have.
  const bool has_credentials = *mechanism != Mechanism::kNull;
  const std::optional<Text> credentials = has_credentials ? property(kMetadataCredentials) : std::nullopt;
  return Sender<Text>{*user_id, *mechanism, credentials.value_or(""), *domain, *address};
}

Error not_accepted() {
  return {ErrorCode::kInvalidArgument, "the message comes from no peer that a ZapServer accepted", {}};
}

}  // namespace

Result<void> secure_server_socket(void* socket, const CurveKeyPair& server_keys,
                                  std::string_view zap_domain) {
  if (Result<void> curve = require_curve(); !curve) return curve;
  if (zap_domain.empty()) {
    return Error{ErrorCode::kInvalidArgument, "the ZAP domain is empty: libzmq would let everyone in", {}};
  }
  if (zap_domain.size() > kMaxZapString) {
    return Error{ErrorCode::kInvalidArgument, "the ZAP domain is longer than 255 bytes", {}};
  }
  if (!is_secured_server(socket)) {
    if (Result<void> unused = require_unused(socket); !unused) return unused;
  }
  return SocketOptions(socket)
      .set(ZMQ_ZAP_DOMAIN, "ZMQ_ZAP_DOMAIN", zap_domain)
      .set(kZapEnforceDomain, "ZMQ_ZAP_ENFORCE_DOMAIN", 1)
      .set(ZMQ_CURVE_SECRETKEY, "ZMQ_CURVE_SECRETKEY", server_keys.secret_key.bytes())
      .set(ZMQ_CURVE_SERVER, "ZMQ_CURVE_SERVER", 1)
      .result();
}

Result<void> secure_client_socket(void* socket, const CurveKeyPair& client_keys, const CurveKey& server_key) {
  if (Result<void> curve = require_curve(); !curve) return curve;
  if (Result<void> unused = require_unused(socket); !unused) return unused;
  return SocketOptions(socket)
      .set(ZMQ_CURVE_SERVERKEY, "ZMQ_CURVE_SERVERKEY", server_key.bytes())
      .set(ZMQ_CURVE_PUBLICKEY, "ZMQ_CURVE_PUBLICKEY", client_keys.public_key.bytes())
      .set(ZMQ_CURVE_SECRETKEY, "ZMQ_CURVE_SECRETKEY", client_keys.secret_key.bytes())
      .set(ZMQ_HANDSHAKE_IVL, "ZMQ_HANDSHAKE_IVL", milliseconds(kHandshakeTime))
      .set(ZMQ_RECONNECT_IVL, "ZMQ_RECONNECT_IVL", milliseconds(kReconnectTime))
      .set(ZMQ_RECONNECT_IVL_MAX, "ZMQ_RECONNECT_IVL_MAX", milliseconds(kMaxReconnectTime))
      .set(ZMQ_CONNECT_TIMEOUT, "ZMQ_CONNECT_TIMEOUT", milliseconds(kConnectTime))
      .result();
}

Result<Session> session_of(const AuthService& service, zmq_msg_t* message) {
  const auto sender = sender_of<std::string_view>(AttachedProperties(message));
  if (!sender) return not_accepted();
  return service.session(sender->acceptance());
}

bool is_from(const Session& session, zmq_msg_t* message) {
  const auto sender = sender_of<std::string_view>(AttachedProperties(message));
  return sender && sender->is(session.acceptance());
}

Result<Session> session_of(const AuthService& service, const MessageProperties& properties) {
  const auto sender = sender_of<std::string>(properties);
  if (!sender) return not_accepted();
  return service.session(sender->acceptance());
}

bool is_from(const Session& session, const MessageProperties& properties) {
  const auto sender = sender_of<std::string>(properties);
  return sender && sender->is(session.acceptance());
}

}  // namespace vipauth
