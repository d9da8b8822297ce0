#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <vipauth/auth_file.hpp>
#include <vipauth/authorization.hpp>
#include <vipauth/policy.hpp>
#include <vipauth/result.hpp>
#include <vipauth/topic_document.hpp>
#include <vipauth/topics_file.hpp>
#include <vipauth/vip_client.hpp>

namespace vipauth {

/// Administers a running platform over its bus: what Administration does, by the methods of its peer
/// `platform.auth`.
///
/// Each operation returns what the platform answers, as an Error of the same code. Of passwords the platform
/// tells nothing: in what read_auth_file() returns a text in brackets stands in their place.
class RemoteAdministration {
 public:
  /// \param client    has said hello; must outlive it
  /// \param patience  for each answer
  explicit RemoteAdministration(VipClient& client, VipClient::Patience patience = VipClient::kPatience)
      : client_(client), patience_(patience) {}

  VIPAUTH_EXPORT Result<Policy> read_auth_file();
  /// One edit of the file there: it is read, `change` is made on it, and what differs is sent. Where somebody
  /// else edited it meanwhile, it is done again on what that left. A platform of VOLTTRON's own makes no such
  /// promise, and takes only changes that one method can make.
  /// \return kUnsupported  a change that cannot be told so; kConflict  again and again somebody was faster
  VIPAUTH_EXPORT Result<EditReport> edit_auth_file(const AuthFile::Change& change);

  VIPAUTH_EXPORT Result<TopicDocument> read_protected_topics();
  /// The same, of protected_topics.json. VOLTTRON has no such method.
  VIPAUTH_EXPORT Result<EditReport> edit_protected_topics(const TopicsFile::Change& change);

  VIPAUTH_EXPORT Result<Authorization> approve_authorization(std::string_view user_id,
                                                             const Approval& approval = {});
  VIPAUTH_EXPORT Result<Authorization> deny_authorization(std::string_view user_id);
  VIPAUTH_EXPORT Result<Authorization> delete_authorization(std::string_view user_id);
  VIPAUTH_EXPORT Result<std::vector<Authorization>> get_pending_authorizations();
  VIPAUTH_EXPORT Result<std::vector<Authorization>> get_approved_authorizations();
  VIPAUTH_EXPORT Result<std::vector<Authorization>> get_denied_authorizations();

  VIPAUTH_EXPORT Result<void> add_rpc_authorizations(std::string_view identity, std::string_view method,
                                                     const std::vector<std::string>& capabilities);
  VIPAUTH_EXPORT Result<void> remove_rpc_authorizations(std::string_view identity, std::string_view method,
                                                        const std::vector<std::string>& capabilities);

 private:
  Result<Json> call(std::string_view method, const Json& params);
  Result<Authorization> decide(std::string_view method, std::string_view user_id, AuthorizationStatus status,
                               Json params);
  Result<std::vector<Authorization>> list(std::string_view method, AuthorizationStatus status);

  VipClient& client_;
  VipClient::Patience patience_;
};

}  // namespace vipauth
