#pragma once

#include <string_view>

#include <vipauth/clock.hpp>
#include <vipauth/result.hpp>

namespace vipauth::web {

/// Whether a certificate is by one of these authorities, and good for a TLS client at that time.
/// \param pem          the certificate
/// \param authorities  PEM, one or several
/// \return kPermissionDenied  with OpenSSL's reason; kParseError
Result<void> check_issued_by(std::string_view pem, std::string_view authorities, Timestamp now);

}  // namespace vipauth::web
