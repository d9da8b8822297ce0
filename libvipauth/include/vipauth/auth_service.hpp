#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/audit_log.hpp>
#include <vipauth/auth_file.hpp>
#include <vipauth/auth_metrics.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/curve_key.hpp>
#include <vipauth/live_policy.hpp>
#include <vipauth/pending_store.hpp>
#include <vipauth/result.hpp>
#include <vipauth/session.hpp>
#include <vipauth/strict_modes.hpp>
#include <vipauth/zap_authenticator.hpp>

namespace vipauth {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

/// Receives log lines, without time and level. Called from any thread.
using LogSink = std::function<void(LogLevel, const std::string&)>;

/// A policy has been replaced.
struct PolicyChange {
  std::uint64_t generation = 0;
  /// Users of whom some credentials are no longer accepted: drop their connections where you can. Their
  /// sessions refuse by themselves.
  std::vector<std::string> revoked;
};

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
};

/// The authorization server of a bus: one home's files and the engine that decides by them, in one object.
///
/// It reads auth.json, protected_topics.json and pending.json of a home folder, watches the folder, and puts
/// each good change in force by itself; a bad one changes nothing and is reported. With no good auth.json
/// yet, everybody is refused. May be used from any thread; the callbacks run on the thread that reloads,
/// never under a lock.
class AuthService {
 public:
  struct Options {
    bool watch = true;  ///< follow changes of the files by a thread of its own; else only reload() does
    bool trust_same_user_ipc = false;
    PendingStore::Limits pending_limits;
    std::chrono::milliseconds pending_flush_interval{
        1000};  ///< at most one write of pending.json in this time
    Clock clock = system_now;
    LogSink log;
    StrictModes strict_modes = StrictModes::kOn;
    /// Writes an audit log into the folder `audit` of the home, made where there is none. The service's own
    /// clock and strict modes apply.
    std::optional<AuditLog::Options> audit;
    std::vector<std::shared_ptr<AuditSink>> audit_sinks;  ///< told the same: an embedder's own
    EditNote edit_note;  ///< who decides on remote peers, for the history of auth.json
  };

  /// \return kNotFound, kPermissionDenied, kIoError  the folder cannot be used, or the one of an audit log that was
  ///         asked for. A bad file in it is no reason to fail:
  ///         it is reported (log, last_problem), and refuses
  VIPAUTH_EXPORT static Result<AuthService> open(const std::filesystem::path& home, Options options);
  VIPAUTH_EXPORT static Result<AuthService> open(const std::filesystem::path& home);

  VIPAUTH_EXPORT AuthService(AuthService&&) noexcept;
  VIPAUTH_EXPORT AuthService& operator=(AuthService&&) noexcept;
  VIPAUTH_EXPORT ~AuthService();  ///< stops watching, and writes what flush() does

  // The policy in force

  VIPAUTH_EXPORT std::shared_ptr<const LivePolicy> policy() const;
  /// Reads the files again. On success no decision that begins later is made by the policy before.
  /// \return the first problem; the last good policy (or topic rules) stays in force
  VIPAUTH_EXPORT Result<void> reload();
  /// What keeps the present files from being in force, or nothing.
  VIPAUTH_EXPORT std::optional<Error> last_problem() const;
  /// Adds a callback for each replaced policy.
  VIPAUTH_EXPORT void on_change(std::function<void(const PolicyChange&)> callback);

  // Deciding. A bus keeps a Session for each peer (session_of in <vipauth/socket_security.hpp>); these ask by
  // user alone

  VIPAUTH_EXPORT Decision authorize_call(std::string_view user_id, const CallRequest& call) const;
  VIPAUTH_EXPORT Decision authorize_publish(std::string_view user_id, std::string_view topic) const;
  VIPAUTH_EXPORT Decision authorize_receive(std::string_view user_id, std::string_view topic) const;
  VIPAUTH_EXPORT Session session(Acceptance acceptance) const;
  VIPAUTH_EXPORT static Decision verify_sender(Session& session, std::string_view vip_identity);

  /// Answers ZAP requests by this policy, logs each, and remembers strangers as pending. What ZapServer runs
  /// on.
  VIPAUTH_EXPORT ZapAuthenticator zap_authenticator() const;

  /// The key pair of the home's `keystore`, made on first use.
  VIPAUTH_EXPORT Result<CurveKeyPair> server_keys() const;

  // Remote peers (semantics 8). What is not listed cannot be approved, denied or deleted: kNotFound. A record
  // that stands for more than one peer (a pattern, NULL) is not changed for the sake of one: kConflict

  /// A pending request becomes an allow record; a denied peer's record moves back.
  /// \return what Policy::add_allow returns
  VIPAUTH_EXPORT Result<Authorization> approve_authorization(std::string_view user_id,
                                                             const Approval& approval = {});
  /// The peer's credentials go on the deny list, without address; its allow record moves there.
  VIPAUTH_EXPORT Result<Authorization> deny_authorization(std::string_view user_id);
  /// Forgets the peer, which must ask again. Never grants:
  /// \return kConflict  another record would let it in: deny it instead
  VIPAUTH_EXPORT Result<Authorization> delete_authorization(std::string_view user_id);

  VIPAUTH_EXPORT Result<std::vector<Authorization>> get_pending_authorizations() const;
  VIPAUTH_EXPORT Result<std::vector<Authorization>> get_approved_authorizations() const;
  VIPAUTH_EXPORT Result<std::vector<Authorization>> get_denied_authorizations() const;

  /// Writes what is pending, and what is to be audited, now rather than at the next interval.
  VIPAUTH_EXPORT Result<void> flush();

  /// What has happened since the service was opened, in numbers: for to_prometheus.
  VIPAUTH_EXPORT AuthMetrics metrics() const;

 private:
  struct Impl;
  explicit AuthService(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace vipauth
