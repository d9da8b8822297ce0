#pragma once

#include "context.hpp"

namespace vipauth::vctl::auth {

/// Runs the web service of the instance, as its configuration says, until SIGTERM or SIGINT. Tells when it is
/// ready. Where --store names the store of a fleet, and this site, the requests for certificates can be seen
/// and decided there as well. --json, then: {"address": "https://0.0.0.0:8443", "fingerprint": "AB:CD:...",
/// "authority":
/// "<path>"}; the fingerprint is null where the certificate is not our own
int serve(const Context& context);

}  // namespace vipauth::vctl::auth
