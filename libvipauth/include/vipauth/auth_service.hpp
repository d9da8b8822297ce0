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

#include <vipauth/address_penalties.hpp>
#include <vipauth/audit_log.hpp>
#include <vipauth/auth_file.hpp>
#include <vipauth/auth_metrics.hpp>
#include <vipauth/authorization.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/curve_key.hpp>
#include <vipauth/declared_method.hpp>
#include <vipauth/live_policy.hpp>
#include <vipauth/log_sink.hpp>
#include <vipauth/method_registration.hpp>
#include <vipauth/pending_store.hpp>
#include <vipauth/policy_change.hpp>
#include <vipauth/policy_store.hpp>
#include <vipauth/result.hpp>
#include <vipauth/session.hpp>
#include <vipauth/shadow_policy.hpp>
#include <vipauth/strict_modes.hpp>
#include <vipauth/topic_rules.hpp>
#include <vipauth/zap_authenticator.hpp>

namespace vipauth {

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
    /// At most one write of pending.json in this time.
    std::chrono::milliseconds pending_flush_interval{1000};
    Clock clock = system_now;  ///< called as long as what zap_authenticator() returned is asked
    LogSink log;
    StrictModes strict_modes = StrictModes::kOn;
    /// Writes an audit log into the folder `audit` of the home, made where there is none. The service's own
    /// clock and strict modes apply.
    std::optional<AuditLog::Options> audit;
    std::vector<std::shared_ptr<AuditSink>> audit_sinks;  ///< told the same: an embedder's own
    EditNote edit_note;  ///< who decides on remote peers, for the history of auth.json
    /// Of addresses that fail to authenticate too often; nothing: no penalties.
    std::optional<AddressPenalties::Settings> penalties = AddressPenalties::Settings{};
    /// Where edits of the policy go; null: to the home's own files. These are what decisions are made by,
    /// whoever writes them: an edit of another store returns when they have it. Such an edit may be made
    /// while the lock of pending.json is held, which holds who waits at this bus.
    std::shared_ptr<PolicyStore> store;
  };

  /// \return what AddressPenalties::create returns
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
  VIPAUTH_EXPORT Decision authorize_call(std::string_view user_id, const UnboundCall& call) const;
  VIPAUTH_EXPORT Decision authorize_publish(std::string_view user_id, std::string_view topic) const;
  VIPAUTH_EXPORT Decision authorize_receive(std::string_view user_id, std::string_view topic) const;
  VIPAUTH_EXPORT Session session(Acceptance acceptance) const;
  VIPAUTH_EXPORT static Decision verify_sender(Session& session, std::string_view vip_identity);

  /// Answers ZAP requests by this policy, logs each, and remembers strangers as pending. What ZapServer runs
  /// on.
  VIPAUTH_EXPORT ZapAuthenticator zap_authenticator() const;

  /// How many addresses are penalised, and how many failures have not been logged for it. Whom the policy
  /// accepts is let in from a penalised address as from any other.
  VIPAUTH_EXPORT AddressPenalties::Counters penalties() const;

  /// The auth.json that the policy is read from, and edited in where there is no other store.
  VIPAUTH_EXPORT const AuthFile& auth_file() const noexcept;

  /// The key pair of the home's `keystore`, made on first use.
  VIPAUTH_EXPORT Result<CurveKeyPair> server_keys() const;

  // What the methods of agents require (semantics 5). on_change tells whose methods changed

  /// Takes what the code of the agent `identity` declares, in the place of what it declared before. Its
  /// records are given, in one edit of auth.json, what they do not list yet, or only as []; what they list
  /// rules. A method that an agent declares no more stays in its record: nothing opens by itself. Register
  /// before calls are carried to the agent.
  /// \return what check_declaration and MethodRegistry::declare return; nothing is changed then
  VIPAUTH_EXPORT Result<MethodRegistration> register_methods(std::string_view identity,
                                                             std::vector<DeclaredMethod> methods);
  /// The same for an agent that is a peer: it registers for the identity that it speaks under, and no other.
  /// A user may change what it declares 30 times at once, and once in 2 seconds then. A name that no record
  /// gives to the user belongs to who declared its methods first, until forget_methods().
  /// \return kPermissionDenied  the session is revoked, or may not use that identity; kConflict  another user,
  ///         or the embedder, has declared its methods; kBusy  the user changes too often: nothing is changed
  VIPAUTH_EXPORT Result<MethodRegistration> register_methods(Session& session, std::string_view identity,
                                                             std::vector<DeclaredMethod> methods);
  /// Forgets what an agent declared that has gone for good. Its records stay.
  VIPAUTH_EXPORT void forget_methods(std::string_view identity);

  /// \return what Policy::add_rpc_authorizations returns; kNotFound too for a method that an agent which has
  ///         registered neither declares nor lists: the message says which it has; kConflict  the platform's
  ///         own
  VIPAUTH_EXPORT Result<void> add_rpc_authorizations(std::string_view identity, std::string_view method,
                                                     const std::vector<std::string>& capabilities);
  /// \return what Policy::remove_rpc_authorizations returns; kConflict  the platform's own
  VIPAUTH_EXPORT Result<void> remove_rpc_authorizations(std::string_view identity, std::string_view method,
                                                        const std::vector<std::string>& capabilities);

  // Remote peers (semantics 8). What is not listed cannot be approved, denied or deleted: kNotFound. A record
  // that stands for more than one peer (a pattern, NULL) is not changed for the sake of one: kConflict

  // `who` decides, for the history and the audit log; empty: as the service's options say.

  /// A pending request becomes an allow record; a denied peer's record moves back.
  /// \return what Policy::add_allow returns
  VIPAUTH_EXPORT Result<Authorization> approve_authorization(std::string_view user_id,
                                                             const Approval& approval = {},
                                                             std::string_view who = {});
  /// The peer's credentials go on the deny list, without address; its allow record moves there.
  VIPAUTH_EXPORT Result<Authorization> deny_authorization(std::string_view user_id,
                                                          std::string_view who = {});
  /// Forgets the peer, which must ask again. Never grants:
  /// \return kConflict  another record would let it in: deny it instead
  VIPAUTH_EXPORT Result<Authorization> delete_authorization(std::string_view user_id,
                                                            std::string_view who = {});

  /// A remote peer by the name that lists have; of one that is on several, what a decision would be about:
  /// pending, then denied, then approved. \return kNotFound
  VIPAUTH_EXPORT Result<Authorization> get_authorization(std::string_view user_id) const;
  /// The same, where it only matters how it stands: kUnknown for who is not listed.
  VIPAUTH_EXPORT Result<AuthorizationStatus> get_authorization_status(std::string_view user_id) const;

  VIPAUTH_EXPORT Result<std::vector<Authorization>> get_pending_authorizations() const;
  VIPAUTH_EXPORT Result<std::vector<Authorization>> get_approved_authorizations() const;
  VIPAUTH_EXPORT Result<std::vector<Authorization>> get_denied_authorizations() const;

  // Capabilities and topics

  /// Gives users other capabilities of their own, in one edit: all of them, or none. What they hold by roles
  /// and groups stays. A user with several records is given them in each.
  /// \param user_to_capabilities  VOLTTRON's form, `{"alice": {"can_x": null, "can_y": {"p": 1}}}`; or any
  /// that
  ///                              parse_capabilities takes, for each user. Who is not named keeps all
  /// \return kInvalidArgument  another form; kNotFound  a user without an allow record
  VIPAUTH_EXPORT Result<void> update_user_capabilities(const Json& user_to_capabilities);

  /// Reads protected_topics.json again, and puts it in force.
  /// \return what it says; a missing file protects nothing. Or why the last good rules stay in force
  VIPAUTH_EXPORT Result<TopicRules> load_protected_topics();
  /// Writes other rules, and puts them in force. A list that is not given stays, and so does everything else
  /// that the file holds.
  /// \param rules  `{"write-protect": [{"topic": ..., "capabilities": [...]}], "read-protect": [...]}`
  /// \return kInvalidArgument  anything else; what TopicRules::parse and TopicsFile::edit return
  VIPAUTH_EXPORT Result<void> update_protected_topics(const Json& rules);

  // Setup mode (semantics 3): off unless begun, and over after a bounded time

  struct SetupLimits {
    std::size_t peers = 100;       ///< let in, after which setup mode ends
    std::size_t per_address = 16;  ///< of these, from one IPv4 address, IPv6 /64 or IPC user
  };
  static constexpr std::chrono::milliseconds kLongestSetup = std::chrono::hours(24);

  /// Until then, lets in each CURVE peer whose key no record names: it gets an allow record, without any
  /// capability, pinned to its domain and address (of an IPC peer: to its user), and is judged by the policy
  /// that has it. Where the record cannot be written, or the address is penalised, the peer waits as any
  /// stranger does. Whoever can reach the server gets in: it warns in the log when it begins, of each peer,
  /// each minute, and when it ends.
  ///
  /// The ZAP handler's thread edits auth.json and reads it again for each such peer, which takes as long as
  /// the disk does, and waits at most 50 ms for the lock; on_change callbacks then run on that thread.
  /// Without `watch` it ends all the same, but says so only when the next peer comes or somebody asks.
  /// \param duration  above zero, at most kLongestSetup; begun again, it counts from now
  /// \return kInvalidArgument  no such duration, or limits of zero
  VIPAUTH_EXPORT Result<void> begin_setup_mode(std::chrono::milliseconds duration, SetupLimits limits);
  VIPAUTH_EXPORT Result<void> begin_setup_mode(std::chrono::milliseconds duration);
  /// When it returns, nobody more is recorded.
  VIPAUTH_EXPORT void end_setup_mode();
  /// When it will end; nothing while it is off.
  VIPAUTH_EXPORT std::optional<Timestamp> setup_mode_until() const;

  // Files that follow a store: who brings its policy here tells how old that may be

  /// Refuses every new peer from now on (Reason::kStale, ZAP 300), because the policy in force may be too old
  /// to say who may connect; nothing: no longer. Sessions go on under that policy. So do peers of our own
  /// user over IPC, where they are trusted: no record lets them in, and who is that user could edit the
  /// files. It is logged and audited when it begins and ends, and costs each peer that asks an atomic load.
  /// What set_policy_age() finds is a reason beside this one: each lasts until it is over itself.
  VIPAUTH_EXPORT void refuse_new_peers(std::optional<Error> why);
  /// Why new peers are refused, or nothing.
  VIPAUTH_EXPORT std::optional<Error> refuses_new_peers() const;
  /// \param age      tells how long ago the policy was known to be what its store says; nothing: it never
  ///                 was. Asked on any thread, and not any more when this returns with another; empty: no
  ///                 store. It asks nothing of the service
  /// \param longest  while the age is more, or there is none, new peers are refused, as by
  ///                 refuse_new_peers(): looked at each second with `watch`. Nothing: any age will do
  VIPAUTH_EXPORT void set_policy_age(std::function<std::optional<std::chrono::milliseconds>()> age,
                                     std::optional<std::chrono::milliseconds> longest = {});

  // Shadow policy: a candidate beside the live policy, which decides nothing

  /// Has a candidate asked whatever ZAP requests and the sessions of this service ask from now on, in place
  /// of the one before. Its files are read once. With `watch`, or at each reload(), records of it that begin
  /// or end do so.
  /// \param topics_file  a candidate for protected_topics.json; empty: the live rules
  /// \return what ShadowPolicy::load returns; the candidate before stays
  VIPAUTH_EXPORT Result<void> set_shadow_policy(const std::filesystem::path& auth_file,
                                                const std::filesystem::path& topics_file = {});
  VIPAUTH_EXPORT void clear_shadow_policy();
  /// What the candidate would have decided otherwise; nothing where there is none.
  VIPAUTH_EXPORT std::optional<ShadowReport> shadow_report() const;

  /// Has an event written that the embedder decided itself, such as a login: to the audit log, where there is
  /// one, and to each audit sink. Its time is set here.
  VIPAUTH_EXPORT void audit(AuditEvent event) const;

  /// Writes what is pending, and what is to be audited, now rather than at the next interval.
  VIPAUTH_EXPORT Result<void> flush();

  /// What has happened since the service was opened, in numbers: for to_prometheus.
  VIPAUTH_EXPORT AuthMetrics metrics() const;

 private:
  friend class Administration;
  struct Impl;
  struct Parts;  // what the operations in files of their own work on
  Parts parts() const;
  explicit AuthService(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace vipauth
