#pragma once

#include <optional>
#include <string>

#include "context.hpp"

namespace vipauth::vctl::auth {

struct RemoteListOptions {
  std::optional<std::string> status;  ///< pending, approved or denied; else all
};

struct RemoteApproveOptions {
  std::string user_id;  ///< whom
  std::optional<std::string> new_user_id;
  std::optional<std::string> identity;
  std::optional<std::string> roles;
  std::optional<std::string> groups;
  std::optional<std::string> capabilities;
  bool any_address = false;
};

struct RemoteUser {
  std::string user_id;
};

/// Lists the remote peers, pending ones first.
/// --json: {"remote": [{"user_id", "address", "status", "domain", "mechanism", "credentials", "retries",
/// "first_seen", "last_seen"}]}; the last three of pending ones
int remote_list(const RemoteListOptions& options, const Context& context);

/// Lets a peer in. --json: {"approved": <as remote_list>}
int remote_approve(const RemoteApproveOptions& options, const Context& context);

/// Keeps a peer out. --json: {"denied": <as remote_list>}
int remote_deny(const RemoteUser& user, const Context& context);

/// Forgets a peer, which must ask again. --json: {"deleted": <as remote_list>}
int remote_delete(const RemoteUser& user, const Context& context);

}  // namespace vipauth::vctl::auth
