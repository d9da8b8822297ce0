#include <vipauth/remote_peers.hpp>

#include "service/peer_decisions.hpp"

namespace vipauth {
namespace {

/// Whoever runs the program, with the patience that the options have.
Behalf own(const EditOptions& options) { return {.patience = options.patience}; }

}  // namespace

Result<Authorization> RemotePeers::approve(std::string_view user_id, const Approval& approval) {
  return PeerDecisions(store_, options_, log_, {}).approve(user_id, approval, own(options_));
}

Result<Authorization> RemotePeers::deny(std::string_view user_id) {
  return PeerDecisions(store_, options_, log_, {}).deny(user_id, own(options_));
}

Result<Authorization> RemotePeers::remove(std::string_view user_id) {
  return PeerDecisions(store_, options_, log_, {}).remove(user_id, own(options_));
}

Result<Authorization> RemotePeers::find(std::string_view user_id) const {
  return PeerDecisions(store_, options_, log_, {}).find(user_id);
}

Result<std::vector<Authorization>> RemotePeers::list(AuthorizationStatus status) const {
  return PeerDecisions(store_, options_, log_, {}).list(status);
}

}  // namespace vipauth
