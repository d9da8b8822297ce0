#pragma once

#include <vector>

#include <vipauth/certificate_authority.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/lint.hpp>

namespace vipauth {

/// Looks for what will stop working in the folder of an authority, and for what should not be there: its
/// certificates, keys, revocation list, and the requests of others. `file` of a finding is below the home:
/// "certificates/certs/volttron1.platform.agent.crt"; `place` is the name of the certificate.
VIPAUTH_EXPORT std::vector<LintFinding> lint_certificates(const CertificateAuthority& authority,
                                                          Timestamp now);

}  // namespace vipauth
