#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/call_arguments.hpp>
#include <vipauth/capability.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/decision.hpp>
#include <vipauth/ipc_trust.hpp>
#include <vipauth/policy.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// A capability as a user holds it: `{user_id}` and `{identity}` in its restrictions are filled in.
struct HeldGrant {
  Capability capability;
  std::string source;  ///< JSON Pointer: "/allow/3/capabilities", "/roles/admin"
};

class PolicyIndex;
struct Activity;

/// A user as a CapabilityResolver knows it: found once, asked about often.
///
/// It is worth something to the resolver that found it, and to copies of that. A view: the caller keeps the
/// user_id that it was found by.
class UserRef {
 public:
  std::string_view user_id() const noexcept { return user_id_; }

 private:
  friend class CapabilityResolver;
  enum class Kind { kUnknown, kOfRecords, kTrusted };
  UserRef(std::string_view user_id, Kind kind, std::uint32_t first)
      : user_id_(user_id), kind_(kind), first_(first) {}
  std::string_view user_id_;
  Kind kind_;
  std::uint32_t first_;  // of its active records
};

/// Resolves the capabilities a user holds, and decides calls and topics against them.
///
/// Grants are additive over record, roles and groups, and never written back. `{user_id}` and `{identity}` in
/// a restriction stand for the record's own (semantics 4). Immutable; copies share state; const members may
/// be called from any thread.
class CapabilityResolver {
 public:
  /// Most grants one user may hold, as they are written, and most records it may have: the file may be
  /// hostile.
  static constexpr std::size_t kMaxGrantsPerUser = 4096;
  static constexpr std::size_t kMaxRecordsPerUser = 4096;

  /// Expands the active allow records of `policy` as of `now`; keeps no reference to it.
  /// \return kLimitExceeded  a user exceeds one of these; `location` is a JSON Pointer ("/allow/3")
  /// Source: semantics 4; VOLTTRON auth_file.py, _use_groups_and_roles.
  VIPAUTH_EXPORT static Result<CapabilityResolver> create(const Policy& policy, Timestamp now,
                                                          IpcTrust ipc_trust = {});
  /// The same of some allow records only: of those whose flag, in file order, is true.
  VIPAUTH_EXPORT static Result<CapabilityResolver> create(const Policy& policy,
                                                          const std::vector<bool>& records,
                                                          IpcTrust ipc_trust = {});

  /// The same of what the library itself keeps of a file.
  static Result<CapabilityResolver> create(std::shared_ptr<const PolicyIndex> records,
                                           std::shared_ptr<const Activity> active, IpcTrust ipc_trust = {});

  /// True where one is a copy of the other.
  bool is(const CapabilityResolver& other) const noexcept { return index_ == other.index_; }

  /// Unknown users are found, too: they are refused everything.
  VIPAUTH_EXPORT UserRef find(std::string_view user_id) const;

  /// True while at least one allow record of the user is active, or it is a trusted IPC peer.
  VIPAUTH_EXPORT bool knows(std::string_view user_id) const;

  /// The names of the capabilities that the user holds, sorted, each once.
  VIPAUTH_EXPORT std::vector<std::string> capabilities_of(std::string_view user_id) const;

  /// Allows iff the user holds every name in `required` and, for each, some grant accepts `arguments`.
  /// `method` only goes into the message. Unknown user: refused, never an Error. No I/O, no allocation when
  /// allowed.
  /// Source: semantics 5.
  VIPAUTH_EXPORT Decision authorize_call(const UserRef& user, std::string_view method,
                                         std::span<const std::string> required,
                                         const CallArguments& arguments) const;
  Decision authorize_call(std::string_view user_id, std::string_view method,
                          std::span<const std::string> required, const CallArguments& arguments) const {
    return authorize_call(find(user_id), method, required, arguments);
  }

  /// The same for a topic: a restriction on a parameter named `topic` must accept it; others are ignored.
  /// `action` ("publish to", "receive") only goes into the message. Source: semantics 6.
  VIPAUTH_EXPORT Decision authorize_topic(const UserRef& user, std::string_view action,
                                          std::string_view topic,
                                          std::span<const std::string> required) const;
  Decision authorize_topic(std::string_view user_id, std::string_view action, std::string_view topic,
                           std::span<const std::string> required) const {
    return authorize_topic(find(user_id), action, topic, required);
  }

  /// Everybody who has an active allow record, sorted. Trusted IPC peers have none.
  VIPAUTH_EXPORT std::vector<std::string> users() const;

  /// Everything that the user holds, sorted by the name of the capability, and then in the order of the file.
  /// What grants nothing is not there: a restriction whose pattern does not compile, a template without an
  /// identity. Unknown user: nothing.
  VIPAUTH_EXPORT std::vector<HeldGrant> grants_of(std::string_view user_id) const;
  /// The same, of one capability.
  VIPAUTH_EXPORT std::vector<HeldGrant> grants_of(std::string_view user_id,
                                                  std::string_view capability) const;

  /// The user's active records, in file order: "/allow/3". Unknown user: none.
  VIPAUTH_EXPORT std::vector<std::string> records_of(std::string_view user_id) const;

  /// Where the user's grants of `capability` come from: "/allow/3/capabilities", "/roles/admin". For
  /// explanations.
  VIPAUTH_EXPORT std::vector<std::string> sources_of(std::string_view user_id,
                                                     std::string_view capability) const;

 private:
  struct Index;
  explicit CapabilityResolver(std::shared_ptr<const Index> index);
  std::shared_ptr<const Index> index_;
};

}  // namespace vipauth
