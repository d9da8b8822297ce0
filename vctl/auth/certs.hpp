#pragma once

#include <optional>
#include <string>
#include <vector>

#include "context.hpp"

namespace vipauth::vctl::auth {

struct CertsCreateOptions {
  std::string name;
  std::optional<std::vector<std::string>> hosts;  ///< given: it is a server's
};

struct CertsRenewOptions {
  std::string name;
  bool with_new_key = false;
};

struct CertsName {
  std::string name;
};

struct CertsCrlOptions {
  bool is_printed = false;  ///< the list itself, not where it is
};

/// Makes the root certificate of the instance, where there is none.
/// --json: {"root": <as certs_list>, "path": "..."}
int certs_init(const Context& context);

/// Lists what the authority of the instance has issued.
/// --json: {"certificates": [{"name", "purpose", "serial", "not_before", "not_after", "state", "revoked_at",
/// "fingerprint", "key_fingerprint", "hosts"}]}; "state" is "valid", "replaced", "expired", "not yet valid"
/// or "revoked"; "revoked_at" of a revoked one
int certs_list(const Context& context);

/// Makes a key and a certificate of an agent or an administrator here, or of a server; what is there and
/// serves stays. --json: {"certificate": "<path>", "key": "<path>", "authority": "<path>"}
int certs_create(const CertsCreateOptions& options, const Context& context);

/// Issues another certificate to a name that has one. --json: {"renewed": <as certs_list>}
int certs_renew(const CertsRenewOptions& options, const Context& context);

/// Takes a certificate back, for good. --json: {"revoked": "<name>"}
int certs_revoke(const CertsName& options, const Context& context);

/// Writes the revocation list anew. --json: {"path": "...", "folder": "...", "crl": "<PEM>"}
int certs_crl(const CertsCrlOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
