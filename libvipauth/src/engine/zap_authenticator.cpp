#include <vipauth/zap_authenticator.hpp>

#include <utility>

namespace vipauth {
namespace {

constexpr std::string_view kAccepted = "200";
constexpr std::string_view kTemporary = "300";
constexpr std::string_view kRefused = "400";

/// The request id of a request that may be malformed in any way.
std::string request_id_of(std::span<const std::string_view> frames) {
  return frames.size() > 1 ? std::string(frames[1]) : std::string();
}

ZapReply reply(std::string request_id, std::string_view code, std::string text) {
  return {std::move(request_id), std::string(code), std::move(text), {}, {}};
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

ZapReply accepted(const ZapRequest& zap, const Authentication& authentication) {
  const Acceptance acceptance = authentication.acceptance();
  ZapReply out = reply(std::string(zap.request_id), kAccepted, "OK");
  out.user_id = acceptance.user_id;
  // Each of them, empty ones too: a name that ZAP leaves out, the peer may set itself in its handshake.
  out.metadata = {{std::string(kMetadataIdentity), std::string(authentication.identity)},
                  {std::string(kMetadataMechanism), std::string(to_string(acceptance.mechanism))},
                  {std::string(kMetadataCredentials), acceptance.credentials},
                  {std::string(kMetadataDomain), acceptance.domain}};
  return out;
}

ZapReply refused(const ZapRequest& zap, const Authentication& authentication) {
  std::string id(zap.request_id);
  switch (authentication.decision.reason()) {
    case Reason::kNoPolicy: return reply(std::move(id), kTemporary, "no policy is loaded yet");
    case Reason::kInactive:  // may be enabled again, as a stranger may be approved
    case Reason::kUnknown:
      if (zap.mechanism == "CURVE") return reply(std::move(id), kTemporary, "waiting for approval");
      return reply(std::move(id), kRefused, "unknown");
    default: return reply(std::move(id), kRefused, "refused");
  }
}

ZapReply penalised(const ZapRequest& zap) {
  return reply(std::string(zap.request_id), kTemporary, "try again later");
}

Authentication judge(const LivePolicy& policy, const AuthenticationRequest& request) {
  const LivePolicy::Version version = policy.current();
  if (version.snapshot->loaded) return version.snapshot->authenticator.authenticate(request);
  Authentication out;
  out.decision = Decision::refuse(Reason::kNoPolicy, "no policy could be loaded yet");
  return out;
}

/// CURVE: the key as base64url; PLAIN: the user name; NULL: empty.
std::string shown_credentials(const ZapRequest& zap, const AuthenticationRequest& request) {
  if (const auto* key = std::get_if<CurveKey>(&request.credentials)) return key->to_base64url();
  return zap.mechanism == "PLAIN" ? std::string(zap.credentials[0]) : std::string();
}

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
  const auto zap = ZapRequest::parse(frames);
  if (!zap) return reply(request_id_of(frames), kRefused, zap.error().message);
  const AuthenticationRequest request = to_request(*zap);
  Authentication authentication = judge(*policy_, request);
  const auto* key = std::get_if<CurveKey>(&request.credentials);
  const bool may_be_admitted =
      guards_.admit && key != nullptr && authentication.decision.reason() == Reason::kUnknown;
  if (may_be_admitted && !is_penalised(frames) && guards_.admit(*zap, *key)) {
    authentication = judge(*policy_, request);
  }

  AddressPenalties::Verdict penalty;
  const Decision& decision = authentication.decision;
  const bool counts = guards_.penalties && !decision && decision.reason() != Reason::kNoPolicy;
  if (observer_ || counts) {
    const std::string shown = shown_credentials(*zap, request);
    if (counts) {
      penalty =
          guards_.penalties->count(zap->address, failure_of(*zap, decision.reason()), shown, guards_.clock());
    }
    if (observer_) observer_({*zap, authentication, shown, penalty.penalised, penalty.started});
  }
  if (decision) return accepted(*zap, authentication);
  return penalty.penalised ? penalised(*zap) : refused(*zap, authentication);
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
  return reply(request_id_of(frames), kTemporary, "too many passwords to check at once: try again");
}

}  // namespace vipauth
