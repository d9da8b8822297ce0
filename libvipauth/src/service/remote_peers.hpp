#pragma once

#include <string_view>
#include <vector>

#include <vipauth/auth_file.hpp>
#include <vipauth/auth_service.hpp>
#include <vipauth/pending_store.hpp>

namespace vipauth {

/// What administrators do about remote peers: approve, deny, delete, list (semantics 8).
///
/// Each operation is one transaction on pending.json around one on auth.json. auth.json is written first:
/// after a crash between the two, a request that is decided is no longer pending, because the policy says so.
class RemotePeers {
 public:
  RemotePeers(const AuthFile& auth_file, PendingStore& pending) : auth_file_(auth_file), pending_(pending) {}

  Result<Authorization> approve(std::string_view user_id, const Approval& approval);
  Result<Authorization> deny(std::string_view user_id);
  Result<Authorization> remove(std::string_view user_id);
  Result<std::vector<Authorization>> list(AuthorizationStatus status) const;

 private:
  const AuthFile& auth_file_;
  PendingStore& pending_;
};

}  // namespace vipauth
