#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/auth_record.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/json.hpp>

namespace vipauth {

enum class AuthorizationStatus { kUnknown, kPending, kApproved, kDenied };

VIPAUTH_EXPORT std::string_view to_string(AuthorizationStatus status) noexcept;  ///< "PENDING", ...

/// A remote peer, as an administrator sees it.
struct Authorization {
  AuthorizationStatus status = AuthorizationStatus::kUnknown;
  std::string user_id;
  std::string domain;
  std::string address;
  Mechanism mechanism = Mechanism::kCurve;
  std::string credentials;
  std::uint64_t retries = 0;            ///< pending ones
  std::optional<Timestamp> first_seen;  ///< pending ones
  std::optional<Timestamp> last_seen;   ///< pending ones
  std::string site = {};                ///< of a fleet, where a request was made; empty: here
};

/// What an administrator may set when approving. Left out: a pending request keeps its own user_id and
/// address, a denied peer what it had.
struct Approval {
  std::optional<std::string> user_id;
  std::optional<std::string> identity;
  std::optional<std::vector<std::string>> roles;
  std::optional<std::vector<std::string>> groups;
  std::optional<Json> capabilities;
  bool any_address = false;  ///< do not pin the record to the address that the peer asked from
  /// The key of the peer that is meant, as an administrator has looked at it: who has the name with another
  /// key is not approved (kConflict).
  std::optional<CurveKey> credentials;
};

}  // namespace vipauth
