#include <vipauth/csr_relay.hpp>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <vipauth/json.hpp>

#include "fleet/csr_copy.hpp"
#include "fleet/csr_values.hpp"
#include "fleet/etcd_client.hpp"
#include "fleet/fleet_layout.hpp"
#include "fleet/range_reader.hpp"
#include "fleet/range_watcher.hpp"
#include "fleet/watch_lag.hpp"
#include "web/quiet_thread.hpp"

namespace vipauth {
namespace {

using fleet::answer_value;
using fleet::backoff;
using fleet::Compare;
using fleet::csr_value;
using fleet::CsrAnswer;
using fleet::CsrAsked;
using fleet::CsrCopy;
using fleet::CsrKey;
using fleet::CsrVerb;
using fleet::EtcdClient;
using fleet::FleetLayout;
using fleet::is_news;
using fleet::KeyValue;
using fleet::Mutation;
using fleet::parse_answer;
using fleet::parse_asked;
using fleet::prefix_end;
using fleet::RangeWatcher;
using fleet::read_range;
using fleet::sleep_for;
using fleet::WatchEvents;
using std::chrono::steady_clock;
using Held = CsrCopy::Held;
using HeldKeys = CsrCopy::HeldKeys;

// Of one transaction, well below what etcd takes.
constexpr std::size_t kMostChanges = 100;
constexpr std::size_t kMostChangedBytes = std::size_t{512} << 10U;
constexpr std::size_t kMostAnswers = 1000;
constexpr std::chrono::hours kAnswersStay{24};
constexpr int kMostTries = 3;  // to read what is compacted meanwhile
constexpr const char* kFollowing = "decisions in the store cannot be carried out";

std::string in_quotes(std::string_view text) { return "\"" + std::string(text) + "\""; }

}  // namespace

struct CsrRelay::Impl {
  Impl(std::shared_ptr<CsrStore> a_store, Options the_options, EtcdClient a_client)
      : options(std::move(the_options)),
        store(std::move(a_store)),
        layout(options.address.prefix, options.address.site),
        client(std::move(a_client)) {}

  const Options options;
  const std::shared_ptr<CsrStore> store;
  const FleetLayout layout;
  const EtcdClient client;

  mutable std::mutex mutex;
  std::condition_variable_any changed;
  CsrCopy copy{layout};
  std::int64_t read_at = 0;  // the revision that `copy` was read at
  bool is_read = false;
  bool is_rung = false;      // there may be decisions
  bool is_doubtful = false;  // the store that is followed again may not be the one that was read
  Status status;
  std::optional<Error> read_problem, follow_problem, write_problem, list_problem, failure;
  std::string told_warnings;  // of the keeper's thread

  /// What was carried out, until the store knows. Of the keeper's thread.
  std::map<std::string, CsrAnswer> undelivered;
  fleet::WatchLag lag;

  std::mutex read_mutex;  // held, before the other, by whoever reads all
  std::unique_ptr<RangeWatcher> watcher;
  std::jthread keeper;

  void log(LogLevel level, const std::string& line) const noexcept {
    try {
      if (options.log) options.log(level, line);
    } catch (const std::exception&) {  // whoever logs has no memory
      return;
    }
  }

  std::optional<Error> problem() const {
    for (const auto* one : {&failure, &list_problem, &read_problem, &write_problem, &follow_problem}) {
      if (*one) return *one;
    }
    return std::nullopt;
  }

  /// Sets one of the problems, and logs where it is another one.
  void note(std::optional<Error>& place, const std::optional<Error>& problem, const char* what) {
    std::string line;
    {
      const std::lock_guard lock(mutex);
      const bool is_other = problem && (!place || place->message != problem->message);
      const bool is_over = place && !problem;
      if (is_other) line = std::string(what) + ": " + problem->to_string();
      if (is_over) line = std::string(what) + ": over";
      place = problem;
    }
    if (!line.empty()) log(problem ? LogLevel::kWarning : LogLevel::kInfo, line);
  }

  void ring() {
    const std::lock_guard lock(mutex);
    is_rung = true;
    changed.notify_all();
  }

  std::int64_t read_until() const {
    const std::lock_guard lock(mutex);
    return read_at;
  }
  std::string prefix(CsrKey::Kind kind) const { return layout.csr_prefix(layout.site(), kind); }
  HeldKeys held(CsrKey::Kind kind) const {
    const std::lock_guard lock(mutex);
    return copy.of(kind);
  }

  void run(const std::stop_token& stop);
  bool step(const std::stop_token& stop, steady_clock::time_point& next_check);
  void tell_failure() noexcept;
  std::optional<Error> read_all();
  bool have_read();
  void start_watcher();
  void on_events(const WatchEvents& told);
  void read_again();
  bool write(const std::vector<Compare>& compares, const std::vector<Mutation>& mutations);
  bool carry_out_all(const std::stop_token& stop);
  bool carry_out(const std::string& key, const Held& decision);
  bool throw_away(const std::string& key, const std::vector<Compare>& compares, const std::string& why);
  CsrAnswer answer_to(const CommonName& name, const CsrAsked& asked);
  Result<CsrDecision> decide(const CommonName& name, const CsrAsked& asked);
  std::optional<Mutation> present_request(const CommonName& name) const;
  bool tell(const std::stop_token& stop);
  Result<std::vector<CsrEntry>> entries();
  std::vector<Mutation> news(const std::vector<CsrEntry>& of) const;
  std::vector<Mutation> old_answers() const;
  bool is_told_of_all();
  void stop();
};

// ---- Reading ----

std::optional<Error> CsrRelay::Impl::read_all() {
  const std::lock_guard one_by_one(read_mutex);
  for (int tries = 1;; ++tries) {
    CsrCopy next(layout);
    // Behind what is too much: the end.
    const auto take = [&](KeyValue&& from) -> std::optional<std::string> {
      if (next.is_too_large()) return prefix_end(layout.csr_prefix());
      next.take(std::move(from));
      return std::nullopt;
    };
    const auto revision = read_range(client, layout.csr_prefix(), {take, take});
    if (!revision && revision.error().code == ErrorCode::kConflict && tries < kMostTries) continue;
    if (!revision) return revision.error();
    if (next.is_too_large()) {
      return Error{ErrorCode::kLimitExceeded,
                   "others have put more there than requests for certificates can be: look who may write "
                   "below " +
                       in_quotes(layout.csr_prefix()),
                   ""};
    }
    const std::lock_guard lock(mutex);
    copy = std::move(next);
    read_at = *revision;
    is_read = true;
    ++status.full_reads;
    return std::nullopt;
  }
}

/// Whether all is read, once or now.
bool CsrRelay::Impl::have_read() {
  {
    const std::lock_guard lock(mutex);
    if (is_read) return true;
  }
  const auto problem = read_all();
  note(read_problem, problem, "the site's requests in the store cannot be read");
  if (problem) return false;
  // One that waits for later revisions was told of those of another history.
  if (watcher && watcher->next_revision() > read_until() + 1) watcher.reset();
  return true;
}

/// What is known here may not be what the store says.
void CsrRelay::Impl::read_again() {
  const std::lock_guard lock(mutex);
  is_read = false;
}

void CsrRelay::Impl::start_watcher() {
  if (watcher) return;
  auto own = EtcdClient::create(options.address, options.etcd);
  static constexpr const char* kWhat = "decisions in the store cannot be followed";
  note(follow_problem, own ? std::nullopt : std::optional(own.error()), kWhat);
  if (!own) return;
  const auto on_gap = [this](std::int64_t /*next*/) -> std::optional<std::int64_t> {
    log(LogLevel::kInfo, "what happened meanwhile is compacted: all is read again");
    if (const auto problem = read_all()) {
      note(read_problem, problem, "the site's requests in the store cannot be read");
      return std::nullopt;
    }
    ring();
    return read_until() + 1;
  };
  watcher = std::make_unique<RangeWatcher>(
      *std::move(own), layout.csr_prefix(), prefix_end(layout.csr_prefix()), read_until() + 1,
      RangeWatcher::Handler{[this](const WatchEvents& told) { on_events(told); }, on_gap,
                            [this](const std::optional<Error>& problem) {
                              note(follow_problem, problem, kWhat);
                              const std::lock_guard lock(mutex);
                              is_doubtful = true;
                            }});
}

void CsrRelay::Impl::on_events(const WatchEvents& told) {
  const std::string decisions = prefix(CsrKey::Kind::kDecision);
  const std::lock_guard lock(mutex);
  for (std::size_t i = 0; i < told.events.size(); ++i) {
    const Mutation& event = told.events[i];
    if (told.revisions[i] <= read_at) continue;
    copy.apply(event, told.revisions[i]);
    is_rung = is_rung || (event.value && event.key.starts_with(decisions));
  }
  if (copy.is_too_large()) is_read = false;
  if (is_rung) changed.notify_all();
}

// ---- Writing ----

/// \return false  it was not written, or that is not known: all is to be read again
bool CsrRelay::Impl::write(const std::vector<Compare>& compares, const std::vector<Mutation>& mutations) {
  const auto answer = client.txn(compares, mutations);
  note(write_problem, answer ? std::nullopt : std::optional(answer.error()),
       "the store cannot be told of requests for certificates");
  if (!answer || !answer->succeeded) {
    read_again();
    return false;
  }
  const std::lock_guard lock(mutex);
  for (const Mutation& mutation : mutations) copy.apply(mutation, answer->revision);
  return true;
}

// ---- Decisions ----

bool CsrRelay::Impl::carry_out_all(const std::stop_token& stop) {
  {
    const std::lock_guard lock(mutex);
    is_rung = false;
  }
  const HeldKeys decisions = held(CsrKey::Kind::kDecision);
  std::erase_if(undelivered, [&](const auto& one) { return !decisions.contains(one.first); });
  for (const auto& [key, decision] : decisions) {
    if (stop.stop_requested() || !carry_out(key, decision)) return false;
  }
  return true;
}

bool CsrRelay::Impl::throw_away(const std::string& key, const std::vector<Compare>& compares,
                                const std::string& why) {
  constexpr std::size_t kMostShown = 100;
  if (!write(compares, {{.key = key, .value = std::nullopt}})) return false;
  log(LogLevel::kWarning, "a decision in the store is thrown away, about " +
                              Json(key.substr(prefix(CsrKey::Kind::kDecision).size(), kMostShown)).dump() +
                              ": " + why);
  const std::lock_guard lock(mutex);
  ++status.refused;
  return true;
}

bool CsrRelay::Impl::carry_out(const std::string& key, const Held& decision) {
  const auto parsed = layout.parse_csr(key);
  // Whatever it says by now; nor would etcd take a key twice that is as long as one may be.
  if (!parsed || !parsed->name) return throw_away(key, {}, "that is no common name");
  const std::vector<Compare> is_the_same{{.key = key, .equals = decision.revision}};
  const auto asked = parse_asked(decision.value);
  if (!asked) return throw_away(key, is_the_same, asked.error().to_string());

  const auto known = undelivered.find(key);
  if (known == undelivered.end() || known->second.id != asked->id) {
    undelivered.insert_or_assign(key, answer_to(*parsed->name, *asked));
  }
  const CsrAnswer& answer = undelivered.at(key);
  std::vector<Mutation> mutations{{.key = key, .value = std::nullopt},
                                  {.key = layout.csr_key(layout.site(), CsrKey::Kind::kAnswer, *parsed->name),
                                   .value = answer_value(answer)}};
  if (auto present = present_request(*parsed->name)) mutations.push_back(*std::move(present));
  if (!write(is_the_same, mutations)) return false;
  {
    const std::lock_guard lock(mutex);
    ++(answer.problem ? status.refused : status.carried_out);
  }
  undelivered.erase(key);
  return true;
}

CsrAnswer CsrRelay::Impl::answer_to(const CommonName& name, const CsrAsked& asked) {
  CsrAnswer out{asked.id, asked.verb, asked.who, {}, {}, {}, {}};
  auto decided = decide(name, asked);
  out.time = options.clock();
  const std::string what = asked.who + " asks in the store to " + std::string(to_string(asked.verb)) + " " +
                           in_quotes(name.text());
  if (!decided) {
    out.problem = std::move(decided).error();
    log(LogLevel::kWarning, what + ", which fails: " + out.problem->to_string());
    return out;
  }
  out.broker_problem = std::move(decided->broker_problem);
  out.warnings = std::move(decided->warnings);
  log(LogLevel::kInfo, what + ": done");
  return out;
}

Result<CsrDecision> CsrRelay::Impl::decide(const CommonName& name, const CsrAsked& asked) {
  const EditNote edit_note{asked.who, "fleet: " + asked.command, false};
  const auto present = store->get(name);
  // What is damaged can still be deleted.
  if (!present && (asked.verb != CsrVerb::kDelete || present.error().code == ErrorCode::kNotFound)) {
    return present.error();
  }
  if (present && present->key_fingerprint != asked.key_fingerprint) {
    return Error{ErrorCode::kConflict,
                 in_quotes(name.text()) + " asks for a certificate for another key by now, " +
                     present->key_fingerprint + ": look at it again",
                 ""};
  }
  switch (asked.verb) {
    case CsrVerb::kApprove:
      if (present->status == CsrStatus::kDenied && asked.seen != CsrStatus::kDenied) {
        return Error{ErrorCode::kConflict,
                     in_quotes(name.text()) + " has been denied meanwhile: look at it again", ""};
      }
      return store->approve(name, edit_note, asked.key_fingerprint);
    case CsrVerb::kDeny: return store->deny(name, edit_note);
    case CsrVerb::kDelete: break;
  }
  return store->remove(name, edit_note);
}

/// What the store is to say of a request. Nothing: it cannot be read just now.
std::optional<Mutation> CsrRelay::Impl::present_request(const CommonName& name) const {
  const auto entry = store->get(name);
  if (!entry && entry.error().code != ErrorCode::kNotFound) return std::nullopt;
  return Mutation{.key = layout.csr_key(layout.site(), CsrKey::Kind::kRequest, name),
                  .value = entry ? std::optional(csr_value(*entry)) : std::nullopt};
}

// ---- Telling ----

/// Those that wait come before others.
Result<std::vector<CsrEntry>> CsrRelay::Impl::entries() {
  std::vector<std::string> warnings;
  auto all = store->list(&warnings);
  if (!all) return all;
  if (all->size() > kMostRequests) {
    std::stable_partition(all->begin(), all->end(),
                          [](const CsrEntry& entry) { return entry.status == CsrStatus::kPending; });
    warnings.push_back(std::to_string(all->size() - kMostRequests) +
                       " requests for certificates are too many for the store to be told of");
    all->erase(all->begin() + kMostRequests, all->end());
  }
  std::string text;
  for (const std::string& warning : warnings) text += (text.empty() ? "" : "; ") + warning;
  if (!text.empty() && text != told_warnings) log(LogLevel::kWarning, text);
  told_warnings = std::move(text);
  return all;
}

std::vector<Mutation> CsrRelay::Impl::news(const std::vector<CsrEntry>& of) const {
  std::vector<Mutation> out;
  HeldKeys told = held(CsrKey::Kind::kRequest);
  for (const CsrEntry& entry : of) {
    std::string key = layout.csr_key(layout.site(), CsrKey::Kind::kRequest, entry.common_name);
    const auto found = told.find(key);
    const bool is_new = found == told.end() || is_news(found->second.value, entry);
    if (found != told.end()) told.erase(found);
    if (is_new) out.push_back({.key = std::move(key), .value = csr_value(entry)});
  }
  for (auto& [key, value] : told) out.push_back({.key = key, .value = std::nullopt});
  return out;
}

/// Answers that nobody needs any more, and those of no form of ours.
std::vector<Mutation> CsrRelay::Impl::old_answers() const {
  std::vector<Mutation> out;
  std::vector<std::pair<Timestamp, std::string>> kept;
  const Timestamp now = options.clock();
  for (const auto& [key, value] : held(CsrKey::Kind::kAnswer)) {
    const auto answer = parse_answer(value.value);
    const bool is_good = answer && answer->time <= now + kAnswersStay && now <= answer->time + kAnswersStay;
    if (is_good) kept.emplace_back(answer->time, key);
    if (!is_good) out.push_back({.key = key, .value = std::nullopt});
  }
  std::sort(kept.begin(), kept.end());
  for (std::size_t i = 0; i + kMostAnswers < kept.size(); ++i) {
    out.push_back({.key = kept[i].second, .value = std::nullopt});
  }
  return out;
}

/// Makes the store say how requests stand.
bool CsrRelay::Impl::tell(const std::stop_token& stop) {
  const auto all = entries();
  note(list_problem, all ? std::nullopt : std::optional(all.error()),
       "requests for certificates cannot be told to the store");
  if (!all) return false;
  std::vector<Mutation> changes = news(*all);
  std::vector<Mutation> old = old_answers();
  changes.insert(changes.end(), std::make_move_iterator(old.begin()), std::make_move_iterator(old.end()));
  std::vector<Mutation> some;
  std::size_t bytes = 0;
  for (Mutation& change : changes) {
    const std::size_t more = change.key.size() + (change.value ? change.value->size() : 0);
    if (!some.empty() && (some.size() == kMostChanges || bytes + more > kMostChangedBytes)) {
      if (stop.stop_requested() || !write({}, some)) return false;
      some.clear();
      bytes = 0;
    }
    bytes += more;
    some.push_back(std::move(change));
  }
  if (!some.empty() && !write({}, some)) return false;
  const std::lock_guard lock(mutex);
  status.requests = all->size();
  return true;
}

/// Asks whether a decision is there that this relay was not told of.
bool CsrRelay::Impl::is_told_of_all() {
  const std::string decisions = prefix(CsrKey::Kind::kDecision);
  const auto answer =
      client.range({.key = decisions, .range_end = prefix_end(decisions), .limit = 1, .keys_only = true});
  note(write_problem, answer ? std::nullopt : std::optional(answer.error()),
       "the store cannot be told of requests for certificates");
  if (!answer) return false;
  bool is_told = true;
  if (!answer->values.empty()) {
    const KeyValue& first = answer->values.front();
    const std::lock_guard lock(mutex);
    is_told = copy.has(first.key, first.mod_revision);
  }
  if (lag.is_lost(!is_told, watcher ? watcher->next_revision() : 0, steady_clock::now())) {
    log(LogLevel::kWarning, "decisions in the store were not told to this site: all is read again");
    read_again();
  }
  return is_told;
}

// ---- The thread ----

/// \return false  the store did not answer, or not as was expected: to be tried again soon
bool CsrRelay::Impl::step(const std::stop_token& stop, steady_clock::time_point& next_check) {
  const bool is_time = steady_clock::now() >= next_check;
  if (is_time) {
    const std::lock_guard lock(mutex);
    if (std::exchange(is_doubtful, false)) is_read = false;
  }
  if (!have_read()) return false;
  start_watcher();
  bool is_good = carry_out_all(stop);
  if (is_good && is_time) {
    const Timestamp asked_at = options.clock();
    is_good = tell(stop) && is_told_of_all();
    next_check = steady_clock::now() + options.check_interval;
    const std::lock_guard lock(mutex);
    if (is_good && !problem() && !is_doubtful) status.synced_at = asked_at;
  }
  const std::lock_guard lock(mutex);
  return is_good || is_read;
}

void CsrRelay::Impl::tell_failure() noexcept {
  try {
    read_again();  // what was being taken over may be so in part
    note(failure, Error{ErrorCode::kIoError, "it failed here: is there memory?", ""}, kFollowing);
  } catch (const std::exception&) {  // then there is none for telling, either
    return;
  }
}

void CsrRelay::Impl::run(const std::stop_token& stop) {
  int tries = 0;
  auto next_check = steady_clock::now();
  while (!stop.stop_requested()) {
    bool is_good = false;
    try {
      is_good = step(stop, next_check);
      if (is_good) note(failure, std::nullopt, kFollowing);
    } catch (const std::exception&) {  // no memory
      tell_failure();
    }
    if (!is_good) {
      if (!sleep_for(stop, backoff(tries++))) return;
      continue;
    }
    tries = 0;
    std::unique_lock lock(mutex);
    changed.wait_until(lock, stop, next_check, [this] { return is_rung || !is_read; });
  }
}

void CsrRelay::Impl::stop() {
  keeper.request_stop();
  client.stop();
  if (keeper.joinable()) keeper.join();
  watcher.reset();
}

// ---- The relay ----

CsrRelay::CsrRelay(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

CsrRelay::~CsrRelay() { impl_->stop(); }

Result<std::unique_ptr<CsrRelay>> CsrRelay::start(std::shared_ptr<CsrStore> store, Options options) {
  if (options.address.site.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "requests for certificates are those of a site of the fleet: name it by \"?site=NAME\"", ""};
  }
  auto client = EtcdClient::create(options.address, options.etcd);
  if (!client) return client.error();
  auto impl = std::make_unique<Impl>(std::move(store), std::move(options), *std::move(client));
  Impl* self = impl.get();
  const web::SignalsBlocked blocked;
  impl->keeper = std::jthread([self](const std::stop_token& stop) { self->run(stop); });
  return std::unique_ptr<CsrRelay>(new CsrRelay(std::move(impl)));
}

CsrRelay::Status CsrRelay::status() const {
  const std::lock_guard lock(impl_->mutex);
  Status out = impl_->status;
  out.problem = impl_->problem();
  return out;
}

}  // namespace vipauth
