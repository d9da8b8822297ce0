#include <vipauth/zap_authenticator.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "text/curve_key_text.hpp"

namespace vipauth {
namespace {

constexpr std::string_view kAccepted = "200";
constexpr std::string_view kTemporary = "300";
constexpr std::string_view kRefused = "400";

/// The request id of a request that may be malformed in any way.
std::string_view request_id_of(std::span<const std::string_view> frames) {
  return frames.size() > 1 ? frames[1] : std::string_view();
}

/// One that carries nobody's name. The metadata stay, for the caller to replace.
void begin(ZapReply& out, std::string_view request_id, std::string_view code, std::string_view text) {
  out.request_id = request_id;
  out.status_code = code;
  out.status_text = text;
  out.user_id.clear();
}

void refuse(ZapReply& out, std::string_view request_id, std::string_view code, std::string_view text) {
  begin(out, request_id, code, text);
  out.metadata.clear();
}

AuthenticationRequest to_request(const ZapRequest& zap) {
  AuthenticationRequest request{zap.domain, zap.address, {}};
  if (zap.mechanism == "CURVE") {
    request.credentials = *CurveKey::from_bytes(zap.credentials[0]);
  } else if (zap.mechanism == "PLAIN") {
    request.credentials = AuthenticationRequest::Plain{zap.credentials[0], zap.credentials[1]};
  }
  return request;
}

/// \param credentials  what stands for them in an Acceptance
void accept(ZapReply& out, const ZapRequest& zap, const Authentication& authentication,
            std::string_view credentials) {
  begin(out, zap.request_id, kAccepted, "OK");
  out.user_id = authentication.user_id;
  // Each of them, empty ones too: a name that ZAP leaves out, the peer may set itself in its handshake.
  const std::array<std::pair<std::string_view, std::string_view>, 4> metadata{
      {{kMetadataIdentity, authentication.identity},
       {kMetadataMechanism, zap.mechanism},
       {kMetadataCredentials, credentials},
       {kMetadataDomain, zap.domain}}};
  out.metadata.resize(metadata.size());
  for (std::size_t i = 0; i < metadata.size(); ++i) out.metadata[i] = metadata[i];
}

void refuse(ZapReply& out, const ZapRequest& zap, const Authentication& authentication) {
  switch (authentication.decision.reason()) {
    case Reason::kNoPolicy: return refuse(out, zap.request_id, kTemporary, "no policy is loaded yet");
    case Reason::kStale: return refuse(out, zap.request_id, kTemporary, "the policy is too old");
    case Reason::kInactive:  // may be enabled again, as a stranger may be approved
    case Reason::kUnknown:
      if (zap.mechanism == "CURVE") return refuse(out, zap.request_id, kTemporary, "waiting for approval");
      return refuse(out, zap.request_id, kRefused, "unknown");
    default: return refuse(out, zap.request_id, kRefused, "refused");
  }
}

Authentication judge(const LivePolicy& policy, const AuthenticationRequest& request) {
  const LivePolicy::Version version = policy.current();
  if (version.snapshot->loaded) return version.snapshot->authenticator.authenticate(request);
  Authentication out;
  out.decision = Decision::refuse(Reason::kNoPolicy, "no policy could be loaded yet");
  return out;
}

/// By a policy that may be too old. Trusted IPC peers get in: it is not a record that accepts them. Nobody
/// else is asked about, whose password would have to be hashed for nothing.
Authentication judge_by_stale(const LivePolicy& policy, const AuthenticationRequest& request) {
  if (std::holds_alternative<std::monostate>(request.credentials)) {
    Authentication answer = judge(policy, request);
    if (answer.decision && !answer.record()) return answer;
  }
  Authentication out;
  out.decision = Decision::refuse(Reason::kStale, "the policy is too old to let in anybody new");
  return out;
}

/// Of what says nothing about the peer, no address is to blame.
bool is_of_the_peer(Reason reason) { return reason != Reason::kNoPolicy && reason != Reason::kStale; }

AddressPenalties::Failure failure_of(const ZapRequest& zap, Reason reason) {
  const bool may_be_approved = reason == Reason::kUnknown || reason == Reason::kInactive;
  return may_be_approved && zap.mechanism == "CURVE" ? AddressPenalties::Failure::kStranger
                                                     : AddressPenalties::Failure::kRefusal;
}

}  // namespace

ZapAuthenticator::ZapAuthenticator(std::shared_ptr<const LivePolicy> policy, Observer observer)
    : ZapAuthenticator(std::move(policy), std::move(observer), Guards{}) {}

ZapAuthenticator::ZapAuthenticator(std::shared_ptr<const LivePolicy> policy, Observer observer, Guards guards)
    : policy_(std::move(policy)), observer_(std::move(observer)), guards_(std::move(guards)) {}

ZapReply ZapAuthenticator::handle(std::span<const std::string_view> frames) const {
  ZapReply out;
  handle(frames, out);
  return out;
}

void ZapAuthenticator::handle(std::span<const std::string_view> frames, ZapReply& out) const {
  const auto zap = ZapRequest::parse(frames);
  if (!zap) return refuse(out, request_id_of(frames), kRefused, zap.error().message);
  const AuthenticationRequest request = to_request(*zap);
  const bool is_stale = guards_.is_stale && guards_.is_stale->load(std::memory_order_acquire);
  Authentication authentication = is_stale ? judge_by_stale(*policy_, request) : judge(*policy_, request);
  const auto* key = std::get_if<CurveKey>(&request.credentials);
  const bool may_be_admitted =
      guards_.admit && key != nullptr && authentication.decision.reason() == Reason::kUnknown;
  if (may_be_admitted && !is_penalised(frames) && guards_.admit(*zap, *key)) {
    authentication = judge(*policy_, request);
  }

  std::optional<CurveKeyText> key_text;
  if (key != nullptr) key_text.emplace(*key);
  std::string_view shown = key_text ? key_text->view() : std::string_view();
  if (zap->mechanism == "PLAIN") shown = zap->credentials[0];
  AddressPenalties::Verdict penalty;
  const Decision& decision = authentication.decision;
  if (guards_.penalties && !decision && is_of_the_peer(decision.reason())) {
    penalty =
        guards_.penalties->count(zap->address, failure_of(*zap, decision.reason()), shown, guards_.clock());
  }
  if (observer_) observer_({*zap, authentication, shown, penalty.penalised, penalty.started});
  if (decision && key_text) return accept(out, *zap, authentication, shown);
  if (decision) return accept(out, *zap, authentication, authentication.acceptance().credentials);
  if (penalty.penalised) return refuse(out, zap->request_id, kTemporary, "try again later");
  refuse(out, *zap, authentication);
}

bool ZapAuthenticator::is_penalised(std::span<const std::string_view> frames) const {
  constexpr std::size_t kAddressFrame = 3;
  return guards_.penalties && frames.size() > kAddressFrame &&
         guards_.penalties->is_penalised(frames[kAddressFrame], guards_.clock());
}

bool ZapAuthenticator::is_slow(std::span<const std::string_view> frames) noexcept {
  return frames.size() > 5 && frames[5] == "PLAIN";
}

ZapReply ZapAuthenticator::busy(std::span<const std::string_view> frames) {
  ZapReply out;
  refuse(out, request_id_of(frames), kTemporary, "too many passwords to check at once: try again");
  return out;
}

}  // namespace vipauth
