#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <vipauth/policy_snapshot.hpp>

namespace vipauth {

/// A policy has been replaced.
struct PolicyChange {
  std::uint64_t generation = 0;
  /// Users of whom some credentials are no longer accepted: drop their connections where you can. Their
  /// sessions refuse by themselves.
  std::vector<std::string> revoked;
  /// Identities of agents of which some method requires something else now, sorted; whatever the cause: an
  /// agent that registered, `rpc add`, an edit by hand. MethodRegistry::requirements tells what.
  std::vector<std::string> methods_changed = {};
  /// The policies before and after it. What differs between them is only worked out where somebody asks:
  /// capability_changes(), capability_update() in <vipauth/capability_updates.hpp>.
  std::shared_ptr<const PolicySnapshot> before = {};
  std::shared_ptr<const PolicySnapshot> after = {};
};

}  // namespace vipauth
