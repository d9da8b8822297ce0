#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/declared_method.hpp>
#include <vipauth/policy.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

class PolicyIndex;

/// What calls to one method require.
struct MethodRequirement {
  std::string identity;
  std::string method;
  std::vector<std::string> capabilities;  ///< each once; none: nothing is required
  friend bool operator==(const MethodRequirement&, const MethodRequirement&) = default;
};

/// Knows which capabilities an agent's RPC methods require, and which parameters they have.
///
/// They come from `rpc_method_authorizations` of every allow record whose identity is the agent's, active or
/// not, together. `[]` and `[""]` require nothing. Of a method that no record lists, or only as `[]`, what
/// the agent's code declares counts (semantics 5). Immutable; copies share state; const members may be called
/// from any thread.
class MethodRegistry {
 public:
  static constexpr std::size_t kMaxAgents = 10'000;     ///< most declarations that are kept
  static constexpr std::size_t kMaxAgentsOfOwner = 16;  ///< of them, made by one user

  VIPAUTH_EXPORT static MethodRegistry create(const Policy& policy);
  /// The same of what the library itself keeps of a file.
  static MethodRegistry create(std::shared_ptr<const PolicyIndex> records);

  /// The capabilities that `callee`'s `method` requires, each once: none for an unknown callee or method.
  /// The span lives as long as this object or a copy of it.
  /// \return kInvalidArgument  a record of the callee lists them in a form that cannot be read
  VIPAUTH_EXPORT Result<std::span<const std::string>> required(std::string_view callee,
                                                               std::string_view method) const;

  /// Every method that records list or agents declare, with what it requires; sorted by identity and method.
  /// An identity whose methods cannot be read is not among them.
  VIPAUTH_EXPORT std::vector<MethodRequirement> requirements() const;
  /// The same, of one agent.
  VIPAUTH_EXPORT std::vector<MethodRequirement> requirements(std::string_view identity) const;

  /// Identities of which required() is an Error, sorted.
  VIPAUTH_EXPORT std::vector<std::string> unreadable() const;

  /// True where a record gives this identity to somebody.
  VIPAUTH_EXPORT bool knows(std::string_view identity) const;

  /// This registry with what the code of the agent `identity` declares, in the place of what it declared
  /// before.
  /// \param methods  checked: see check_declaration
  /// \param owner    the user who says so; empty: nobody in particular, whose declarations are not counted
  /// \return kLimitExceeded  kMaxAgents, kMaxAgentsOfOwner
  VIPAUTH_EXPORT Result<MethodRegistry> declare(std::string_view identity,
                                                std::vector<DeclaredMethod> methods,
                                                std::string_view owner = {}) const;
  /// This registry without what that agent declared.
  VIPAUTH_EXPORT MethodRegistry forget(std::string_view identity) const;
  /// This registry with what agents declared to `other`.
  VIPAUTH_EXPORT MethodRegistry with_declarations_of(const MethodRegistry& other) const;

  /// True where one was made of the other, and no agent declares anything else.
  bool has_same_declarations(const MethodRegistry& other) const noexcept {
    return declarations_ == other.declarations_;
  }

  /// What the agent declared; nullptr where it did not declare (that method). It lives as long as this object
  /// or a copy of it.
  VIPAUTH_EXPORT const std::vector<DeclaredMethod>* declaration(std::string_view identity) const;
  /// The user who declared them; empty: nobody in particular. nullptr as above.
  VIPAUTH_EXPORT const std::string* declared_by(std::string_view identity) const;
  VIPAUTH_EXPORT const DeclaredMethod* find_declared(std::string_view identity,
                                                     std::string_view method) const;

  /// True where the records of an agent lack some of what it declares: they do not list a method yet, or list
  /// nothing for it. False where it has no record.
  VIPAUTH_EXPORT bool lacks_declaration(std::string_view identity) const;

  /// The agents of which some method requires something else here than in `before`, sorted.
  VIPAUTH_EXPORT std::vector<std::string> changed_since(const MethodRegistry& before) const;

 private:
  struct Declarations;
  MethodRegistry(std::shared_ptr<const PolicyIndex> records,
                 std::shared_ptr<const Declarations> declarations);

  std::shared_ptr<const PolicyIndex> records_;
  std::shared_ptr<const Declarations> declarations_;
};

}  // namespace vipauth
