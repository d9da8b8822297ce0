#include <vipauth/authorization.hpp>

namespace vipauth {

std::string_view to_string(AuthorizationStatus status) noexcept {
  switch (status) {
    case AuthorizationStatus::kUnknown: return "UNKNOWN";
    case AuthorizationStatus::kPending: return "PENDING";
    case AuthorizationStatus::kApproved: return "APPROVED";
    case AuthorizationStatus::kDenied: return "DENIED";
  }
  return "UNKNOWN";
}

}  // namespace vipauth
