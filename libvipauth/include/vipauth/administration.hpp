#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/auth_service.hpp>
#include <vipauth/result.hpp>
#include <vipauth/session.hpp>
#include <vipauth/topic_document.hpp>

namespace vipauth {

/// The operations of an AuthService on behalf of a peer: what it may not do is kPermissionDenied, and changes
/// nothing. The plain operations of AuthService ask nobody: they are the embedder's own.
///
/// Who asks is who libzmq says, by its session. Each edit of auth.json is decided by that file, under its
/// lock, and the history tells who made it. protected_topics.json does not say who may edit it: auth.json is
/// asked just before, and not under its lock, so that who loses the capability in that moment may still write
/// the topics once. A peer waits a second for the lock of a file: kBusy then.
///
/// | to                                                    | it takes                                      |
/// | approve, deny or delete a peer that waits             | `approve_auth`, or `allow_auth_modifications` |
/// | see who waits, is approved or denied; read the topics | the same                                      |
/// | change what was decided or written                    | `allow_auth_modifications`                    |
/// A grant of these capabilities may be restricted on the operation's arguments, such as `user_id`; those of
/// an approval are `new_user_id` and `any_address`, too, and of `identity`, `roles`, `groups` and
/// `capabilities` what it sets. Who may change what was decided about a peer is decided by the `user_id`
/// alone, too: the other arguments are the caller's to choose.
///
/// Who does not hold `allow_auth_modifications` without a restriction grants no more by an approval, be it of
/// a peer that was denied, than it holds itself. Roles and groups count as what they give, a user_id as what
/// that user holds already. A restricted grant covers one that is restricted at least as much: by the same
/// constraint, or by a value that a pattern of its own matches. A role or group that does not exist or is
/// empty could become anything, and so could what grants nothing now; a platform's name, another user's, be
/// it denied, or one that an agent has registered under is not free; a key that a record names already, by a
/// pattern too, was decided about; a record of another user is not for change: they are refused. The
/// session's observer sees what is refused.
///
/// A role is given as a role: who widens it later widens it for all who have it, whoever gave it to them. An
/// approver who holds all that a role gives today may give what it will give tomorrow. A role that is to grow
/// is kept from approvers by a capability in it that they do not hold.
///
/// Not thread-safe, as the session is not. Source: semantics 8; VOLTTRON auth.py, approve_authorization.
class Administration {
 public:
  static constexpr std::string_view kApprove = "approve_auth";
  static constexpr std::string_view kModify = "allow_auth_modifications";
  /// Longest that the arguments of an approval are as JSON.
  static constexpr std::size_t kMaxApprovalBytes = 4096;

  /// Both must outlive it.
  Administration(AuthService& service, Session& caller) : service_(service), caller_(caller) {}

  /// \return kLimitExceeded  what the approval sets takes more than kMaxApprovalBytes
  VIPAUTH_EXPORT Result<Authorization> approve_authorization(std::string_view user_id,
                                                             const Approval& approval = {});
  VIPAUTH_EXPORT Result<Authorization> deny_authorization(std::string_view user_id);
  VIPAUTH_EXPORT Result<Authorization> delete_authorization(std::string_view user_id);

  VIPAUTH_EXPORT Result<Authorization> get_authorization(std::string_view user_id);
  VIPAUTH_EXPORT Result<AuthorizationStatus> get_authorization_status(std::string_view user_id);
  VIPAUTH_EXPORT Result<std::vector<Authorization>> get_pending_authorizations();
  VIPAUTH_EXPORT Result<std::vector<Authorization>> get_approved_authorizations();
  VIPAUTH_EXPORT Result<std::vector<Authorization>> get_denied_authorizations();

  // auth.json as a whole. Both take `allow_auth_modifications` without a restriction: there is nothing of the
  // file that one could be about.

  /// What the file says, with its passwords: see without_passwords() before it goes to anybody.
  VIPAUTH_EXPORT Result<Policy> read_auth_file();
  /// One edit of the file, put in force.
  /// \param operation  for the history and the audit log: "auth_file.add"
  /// \return what AuthFile::edit and `change` return
  VIPAUTH_EXPORT Result<void> edit_auth_file(std::string_view operation, const AuthFile::Change& change);

  VIPAUTH_EXPORT Result<void> update_user_capabilities(const Json& user_to_capabilities);
  VIPAUTH_EXPORT Result<TopicRules> load_protected_topics();
  /// protected_topics.json, to be edited; a missing file protects nothing. \return what
  /// TopicsFile::load_document returns
  VIPAUTH_EXPORT Result<TopicDocument> read_protected_topics();
  /// \param expected  what the file must still say, where it is given: kConflict
  VIPAUTH_EXPORT Result<void> update_protected_topics(const Json& rules,
                                                      const std::optional<Json>& expected = {});

  VIPAUTH_EXPORT Result<void> add_rpc_authorizations(std::string_view identity, std::string_view method,
                                                     const std::vector<std::string>& capabilities);
  VIPAUTH_EXPORT Result<void> remove_rpc_authorizations(std::string_view identity, std::string_view method,
                                                        const std::vector<std::string>& capabilities);

 private:
  AuthService& service_;
  Session& caller_;
};

}  // namespace vipauth
