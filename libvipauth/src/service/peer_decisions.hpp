#pragma once

#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include <vipauth/authorization.hpp>
#include <vipauth/log_sink.hpp>
#include <vipauth/policy_store.hpp>

#include "service/behalf.hpp"

namespace vipauth {

/// What RemotePeers does, on somebody's behalf.
///
/// Each operation is one transaction on who waits around one on the policy. The policy is written first:
/// after a crash between the two, a request that is decided is no longer pending, because the policy says so.
/// Where the store makes the outer one again, the policy is not edited again.
class PeerDecisions {
 public:
  /// \param edit_options  of the edits of the policy; their patience is that of who asks
  /// \param log           told what such an edit warns of
  /// \param on_edited     called after an edit that may have changed the policy, whatever became of who
  /// waits;
  ///                      may be empty
  PeerDecisions(PolicyStore& store, EditOptions edit_options, LogSink log, std::function<void()> on_edited)
      : store_(store),
        edit_options_(std::move(edit_options)),
        log_(std::move(log)),
        on_edited_(std::move(on_edited)) {}

  Result<Authorization> approve(std::string_view user_id, const Approval& approval,
                                const Behalf& behalf = {});
  Result<Authorization> deny(std::string_view user_id, const Behalf& behalf = {});
  Result<Authorization> remove(std::string_view user_id, const Behalf& behalf = {});
  Result<Authorization> find(std::string_view user_id) const;
  Result<std::vector<Authorization>> list(AuthorizationStatus status) const;

 private:
  class Operation;
  class PendingEdit;

  /// What a decision does to the policy; `request` where the peer waits for one.
  using Decide = std::function<Result<Authorization>(Policy&, PendingEdit&, const PendingRequest* request)>;

  /// What it means for a decision that a peer which was decided about has the name of one that waits, with
  /// other credentials.
  enum class Namesake { kIsMeant, kIsInTheWay };

  /// Lets `decide` edit the policy. A request that is decided waits no longer.
  Result<Authorization> decide(std::string_view user_id, const Behalf& behalf, std::string_view command,
                               Namesake namesake, const Decide& decide);

  static Result<Authorization> move_to_deny(Policy& policy, const std::vector<std::size_t>& indices,
                                            PendingEdit& pending);
  static Result<Authorization> move_to_allow(Policy& policy, const std::vector<std::size_t>& indices,
                                             const Approval& approval, PendingEdit& pending);

  PolicyStore& store_;
  EditOptions edit_options_;
  LogSink log_;
  std::function<void()> on_edited_;
};

}  // namespace vipauth
