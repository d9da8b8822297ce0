#pragma once

#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include <vipauth/auth_file.hpp>
#include <vipauth/authorization.hpp>
#include <vipauth/log_sink.hpp>
#include <vipauth/pending_store.hpp>

#include "service/behalf.hpp"

namespace vipauth {

/// What administrators do about remote peers: approve, deny, delete, list (semantics 8).
///
/// Each operation is one transaction on pending.json around one on auth.json. auth.json is written first:
/// after a crash between the two, a request that is decided is no longer pending, because the policy says so.
class RemotePeers {
 public:
  /// \param edit_options  of the edits of auth.json
  /// \param log           told what such an edit warns of
  /// \param on_edited     called after an edit that may have changed auth.json, whatever became of
  /// pending.json
  RemotePeers(const AuthFile& auth_file, PendingStore& pending, EditOptions edit_options, LogSink log,
              std::function<void()> on_edited)
      : auth_file_(auth_file),
        pending_(pending),
        edit_options_(std::move(edit_options)),
        log_(std::move(log)),
        on_edited_(std::move(on_edited)) {}

  Result<Authorization> approve(std::string_view user_id, const Approval& approval,
                                const Behalf& behalf = {});
  Result<Authorization> deny(std::string_view user_id, const Behalf& behalf = {});
  Result<Authorization> remove(std::string_view user_id, const Behalf& behalf = {});
  /// The peer of that name: one that waits before a denied one before an approved one. \return kNotFound
  Result<Authorization> find(std::string_view user_id) const;
  Result<std::vector<Authorization>> list(AuthorizationStatus status) const;

 private:
  using EditPolicy = std::function<Result<void>(const AuthFile::Change&, Behalf::Touches)>;

  /// A transaction on pending.json, in which `change` may make one on auth.json. Logs when both are done.
  Result<void> edit(const Behalf& behalf, std::string_view command,
                    const std::function<Result<void>(PendingState&, const EditPolicy&)>& change);

  /// What a decision does to the policy; `request` where the peer waits for one.
  using Decide = std::function<Result<Authorization>(Policy&, PendingState&, const PendingRequest* request)>;

  /// Lets `decide` edit the policy. A request that is decided waits no longer.
  Result<Authorization> decide(std::string_view user_id, const Behalf& behalf, std::string_view command,
                               const Decide& decide);

  const AuthFile& auth_file_;
  PendingStore& pending_;
  EditOptions edit_options_;
  LogSink log_;
  std::function<void()> on_edited_;
};

}  // namespace vipauth
