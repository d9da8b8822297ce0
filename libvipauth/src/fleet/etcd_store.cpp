#include <vipauth/etcd_store.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "fleet/etcd_client.hpp"
#include "fleet/fleet_edit.hpp"
#include "fleet/fleet_layout.hpp"
#include "fleet/fleet_reader.hpp"
#include "fleet/fleet_requests.hpp"
#include "fleet/range_watcher.hpp"

namespace vipauth {
namespace {

using namespace fleet;
using std::chrono::steady_clock;

/// Which part of what is stored a key is of.
StoreChanges changes_of(const FleetLayout& layout, const std::vector<Mutation>& events) {
  StoreChanges out;
  for (const Mutation& event : events) {
    const auto key = layout.parse(event.key);
    if (!key) {
      out.pending = out.pending || layout.site_of_pending(event.key).has_value();
      continue;
    }
    switch (key->kind) {
      case FleetKey::Kind::kGuard: break;
      case FleetKey::Kind::kWriteProtect:
      case FleetKey::Kind::kReadProtect:
      case FleetKey::Kind::kTopicsMembers: out.topics = true; break;
      default: out.policy = true; break;
    }
  }
  return out;
}

void wipe(std::string& text) { ::explicit_bzero(text.data(), text.size()); }

/// One watcher for each range that is followed.
class EtcdWatch final : public StoreWatch {
 public:
  std::vector<std::unique_ptr<RangeWatcher>> watchers;
};

}  // namespace

struct EtcdStore::Impl {
  Impl(StoreAddress an_address, EtcdOptions the_options, EtcdClient a_client)
      : address(std::move(an_address)),
        options(std::move(the_options)),
        client(std::move(a_client)),
        layout(address.prefix, address.site) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { wipe(options.password); }

  StoreAddress address;
  EtcdOptions options;
  EtcdClient client;
  FleetLayout layout;

  Scope edits() const { return address.edits == StoreAddress::Edits::kSite ? Scope::kSite : Scope::kFleet; }

  Result<FleetState> read(EtcdClient::Deadline deadline = {}) const {
    auto state = read_fleet(client, layout, {}, deadline);
    if (state && state->is_partial()) return push_under_way(state->stands);
    return state;
  }

  FleetRequests requests() const { return {client, layout, edits(), options.log}; }

  /// \param meaning  of the content: what `change` edits
  template <typename Document, typename Change, typename Meaning>
  Result<EditReport> edit(const Change& change, const EditOptions& edit_options, Meaning meaning) {
    const auto deadline = steady_clock::now() + edit_options.patience;
    return edit_fleet(client, layout, edits(), edit_options, [&]() -> Result<Prepared> {
      auto state = read(deadline);
      if (!state) return state.error();
      Result<Document> document = meaning(state->content);
      if (!document) return document.error();
      if (auto changed = change(*document); !changed) return changed.error();
      auto changes = state->content.difference(*document, edits());
      if (!changes) return changes.error();
      return Prepared{std::move(state->stands), *std::move(changes)};
    });
  }

  std::unique_ptr<RangeWatcher> follow(const std::string& prefix, std::int64_t from,
                                       const std::function<void(const StoreChanges&)>& on_change,
                                       StoreChanges everything) const;
};

EtcdStore::EtcdStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EtcdStore::~EtcdStore() = default;

Result<std::unique_ptr<EtcdStore>> EtcdStore::open(const StoreAddress& address, EtcdOptions options) {
  auto client = EtcdClient::create(address, options);
  auto impl = client ? std::make_unique<Impl>(address, options, *std::move(client)) : nullptr;
  wipe(options.password);
  if (!client) return client.error();
  return std::unique_ptr<EtcdStore>(new EtcdStore(std::move(impl)));
}

const StoreAddress& EtcdStore::address() const noexcept { return impl_->address; }

Result<Policy> EtcdStore::load_policy() const {
  const auto state = impl_->read();
  if (!state) return state.error();
  return state->content.policy();
}

Result<TopicDocument> EtcdStore::load_topics() const {
  const auto state = impl_->read();
  if (!state) return state.error();
  return state->content.topics();
}

Result<PolicyStore::Version> EtcdStore::load_version() const {
  const auto state = impl_->read();
  if (!state) return state.error();
  auto policy = state->content.policy();
  if (!policy) return policy.error();
  auto topics = state->content.topics();
  if (!topics) return topics.error();
  return Version{*std::move(policy), *std::move(topics)};
}

Result<PendingState> EtcdStore::load_pending() const { return impl_->requests().load(); }

Result<std::vector<Error>> EtcdStore::problems() const {
  const auto state = impl_->read();
  if (!state) return state.error();
  return state->content.problems();
}

Result<EditReport> EtcdStore::edit_policy(const AuthFile::Change& change, const EditOptions& options) {
  return impl_->edit<Policy>(change, options, [](const FleetContent& content) { return content.policy(); });
}

Result<EditReport> EtcdStore::edit_topics(const TopicsFile::Change& change, const EditOptions& options) {
  return impl_->edit<TopicDocument>(change, options,
                                    [](const FleetContent& content) { return content.topics(); });
}

Result<void> EtcdStore::edit_pending(const PendingChange& change, std::chrono::milliseconds patience) {
  return impl_->requests().edit(change, steady_clock::now() + patience);
}

// ---- Watching ----

std::unique_ptr<RangeWatcher> EtcdStore::Impl::follow(
    const std::string& prefix, std::int64_t from, const std::function<void(const StoreChanges&)>& on_change,
    StoreChanges everything) const {
  auto own = EtcdClient::create(address, options);
  if (!own) return nullptr;
  const auto on_gap = [this, on_change, everything](std::int64_t) -> std::optional<std::int64_t> {
    const auto present = client.range({.key = layout.scope_prefix(Scope::kFleet)});
    if (!present) return std::nullopt;
    on_change(everything);
    return present->revision + 1;
  };
  const auto on_problem = [log = options.log](const std::optional<Error>& problem) {
    if (log && problem) log(LogLevel::kWarning, "etcd cannot be followed: " + problem->to_string());
  };
  return std::make_unique<RangeWatcher>(
      *std::move(own), prefix, prefix_end(prefix), from,
      RangeWatcher::Handler{[layout = layout, on_change](const WatchEvents& told) {
                              const StoreChanges changes = changes_of(layout, told.events);
                              if (changes.policy || changes.topics || changes.pending) on_change(changes);
                            },
                            on_gap, on_problem});
}

Result<std::unique_ptr<StoreWatch>> EtcdStore::watch(std::function<void(const StoreChanges&)> on_change) {
  const auto present = impl_->client.range({.key = impl_->layout.scope_prefix(Scope::kFleet)});
  if (!present) return present.error();
  const std::array ranges{
      std::pair(impl_->layout.scope_prefix(Scope::kFleet), StoreChanges{true, true, false}),
      std::pair(impl_->layout.scope_prefix(Scope::kSite), StoreChanges{true, true, false}),
      std::pair(impl_->layout.pending_prefix(), StoreChanges{false, false, true})};
  auto watch = std::make_unique<EtcdWatch>();
  for (const auto& [prefix, everything] : ranges) {
    if (prefix.empty()) continue;
    try {
      auto watcher = impl_->follow(prefix, present->revision + 1, on_change, everything);
      if (!watcher) {
        return Error{ErrorCode::kUnavailable, "the files of the store's options cannot be read any more", ""};
      }
      watch->watchers.push_back(std::move(watcher));
    } catch (const std::system_error& error) {
      return Error{ErrorCode::kUnavailable, std::string("there is no thread: ") + error.what(), ""};
    }
  }
  return std::unique_ptr<StoreWatch>(std::move(watch));
}

// ---- Pushing ----

namespace {

/// Nobody else's push is under way, or one that `edits` goes on with.
bool can_push(const FleetState& state, Scope edits, const std::string& site) {
  const FleetGuard& own = state.stand(edits).guard;
  const FleetGuard& other = state.stand(edits == Scope::kFleet ? Scope::kSite : Scope::kFleet).guard;
  if (!own.partial) return !other.partial;
  if (own.with_site.empty()) return !other.partial;
  // One of both parts is resumed by an address that names both, and edits the fleet.
  const bool is_of_both = other.partial && other.edit == own.edit && own.with_site == site;
  return is_of_both ? edits == Scope::kFleet : edits == Scope::kSite && !other.partial;
}

}  // namespace

Result<EtcdStore::PushReport> EtcdStore::push(const Policy& policy, const TopicDocument& topics,
                                              const std::function<void(const PushProgress&)>& progress,
                                              const EditOptions& options) {
  Impl& self = *impl_;
  const Scope edits = self.edits();
  const auto deadline = [&] { return steady_clock::now() + options.patience; };
  auto state = read_fleet(self.client, self.layout);
  if (!state) return state.error();
  if (!can_push(*state, edits, self.layout.site())) return push_under_way(state->stands);
  PushReport report;
  report.resumed = state->stand(edits).guard.partial;
  auto changes = state->content.difference(policy, edits);
  if (!changes) return changes.error();
  auto of_topics = state->content.difference(topics, edits);
  if (!of_topics) return of_topics.error();
  // What protects comes first, as in each of the two.
  const auto removals =
      std::stable_partition(of_topics->begin(), of_topics->end(),
                            [](const KeyChange& change) { return change.second.has_value(); });
  changes->insert(changes->begin(), std::make_move_iterator(of_topics->begin()),
                  std::make_move_iterator(removals));
  changes->insert(changes->end(), std::make_move_iterator(removals),
                  std::make_move_iterator(of_topics->end()));
  if (changes->empty() && !report.resumed) return report;

  // Each part of such a push writes both guards: no bus may see some of it where it sees no push under way.
  const bool of_both =
      is_of_both(*changes, edits) || (report.resumed && !state->stand(edits).guard.with_site.empty());
  const std::size_t total = changes->size();
  const auto write = [&](const KeyChanges& some, bool partial) -> Result<void> {
    FleetGuard guard = FleetGuard::of(options);
    guard.partial = partial;
    if (of_both) guard.with_site = self.layout.site();
    const auto committed = commit(self.client, self.layout, state->stands, edits, some, guard, deadline());
    if (!committed) return committed.error();
    if (!committed->succeeded) {
      return Error{ErrorCode::kConflict, "somebody else has changed it meanwhile: push again", ""};
    }
    state->stand(edits) = {guard, committed->revision};
    if (of_both) state->stands = {state->stand(edits), state->stand(edits)};
    return {};
  };
  const bool is_one = total <= kMostChanges;
  if (!is_one && !report.resumed) {
    if (auto begun = write({}, true); !begun) return begun.error();
  }
  for (std::size_t at = 0; at < total || is_one;) {
    const std::size_t end = std::min(at + kMostChanges, total);
    const KeyChanges some(std::make_move_iterator(changes->begin() + static_cast<std::ptrdiff_t>(at)),
                          std::make_move_iterator(changes->begin() + static_cast<std::ptrdiff_t>(end)));
    if (auto written = write(some, end < total); !written) return written.error();
    at = end;
    report.changed = at;
    if (progress) progress({at, total});
    if (is_one) break;
  }
  return report;
}

}  // namespace vipauth
