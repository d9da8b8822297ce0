#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <vipauth/clock.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// What an X.509 certificate says of itself. Whether that is true, verify() of who issued it tells.
///
/// Fingerprints are SHA-256 in OpenSSL's form, "AB:CD:...": of the certificate's DER, and of its public key's
/// (SubjectPublicKeyInfo). Source: RFC 5280; openssl x509 -fingerprint -sha256.
struct Certificate {
  std::string pem;          ///< in canonical form: nothing before or behind it
  std::string common_name;  ///< of the subject; any text
  std::string issuer_name;  ///< the issuer's common name
  std::string serial;       ///< hexadecimal, capitals, as openssl prints it
  Timestamp not_before;
  Timestamp not_after;
  std::string fingerprint;
  std::string key_fingerprint;
  std::vector<std::string> hosts;  ///< DNS names and IP addresses of its subjectAltName
  bool is_authority = false;       ///< CA:TRUE

  /// The first certificate of a PEM text.
  /// \return kParseError  there is none; kLimitExceeded  the text is longer than 64 KiB
  VIPAUTH_EXPORT static Result<Certificate> parse(std::string_view pem);

  bool is_valid_at(Timestamp now) const { return not_before <= now && now < not_after; }
};

}  // namespace vipauth
