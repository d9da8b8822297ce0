#include <vipauth/auth_service.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <unistd.h>

#include <vipauth/key_store.hpp>

#include "service/audit_recorder.hpp"
#include "service/auth_service_parts.hpp"
#include "service/authentication_line.hpp"
#include "service/decision_counters.hpp"
#include "service/decision_watch.hpp"
#include "service/folder_watcher.hpp"
#include "service/force_auditor.hpp"
#include "service/peer_decisions.hpp"
#include "service/penalty_log.hpp"
#include "service/pending_writer.hpp"
#include "service/policy_keeper.hpp"
#include "service/service_store.hpp"
#include "service/setup_mode.hpp"
#include "service/shadow_slot.hpp"
#include "store/atomic_file.hpp"
#include "store/audit_change.hpp"

namespace vipauth {
namespace {

namespace fs = std::filesystem;

constexpr const char* kKeyStore = "keystore";

// A clock that is set, or that went on while the machine slept, is noticed after this time.
constexpr std::chrono::milliseconds kClockCheck{1000};
// Of the ZAP handler's thread, for the lock of auth.json in setup mode.
constexpr std::chrono::milliseconds kSetupPatience{50};

IpcTrust ipc_trust_of(const AuthService::Options& options) {
  return {options.trust_same_user_ipc, static_cast<std::uint32_t>(::geteuid())};
}

/// Of the edits that setup mode makes.
EditOptions setup_edits(const AuthService::Options& options) {
  EditOptions out{.patience = kSetupPatience, .note = options.edit_note, .clock = options.clock};
  out.note.command = "setup mode";
  out.note.is_automatic = true;
  return out;
}

/// True while the policy neither accepts nor denies the request.
PendingStore::Filter undecided(std::shared_ptr<const LivePolicy> live) {
  return [live = std::move(live)](const PendingRequest& request) {
    const LivePolicy::Version policy = live->current();
    const auto key = CurveKey::parse(request.credentials);
    if (!policy.snapshot->loaded || !key) return true;
    const Reason reason = policy.snapshot->authenticator.authenticate({request.domain, request.address, *key})
                              .decision.reason();
    return reason == Reason::kUnknown || reason == Reason::kInactive;
  };
}

}  // namespace

struct AuthService::Impl {
  using Milliseconds = std::chrono::milliseconds;

  Impl(const fs::path& home, Options the_options, std::shared_ptr<AddressPenalties> the_penalties,
       std::shared_ptr<AuditLog> the_audit_log)
      : options(std::move(the_options)),
        audit_log(std::move(the_audit_log)),
        recorder(recorder_of(options, audit_log)),
        watch(watch_of(counters, recorder, shadow)),
        auth_file(home / kAuthFile, options.strict_modes),
        topics_file(home / kTopicsFile, options.strict_modes),
        key_store(home / kKeyStore, options.strict_modes),
        keeper(auth_file, topics_file, {ipc_trust_of(options), options.clock, options.log, options.watch}),
        pending(std::make_shared<PendingStore>(home / kPendingFile, options.pending_limits,
                                               undecided(keeper.live()), options.strict_modes)),
        pending_writer(*pending, options.pending_flush_interval, options.log),
        store(home, options.strict_modes, pending, options.store),
        // The edit stands; a problem with what it says is logged and kept.
        remote_peers(store, {.note = options.edit_note, .clock = options.clock}, options.log,
                     [this] { static_cast<void>(reload({true, false})); }),
        penalties(std::move(the_penalties)),
        penalty_log(penalties, options.log),
        setup_mode(store, keeper.live(), setup_edits(options), options.log) {}

  static std::shared_ptr<AuditRecorder> recorder_of(const Options& options,
                                                    const std::shared_ptr<AuditLog>& audit_log) {
    if (options.audit_sinks.empty() && !audit_log) return nullptr;
    return std::make_shared<AuditRecorder>(options.audit_sinks, audit_log, options.clock);
  }

  static std::shared_ptr<DecisionWatch> watch_of(const std::shared_ptr<DecisionCounters>& counters,
                                                 const std::shared_ptr<AuditRecorder>& recorder,
                                                 const std::shared_ptr<ShadowSlot>& shadow) {
    std::vector<std::shared_ptr<DecisionWatcher>> watchers{counters, shadow};
    if (recorder) watchers.push_back(recorder);
    return std::make_shared<DecisionWatch>(std::move(watchers));
  }

  void log(LogLevel level, const std::string& line) const {
    if (options.log) options.log(level, line);
  }

  Result<void> reload(PolicyKeeper::Files files) {
    const PolicyKeeper::Outcome outcome = keep(files);
    keep_shadow_in_time();
    watcher.wake();  // the next appointment may have moved
    if (outcome.problem) return *outcome.problem;
    return {};
  }

  PolicyKeeper::Outcome keep(PolicyKeeper::Files files) {
    PolicyKeeper::Outcome outcome = keeper.reload(files);
    if (outcome.change) {
      allow_records.store(outcome.change->after->records->allow().size(), std::memory_order_relaxed);
      deny_records.store(outcome.change->after->records->deny().size(), std::memory_order_relaxed);
      announce(*outcome.change);
    }
    const bool is_reading = files.auth || files.topics;
    if (is_reading) (outcome.problem ? failed_reloads : reloads).fetch_add(1, std::memory_order_relaxed);
    auditor.on_outcome(outcome, is_reading);
    return outcome;
  }

  void announce(const PolicyChange& change) {
    std::vector<std::function<void(const PolicyChange&)>> present;
    {
      const std::lock_guard lock(callbacks_mutex);
      present = callbacks;
    }
    for (const auto& callback : present) callback(change);
  }

  void on_files_changed(const std::set<std::string>& names) {
    const bool unknown = names.empty();
    const PolicyKeeper::Files files{unknown || names.contains(std::string(kAuthFile)),
                                    unknown || names.contains(std::string(kTopicsFile))};
    if (files.auth || files.topics) static_cast<void>(reload(files));  // a problem is logged and kept
  }

  /// Keeps appointments. \return the time to the next one
  std::chrono::milliseconds on_wake() {
    const std::optional<Milliseconds> times[] = {
        keep_policy_in_time(),
        pending_writer.write_when_due(),
        by_clock(penalty_log.report(options.clock())),
        by_clock(setup_mode.keep_time()),
        by_clock(keep_shadow_in_time()),
        judge_policy_age(),
        keeper.release_retired() ? std::optional(kClockCheck) : std::nullopt};
    Milliseconds sleep{-1};
    for (const auto& time : times) {
      if (time && (sleep.count() < 0 || *time < sleep)) sleep = *time;
    }
    return sleep;
  }

  /// Records that begin or end.
  std::optional<Milliseconds> keep_policy_in_time() {
    auto next = keeper.next_change();
    if (next && options.clock() >= *next) {
      static_cast<void>(keep({false, false}));
      next = keeper.next_change();
    }
    if (!next) return std::nullopt;
    return by_clock(*next - options.clock());
  }

  std::optional<Milliseconds> keep_shadow_in_time() {
    const auto candidate = shadow->get();
    return candidate ? candidate->keep_in_time() : std::nullopt;
  }

  /// Why new peers are refused; what the embedder says comes before the age.
  const std::optional<Error>& why_refused() const { return told_why ? told_why : age_why; }

  /// Changes the reasons, and tells where refusing begins or ends by that.
  template <typename Change>
  void change_reasons(const Change& change) {
    std::optional<Error> now;
    {
      const std::lock_guard lock(stale_mutex);
      const bool was_refusing = why_refused().has_value();
      change();
      now = why_refused();
      if (now.has_value() == was_refusing) return;
      is_stale->store(now.has_value(), std::memory_order_release);
    }
    if (recorder) recorder->on_stale(now);
    log(LogLevel::kWarning,
        now ? "new peers are refused: " + now->to_string() : "new peers are let in again");
  }

  /// Whether the policy is too old for new peers. To be called by change_reasons().
  std::optional<Milliseconds> judge_under_lock() {
    age_why.reset();
    if (!longest_age) return std::nullopt;
    const std::optional<Milliseconds> age = policy_age();
    if (age && *age <= *longest_age) return std::clamp(*longest_age - *age, Milliseconds(1), kClockCheck);
    const auto seconds = [](Milliseconds time) {
      return std::to_string(std::chrono::floor<std::chrono::seconds>(time).count()) + " s";
    };
    age_why = Error{ErrorCode::kUnavailable,
                    (age ? "the policy was what its store says " + seconds(*age) + " ago"
                         : std::string("the policy is not known to be what its store says")) +
                        ", and " + seconds(*longest_age) + " are the most that is allowed",
                    ""};
    return kClockCheck;
  }

  std::optional<Milliseconds> judge_policy_age() {
    std::optional<Milliseconds> next;
    change_reasons([&] { next = judge_under_lock(); });
    return next;
  }

  /// How long to sleep for an appointment by the clock, which may be set meanwhile.
  static std::optional<Milliseconds> by_clock(std::optional<Milliseconds> left) {
    if (!left) return std::nullopt;
    return left->count() > 0 ? std::min(*left, kClockCheck) : kClockCheck;
  }

  void observe(const ZapAuthenticator::Event& event) {
    watch->on_authentication(event);
    if (event.penalty_started) watcher.wake();
    if (event.penalty_started || event.penalised) penalty_log.report(options.clock());
    if (event.penalised) return;
    if (options.log) options.log(LogLevel::kInfo, authentication_line(event));
    const Reason reason = event.authentication.decision.reason();
    const bool is_stranger = reason == Reason::kUnknown || reason == Reason::kInactive;
    if (!is_stranger || event.request.mechanism != to_string(Mechanism::kCurve)) return;
    const bool first = pending->note(Mechanism::kCurve, event.credentials, event.request.domain,
                                     canonical_address(event.request.address), options.clock());
    if (first) watcher.wake();
  }

  /// Setup mode. \return true  the policy may know the peer by now
  bool admit(const ZapRequest& request, const CurveKey& key) {
    const SetupMode::Outcome outcome = setup_mode.admit(request, key);
    if (outcome == SetupMode::Outcome::kInFile) {
      static_cast<void>(reload({true, false}));  // the edit stands; a problem is logged and kept
    }
    return outcome != SetupMode::Outcome::kStranger;
  }

  const Options options;
  const std::shared_ptr<AuditLog> audit_log;      // null: none is written
  const std::shared_ptr<AuditRecorder> recorder;  // null: nobody audits
  ForceAuditor auditor{recorder};
  const std::shared_ptr<DecisionCounters> counters = std::make_shared<DecisionCounters>();
  const std::shared_ptr<ShadowSlot> shadow = std::make_shared<ShadowSlot>();
  const std::shared_ptr<DecisionWatch> watch;
  const std::shared_ptr<std::atomic<bool>> is_stale = std::make_shared<std::atomic<bool>>(false);
  mutable std::mutex stale_mutex;  // held while the age is asked
  std::optional<Error> told_why;   // of refuse_new_peers()
  std::optional<Error> age_why;    // of judge_policy_age()
  std::function<std::optional<std::chrono::milliseconds>()> policy_age;
  std::optional<std::chrono::milliseconds> longest_age;  // only with the other
  std::atomic<std::uint64_t> reloads{0};
  std::atomic<std::uint64_t> failed_reloads{0};
  std::atomic<std::uint64_t> allow_records{0};
  std::atomic<std::uint64_t> deny_records{0};
  const AuthFile auth_file;
  const TopicsFile topics_file;
  const KeyStore key_store;
  PolicyKeeper keeper;
  const std::shared_ptr<PendingStore> pending;
  PendingWriter pending_writer;
  ServiceStore store;
  PeerDecisions remote_peers;
  RegistrationBrake registration_brake{options.clock};
  const std::shared_ptr<AddressPenalties> penalties;  // null: none
  PenaltyLog penalty_log;
  SetupMode setup_mode;

  std::mutex callbacks_mutex;
  std::vector<std::function<void(const PolicyChange&)>> callbacks;

  FolderWatcher watcher;  // last: its thread uses everything above
};

AuthService::AuthService(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
AuthService::AuthService(AuthService&&) noexcept = default;

AuthService& AuthService::operator=(AuthService&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}

AuthService::~AuthService() {
  if (!impl_) return;
  impl_->watcher.stop();
  impl_->shadow->set(nullptr);  // sessions may live on, the clock may not
  if (auto flushed = impl_->pending->flush(); !flushed)
    impl_->log(LogLevel::kError, flushed.error().to_string());
  impl_->auditor.finish();
  if (impl_->recorder) impl_->recorder->on_stop();
  if (impl_->audit_log) impl_->audit_log->stop();
}

Result<AuthService> AuthService::open(const fs::path& home) { return open(home, Options{}); }

Result<AuthService> AuthService::open(const fs::path& home, Options options) {
  std::error_code error;
  if (!fs::is_directory(home, error)) {
    if (error == std::errc::permission_denied) {
      return Error{ErrorCode::kPermissionDenied, "the home \"" + home.string() + "\" may not be entered", ""};
    }
    return Error{ErrorCode::kNotFound,
                 "the home \"" + home.string() + "\" is not a folder: make it, or name another", ""};
  }
  std::shared_ptr<AddressPenalties> penalties;
  if (options.penalties) {
    auto made = AddressPenalties::create(*options.penalties);
    if (!made) return made.error();
    penalties = std::make_shared<AddressPenalties>(std::move(*made));
  }
  std::shared_ptr<AuditLog> audit_log;
  if (options.audit) {
    AuditLog::Options audit_options = *options.audit;
    audit_options.clock = options.clock;
    audit_options.strict_modes = options.strict_modes;
    auto opened = AuditLog::open(audit_folder_of(home), std::move(audit_options),
                                 [log = options.log](const Error& problem) {
                                   if (log) log(LogLevel::kError, "audit log: " + problem.to_string());
                                 });
    if (!opened) return opened.error();
    audit_log = *std::move(opened);
  }
  auto impl = std::make_shared<Impl>(home, std::move(options), std::move(penalties), std::move(audit_log));
  if (impl->recorder) impl->recorder->on_start();
  if (impl->options.watch) {
    // Watching begins before the first reading, so that no change falls between the two.
    Impl* self = impl.get();
    auto watching = impl->watcher.start(home, {[self](const auto& names) { self->on_files_changed(names); },
                                               [self] { return self->on_wake(); }});
    if (!watching) return watching.error();
  }
  static_cast<void>(impl->reload({true, true}));  // a problem is logged and kept
  return AuthService(std::move(impl));
}

AuthService::Parts AuthService::parts() const {
  Impl* self = impl_.get();
  return {self->options,
          self->auth_file,
          self->topics_file,
          self->store,
          self->keeper,
          self->remote_peers,
          self->registration_brake,
          [self](PolicyKeeper::Files files) { return self->reload(files); },
          [self](const PolicyChange& change) { self->announce(change); }};
}

std::shared_ptr<const LivePolicy> AuthService::policy() const { return impl_->keeper.live(); }

Result<void> AuthService::reload() { return impl_->reload({true, true}); }

std::optional<Error> AuthService::last_problem() const { return impl_->keeper.problem(); }

void AuthService::on_change(std::function<void(const PolicyChange&)> callback) {
  const std::lock_guard lock(impl_->callbacks_mutex);
  impl_->callbacks.push_back(std::move(callback));
}

Decision AuthService::authorize_call(std::string_view user_id, const CallRequest& call) const {
  Decision decision = policy()->current().snapshot->authorize_call(user_id, call);
  impl_->watch->on_decision(Asker{user_id},
                            Question{.kind = Question::Kind::kCall,
                                     .subject = call.method,
                                     .callee = call.callee,
                                     .arguments = &call.arguments},
                            decision);
  return decision;
}

Decision AuthService::authorize_call(std::string_view user_id, const UnboundCall& call) const {
  Decision decision = policy()->current().snapshot->authorize_call(user_id, call);
  impl_->watch->on_decision(Asker{user_id},
                            {.kind = Question::Kind::kCall, .subject = call.method, .callee = call.callee},
                            decision);
  return decision;
}

Decision AuthService::authorize_publish(std::string_view user_id, std::string_view topic) const {
  Decision decision = policy()->current().snapshot->authorize_publish(user_id, topic);
  impl_->watch->on_decision(Asker{user_id}, {.kind = Question::Kind::kPublish, .subject = topic}, decision);
  return decision;
}

Decision AuthService::authorize_receive(std::string_view user_id, std::string_view topic) const {
  Decision decision = policy()->current().snapshot->authorize_receive(user_id, topic);
  impl_->watch->on_decision(Asker{user_id}, {.kind = Question::Kind::kReceive, .subject = topic}, decision);
  return decision;
}

Session AuthService::session(Acceptance acceptance) const {
  return Session(policy(), std::move(acceptance), impl_->watch);
}

Decision AuthService::verify_sender(Session& session, std::string_view vip_identity) {
  return session.verify_sender(vip_identity);
}

ZapAuthenticator AuthService::zap_authenticator() const {
  const std::weak_ptr<Impl> impl = impl_;
  return ZapAuthenticator(policy(),
                          [impl](const ZapAuthenticator::Event& event) {
                            if (const auto alive = impl.lock()) alive->observe(event);
                          },
                          {impl_->penalties, impl_->options.clock,
                           [impl](const ZapRequest& request, const CurveKey& key) {
                             const auto alive = impl.lock();
                             return alive && alive->admit(request, key);
                           },
                           impl_->is_stale});
}

AddressPenalties::Counters AuthService::penalties() const {
  return impl_->penalties ? impl_->penalties->counters(impl_->options.clock()) : AddressPenalties::Counters{};
}

Result<void> AuthService::begin_setup_mode(std::chrono::milliseconds duration) {
  return begin_setup_mode(duration, SetupLimits{});
}

Result<void> AuthService::begin_setup_mode(std::chrono::milliseconds duration, SetupLimits limits) {
  auto begun = impl_->setup_mode.begin(duration, limits);
  impl_->watcher.wake();
  return begun;
}

void AuthService::end_setup_mode() { impl_->setup_mode.end(); }

std::optional<Timestamp> AuthService::setup_mode_until() const { return impl_->setup_mode.until(); }

void AuthService::refuse_new_peers(std::optional<Error> why) {
  impl_->change_reasons([&] { impl_->told_why = std::move(why); });
}

std::optional<Error> AuthService::refuses_new_peers() const {
  const std::lock_guard lock(impl_->stale_mutex);
  return impl_->why_refused();
}

void AuthService::set_policy_age(std::function<std::optional<std::chrono::milliseconds>()> age,
                                 std::optional<std::chrono::milliseconds> longest) {
  impl_->change_reasons([&] {
    impl_->policy_age = std::move(age);
    impl_->longest_age = impl_->policy_age ? longest : std::nullopt;
    static_cast<void>(impl_->judge_under_lock());
  });
  impl_->watcher.wake();
}

Result<void> AuthService::set_shadow_policy(const fs::path& auth_file, const fs::path& topics_file) {
  auto shadow =
      ShadowPolicy::load(policy(), auth_file, topics_file,
                         {ipc_trust_of(impl_->options), impl_->options.clock, impl_->options.strict_modes});
  if (!shadow) return shadow.error();
  impl_->shadow->set(std::move(*shadow));
  impl_->watcher.wake();
  return {};
}

void AuthService::clear_shadow_policy() { impl_->shadow->set(nullptr); }

std::optional<ShadowReport> AuthService::shadow_report() const {
  const auto shadow = impl_->shadow->get();
  if (!shadow) return std::nullopt;
  return shadow->report();
}

const AuthFile& AuthService::auth_file() const noexcept { return impl_->auth_file; }

Result<CurveKeyPair> AuthService::server_keys() const { return impl_->key_store.load_or_create(); }

Result<Authorization> AuthService::approve_authorization(std::string_view user_id, const Approval& approval,
                                                         std::string_view who) {
  return impl_->remote_peers.approve(user_id, approval, {.who = std::string(who)});
}

Result<Authorization> AuthService::deny_authorization(std::string_view user_id, std::string_view who) {
  return impl_->remote_peers.deny(user_id, {.who = std::string(who)});
}

Result<Authorization> AuthService::delete_authorization(std::string_view user_id, std::string_view who) {
  return parts().delete_authorization(user_id, {.who = std::string(who)});
}

Result<std::vector<Authorization>> AuthService::get_pending_authorizations() const {
  return impl_->remote_peers.list(AuthorizationStatus::kPending);
}

Result<std::vector<Authorization>> AuthService::get_approved_authorizations() const {
  return impl_->remote_peers.list(AuthorizationStatus::kApproved);
}

Result<std::vector<Authorization>> AuthService::get_denied_authorizations() const {
  return impl_->remote_peers.list(AuthorizationStatus::kDenied);
}

void AuthService::audit(AuditEvent event) const {
  if (impl_->recorder) impl_->recorder->on_event(std::move(event));
}

Result<void> AuthService::flush() {
  auto flushed = impl_->pending->flush();
  impl_->auditor.finish();
  auto audited = impl_->audit_log ? impl_->audit_log->flush() : Result<void>();
  return flushed ? audited : flushed;
}

AuthMetrics AuthService::metrics() const {
  AuthMetrics out;
  impl_->counters->read_into(out);
  out.reloads = impl_->reloads.load(std::memory_order_relaxed);
  out.failed_reloads = impl_->failed_reloads.load(std::memory_order_relaxed);
  out.generation = impl_->keeper.live()->generation();
  out.allow_records = impl_->allow_records.load(std::memory_order_relaxed);
  out.deny_records = impl_->deny_records.load(std::memory_order_relaxed);
  if (const auto pending = impl_->pending->load()) out.pending = pending->pending.size();
  out.is_in_force = !impl_->keeper.problem();
  out.refuses_new_peers = impl_->is_stale->load(std::memory_order_relaxed);
  {
    const std::lock_guard lock(impl_->stale_mutex);
    const auto age = impl_->policy_age ? impl_->policy_age() : std::nullopt;
    if (age) out.policy_age = std::chrono::floor<std::chrono::seconds>(*age);
  }
  if (impl_->audit_log) {
    out.audit = {impl_->audit_log->written(), impl_->audit_log->dropped() + impl_->recorder->lost()};
  }
  return out;
}

}  // namespace vipauth
