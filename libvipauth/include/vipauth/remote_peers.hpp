#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include <vipauth/authorization.hpp>
#include <vipauth/log_sink.hpp>
#include <vipauth/policy_store.hpp>

namespace vipauth {

/// What administrators do about remote peers: approve, deny, delete, list (semantics 8), on any store.
///
/// For who may edit the store: nobody is asked. What is not listed cannot be approved, denied or deleted:
/// kNotFound. A record that stands for more than one peer (a pattern, NULL) is not changed for the sake of
/// one, and a name under which two peers wait stands for neither: kConflict. A peer that was decided about is
/// denied and deleted by its name, whoever waits under it with other credentials.
class RemotePeers {
 public:
  /// \param store  it must outlive this object
  /// \param log    told what an edit warns of
  explicit RemotePeers(PolicyStore& store, EditOptions options = {}, LogSink log = {})
      : store_(store), options_(std::move(options)), log_(std::move(log)) {}

  /// A pending request becomes an allow record; a denied peer's record moves back.
  /// \return what Policy::add_allow and the store's edits return
  VIPAUTH_EXPORT Result<Authorization> approve(std::string_view user_id, const Approval& approval = {});
  /// The peer's credentials go on the deny list, without address; its allow record moves there.
  VIPAUTH_EXPORT Result<Authorization> deny(std::string_view user_id);
  /// Forgets the peer, which must ask again. Never grants:
  /// \return kConflict  another record would let it in: deny it instead
  VIPAUTH_EXPORT Result<Authorization> remove(std::string_view user_id);

  /// The peer of that name: one that waits before a denied one before an approved one. \return kNotFound
  VIPAUTH_EXPORT Result<Authorization> find(std::string_view user_id) const;
  VIPAUTH_EXPORT Result<std::vector<Authorization>> list(AuthorizationStatus status) const;

 private:
  PolicyStore& store_;
  EditOptions options_;
  LogSink log_;
};

}  // namespace vipauth
