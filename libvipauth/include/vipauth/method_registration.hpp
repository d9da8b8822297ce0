#pragma once

#include <optional>
#include <vector>

#include <vipauth/error.hpp>
#include <vipauth/method_registry.hpp>

namespace vipauth {

/// What became of an agent's registration.
struct MethodRegistration {
  /// What callers of each declared method need now, sorted by method: what the records say, or else the code.
  std::vector<MethodRequirement> requirements;
  /// False where what the code declares is known to this process alone, until the agent registers again: no
  /// record has the identity, or auth.json could not be edited. It is enforced all the same.
  bool stored = false;
  std::optional<Error> problem = {};  ///< why auth.json could not be edited
};

}  // namespace vipauth
