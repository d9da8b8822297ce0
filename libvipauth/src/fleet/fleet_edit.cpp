#include "fleet/fleet_edit.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "fleet/range_watcher.hpp"

namespace vipauth::fleet {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kBetweenTries{200};

std::string guard_key(const FleetLayout& layout, Scope scope) {
  return layout.key({.scope = scope, .kind = FleetKey::Kind::kGuard});
}

std::vector<Compare> nobody_wrote(const FleetLayout& layout, const Stands& stands) {
  std::vector<Compare> out;
  for (const Scope scope : {Scope::kFleet, Scope::kSite}) {
    if (scope == Scope::kSite && layout.site().empty()) continue;
    out.push_back({.key = guard_key(layout, scope),
                   .field = Compare::Field::kModRevision,
                   .equals = stands[static_cast<std::size_t>(scope)].guard_revision});
  }
  return out;
}

Error in_doubt(const Error& error) {
  return Error{error.code,
               error.message +
                   "; the change may have been made all the same, or be made yet: look before you repeat it",
               error.location};
}

/// When the guard of that edit was written. Nothing: it was not.
Result<std::optional<std::int64_t>> find_edit(const EtcdClient& client, const std::string& key,
                                              std::int64_t since, const std::string& edit,
                                              EtcdClient::Deadline deadline) {
  std::int64_t revision = 0;
  for (;;) {
    const auto answer = client.range({.key = key, .revision = revision}, deadline);
    if (!answer) return answer.error();
    if (answer->values.empty() || answer->values.front().mod_revision <= since) {
      return std::optional<std::int64_t>();
    }
    const KeyValue& guard = answer->values.front();
    if (FleetGuard::parse(guard.value).edit == edit) return std::optional(guard.mod_revision);
    revision = guard.mod_revision - 1;
    if (revision <= since) return std::optional<std::int64_t>();
  }
}

}  // namespace

bool is_of_both(const KeyChanges& changes, Scope edits) {
  return std::any_of(changes.begin(), changes.end(),
                     [&](const KeyChange& change) { return change.first.scope != edits; });
}

Result<Committed> commit(const EtcdClient& client, const FleetLayout& layout, const Stands& stands,
                         Scope edits, const KeyChanges& changes, const FleetGuard& guard,
                         steady_clock::time_point deadline) {
  const std::vector<Compare> compares = nobody_wrote(layout, stands);
  std::vector<Mutation> mutations;
  mutations.reserve(changes.size() + 2);
  for (const auto& [key, value] : changes) mutations.push_back({.key = layout.key(key), .value = value});
  const std::string own_guard = guard_key(layout, edits);
  for (const Scope scope : {Scope::kFleet, Scope::kSite}) {
    if (scope != edits && guard.with_site.empty()) continue;
    mutations.push_back({.key = guard_key(layout, scope), .value = guard.to_text()});
  }

  bool doubt = false;
  for (;;) {
    const auto answer = client.txn(compares, mutations, deadline);
    if (answer && answer->succeeded) return Committed{true, answer->revision};
    if (answer && !doubt) return Committed{false, answer->revision};
    if (answer) {
      // One that went before, whose answer was lost, may have been made: the guards since then tell. None of
      // those that are still under way can be made any more, for they expect an older guard.
      const auto made = find_edit(client, own_guard, stands[static_cast<std::size_t>(edits)].guard_revision,
                                  guard.edit, deadline);
      if (made) return *made ? Committed{true, **made} : Committed{false, answer->revision};
    } else {
      // There will be a leader again.
      const bool is_for_now = answer.error().code == ErrorCode::kBusy;
      if (!doubt && !is_for_now && EtcdClient::is_certain(answer.error())) return answer.error();
      doubt = doubt || !EtcdClient::is_certain(answer.error());
      if (steady_clock::now() + kBetweenTries >= deadline) {
        return doubt ? in_doubt(answer.error()) : answer.error();
      }
    }
    if (steady_clock::now() + kBetweenTries >= deadline) {
      return in_doubt({ErrorCode::kIoError, "the cluster did not answer in time", ""});
    }
    std::this_thread::sleep_for(kBetweenTries);
  }
}

Error push_under_way(const Stands& stands) {
  const FleetGuard& guard = stands[0].guard.partial ? stands[0].guard : stands[1].guard;
  return Error{ErrorCode::kBusy,
               "a push is under way, by \"" + guard.who + "\" since " + guard.time +
                   ": wait for it, or where it was broken off, push again" +
                   (guard.with_site.empty()
                        ? std::string()
                        : " by the same address, with \"?site=" + guard.with_site + "&edit=fleet\""),
               ""};
}

Result<EditReport> edit_fleet(const EtcdClient& client, const FleetLayout& layout, Scope edits,
                              const EditOptions& options, const std::function<Result<Prepared>()>& prepare,
                              std::int64_t* revision) {
  const auto deadline = steady_clock::now() + options.patience;
  for (int tries = 0;; ++tries) {
    const auto prepared = prepare();
    if (!prepared) return prepared.error();
    if (prepared->changes.empty()) return EditReport{};
    if (prepared->changes.size() > kMostChanges) {
      return Error{ErrorCode::kLimitExceeded,
                   "this changes " + std::to_string(prepared->changes.size()) +
                       " records, roles or rules, and " + std::to_string(kMostChanges) +
                       " are the most of one edit: make it on a home, and push that",
                   ""};
    }
    FleetGuard guard = FleetGuard::of(options);
    if (is_of_both(prepared->changes, edits)) guard.with_site = layout.site();
    const auto committed =
        commit(client, layout, prepared->stands, edits, prepared->changes, guard, deadline);
    if (!committed) return committed.error();
    if (committed->succeeded) {
      if (revision != nullptr) *revision = committed->revision;
      return EditReport{.written = true, .warnings = {}};
    }
    if (steady_clock::now() >= deadline) {
      return Error{ErrorCode::kConflict, "again and again somebody else was faster: try again", ""};
    }
    std::this_thread::sleep_until(std::min(deadline, steady_clock::now() + backoff(tries) / 4));
  }
}

}  // namespace vipauth::fleet
