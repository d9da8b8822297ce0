#include "service/setup_mode.hpp"

#include <algorithm>

#include <vipauth/python_repr.hpp>

#include "engine/named_key.hpp"
#include "text/ip_network.hpp"

namespace vipauth {
namespace {

using Milliseconds = std::chrono::milliseconds;

constexpr Milliseconds kReminder = std::chrono::minutes(1);
/// Between two attempts that change nothing: at the file, or for one key.
constexpr Milliseconds kPause = std::chrono::seconds(1);
constexpr std::size_t kMostNamed = 1024;

bool names(const std::vector<Policy::Entry>& entries, const CurveKey& key) {
  return std::any_of(entries.begin(), entries.end(),
                     [&](const Policy::Entry& entry) { return names_key(entry, key); });
}

/// The address alone; of an IPC peer (`localhost:UID:GID:PID`) every process of its user.
Json pinned_address(std::string_view zap_address) {
  const std::string address = canonical_address(zap_address);
  if (address.empty()) return {};
  const std::string source = source_of(address, IpAddress::parse(address));
  const std::string_view uid =
      std::string_view(source).substr(std::min(source.size(), address.find(':') + 1));
  const bool is_ipc = address.starts_with("localhost:") && source.size() < address.size() && !uid.empty() &&
                      uid.find_first_not_of("0123456789") == std::string_view::npos;
  return Json(is_ipc ? "/" + source + ":[0-9]+:[0-9]+/" : address);
}

Json record_of(const ZapRequest& request, const CurveKey& key) {
  return Json(Json::Object{{"domain", request.domain.empty() ? Json() : Json(request.domain)},
                           {"address", pinned_address(request.address)},
                           {"mechanism", Json(to_string(Mechanism::kCurve))},
                           {"credentials", Json(key.to_base64url())},
                           {"comments", Json("Added in setup mode")}});
}

}  // namespace

Result<void> SetupMode::begin(Milliseconds duration, AuthService::SetupLimits limits) {
  if (duration <= Milliseconds::zero() || duration > AuthService::kLongestSetup) {
    return Error{ErrorCode::kInvalidArgument, "setup mode must last from a millisecond to 24 hours", ""};
  }
  if (limits.peers == 0 || limits.per_address == 0) {
    return Error{ErrorCode::kInvalidArgument, "setup mode must let in at least one peer", ""};
  }
  Lines lines;
  {
    const std::lock_guard lock(mutex_);
    begun_ = reminded_ = not_before_ = edit_options_.clock();
    until_ = begun_ + duration;
    limits_ = limits;
    recorded_.clear();
    named_.clear();
    of_source_.clear();
    problem_.clear();
    on_ = true;
    lines.emplace_back(LogLevel::kWarning, "setup mode is on until " + format_timestamp(until_) +
                                               ": unknown CURVE peers are let in and recorded, at most " +
                                               std::to_string(limits_.peers));
  }
  log(lines);
  return {};
}

void SetupMode::end() {
  Lines lines;
  {
    const std::lock_guard lock(mutex_);
    if (on_) finish("", lines);
  }
  log(lines);
}

std::optional<Timestamp> SetupMode::until() {
  Lines lines;
  std::optional<Timestamp> out;
  {
    const std::lock_guard lock(mutex_);
    if (is_on(edit_options_.clock(), lines)) out = until_;
  }
  log(lines);
  return out;
}

std::optional<Milliseconds> SetupMode::keep_time() {
  if (!on_) return std::nullopt;
  Lines lines;
  std::optional<Milliseconds> sleep;
  {
    const std::lock_guard lock(mutex_);
    const Timestamp now = edit_options_.clock();
    if (is_on(now, lines)) {
      if (now - reminded_ >= kReminder) {
        reminded_ = now;
        lines.emplace_back(LogLevel::kWarning,
                           "setup mode is still on, until " + format_timestamp(until_) + "; " + let_in());
      }
      sleep = std::min(until_ - now, reminded_ + kReminder - now);
    }
  }
  log(lines);
  return sleep;
}

SetupMode::Outcome SetupMode::admit(const ZapRequest& request, const CurveKey& key) {
  if (!on_) return Outcome::kStranger;
  Lines lines;
  Outcome outcome = Outcome::kStranger;
  {
    const std::lock_guard lock(mutex_);
    const Timestamp now = edit_options_.clock();
    if (is_on(now, lines) && now >= not_before_) outcome = record(request, key, now, lines);
  }
  log(lines);
  return outcome;
}

/// A clock that is set back to before the beginning ends it: its time is bounded, whatever the clock says.
bool SetupMode::is_on(Timestamp now, Lines& lines) {
  if (on_ && now < begun_) finish(" because the clock was set back", lines);
  if (on_ && now >= until_) finish(" in time", lines);
  return on_;
}

void SetupMode::finish(std::string_view why, Lines& lines) {
  on_ = false;
  lines.emplace_back(LogLevel::kWarning, "setup mode has ended" + std::string(why) + "; " + let_in());
}

SetupMode::Outcome SetupMode::record(const ZapRequest& request, const CurveKey& key, Timestamp now,
                                     Lines& lines) {
  // Written into a record, this would be a regular expression.
  if (request.domain.starts_with('/') || request.address.starts_with('/')) return Outcome::kStranger;
  const std::string text = key.to_base64url();
  // By another thread just now; or it comes from elsewhere; or an administrator took it out, and it stays
  // out.
  if (const auto found = recorded_.find(text); found != recorded_.end()) {
    return live_->generation() == found->second ? Outcome::kInFile : Outcome::kInPolicy;
  }
  if (const auto found = named_.find(text); found != named_.end() && now < found->second) {
    return Outcome::kStranger;
  }
  const std::string source = source_of(request.address, IpAddress::parse(request.address));
  if (const auto found = of_source_.find(source);
      found != of_source_.end() && found->second >= limits_.per_address) {
    return Outcome::kStranger;
  }
  bool added = false;
  const auto edited = store_.edit_policy(
      [&](Policy& policy) -> Result<void> {
        added = false;
        if (names(policy.allow(), key) || names(policy.deny(), key)) return {};
        if (auto done = policy.add_allow(record_of(request, key)); !done) return done.error();
        added = true;
        return {};
      },
      edit_options_);
  if (!edited) {
    not_before_ = now + kPause;
    const std::string problem = edited.error().to_string();
    if (problem != problem_) {
      lines.emplace_back(LogLevel::kError, "setup mode cannot record a peer, who has to wait: " + problem);
    }
    problem_ = problem;
    return Outcome::kStranger;
  }
  problem_.clear();
  for (const std::string& warning : edited->warnings) lines.emplace_back(LogLevel::kWarning, warning);
  if (!added) {  // by somebody else, who may have done so since the policy was read
    if (named_.size() >= kMostNamed) named_.clear();
    named_[text] = now + kPause;
    return Outcome::kInFile;
  }
  ++of_source_[source];
  recorded_.emplace(text, live_->generation());
  lines.emplace_back(LogLevel::kWarning,
                     "setup mode lets in a stranger: address=" + python_repr(Json(request.address)) +
                         ", credentials=['" + key.to_base64url() + "']");
  if (recorded_.size() >= limits_.peers) finish(" with the last peer that it may let in", lines);
  return Outcome::kInFile;
}

std::string SetupMode::let_in() const { return "peers let in: " + std::to_string(recorded_.size()); }

void SetupMode::log(const Lines& lines) const {
  if (!log_) return;
  for (const auto& [level, text] : lines) log_(level, text);
}

}  // namespace vipauth
