#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <vipauth/capability.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/curve_key.hpp>
#include <vipauth/json.hpp>
#include <vipauth/pattern.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// ZAP's mechanisms that a record may name. Source: ZeroMQ RFC 27.
enum class Mechanism { kNull, kPlain, kCurve };

VIPAUTH_EXPORT std::string_view to_string(Mechanism mechanism) noexcept;
/// Case matters: "CURVE", "PLAIN", "NULL".
VIPAUTH_EXPORT std::optional<Mechanism> parse_mechanism(std::string_view text) noexcept;

/// What a PLAIN record stores: an Argon2id string (`$argon2id$...`), or the password itself in an old file.
struct StoredPassword {
  std::string text;
};

/// None (NULL), a public key or a pattern over its base64url form (CURVE), a password (PLAIN).
using Credentials = std::variant<std::monostate, CurveKey, Pattern, StoredPassword>;

/// The capabilities that an agent's methods require, as its record lists them.
struct MethodAuthorizations {
  std::vector<std::pair<std::string, std::vector<std::string>>>
      methods;  ///< method -> capabilities, in file order
  bool ill_typed =
      false;  ///< the field could not be read: every call to this identity is refused (semantics 2)
};

/// One record of auth.json, understood.
///
/// Fields have the names of their JSON keys. A field that the file leaves out has its default here; what the
/// file wrote, unknown fields included, stays in the Policy that holds the record.
/// Source: semantics 2; VOLTTRON auth_entry.py, AuthEntry.
struct AuthRecord {
  static constexpr std::size_t kMaxUserIdBytes = 255;  ///< ZAP's limit on a string

  std::vector<Pattern> domain;   ///< any of them must match; none: not checked
  std::vector<Pattern> address;  ///< as domain
  Mechanism mechanism = Mechanism::kCurve;
  Credentials credentials;
  std::string user_id;   ///< derived (UUIDv5) where the file gives none
  std::string identity;  ///< the VIP identity it may use; empty: none given
  std::vector<Capability> capabilities;
  std::vector<std::string> roles;
  std::vector<std::string> groups;
  MethodAuthorizations rpc_method_authorizations;
  bool enabled = true;
  std::optional<Timestamp> not_before;
  std::optional<Timestamp> not_after;

  /// Enabled, and `now` within [not_before, not_after).
  VIPAUTH_EXPORT bool is_active(Timestamp now) const noexcept;

  /// Reads a record of auth.json.
  /// \return kInvalidArgument or another code  what is not understood; `location` is a JSON Pointer ("/credentials")
  VIPAUTH_EXPORT static Result<AuthRecord> parse(const Json& source);
};

/// A new random user_id (UUIDv4), as an added record without one gets.
VIPAUTH_EXPORT std::string make_user_id();

/// The user_id of a record that has none in the file: the same in every process.
/// Source: semantics 2 (UUIDv5 of domain, address, mechanism, credentials).
VIPAUTH_EXPORT std::string derive_user_id(const Json& record);

/// `address`, written as IPv4 where it is an IPv4 address mapped to IPv6; any other text unchanged.
VIPAUTH_EXPORT std::string canonical_address(std::string_view address);

}  // namespace vipauth
