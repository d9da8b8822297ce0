#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/auth_service.hpp>
#include <vipauth/session.hpp>

namespace vipauth {

/// The peer `platform.auth` of a VIP bus: VOLTTRON's methods of that name, on an AuthService.
///
/// | methods                                                                | who may call them             |
/// | ---------------------------------------------------------------------- | ----------------------------- |
/// | `get_user_to_capabilities`, `get_capabilities`, `get_groups`, `get_roles`, `get_authorizations`: agents
/// check their own callers by them | every peer | | `update_id_rpc_authorizations` | for its own identity
/// every peer; for others `allow_auth_modifications` | | `auth_file.read`, `.add`, `.update_by_index`,
/// `.remove_by_index`, `.remove_by_indices`, `.remove_by_credentials`, `.find_by_credentials`, `.set_roles`,
/// `.set_groups` | `allow_auth_modifications`, without a restriction | | `approve_authorization`,
/// `deny_authorization`, `delete_authorization`, `get_authorization`, `get_authorization_status`,
/// `get_pending_authorizations`, `get_approved_authorizations`, `get_denied_authorizations`,
/// `add_rpc_authorizations`, `delete_rpc_authorizations` | as Administration says | | our own:
/// `auth_file.apply`, `update_user_capabilities`, `get_protected_topics`, `update_protected_topics` | the
/// same |
///
/// No password leaves it: in `auth_file.read` a text in brackets stands in its place, which means "as it is"
/// where it comes back. `auth_file.read` tells a `digest`, too; an edit that is given it as `expected` is
/// made only where the file is still the one that was read (kConflict).
///
/// Methods edit files and wait for the disk, up to seconds where somebody else edits: answer on a thread of
/// its own where the bus has more to do, with a Session made there of the peer's acceptance. One thread at a
/// time.
/// Source: VOLTTRON auth_service.py and auth.py; semantics 4, 5 and 8.
class AuthPeer {
 public:
  static constexpr std::string_view kIdentity = "platform.auth";

  /// \param service  must outlive it
  VIPAUTH_EXPORT explicit AuthPeer(AuthService& service);
  VIPAUTH_EXPORT AuthPeer(AuthPeer&&) noexcept;
  VIPAUTH_EXPORT AuthPeer& operator=(AuthPeer&&) noexcept;
  VIPAUTH_EXPORT ~AuthPeer();

  /// Answers the arguments of a message of the subsystem `RPC`.
  /// \param identity  that the caller speaks under: Session::verify_sender allowed it
  /// \return the arguments of the answer; none: there is nothing to answer
  VIPAUTH_EXPORT std::vector<std::string> answer(Session& caller, std::string_view identity,
                                                 const std::vector<std::string>& arguments);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The arguments of the message by which VOLTTRON's agents learn that somebody's capabilities have changed: a
/// notification, `auth.update`. They ask `get_user_to_capabilities` then.
VIPAUTH_EXPORT std::string auth_update_call(const PolicySnapshot& policy);

/// The same for the agent `identity`, of which some method requires something else now:
/// `auth.set_multiple_rpc_authorizations`.
VIPAUTH_EXPORT std::string rpc_authorizations_call(const PolicySnapshot& policy, std::string_view identity);

}  // namespace vipauth
