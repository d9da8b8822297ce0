#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <vipauth/auth_record.hpp>
#include <vipauth/decision.hpp>
#include <vipauth/decision_observer.hpp>

namespace vipauth {

/// Numbers of an AuthService since it was opened. None is of a single peer or user.
struct AuthMetrics {
  struct Authentications {
    Mechanism mechanism = Mechanism::kNull;
    bool allowed = false;
    Reason reason = Reason::kUnknown;
    std::uint64_t count = 0;
  };
  struct Decisions {
    Question::Kind kind = Question::Kind::kCall;
    bool allowed = false;
    Reason reason = Reason::kUnknown;
    std::uint64_t count = 0;
  };
  struct Audit {
    std::uint64_t written = 0;  ///< lines
    std::uint64_t dropped = 0;  ///< events
  };

  std::vector<Authentications> authentications;  ///< common ones with zero, too
  std::vector<Decisions> decisions;              ///< of sessions, and of users by name
  std::uint64_t reloads = 0;                     ///< readings of the files that found nothing wrong
  std::uint64_t failed_reloads = 0;              ///< readings that did, and left in force what was
  std::uint64_t generation = 0;                  ///< of the policy in force
  std::uint64_t allow_records = 0;               ///< of the policy in force
  std::uint64_t deny_records = 0;
  std::optional<std::uint64_t> pending;  ///< strangers who wait for a decision; nothing: unreadable
  bool is_in_force = false;              ///< the files, as they are: nothing keeps them from it
  bool refuses_new_peers = false;        ///< the policy may be too old
  /// Since the policy was known to be what its store says, where the files follow one.
  std::optional<std::chrono::seconds> policy_age;
  std::optional<Audit> audit;  ///< where the service writes an audit log
};

/// The text form that Prometheus reads, version 0.0.4: counters and gauges whose names begin with
/// "vipauth_".
VIPAUTH_EXPORT std::string to_prometheus(const AuthMetrics& metrics);

}  // namespace vipauth
