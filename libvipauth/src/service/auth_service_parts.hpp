#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/auth_file.hpp>
#include <vipauth/auth_service.hpp>
#include <vipauth/topics_file.hpp>

#include "service/behalf.hpp"
#include "service/peer_decisions.hpp"
#include "service/policy_keeper.hpp"
#include "service/registration_brake.hpp"
#include "service/service_store.hpp"

namespace vipauth {

/// What the operations of an AuthService work on. It lives as long as the service.
struct AuthService::Parts {
  const Options& options;
  const AuthFile& auth_file;
  const TopicsFile& topics_file;
  ServiceStore& store;
  PolicyKeeper& keeper;
  PeerDecisions& remote_peers;
  RegistrationBrake& registration_brake;
  std::function<Result<void>(PolicyKeeper::Files)> reload;
  std::function<void(const PolicyChange&)> announce;

  void log(LogLevel level, const std::string& line) const {
    if (options.log) options.log(level, line);
  }

  /// Edits the policy, and puts it in force where that changed it. What the file now says stands, also where
  /// it could not be put in force: that is logged, and last_problem() says it.
  Result<void> edit_policy(const AuthFile::Change& change, EditOptions edit_options) const;
  Result<void> edit_policy(const AuthFile::Change& change, const Behalf& behalf,
                           const std::string& command) const;

  EditNote note_of(const Behalf& behalf, std::string_view command) const;

  // The operations of AuthService, on somebody's behalf.

  Result<MethodRegistration> register_methods(std::string_view identity, std::vector<DeclaredMethod> methods,
                                              std::string_view owner) const;
  /// Gives the records of an agent what they do not list yet.
  Result<void> write_down(std::string_view identity, const std::vector<DeclaredMethod>& methods,
                          std::string_view owner) const;
  Result<void> add_rpc_authorizations(std::string_view identity, std::string_view method,
                                      const std::vector<std::string>& capabilities,
                                      const Behalf& behalf) const;
  Result<void> remove_rpc_authorizations(std::string_view identity, std::string_view method,
                                         const std::vector<std::string>& capabilities,
                                         const Behalf& behalf) const;
  /// A request that is deleted changes no file but pending.json: that is audited, too.
  Result<Authorization> delete_authorization(std::string_view user_id, const Behalf& behalf) const;
  Result<void> update_user_capabilities(const Json& user_to_capabilities, const Behalf& behalf) const;
  Result<TopicRules> load_protected_topics() const;
  Result<void> update_protected_topics(const Json& rules, const std::optional<Json>& expected,
                                       const Behalf& behalf) const;
};

}  // namespace vipauth
