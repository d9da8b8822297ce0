#pragma once

#include <optional>
#include <string>

#include <vipauth/known_hosts.hpp>

#include "context.hpp"
#include "home.hpp"

namespace vipauth::vctl::auth {

struct AddKnownHostOptions {
  std::optional<std::string> host;
  std::optional<std::string> serverkey;
};

/// Writes the server key of a host into known_hosts.
/// --json: {"host": "...", "serverkey": "...", "fingerprint": "SHA256:...", "replaced": "..." or null}
int add_known_host(const AddKnownHostOptions& options, const Context& context);

/// What known_hosts said before, for the user to know; nothing where that was the same, or nothing.
std::optional<std::string> replaced_host_warning(const KnownHosts::Report& report, const CurveKey& key);

/// Tells the audit log of the home, where there is one, which host has the key now.
void audit_known_host(const Home& home, const KnownHosts::Report& report, const CurveKey& key);

}  // namespace vipauth::vctl::auth
