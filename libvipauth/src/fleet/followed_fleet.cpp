#include "fleet/followed_fleet.hpp"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <exception>
#include <utility>

#include "fleet/fleet_reader.hpp"
#include "web/quiet_thread.hpp"

namespace vipauth::fleet {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kBetweenChecks{100};  // while somebody waits for one
// How often it is written down how far one has come where nothing else is to be written: often enough that
// etcd, which forgets what is older than an hour by the advised setting, still knows what happened since.
constexpr std::chrono::minutes kBetweenNotes{10};

constexpr std::array kScopes{Scope::kFleet, Scope::kSite};

/// Goes on while the machine sleeps.
std::chrono::nanoseconds since_boot() {
  std::timespec now{};
  static_cast<void>(::clock_gettime(CLOCK_BOOTTIME, &now));
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

bool is_of_topics(FleetKey::Kind kind) {
  return kind == FleetKey::Kind::kWriteProtect || kind == FleetKey::Kind::kReadProtect ||
         kind == FleetKey::Kind::kTopicsMembers;
}

/// Nothing of it can be put in force, and another part of what is known might make that good. What went wrong
/// with the files is none of that.
bool is_of_content(const Error& error) { return error.code != ErrorCode::kIoError; }

}  // namespace

FollowedFleet::FollowedFleet(const std::filesystem::path& home, FleetFollower::Options options,
                             EtcdClient client)
    : options_(std::move(options)),
      layout_(options_.address.prefix, options_.address.site),
      client_(std::move(client)),
      copy_(home, options_.strict_modes, options_.address.to_string(), options_.clock),
      home_store_(home, options_.strict_modes),
      pending_exchange_(client_, layout_, home_store_,
                        [this](LogLevel level, std::string_view line) { log(level, std::string(line)); }) {}

FollowedFleet::~FollowedFleet() {
  ::explicit_bzero(options_.etcd.password.data(), options_.etcd.password.size());
}

void FollowedFleet::start() {
  restore();
  flush_log();
  const web::SignalsBlocked blocked;
  keeper_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void FollowedFleet::stop() {
  keeper_.request_stop();
  client_.stop();
  if (keeper_.joinable()) keeper_.join();
  stop_watchers();
  try {
    note_revisions_now_and_then(true);
  } catch (const std::exception&) {  // no memory: more is told at the next start
    tell_failure("how far it has come is not noted");
  }
  flush_log();
}

// ---- Where it stands ----

std::optional<Error> FollowedFleet::problem() const {
  for (const std::optional<Error>* one : {&write_problem_, &read_problem_, &check_problem_,
                                          follow_problems_.data(), &follow_problems_[1], &pending_problem_}) {
    if (*one) return *one;
  }
  return std::nullopt;
}

void FollowedFleet::note(std::optional<Error>& place, std::optional<Error> problem, const char* what) {
  const bool is_other = problem && (!place || place->message != problem->message);
  const bool is_over = place && !problem;
  place = std::move(problem);
  if (is_other) log_lines_.push_back({LogLevel::kWarning, std::string(what) + ": " + place->to_string()});
  if (is_over) log_lines_.push_back({LogLevel::kInfo, std::string(what) + ": over"});
}

void FollowedFleet::log(LogLevel level, std::string text) const {
  const std::lock_guard lock(mutex_);
  log_lines_.push_back({level, std::move(text)});
}

void FollowedFleet::flush_log() const noexcept {
  std::vector<LogLine> lines;
  {
    const std::lock_guard lock(mutex_);
    lines.swap(log_lines_);
  }
  if (!options_.log) return;
  try {
    for (const LogLine& line : lines) options_.log(line.level, line.text);
  } catch (const std::exception&) {  // whoever logs has no memory
    return;
  }
}

void FollowedFleet::tell_failure(const char* what) noexcept {
  try {
    log(LogLevel::kError, std::string("following the store: ") + what);
  } catch (const std::exception&) {  // then there is no memory for telling, either
    return;
  }
}

FleetFollower::Status FollowedFleet::status() const {
  const std::lock_guard lock(mutex_);
  return {.revision = std::max(written_[0], written_[1]),
          .keys = keys_,
          .synced_at = synced_at_,
          .problem = problem(),
          .edits = edits_,
          .full_reads = full_reads_};
}

Result<void> FollowedFleet::wait_until_synced(milliseconds patience) const {
  std::unique_lock lock(mutex_);
  const std::uint64_t before = checks_;  // the last of them may be under way
  const auto deadline = steady_clock::now() + patience;
  while (good_check_ <= before && steady_clock::now() < deadline) {
    wants_check_ = true;
    changed_cv_.notify_all();
    changed_cv_.wait_until(lock, std::min(deadline, steady_clock::now() + kBetweenChecks),
                           [&] { return good_check_ > before; });
  }
  if (good_check_ > before) return {};
  const auto why = problem();
  return Error{
      ErrorCode::kBusy,
      "the home does not say yet what the store says" + (why ? ": " + why->to_string() : std::string()), ""};
}

std::optional<milliseconds> FollowedFleet::age() const {
  const std::lock_guard lock(mutex_);
  if (synced_at_since_boot_) {
    return std::chrono::floor<milliseconds>(since_boot() - *synced_at_since_boot_);
  }
  const Timestamp now = options_.clock();
  if (!synced_at_ || now < *synced_at_) return std::nullopt;
  return now - *synced_at_;
}

// ---- Where it begins ----

void FollowedFleet::restore() {
  auto restored = copy_.restore();
  if (restored.remark) log(LogLevel::kWarning, *restored.remark + ": all is read again");
  const std::scoped_lock lock(content_mutex_, mutex_);
  if (restored.site) {
    good_site_ = *std::move(restored.site);
    good_site_is_ = HomeCopy::OfSite::kSome;
  }
  if (!restored.followed) return;
  followed_ = *std::move(restored.followed);
  changed_ = {};
  good_site_ = followed_.state.content.site_part();
  is_site_changed_ = is_fleet_changed_ = false;
  synced_at_ = restored.synced_at;
  keys_ = followed_.state.content.size();
  written_ = noted_ = followed_.revisions;
  written_stands_ = followed_.state.stands;
  proof_ = proof_of(followed_.revisions, followed_.state.stands);
  is_loaded_ = true;
  ++interruptions_;
}

/// Without watchers: what happens meanwhile they are told when they begin behind it.
bool FollowedFleet::read_all() {
  stop_watchers();
  auto read = read_fleet(client_, layout_);
  if (!read) {
    const std::lock_guard lock(mutex_);
    note(read_problem_, read.error(), "the fleet's policy cannot be read");
    return false;
  }
  const std::scoped_lock lock(content_mutex_, mutex_);
  note(read_problem_, std::nullopt, "the fleet's policy cannot be read");
  const bool is_first = full_reads_ == 0 && !is_loaded_;
  const FleetContent& before = followed_.state.content;
  changed_.policy = changed_.policy || is_first || !before.has_same_policy(read->content);
  changed_.topics = changed_.topics || is_first || !before.has_same_topics(read->content);
  followed_.revisions = {read->revision, read->revision};
  followed_.state = *std::move(read);
  is_site_changed_ = is_fleet_changed_ = true;
  keys_ = followed_.state.content.size();
  proof_ = proof_of(followed_.revisions, followed_.state.stands);
  ++full_reads_;
  is_loaded_ = has_news_ = true;
  wants_all_ = false;
  proved_ = interruptions_;
  return true;
}

FollowedFleet::Proof FollowedFleet::proof_of(const Revisions& revisions, const Stands& stands) {
  return {revisions, {stands[at(Scope::kFleet)].guard.edit, stands[at(Scope::kSite)].guard.edit}};
}

/// Whether the store still has the edits that were known when it was last asked: one that was restored from a
/// backup, or another one at its address, has others at the same revisions.
FollowedFleet::Proving FollowedFleet::prove() {
  std::uint64_t interruptions = 0;  // there may be more meanwhile
  {
    const std::lock_guard lock(mutex_);
    interruptions = interruptions_;
  }
  for (const Scope scope : kScopes) {
    const auto then = client_.range({.key = layout_.key({.scope = scope, .kind = FleetKey::Kind::kGuard}),
                                     .revision = proof_.revisions[at(scope)]});
    if (!then) {
      if (then.error().code == ErrorCode::kConflict) return Proving::kOther;  // forgotten, or not there yet
      const std::lock_guard lock(mutex_);
      note(check_problem_, then.error(), "the store does not answer");
      return Proving::kUnknown;
    }
    const std::string edit =
        then->values.empty() ? std::string() : FleetGuard::parse(then->values.front().value).edit;
    if (edit != proof_.edits[at(scope)]) return Proving::kOther;
  }
  const std::lock_guard lock(mutex_);
  proved_ = interruptions;
  return Proving::kSame;
}

// ---- Following ----

void FollowedFleet::start_watchers() {
  for (const Scope scope : kScopes) {
    if (watchers_[at(scope)]) continue;
    auto own = EtcdClient::create(options_.address, options_.etcd);
    std::int64_t from = 0;
    {
      const std::scoped_lock lock(content_mutex_, mutex_);
      note(follow_problems_[at(scope)], own ? std::nullopt : std::optional(own.error()),
           "the store cannot be followed");
      from = followed_.revisions[at(scope)] + 1;
    }
    if (!own) continue;
    const std::string prefix = layout_.scope_prefix(scope);
    watchers_[at(scope)] = std::make_unique<RangeWatcher>(
        *std::move(own), prefix, prefix_end(prefix), from,
        RangeWatcher::Handler{
            [this, scope](const WatchEvents& told) { on_events(scope, told); },
            [this](std::int64_t) {
              on_gap();
              return std::nullopt;
            },
            [this, scope](const std::optional<Error>& problem) { on_watch_problem(scope, problem); }});
  }
}

void FollowedFleet::stop_watchers() {
  for (auto& watcher : watchers_) watcher.reset();
}

void FollowedFleet::on_events(Scope scope, const WatchEvents& told) {
  const std::lock_guard content_lock(content_mutex_);
  std::int64_t& revision = followed_.revisions[at(scope)];
  bool is_news = false;
  for (std::size_t i = 0; i < told.events.size(); ++i) {
    if (told.revisions[i] <= revision) continue;
    const auto key = layout_.parse(told.events[i].key);
    if (!key) continue;
    is_news = true;
    const bool is_content = key->kind != FleetKey::Kind::kGuard;
    changed_.topics = changed_.topics || (is_content && is_of_topics(key->kind));
    changed_.policy = changed_.policy || (is_content && !is_of_topics(key->kind));
    is_site_changed_ = is_site_changed_ || scope == Scope::kSite;
    is_fleet_changed_ = is_fleet_changed_ || scope == Scope::kFleet;
    followed_.state.apply(layout_, told.events[i], told.revisions[i]);
  }
  revision = std::max(revision, told.revision);
  if (!is_news) return;
  const std::lock_guard lock(mutex_);
  keys_ = followed_.state.content.size();
  has_news_ = true;
  changed_cv_.notify_all();
}

void FollowedFleet::on_gap() {
  log(LogLevel::kInfo, "what happened meanwhile is compacted: all is read again");
  const std::lock_guard lock(mutex_);
  wants_all_ = true;
  changed_cv_.notify_all();
}

void FollowedFleet::on_watch_problem(Scope scope, const std::optional<Error>& problem) {
  const std::lock_guard lock(mutex_);
  note(follow_problems_[at(scope)], problem, "the store cannot be followed");
  ++interruptions_;  // before anything that it tells next
  changed_cv_.notify_all();
}

// ---- Writing ----

void FollowedFleet::write_home() {
  // Nothing is told after an interruption before a proof is asked for: so what is known now is proved.
  const std::lock_guard content_lock(content_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (!has_news_ || needs_proof() || wants_all_) return;
    has_news_ = false;
  }
  if (followed_.state.lacks(Scope::kSite)) return;  // the other watch tells the rest
  if (followed_.state.lacks(Scope::kFleet)) {       // so says the site: until check() it may not be so
    const auto done = write_fleet_without_news_of_site();
    const std::lock_guard lock(mutex_);
    if (!done) note(write_problem_, done.error(), "the home stays as it is");
    return;
  }
  const auto done = copy_.write(followed_, changed_);
  if (done) {
    changed_ = {};
    is_fleet_changed_ = false;
    if (std::exchange(is_site_changed_, false)) good_site_ = followed_.state.content.site_part();
    good_site_is_ = HomeCopy::OfSite::kAll;
    note_written();
  } else if (is_of_content(done.error())) {
    static_cast<void>(write_fleet_without_news_of_site());  // what went wrong first is told
  }
  const std::lock_guard lock(mutex_);
  note(write_problem_, done ? std::nullopt : std::optional(done.error()), "the home stays as it is");
  changed_cv_.notify_all();
}

/// Where what the site adds cannot be put in force, what it added last goes with what the fleet says now, or
/// where that leaves the fleet no room, only what of it denies and protects: a site does not keep the fleet's
/// denials from its buses.
Result<void> FollowedFleet::write_fleet_without_news_of_site() {
  if (!good_site_ || !is_fleet_changed_) return {};
  auto done = write_with_site(*good_site_, good_site_is_);
  if (!done && is_of_content(done.error())) {
    FleetContent restrictions = good_site_->site_restrictions();
    done = write_with_site(restrictions, HomeCopy::OfSite::kSome);
    if (done) changed_ = {true, true};  // since all of the site was written
  }
  if (done) is_fleet_changed_ = false;
  return done;
}

/// Writes what is known with another site's part, or of another time.
Result<void> FollowedFleet::write_with_site(FleetContent& site, HomeCopy::OfSite of_site) {
  /// While it lives, that is what is known of the site.
  class OtherSite {
   public:
    OtherSite(Followed& followed, FleetContent& content, Stand stand, std::int64_t revision)
        : followed_(followed), content_(content), stand_(std::move(stand)), revision_(revision) {
      swap();
    }
    OtherSite(const OtherSite&) = delete;
    OtherSite& operator=(const OtherSite&) = delete;
    ~OtherSite() { swap(); }

   private:
    void swap() noexcept {
      followed_.state.content.swap_site(content_);
      std::swap(followed_.state.stand(Scope::kSite), stand_);
      std::swap(followed_.revisions[at(Scope::kSite)], revision_);
    }

    Followed& followed_;
    FleetContent& content_;
    Stand stand_;
    std::int64_t revision_;
  };

  std::unique_lock lock(mutex_);
  const OtherSite other(followed_, site, written_stands_[at(Scope::kSite)], written_[at(Scope::kSite)]);
  lock.unlock();
  auto done = copy_.write(followed_, {true, true}, of_site);
  if (done) note_written();
  return done;
}

void FollowedFleet::note_written() {
  noted_ = followed_.revisions;
  const std::lock_guard lock(mutex_);
  written_ = followed_.revisions;
  written_stands_ = followed_.state.stands;
  ++edits_;
}

/// A part in which nothing happens is told of nothing, and etcd forgets what happened in the others.
void FollowedFleet::note_revisions_now_and_then(bool is_end) {
  if (!is_end && steady_clock::now() < next_note_) return;
  next_note_ = steady_clock::now() + kBetweenNotes;
  const std::lock_guard content_lock(content_mutex_);
  Revisions revisions = followed_.revisions;
  {
    const std::lock_guard lock(mutex_);
    if (!is_loaded_ || has_news_ || write_problem_ || needs_proof() || wants_all_) return;
    for (const Scope scope : kScopes) {
      if (proof_.edits[at(scope)] != followed_.state.stand(scope).guard.edit) return;
      revisions[at(scope)] = std::max(revisions[at(scope)], proof_.revisions[at(scope)]);
    }
  }
  if (noted_ == revisions || !copy_.note_revisions(followed_, revisions)) return;
  noted_ = revisions;
}

// ---- Making sure ----

/// \param told  what was known before anything was asked
FollowedFleet::Comparison FollowedFleet::compare_guards(const Stands& told,
                                                        EtcdClient::Deadline deadline) const {
  Comparison out;
  for (const Scope scope : kScopes) {
    const auto answer =
        client_.range({.key = layout_.key({.scope = scope, .kind = FleetKey::Kind::kGuard})}, deadline);
    if (!answer) {
      out.proving = Proving::kUnknown;
      out.problem = answer.error();
      return out;
    }
    const bool is_there = !answer->values.empty();
    const std::int64_t revision = is_there ? answer->values.front().mod_revision : 0;
    const std::string edit = is_there ? FleetGuard::parse(answer->values.front().value).edit : std::string();
    const Stand& known = told[at(scope)];
    const bool is_earlier = is_there && revision < known.guard_revision;
    if (is_earlier || (revision == known.guard_revision && edit != known.guard.edit)) {
      out.proving = Proving::kOther;
    }
    out.is_behind[at(scope)] = revision != known.guard_revision;
    out.revisions[at(scope)] = answer->revision;
  }
  return out;
}

void FollowedFleet::check() {
  const Timestamp asked_at = options_.clock();
  const auto asked_at_since_boot = since_boot();
  std::uint64_t number = 0;
  Stands told;
  {
    const std::scoped_lock lock(content_mutex_, mutex_);
    number = ++checks_;
    wants_check_ = false;
    told = followed_.state.stands;
    if (needs_proof() || wants_all_) return;
  }
  const Comparison compared = compare_guards(told);
  bool is_behind = false;
  bool is_lost = false;
  for (const Scope scope : kScopes) {
    const bool is = compared.is_behind[at(scope)] && !compared.problem;
    is_behind = is_behind || is;
    is_lost = lags_[at(scope)].is_lost(is, told[at(scope)].reached, steady_clock::now()) || is_lost;
  }

  const std::scoped_lock lock(content_mutex_, mutex_);
  note(check_problem_, compared.problem, "the store does not answer");
  if (is_lost || compared.proving == Proving::kOther) {
    log_lines_.push_back(
        {LogLevel::kWarning, is_lost ? "edits of the store were not told to this bus: all is read again"
                                     : "the store has another history than it had: all is read again"});
    wants_all_ = true;
    return;
  }
  if (compared.problem || is_behind || needs_proof() || wants_all_) return;
  proof_ = proof_of(compared.revisions, told);
  // What the store had then is known: nothing of an edit of both is still to come.
  const bool was_half = followed_.state.is_half();
  for (const Scope scope : kScopes) {
    std::int64_t& reached = followed_.state.stand(scope).reached;
    reached = std::max(reached, compared.revisions[at(scope)]);
  }
  has_news_ = has_news_ || (was_half && !followed_.state.is_half());
  const bool is_written = !has_news_ && !write_problem_ &&
                          written_stands_[0].guard_revision == told[0].guard_revision &&
                          written_stands_[1].guard_revision == told[1].guard_revision;
  if (is_written) {
    synced_at_ = asked_at;
    synced_at_since_boot_ = asked_at_since_boot;
    good_check_ = number;
  }
  changed_cv_.notify_all();
}

void FollowedFleet::exchange_pending() {
  const auto exchanged = pending_exchange_.exchange();
  const std::lock_guard lock(mutex_);
  note(pending_problem_, exchanged ? std::nullopt : std::optional(exchanged.error()),
       "who waits cannot be told to the store");
}

// ---- The keeper ----

void FollowedFleet::run(const std::stop_token& stop) {
  int tries = 0;
  auto next_check = steady_clock::now();
  next_note_ = steady_clock::now() + kBetweenNotes;
  while (!stop.stop_requested()) {
    bool is_good = true;
    try {
      is_good = step(stop);
      if (is_good && steady_clock::now() >= next_check) {
        check();
        exchange_pending();
        note_revisions_now_and_then(false);
        {
          const std::lock_guard lock(mutex_);
          if (good_check_ == checks_) static_cast<void>(copy_.note_synced(*synced_at_));
          if (write_problem_) has_news_ = true;
        }
        next_check = steady_clock::now() + options_.check_interval;
      }
    } catch (const std::exception& error) {  // no memory: what is known is still known
      is_good = false;
      {
        const std::lock_guard lock(mutex_);
        has_news_ = is_loaded_;
      }
      tell_failure(error.what());
    }
    flush_log();
    if (!is_good) {
      if (!sleep_for(stop, backoff(tries++))) return;
      continue;
    }
    tries = 0;
    std::unique_lock lock(mutex_);
    changed_cv_.wait_until(lock, stop, next_check,
                           [this] { return wants_check_ || has_news_ || needs_proof() || wants_all_; });
    if (wants_check_) next_check = steady_clock::now();
  }
}

/// \return false  the store did not answer: to be tried again soon
bool FollowedFleet::step(const std::stop_token& stop) {
  bool reads_all = false;
  bool proves = false;
  {
    const std::lock_guard lock(mutex_);
    reads_all = !is_loaded_ || wants_all_;
    proves = needs_proof();
  }
  if (!reads_all && proves) {
    const Proving proving = prove();
    if (proving == Proving::kUnknown) return false;
    reads_all = proving == Proving::kOther;
    if (reads_all) log(LogLevel::kInfo, "the store does not know where this bus stood: all is read again");
  }
  if (reads_all) {
    const std::lock_guard lock(mutex_);
    wants_all_ = true;  // until it is done
  }
  if (reads_all && !read_all()) return false;
  if (stop.stop_requested()) return true;
  start_watchers();
  write_home();
  return true;
}

// ---- Edits of the bus ----

Result<EditReport> FollowedFleet::edit_policy(const AuthFile::Change& change, const EditOptions& options) {
  return edit<Policy>(change, options, [](const FleetContent& content) { return content.policy(); });
}

Result<EditReport> FollowedFleet::edit_topics(const TopicsFile::Change& change, const EditOptions& options) {
  return edit<TopicDocument>(change, options, [](const FleetContent& content) { return content.topics(); });
}

/// A transaction only tells revisions apart, and in a store that was lost for a while another edit may have
/// the revision of one that is known: then what is known is waited for.
Result<void> FollowedFleet::check_history(steady_clock::time_point deadline) const {
  Stands told;
  {
    const std::scoped_lock lock(content_mutex_, mutex_);
    if (!is_loaded_ || (!needs_proof() && !wants_all_)) return {};
    told = followed_.state.stands;
  }
  const Comparison compared = compare_guards(told, deadline);
  if (compared.problem) return *compared.problem;
  if (compared.proving == Proving::kSame) return {};
  std::unique_lock lock(mutex_);
  while (needs_proof() || wants_all_) {
    if (steady_clock::now() >= deadline) {
      return Error{ErrorCode::kBusy,
                   "the store has another history than this bus has followed, and is read again: try again",
                   ""};
    }
    changed_cv_.wait_until(lock, std::min(deadline, steady_clock::now() + kBetweenChecks));
  }
  return {};
}

template <typename Document, typename Change, typename Meaning>
Result<EditReport> FollowedFleet::edit(const Change& change, const EditOptions& options, Meaning meaning) {
  const auto deadline = steady_clock::now() + options.patience;
  const Scope edits = options_.address.edits == StoreAddress::Edits::kSite ? Scope::kSite : Scope::kFleet;
  // Of what the fleet shares, only what the fleet itself gives counts: a site gives nobody a right to edit
  // it for all. Other reasons may be what the site alone has.
  const auto check_for_all = [&](const FleetContent& content) -> Result<void> {
    Result<Document> of_fleet = meaning(content.fleet_part());
    if (!of_fleet) return of_fleet.error();
    const auto changed = change(*of_fleet);
    return changed || changed.error().code != ErrorCode::kPermissionDenied ? Result<void>() : changed;
  };
  const auto prepare = [&]() -> Result<Prepared> {
    if (auto checked = check_history(deadline); !checked) return checked.error();
    const std::lock_guard content_lock(content_mutex_);
    {
      const std::lock_guard lock(mutex_);
      if (!is_loaded_) {
        const auto why = problem();
        return Error{ErrorCode::kIoError,
                     "the store has not been reached yet" + (why ? ": " + why->message : std::string()), ""};
      }
    }
    const FleetState& state = followed_.state;
    if (state.is_partial()) return push_under_way(state.stands);
    if (edits == Scope::kFleet && state.content.has_site_content()) {
      if (auto allowed = check_for_all(state.content); !allowed) return allowed.error();
    }
    Result<Document> document = meaning(state.content);
    if (!document) return document.error();
    if (auto changed = change(*document); !changed) return changed.error();
    auto changes = state.content.difference(*document, edits);
    if (!changes) return changes.error();
    return Prepared{state.stands, *std::move(changes)};
  };
  std::int64_t revision = 0;
  auto report = edit_fleet(client_, layout_, edits, options, prepare, &revision);
  if (!report || !report->written) return report;
  std::unique_lock lock(mutex_);
  const bool is_here =
      changed_cv_.wait_until(lock, deadline, [&] { return written_[at(edits)] >= revision; });
  if (!is_here) report->warnings.emplace_back("the store has it, but this home does not yet");
  return report;
}

}  // namespace vipauth::fleet
