#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/policy.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// What calls to one method require.
struct MethodRequirement {
  std::string identity;
  std::string method;
  std::vector<std::string> capabilities;  ///< each once; none: nothing is required
};

/// Knows which capabilities an agent's RPC methods require.
///
/// They come from `rpc_method_authorizations` of every allow record whose identity is the agent's, active or
/// not, together. `[]` and `[""]` require nothing (semantics 5). Immutable; copies share state; const members
/// may be called from any thread.
class MethodRegistry {
 public:
  VIPAUTH_EXPORT static MethodRegistry create(const Policy& policy);

  /// The capabilities that `callee`'s `method` requires, each once: none for an unknown callee or method.
  /// The span lives as long as this object or a copy of it.
  /// \return kInvalidArgument  a record of the callee lists them in a form that cannot be read
  VIPAUTH_EXPORT Result<std::span<const std::string>> required(std::string_view callee,
                                                               std::string_view method) const;

  /// Every method that records list, with what it requires; sorted by identity and method. An identity whose
  /// methods cannot be read is not among them.
  VIPAUTH_EXPORT std::vector<MethodRequirement> requirements() const;

  /// Identities of which required() is an Error, sorted.
  VIPAUTH_EXPORT std::vector<std::string> unreadable() const;

  /// True where a record gives this identity to somebody.
  VIPAUTH_EXPORT bool knows(std::string_view identity) const;

 private:
  struct Index;
  explicit MethodRegistry(std::shared_ptr<const Index> index);
  std::shared_ptr<const Index> index_;
};

}  // namespace vipauth
