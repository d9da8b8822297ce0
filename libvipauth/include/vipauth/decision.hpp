#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vipauth/export.hpp>

namespace vipauth {

/// Why a decision came out as it did. Closed; names appear in `vctl auth check` and in logs.
enum class Reason {
  // allowed
  kAccepted,     ///< a peer may connect
  kAllowed,      ///< every requirement is met
  kUnprotected,  ///< nothing is required
  // refused
  kDenied,             ///< a deny record matches
  kUnknown,            ///< no record of this peer or user
  kInactive,           ///< its records are disabled, expired or not yet valid
  kMalformed,          ///< the request is not of the form that it must have
  kMissingCapability,  ///< a required capability is not held
  kRestricted,         ///< it is held, but not for these arguments or this topic
  kUnknownParameter,   ///< a restriction names a parameter that the call does not have
  kIllTyped,           ///< what the callee's record requires cannot be read
  kRevoked,            ///< the session's acceptance no longer stands
  kWrongIdentity,      ///< the sender may not use that VIP identity
  kNoPolicy,           ///< no policy could be loaded yet
  kStale,              ///< the policy may be too old to let in anybody new
};

VIPAUTH_EXPORT std::string_view to_string(Reason reason) noexcept;

/// The answer to "may it?". Refuses unless made otherwise.
///
/// `message` is what the refused peer may be told (the texts that VOLTTRON users know). `source` names what
/// decided: JSON Pointers into auth.json ("/allow/3") or protected_topics.json ("/write-protect/0"); it may
/// be empty for an allowing decision, which allocates nothing.
class [[nodiscard]] Decision {
 public:
  Decision() = default;

  static Decision allow(Reason reason) { return Decision(true, reason, {}, {}); }
  static Decision allow(Reason reason, std::vector<std::string> source) {
    return Decision(true, reason, {}, std::move(source));
  }
  static Decision refuse(Reason reason, std::string message, std::vector<std::string> source = {}) {
    return Decision(false, reason, std::move(message), std::move(source));
  }

  explicit operator bool() const noexcept { return allowed_; }
  bool allowed() const noexcept { return allowed_; }
  Reason reason() const noexcept { return reason_; }
  const std::string& message() const noexcept { return message_; }
  const std::vector<std::string>& source() const noexcept { return source_; }

 private:
  Decision(bool allowed, Reason reason, std::string message, std::vector<std::string> source)
      : allowed_(allowed), reason_(reason), message_(std::move(message)), source_(std::move(source)) {}

  bool allowed_ = false;
  Reason reason_ = Reason::kUnknown;
  std::string message_;
  std::vector<std::string> source_;
};

}  // namespace vipauth
