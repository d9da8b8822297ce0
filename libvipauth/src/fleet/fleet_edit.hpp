#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include <vipauth/file_edit.hpp>
#include <vipauth/result.hpp>

#include "fleet/etcd_client.hpp"
#include "fleet/fleet_content.hpp"
#include "fleet/fleet_layout.hpp"
#include "fleet/fleet_reader.hpp"

namespace vipauth::fleet {

/// What became of a transaction.
struct Committed {
  bool succeeded = false;  ///< false: somebody else was faster, and nothing was done
  std::int64_t revision = 0;
};

/// Most keys that one edit changes: as many as etcd takes in one transaction, with room for guards.
inline constexpr std::size_t kMostChanges = 100;

/// Writes changes, and the guard of the scope that is edited, if nobody has written the guard of either scope
/// since `stands`. What fails in doubt is asked for again until `deadline`, and the guard tells what was
/// made: so it is made once, or not at all.
/// \param guard  what becomes the guard; of both scopes where it says so (FleetGuard::with_site)
/// \return what EtcdClient::txn returns; of an error in doubt the message says so
Result<Committed> commit(const EtcdClient& client, const FleetLayout& layout, const Stands& stands,
                         Scope edits, const KeyChanges& changes, const FleetGuard& guard,
                         std::chrono::steady_clock::time_point deadline);

/// True where an edit of one scope changes what is the other's, too: its guard is then of both.
bool is_of_both(const KeyChanges& changes, Scope edits);

/// What an edit is to write, and what it was worked out from.
struct Prepared {
  Stands stands;
  KeyChanges changes;
};

/// Works out an edit on what is there, and writes it, until nobody has been faster or the patience is over.
/// \param prepare  on what is there now; nothing to change: nothing is written
/// \param revision  null, or where to tell what was written
/// \return what `prepare` and commit() return; kLimitExceeded, kConflict
Result<EditReport> edit_fleet(const EtcdClient& client, const FleetLayout& layout, Scope edits,
                              const EditOptions& options, const std::function<Result<Prepared>()>& prepare,
                              std::int64_t* revision = nullptr);

/// A push keeps others waiting.
Error push_under_way(const Stands& stands);

}  // namespace vipauth::fleet
