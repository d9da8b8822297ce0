#include "service/audit_recorder.hpp"

#include <string>
#include <unistd.h>

#include <vipauth/call_arguments.hpp>
#include <vipauth/python_repr.hpp>
#include <vipauth/session.hpp>
#include <vipauth/version.hpp>

#include "text/utf8_prefix.hpp"

namespace vipauth {
namespace {

std::string bounded(std::string_view text) {
  return std::string(text.substr(0, AuditEvent::kMaxTextBytes + 1));  // one more, so that it shows as cut
}

/// Whom an operation of the platform was to be about.
std::string about(const CallArguments* arguments) {
  constexpr std::size_t kMostBytes = 64;
  const Json* user_id = arguments == nullptr ? nullptr : arguments->find("user_id");
  if (user_id == nullptr || !user_id->is_string()) return "";
  return "about user " + python_repr(Json(utf8_prefix(user_id->as_string(), kMostBytes))) + ": ";
}

/// What a call was refused for, without the value of an argument, which may be a secret. The arguments of the
/// platform's own operations are none: they are written when they are allowed, too.
std::string message_of(const Question& question, const Decision& decision) {
  if (!question.one_of.empty()) return bounded(about(question.arguments) + decision.message());
  if (question.kind != Question::Kind::kCall || decision.reason() != Reason::kRestricted) {
    return bounded(decision.message());
  }
  std::string out = "no grant accepts the arguments";
  for (const std::string& source : decision.source()) {
    if (out.size() > AuditEvent::kMaxTextBytes) break;
    out += (&source == &decision.source().front() ? ": " : ", ") + source;
  }
  return out;
}

}  // namespace

AuditEvent AuditRecorder::event_of(AuditEvent::Kind kind, Timestamp time) {
  AuditEvent event;
  event.kind = kind;
  event.time = time;
  return event;
}

void AuditRecorder::write(const AuditEvent& event) const noexcept {
  for (const auto& sink : sinks_) sink->write(event);
  if (log_) log_->write(event);
}

/// True where the log needs no event: most of a peer that comes again and again are only counted.
bool AuditRecorder::is_counted(const ZapAuthenticator::Event& event, Timestamp now) const noexcept {
  const Authentication& answer = event.authentication;
  return answer.decision.allowed() && log_->count_repeat({answer.user_id, event.request.mechanism,
                                                          event.credentials, answer.decision.reason(), now});
}

void AuditRecorder::on_authentication(const ZapAuthenticator::Event& event) noexcept try {
  const Decision& decision = event.authentication.decision;
  const Timestamp time = now();
  const bool is_for_log = log_ && !is_counted(event, time);
  if (!is_for_log && sinks_.empty()) return;
  AuditEvent out;
  out.kind = AuditEvent::Kind::kAuthentication;
  out.time = time;
  out.allowed = decision.allowed();
  out.reason = decision.reason();
  if (decision) out.user_id = event.authentication.user_id;
  out.mechanism = event.request.mechanism;
  out.credentials = bounded(event.credentials);
  out.domain = bounded(event.request.domain);
  out.address = bounded(event.request.address);
  for (const auto& sink : sinks_) sink->write(out);
  if (is_for_log) log_->write(out);
} catch (...) {  // no memory: the peer gets its answer all the same
  lose();
}

void AuditRecorder::on_decision(const Asker& asker, const Question& question,
                                const Decision& decision) noexcept try {
  if (decision.allowed()) return;
  const auto time = time_before_end();
  if (!time) return;
  AuditEvent out = event_of(AuditEvent::Kind::kRefusal, *time);
  out.allowed = false;
  out.reason = decision.reason();
  out.user_id = bounded(asker.user_id);
  if (asker.session != nullptr) {
    const Acceptance& acceptance = asker.session->acceptance();
    out.mechanism = to_string(acceptance.mechanism);
    // Of PLAIN it is made of the password.
    if (acceptance.mechanism == Mechanism::kCurve) out.credentials = acceptance.credentials;
    out.domain = acceptance.domain;
    out.address = acceptance.address;
  }
  out.question = to_string(question.kind);
  out.callee = bounded(question.callee);
  out.subject = bounded(question.subject);
  out.message = message_of(question, decision);
  write(out);
} catch (...) {  // no memory: the peer gets its answer all the same
  lose();
}

void AuditRecorder::on_event(AuditEvent event) const {
  event.time = clock_();
  write(event);
}

void AuditRecorder::on_start() const {
  AuditEvent event = event_of(AuditEvent::Kind::kStart, now());
  event.message = "process " + std::to_string(::getpid()) + ", vipauth " + VIPAUTH_VERSION;
  write(event);
}

void AuditRecorder::on_stop() {
  AuditEvent event = event_of(AuditEvent::Kind::kStop, now());
  event.message = "process " + std::to_string(::getpid());
  {
    const std::lock_guard lock(clock_mutex_);
    has_ended_ = true;
  }
  write(event);
}

std::optional<Timestamp> AuditRecorder::time_before_end() const {
  const std::shared_lock lock(clock_mutex_);
  if (has_ended_) return std::nullopt;
  return clock_();
}

void AuditRecorder::on_file_in_force(std::string_view file, std::uint64_t generation,
                                     std::optional<AuditedChange> change, Timestamp time) const {
  if (change && change->before.is_null() && change->after.is_null()) return;
  AuditEvent event = event_of(AuditEvent::Kind::kPolicy, time);
  event.allowed = true;
  event.file = file;
  event.generation = generation;
  if (change) {
    event.digest = std::move(change->digest);
    event.before = std::move(change->before);
    event.after = std::move(change->after);
  } else {
    event.message = "its content was overwritten in place before it could be audited";
  }
  write(event);
}

void AuditRecorder::on_time(std::uint64_t generation, Timestamp time) const {
  AuditEvent event = event_of(AuditEvent::Kind::kPolicy, time);
  event.allowed = true;
  event.generation = generation;
  event.message = "records began or ceased to be valid";
  write(event);
}

void AuditRecorder::on_stale(const std::optional<Error>& why) const {
  AuditEvent event = event_of(AuditEvent::Kind::kPolicy, now());
  event.allowed = !why;
  if (why) event.reason = Reason::kStale;
  event.message = why ? "new peers are refused: " + why->to_string() : "new peers are let in again";
  write(event);
}

void AuditRecorder::on_problem(const std::optional<Error>& problem, Timestamp time) {
  std::string text = problem ? problem->to_string() : std::string();
  {
    const std::lock_guard lock(mutex_);
    if (text == problem_) return;
    problem_ = text;
  }
  if (text.empty()) return;
  AuditEvent event = event_of(AuditEvent::Kind::kPolicy, time);
  event.allowed = false;
  event.message = std::move(text);
  write(event);
}

}  // namespace vipauth
