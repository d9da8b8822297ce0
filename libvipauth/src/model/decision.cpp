#include <vipauth/decision.hpp>

namespace vipauth {

std::string_view to_string(Reason reason) noexcept {
  switch (reason) {
    case Reason::kAccepted: return "accepted";
    case Reason::kAllowed: return "allowed";
    case Reason::kUnprotected: return "unprotected";
    case Reason::kDenied: return "denied";
    case Reason::kUnknown: return "unknown";
    case Reason::kInactive: return "inactive";
    case Reason::kMalformed: return "malformed";
    case Reason::kMissingCapability: return "missing_capability";
    case Reason::kRestricted: return "restricted";
    case Reason::kUnknownParameter: return "unknown_parameter";
    case Reason::kIllTyped: return "ill_typed";
    case Reason::kRevoked: return "revoked";
    case Reason::kWrongIdentity: return "wrong_identity";
    case Reason::kNoPolicy: return "no_policy";
    case Reason::kStale: return "stale";
  }
  return "unknown";
}

}  // namespace vipauth
