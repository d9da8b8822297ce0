#include <vipauth/socket_security.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include <vipauth/zap.hpp>

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

constexpr int milliseconds(std::chrono::milliseconds time) { return static_cast<int>(time.count()); }

/// A property that libzmq attached to the message, or nothing.
std::optional<std::string_view> property(zmq_msg_t* message, std::string_view name) {
  const char* value = zmq_msg_gets(message, std::string(name).c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

/// Takes as long whatever `claimed` is, so that it cannot be guessed byte by byte.
bool is_acceptance_proof(std::string_view claimed) {
  const std::string& proof = acceptance_proof();
  unsigned difference = claimed.size() == proof.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(claimed.size(), proof.size()); ++i) {
    difference |= static_cast<unsigned>(claimed[i] ^ proof[i]);
  }
  return difference == 0;
}

/// Views of what is attached to a message that an accepted peer sent.
struct Sender {
  std::string_view user_id;
  Mechanism mechanism;
  std::string_view credentials;
  std::string_view domain;
  std::string_view address;
};

std::optional<Sender> sender_of(zmq_msg_t* message) {
  if (!is_acceptance_proof(property(message, kMetadataProof).value_or(""))) return std::nullopt;
  const auto user_id = property(message, "User-Id");
  const auto mechanism = parse_mechanism(property(message, kMetadataMechanism).value_or(""));
  const auto domain = property(message, kMetadataDomain);
  const auto address = property(message, "Peer-Address");
  if (!user_id || !mechanism || !domain || !address) return std::nullopt;
  // Without credentials the reply attached none, and the peer could have.
  const bool has_credentials = *mechanism != Mechanism::kNull;
  const auto credentials = has_credentials ? property(message, kMetadataCredentials) : std::nullopt;
  return Sender{*user_id, *mechanism, credentials.value_or(""), *domain, *address};
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
  if (Result<void> unused = require_unused(socket); !unused) return unused;
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
  const std::optional<Sender> sender = sender_of(message);
  if (!sender) {
    return Error{ErrorCode::kInvalidArgument, "the message comes from no peer that a ZapServer accepted", {}};
  }
  return service.session({.user_id = std::string(sender->user_id),
                          .mechanism = sender->mechanism,
                          .credentials = std::string(sender->credentials),
                          .domain = std::string(sender->domain),
                          .address = std::string(sender->address)});
}

bool is_from(const Session& session, zmq_msg_t* message) {
  const std::optional<Sender> sender = sender_of(message);
  const Acceptance& accepted = session.acceptance();
  return sender && sender->user_id == accepted.user_id && sender->mechanism == accepted.mechanism &&
         sender->credentials == accepted.credentials && sender->domain == accepted.domain &&
         sender->address == accepted.address;
}

}  // namespace vipauth
