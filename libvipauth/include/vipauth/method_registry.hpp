#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <vipauth/policy.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

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

 private:
  struct Index;
  explicit MethodRegistry(std::shared_ptr<const Index> index);
  std::shared_ptr<const Index> index_;
};

}  // namespace vipauth
