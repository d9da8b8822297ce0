#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <vipauth/auth_record.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/decision.hpp>
#include <vipauth/ipc_trust.hpp>
#include <vipauth/policy.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

class PolicyIndex;
struct Activity;

/// A peer that asks to connect, as ZAP presents it. Views: the caller keeps the text alive.
struct AuthenticationRequest {
  struct Plain {
    std::string_view username;
    std::string_view password;
  };

  std::string_view domain;
  std::string_view address;
  std::variant<std::monostate, CurveKey, Plain> credentials;  ///< NULL, CURVE or PLAIN
};

/// What an accepted peer must still be, for its acceptance to stand. It holds no secret.
struct Acceptance {
  std::string user_id;
  Mechanism mechanism = Mechanism::kNull;
  std::string
      credentials;  ///< CURVE: the key as base64url; PLAIN: a fingerprint of the stored password; NULL: empty
  std::string domain;
  std::string address;
};

/// The answer to an AuthenticationRequest. An allowing one is made without allocating.
///
/// Its views point into the policy, which it keeps, and into the request, whose text the caller keeps alive.
class VIPAUTH_EXPORT Authentication {
 public:
  Decision decision;          ///< kAccepted; or kDenied, kUnknown, kInactive, kMalformed
  std::string_view user_id;   ///< when accepted
  std::string_view identity;  ///< when accepted: the VIP identity that the record gives, or empty

  /// When accepted: what must still be so for the acceptance to stand.
  Acceptance acceptance() const;
  /// When accepted: the record that accepts, "/allow/3"; nothing of a trusted IPC peer.
  std::optional<std::string> record() const;
  /// The records that decided, whether they accept or refuse.
  std::vector<std::string> source() const;

 private:
  friend class Authenticator;
  void set_place(std::string_view domain, std::string_view address);
  std::string_view address() const noexcept {
    return unmapped_address_.empty() ? address_ : std::string_view(unmapped_address_);
  }

  std::optional<std::uint32_t> record_;
  Mechanism mechanism_ = Mechanism::kNull;
  std::optional<CurveKey> key_;
  std::string_view stored_password_;
  std::string_view domain_;
  std::string_view address_;
  std::string unmapped_address_;  // in its place, where it is an IPv4 address mapped to IPv6
  std::shared_ptr<const void> policy_;
};

/// Decides who may connect, by the records of a policy.
///
/// Deny records first, then allow records with literal credentials in file order, then those with patterns
/// (semantics 3). Literal keys are found by a seeded hash: the time does not grow with their number.
/// Immutable; copies share state; const members may be called from any thread.
class Authenticator {
 public:
  /// Indexes the records of `policy` as they stand at `now`; keeps no reference to it.
  /// \return the Error of a deny record that is not understood: ignoring it would let someone in
  VIPAUTH_EXPORT static Result<Authenticator> create(const Policy& policy, Timestamp now,
                                                     IpcTrust ipc_trust = {});

  /// The same of what the library itself keeps of a file.
  static Result<Authenticator> create(std::shared_ptr<const PolicyIndex> records,
                                      std::shared_ptr<const Activity> active, IpcTrust ipc_trust = {});

  /// Verifying a PLAIN password takes tens of milliseconds (Argon2id), for unknown users too.
  VIPAUTH_EXPORT Authentication authenticate(const AuthenticationRequest& request) const;

  /// Judges an earlier acceptance again. Accepted: possibly as another user, whom the caller must compare.
  VIPAUTH_EXPORT Authentication reauthenticate(const Acceptance& acceptance) const;

  /// The next moment after `now` at which a record begins or ceases to be valid.
  VIPAUTH_EXPORT std::optional<Timestamp> next_change() const noexcept;

 private:
  struct Index;
  explicit Authenticator(std::shared_ptr<const Index> index);
  std::shared_ptr<const Index> index_;
};

/// An Argon2id string for a PLAIN record's credentials.
/// \return kLimitExceeded  not enough memory for the hash
VIPAUTH_EXPORT Result<std::string> hash_password(std::string_view password);

}  // namespace vipauth
