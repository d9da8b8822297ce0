#include <vipauth/fleet_follower.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include <vipauth/auth_file.hpp>
#include <vipauth/home_store.hpp>
#include <vipauth/local_copy.hpp>
#include <vipauth/topics_file.hpp>

#include "fleet/etcd_client.hpp"
#include "fleet/fleet_edit.hpp"
#include "fleet/fleet_layout.hpp"
#include "fleet/fleet_reader.hpp"
#include "fleet/pending_exchange.hpp"
#include "fleet/range_watcher.hpp"

namespace vipauth {
namespace {

using namespace fleet;
using std::chrono::steady_clock;

// After this time without being told of an edit that is known to be there, all is read again.
constexpr std::chrono::seconds kLongestBehind{15};
constexpr std::chrono::milliseconds kBetweenChecks{100};  // while somebody waits for one

constexpr std::array kScopes{Scope::kFleet, Scope::kSite};
constexpr std::size_t at(Scope scope) { return static_cast<std::size_t>(scope); }

/// Of each scope: up to which revision.
using Revisions = std::array<std::int64_t, 2>;

/// What the home is to become.
struct Version {
  Policy policy;
  TopicDocument topics;
  Json index;
  Revisions revisions{};  // of what it is made of
  Stands stands;
};

/// \return what keeps the policy from being put in force anywhere
std::optional<Error> unfit(const Policy& policy) {
  for (const Policy::Entry& entry : policy.deny()) {
    if (!entry.record) return entry.record.error();
  }
  return std::nullopt;
}

/// What asks for all that `next` and `present` ask for; `present` itself, where it does.
TopicDocument strictest(const TopicDocument& next, const TopicDocument& present) {
  Json of_both = present.to_json();
  bool is_more = false;
  for (const TopicList list : {TopicList::kWriteProtect, TopicList::kReadProtect}) {
    const Json* rules = next.to_json().find(to_string(list));
    if (rules == nullptr || !rules->is_array()) continue;
    const Json* there = of_both.find(to_string(list));
    Json::Array all = there != nullptr && there->is_array() ? there->as_array() : Json::Array();
    std::set<std::string> known;
    for (const Json& rule : all) known.insert(rule.dump());
    for (const Json& rule : rules->as_array()) {
      if (!known.insert(rule.dump()).second) continue;
      all.push_back(rule);
      is_more = true;
    }
    of_both.set(to_string(list), Json(std::move(all)));
  }
  if (!is_more) return present;
  auto out = TopicDocument::parse(std::move(of_both));
  return out ? *std::move(out) : next;  // too many rules together
}

Json details_of(const Version& version) {
  Json out = Json::Object{{"index", version.index}};
  for (const Scope scope : kScopes) {
    const char* name = scope == Scope::kFleet ? "fleet" : "site";
    out.set(name, Json(Json::Object{{"revision", Json(version.revisions[at(scope)])},
                                    {"guard_revision", Json(version.stands[at(scope)].guard_revision)},
                                    {"guard", Json(version.stands[at(scope)].guard.to_text())}}));
  }
  return out;
}

std::optional<std::int64_t> number_in(const Json& object, std::string_view name) {
  const Json* member = object.find(name);
  if (member == nullptr || !member->is_number()) return std::nullopt;
  const std::string& digits = member->as_number().digits;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number < 0) return std::nullopt;
  return number;
}

}  // namespace

struct FleetFollower::Impl {
  Impl(std::filesystem::path a_home, Options the_options, EtcdClient a_client)
      : options(std::move(the_options)),
        home(std::move(a_home)),
        layout(options.address.prefix, options.address.site),
        client(std::move(a_client)),
        auth_file(home / "auth.json", options.strict_modes),
        topics_file(home / "protected_topics.json", options.strict_modes),
        local_copy(home, options.strict_modes),
        home_store(home, options.strict_modes),
        pending_exchange(client, layout, home_store, options.log) {}

  const Options options;
  const std::filesystem::path home;
  const FleetLayout layout;
  const EtcdClient client;
  const AuthFile auth_file;
  const TopicsFile topics_file;
  const LocalCopy local_copy;
  HomeStore home_store;
  PendingExchange pending_exchange;  // of the keeper's thread

  mutable std::mutex mutex;
  mutable std::condition_variable_any changed;
  FleetState state{true};
  Revisions applied{};  // to `state`
  bool is_loaded = false;
  bool is_dirty = false;  // `state` is more than the home says
  Revisions written{};    // to the home
  Stands written_stands;  // the same
  std::optional<Timestamp> synced_at;
  std::optional<steady_clock::time_point> synced_steadily_at;  // since the start
  std::uint64_t checks = 0;                                    // that were begun
  std::uint64_t good_check = 0;  // the last that found the home to say what the store says
  bool wants_check = false;      // now, not at the next interval
  std::optional<steady_clock::time_point> behind_since;
  std::array<std::optional<Error>, 2> follow_problems;
  std::optional<Error> read_problem, write_problem, check_problem;
  std::uint64_t edits = 0;
  std::uint64_t full_reads = 0;

  std::mutex gap_mutex;  // held, before the other, by whoever closes a gap
  std::array<std::unique_ptr<RangeWatcher>, 2> watchers;
  std::jthread keeper;

  void log(LogLevel level, const std::string& line) const {
    if (options.log) options.log(level, line);
  }

  std::optional<Error> problem() const {
    for (const std::optional<Error>* one :
         {&write_problem, &read_problem, &check_problem, &follow_problems[0], &follow_problems[1]}) {
      if (*one) return *one;
    }
    return std::nullopt;
  }

  /// Sets one of the problems, and logs where it is another one.
  void note(std::optional<Error>& place, std::optional<Error> problem, const char* what) {
    const bool is_other = problem && (!place || place->message != problem->message);
    const bool is_over = place && !problem;
    place = std::move(problem);
    if (is_other) log(LogLevel::kWarning, std::string(what) + ": " + place->to_string());
    if (is_over) log(LogLevel::kInfo, std::string(what) + ": over");
  }
  bool has_loaded() const {
    const std::lock_guard lock(mutex);
    return is_loaded;
  }

  void run(const std::stop_token& stop);
  void restore();
  bool read_all();
  void start_watchers();
  void on_events(Scope scope, const WatchEvents& told);
  std::optional<std::int64_t> close_gap(Scope scope, std::int64_t next);
  Result<EditReport> edit_topics(const TopicDocument& topics, const EditOptions& edit_options) const;
  void write_home();
  std::optional<Version> version_to_write();
  void check();
  void exchange_pending();
  void stop();
};

// ---- Where the home stands ----

void FleetFollower::Impl::restore() {
  const auto mark = local_copy.load();
  if (!mark) return log(LogLevel::kWarning, "the home's own copy is not used: " + mark.error().to_string());
  if (!*mark) return;
  {
    const std::lock_guard lock(mutex);
    synced_at = (*mark)->synced_at;
  }
  if (!(*mark)->is_unchanged) {
    return log(LogLevel::kWarning, "the home's files were changed by somebody else: all is read again");
  }
  const Json* index = (*mark)->details.find("index");
  const auto policy = home_store.load_policy();
  const auto topics = home_store.load_topics();
  if (index == nullptr || !policy || !topics) return;
  auto content = FleetContent::restore(*policy, *topics, *index);
  if (!content)
    return log(LogLevel::kWarning, "the home's own copy is not used: " + content.error().to_string());
  FleetState restored(true);
  restored.content = *std::move(content);
  Revisions revisions{};
  for (const Scope scope : kScopes) {
    const Json* of = (*mark)->details.find(scope == Scope::kFleet ? "fleet" : "site");
    if (of == nullptr) return;
    const auto revision = number_in(*of, "revision");
    const auto guard_revision = number_in(*of, "guard_revision");
    const Json* guard = of->find("guard");
    if (!revision || !guard_revision || guard == nullptr || !guard->is_string()) return;
    revisions[at(scope)] = *revision;
    restored.stand(scope) = {FleetGuard::parse(guard->as_string()), *guard_revision};
  }
  const std::lock_guard lock(mutex);
  state = std::move(restored);
  applied = written = revisions;
  written_stands = state.stands;
  is_loaded = true;
}

bool FleetFollower::Impl::read_all() {
  std::int64_t least = 0;
  for (;;) {
    auto read = read_fleet(client, layout);
    const std::lock_guard lock(mutex);
    if (!read) {
      note(read_problem, read.error(), "the fleet's policy cannot be read");
      return false;
    }
    note(read_problem, std::nullopt, "the fleet's policy cannot be read");
    // What a watch has told meanwhile it tells once.
    least = std::max({least, applied[0], applied[1]});
    if (read->revision < least) continue;
    applied = {read->revision, read->revision};
    state = *std::move(read);
    ++full_reads;
    is_loaded = true;
    is_dirty = true;
    changed.notify_all();
    return true;
  }
}

// ---- Following ----

void FleetFollower::Impl::start_watchers() {
  for (const Scope scope : kScopes) {
    if (watchers[at(scope)]) continue;
    auto own = EtcdClient::create(options.address, options.etcd);
    std::int64_t from = 0;
    {
      const std::lock_guard lock(mutex);
      note(follow_problems[at(scope)], own ? std::nullopt : std::optional(own.error()),
           "the store cannot be followed");
      from = applied[at(scope)] + 1;
    }
    if (!own) continue;
    const std::string prefix = layout.scope_prefix(scope);
    watchers[at(scope)] = std::make_unique<RangeWatcher>(
        *std::move(own), prefix, prefix_end(prefix), from,
        RangeWatcher::Handler{[this, scope](const WatchEvents& told) { on_events(scope, told); },
                              [this, scope](std::int64_t next) { return close_gap(scope, next); },
                              [this, scope](const std::optional<Error>& problem) {
                                const std::lock_guard lock(mutex);
                                note(follow_problems[at(scope)], problem, "the store cannot be followed");
                              }});
  }
}

void FleetFollower::Impl::on_events(Scope scope, const WatchEvents& told) {
  const std::lock_guard lock(mutex);
  for (std::size_t i = 0; i < told.events.size(); ++i) {
    if (told.revisions[i] <= applied[at(scope)]) continue;
    state.apply(layout, told.events[i], told.revisions[i]);
    is_dirty = true;
  }
  applied[at(scope)] = std::max(applied[at(scope)], told.revision);
  changed.notify_all();
}

std::optional<std::int64_t> FleetFollower::Impl::close_gap(Scope scope, std::int64_t next) {
  const std::lock_guard one_by_one(gap_mutex);
  {
    const std::lock_guard lock(mutex);
    if (applied[at(scope)] >= next) return applied[at(scope)] + 1;  // the other watcher was here
  }
  log(LogLevel::kInfo, "what happened meanwhile is compacted: all is read again");
  if (!read_all()) return std::nullopt;
  const std::lock_guard lock(mutex);
  return applied[at(scope)] + 1;
}

// ---- Writing ----

/// Nothing: what the home says stays.
std::optional<Version> FleetFollower::Impl::version_to_write() {
  static constexpr const char* kWhat = "the home stays as it is";
  const std::lock_guard lock(mutex);
  if (!is_dirty) return std::nullopt;
  is_dirty = false;
  if (state.is_partial()) {
    note(write_problem, push_under_way(state.stands), kWhat);
    return std::nullopt;
  }
  auto policy = state.content.policy();
  auto topics = state.content.topics();
  std::optional<Error> problem;
  if (!policy) {
    problem = policy.error();
  } else if (!topics) {
    problem = topics.error();
  } else {
    problem = unfit(*policy);
  }
  if (problem) {
    note(write_problem, std::move(problem), kWhat);
    return std::nullopt;
  }
  return Version{*std::move(policy), *std::move(topics), state.content.index(), applied, state.stands};
}

Result<EditReport> FleetFollower::Impl::edit_topics(const TopicDocument& topics,
                                                    const EditOptions& edit_options) const {
  return topics_file.edit(
      [&](TopicDocument& there) -> Result<void> {
        there = topics;
        return {};
      },
      edit_options);
}

void FleetFollower::Impl::write_home() {
  const auto version = version_to_write();
  if (!version) return;
  EditOptions edit_options;
  edit_options.clock = options.clock;
  const FleetGuard& last =
      version->stands[at(Scope::kFleet)].guard_revision > version->stands[at(Scope::kSite)].guard_revision
          ? version->stands[at(Scope::kFleet)].guard
          : version->stands[at(Scope::kSite)].guard;
  edit_options.note = {last.who.empty() ? "the fleet" : last.who, "follow: " + last.command, false};
  // Each of the two files comes into force by itself. Until the policy is there, and with it the rules that
  // are new, those that were there count too: so nothing opens in between that neither version opens.
  // Where the rules that are there cannot be read, the policy is still to come into force.
  const auto present = topics_file.load_document();
  Result<EditReport> done = EditReport();
  if (present) {
    done = edit_topics(strictest(version->topics, *present), edit_options);
  } else if (present.error().code == ErrorCode::kNotFound) {
    done = edit_topics(version->topics, edit_options);
  }
  if (done) {
    done = auth_file.edit(
        [&](Policy& policy) -> Result<void> {
          policy = version->policy;
          return {};
        },
        edit_options);
  }
  if (done) done = edit_topics(version->topics, edit_options);
  std::optional<Error> problem;
  if (!done) problem = done.error();
  if (!problem) {
    if (auto saved = local_copy.save(options.address.to_string(), details_of(*version), options.clock());
        !saved) {
      problem = saved.error();
    }
  }
  const std::lock_guard lock(mutex);
  note(write_problem, problem, "the home cannot be written");
  if (problem) {
    is_dirty = true;  // tried again at the next check
  } else {
    written = version->revisions;
    written_stands = version->stands;
    ++edits;
  }
  changed.notify_all();
}

// ---- Making sure ----

void FleetFollower::Impl::check() {
  const Timestamp asked_at = options.clock();
  const auto asked_steadily_at = steady_clock::now();
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex);
    number = ++checks;
    wants_check = false;
  }
  std::optional<Error> problem;
  bool is_same = true;
  for (const Scope scope : kScopes) {
    const auto answer = client.range({.key = layout.key({.scope = scope, .kind = FleetKey::Kind::kGuard})});
    if (!answer) {
      problem = answer.error();
      break;
    }
    const std::int64_t revision = answer->values.empty() ? 0 : answer->values.front().mod_revision;
    const std::lock_guard lock(mutex);
    is_same = is_same && written_stands[at(scope)].guard_revision == revision;
  }
  bool is_lost = false;
  {
    const std::lock_guard lock(mutex);
    note(check_problem, problem, "the store does not answer");
    const bool is_behind = !problem && !is_same && !write_problem;
    if (!is_behind) behind_since.reset();
    if (is_behind && !behind_since) behind_since = steady_clock::now();
    is_lost = behind_since && steady_clock::now() - *behind_since > kLongestBehind;
    if (is_lost) behind_since.reset();
    if (!problem && is_same && !is_dirty && !write_problem) {
      synced_at = asked_at;
      synced_steadily_at = asked_steadily_at;
      good_check = number;
    }
    changed.notify_all();
    if (good_check != number && !is_lost) return;
  }
  if (is_lost) {
    log(LogLevel::kWarning, "edits of the store were not told to this bus: all is read again");
    static_cast<void>(read_all());
    return;
  }
  static_cast<void>(local_copy.note_synced(asked_at));  // only an age that is told too old
}

void FleetFollower::Impl::exchange_pending() {
  const auto exchanged = pending_exchange.exchange();
  if (exchanged) return;
  const std::lock_guard lock(mutex);
  note(check_problem, exchanged.error(), "who waits cannot be told to the store");
}

// ---- The thread ----

void FleetFollower::Impl::run(const std::stop_token& stop) {
  int tries = 0;
  auto next_check = steady_clock::now();
  while (!stop.stop_requested()) {
    if (!has_loaded() && !read_all()) {
      if (!sleep_for(stop, backoff(tries++))) return;
      continue;
    }
    tries = 0;
    start_watchers();
    write_home();
    if (steady_clock::now() >= next_check) {
      check();
      exchange_pending();
      next_check = steady_clock::now() + options.check_interval;
      const std::lock_guard lock(mutex);
      if (write_problem) is_dirty = true;
    }
    std::unique_lock lock(mutex);
    changed.wait_until(lock, stop, next_check,
                       [this] { return wants_check || (is_dirty && !write_problem); });
    if (wants_check) next_check = steady_clock::now();
  }
}

void FleetFollower::Impl::stop() {
  keeper.request_stop();
  client.stop();
  if (keeper.joinable()) keeper.join();
  for (auto& watcher : watchers) watcher.reset();
}

// ---- Edits of the bus ----

/// What the fleet shares, as the follower knows it.
class FleetFollower::FollowedStore final : public PolicyStore {
 public:
  explicit FollowedStore(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

  Result<Policy> load_policy() const override { return impl_->home_store.load_policy(); }
  Result<TopicDocument> load_topics() const override { return impl_->home_store.load_topics(); }
  Result<PendingState> load_pending() const override { return impl_->home_store.load_pending(); }

  Result<EditReport> edit_policy(const AuthFile::Change& change, const EditOptions& options) override {
    return edit<Policy>(change, options, [](const FleetContent& content) { return content.policy(); });
  }
  Result<EditReport> edit_topics(const TopicsFile::Change& change, const EditOptions& options) override {
    return edit<TopicDocument>(change, options, [](const FleetContent& content) { return content.topics(); });
  }
  Result<void> edit_pending(const PendingChange& change, std::chrono::milliseconds patience) override {
    return impl_->home_store.edit_pending(change, patience);
  }
  Result<std::unique_ptr<StoreWatch>> watch(std::function<void(const StoreChanges&)> on_change) override {
    return impl_->home_store.watch(std::move(on_change));
  }

 private:
  template <typename Document, typename Change, typename Meaning>
  Result<EditReport> edit(const Change& change, const EditOptions& options, Meaning meaning) {
    Impl& self = *impl_;
    const auto deadline = steady_clock::now() + options.patience;
    const Scope edits =
        self.options.address.edits == StoreAddress::Edits::kSite ? Scope::kSite : Scope::kFleet;
    const auto prepare = [&]() -> Result<Prepared> {
      const std::lock_guard lock(self.mutex);
      if (!self.is_loaded) {
        const auto problem = self.problem();
        return Error{
            ErrorCode::kIoError,
            "the store has not been reached yet" + (problem ? ": " + problem->message : std::string()), ""};
      }
      if (self.state.is_partial()) return push_under_way(self.state.stands);
      Result<Document> document = meaning(self.state.content);
      if (!document) return document.error();
      if (auto changed = change(*document); !changed) return changed.error();
      auto changes = self.state.content.difference(*document, edits);
      if (!changes) return changes.error();
      return Prepared{self.state.stands, *std::move(changes)};
    };
    std::int64_t revision = 0;
    auto report = edit_fleet(self.client, self.layout, edits, options, prepare, &revision);
    if (!report || !report->written) return report;
    std::unique_lock lock(self.mutex);
    const bool is_here =
        self.changed.wait_until(lock, deadline, [&] { return self.written[at(edits)] >= revision; });
    if (!is_here) report->warnings.emplace_back("the store has it, but this home does not yet");
    return report;
  }

  const std::shared_ptr<Impl> impl_;
};

// ---- The follower ----

FleetFollower::FleetFollower(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

FleetFollower::~FleetFollower() { impl_->stop(); }

Result<std::unique_ptr<FleetFollower>> FleetFollower::start(const std::filesystem::path& home,
                                                            Options options) {
  if (options.address.site.empty()) {
    return Error{ErrorCode::kInvalidArgument, "a bus is a site of its fleet: name it by \"?site=NAME\"", ""};
  }
  const auto mark = LocalCopy(home, options.strict_modes).load();
  if (!mark) return mark.error();
  if (*mark && (*mark)->store != options.address.to_string()) {
    return Error{ErrorCode::kConflict,
                 "this home follows \"" + (*mark)->store + "\": end that first, by `vctl auth unfollow`", ""};
  }
  auto client = EtcdClient::create(options.address, options.etcd);
  if (!client) return client.error();
  auto impl = std::make_shared<Impl>(home, std::move(options), *std::move(client));
  impl->restore();
  Impl* self = impl.get();
  impl->keeper = std::jthread([self](const std::stop_token& stop) { self->run(stop); });
  return std::unique_ptr<FleetFollower>(new FleetFollower(std::move(impl)));
}

FleetFollower::Status FleetFollower::status() const {
  const std::lock_guard lock(impl_->mutex);
  return {.revision = std::max(impl_->written[0], impl_->written[1]),
          .keys = impl_->state.content.size(),
          .synced_at = impl_->synced_at,
          .problem = impl_->problem(),
          .edits = impl_->edits,
          .full_reads = impl_->full_reads};
}

Result<void> FleetFollower::wait_until_synced(std::chrono::milliseconds patience) const {
  std::unique_lock lock(impl_->mutex);
  const std::uint64_t before = impl_->checks;  // the last of them may be under way
  const auto deadline = steady_clock::now() + patience;
  while (impl_->good_check <= before && steady_clock::now() < deadline) {
    impl_->wants_check = true;
    impl_->changed.notify_all();
    impl_->changed.wait_until(lock, std::min(deadline, steady_clock::now() + kBetweenChecks),
                              [&] { return impl_->good_check > before; });
  }
  const bool is_synced = impl_->good_check > before;
  if (is_synced) return {};
  const auto problem = impl_->problem();
  return Error{ErrorCode::kBusy,
               "the home does not say yet what the store says" +
                   (problem ? ": " + problem->to_string() : std::string()),
               ""};
}

std::function<std::optional<std::chrono::milliseconds>()> FleetFollower::policy_age() const {
  return [impl = impl_]() -> std::optional<std::chrono::milliseconds> {
    using std::chrono::milliseconds;
    const std::lock_guard lock(impl->mutex);
    if (impl->synced_steadily_at) {
      return std::chrono::floor<milliseconds>(steady_clock::now() - *impl->synced_steadily_at);
    }
    if (!impl->synced_at) return std::nullopt;
    return std::max(milliseconds(0), impl->options.clock() - *impl->synced_at);
  };
}

std::shared_ptr<PolicyStore> FleetFollower::store() const { return std::make_shared<FollowedStore>(impl_); }

}  // namespace vipauth
