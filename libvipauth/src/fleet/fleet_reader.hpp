#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>

#include <vipauth/result.hpp>

#include "fleet/etcd_client.hpp"
#include "fleet/fleet_content.hpp"
#include "fleet/fleet_guard.hpp"
#include "fleet/fleet_layout.hpp"

namespace vipauth::fleet {

/// How far the edits of a scope have come.
struct Stand {
  FleetGuard guard;                 ///< of the last edit
  std::int64_t guard_revision = 0;  ///< when it was written; 0: never
  std::int64_t reached = 0;         ///< the revision of what happened last to the guard: it may be gone
  std::int64_t last_of_both = 0;    ///< the revision of the last edit that was of the other scope, too
};

using Stands = std::array<Stand, 2>;  // by Scope

/// What a cluster holds of a fleet, and of one site, at one revision.
struct FleetState {
  explicit FleetState(bool has_site) : content(has_site) {}

  FleetContent content;
  std::int64_t revision = 0;
  Stands stands;

  Stand& stand(Scope scope) noexcept { return stands[static_cast<std::size_t>(scope)]; }
  const Stand& stand(Scope scope) const noexcept { return stands[static_cast<std::size_t>(scope)]; }
  /// A push is under way.
  bool is_partial() const noexcept { return stands[0].guard.partial || stands[1].guard.partial; }
  /// An edit of both scopes has arrived of the other one alone: what the other's guard says. Such an edit
  /// writes both guards in one transaction, and so at one revision: it has arrived of this scope when the
  /// guard here is of that revision, or of a later one. What was read has no halves; what is applied may
  /// have, as each scope is told by itself.
  bool lacks(Scope scope) const noexcept {
    const Scope other = scope == Scope::kFleet ? Scope::kSite : Scope::kFleet;
    return stand(scope).reached < stand(other).last_of_both;
  }
  bool is_half() const noexcept { return lacks(Scope::kFleet) || lacks(Scope::kSite); }

  /// Takes over what happened to a key. What is of no kind that is known here changes nothing.
  void apply(const FleetLayout& layout, const Mutation& mutation, std::int64_t at_revision);
};

/// Told now and then how many keys have come.
using ReadProgress = std::function<void(std::size_t keys)>;

/// Reads all of it as of one revision, page by page: a million records never travel at once, nor are they
/// counted for each page.
/// \return what EtcdClient::range returns
Result<FleetState> read_fleet(const EtcdClient& client, const FleetLayout& layout,
                              const ReadProgress& progress = {}, EtcdClient::Deadline deadline = {});

}  // namespace vipauth::fleet
