#pragma once

#include <optional>
#include <string>

#include "context.hpp"

namespace vipauth::vctl::auth {

/// What a name in a list of remote peers stands for.
enum class RemoteKind { kCsr, kCredentials };

struct RemoteListOptions {
  std::optional<std::string> status;  ///< pending, approved or denied; else all
};

struct RemoteApproveOptions {
  std::string user_id;             ///< whom
  std::optional<RemoteKind> kind;  ///< where the name alone does not tell
  std::optional<std::string> new_user_id;
  std::optional<std::string> identity;
  std::optional<std::string> roles;
  std::optional<std::string> groups;
  std::optional<std::string> capabilities;
  bool any_address = false;
  std::optional<std::string> credentials;  ///< the key that the peer must have
  std::optional<std::string> fingerprint;  ///< of the key that a certificate is asked for with
};

struct RemoteUser {
  std::string user_id;
  std::optional<RemoteKind> kind;
};

// Where other platforms have asked this instance for certificates, each of these works on their requests
// (CSRs) and on ZeroMQ credentials alike; the USER_ID of a CSR is its common name. Else there are credentials
// alone, and no "kind" in --json.

/// Lists the remote peers, pending ones first.
/// --json: {"remote": [{"kind": "credentials", "user_id", "address", "status", "domain", "mechanism",
/// "credentials", "retries", "first_seen", "last_seen", "site"}]}; "retries" and what follows of pending
/// ones, "site" of those that wait at another site of a fleet. Of a CSR: {"kind": "csr", "user_id",
/// "address", "status", "key_fingerprint", "key_kind", "retries", "first_seen", "last_seen", "certificate":
/// {"serial", "not_before", "not_after", "fingerprint"}, "site", "asked": {"decision", "who", "time"},
/// "failed": {"decision", "who", "time", "problem"}}: a certificate of an approved one, what is behind it of
/// one that a fleet's store tells of
int remote_list(const RemoteListOptions& options, const Context& context);

/// Lets a peer in. --json: {"approved": <as remote_list>}
int remote_approve(const RemoteApproveOptions& options, const Context& context);

/// Keeps a peer out. --json: {"denied": <as remote_list>}
int remote_deny(const RemoteUser& user, const Context& context);

/// Forgets a peer, which must ask again. --json: {"deleted": <as remote_list>}
int remote_delete(const RemoteUser& user, const Context& context);

/// Makes the users of the broker those that are approved: after a decision that it could not be told.
/// --json: {"approved": ["<common name>", ...]}
int remote_sync(const Context& context);

}  // namespace vipauth::vctl::auth
