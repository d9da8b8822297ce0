#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/certificate.hpp>
#include <vipauth/certificate_key.hpp>
#include <vipauth/certificate_request.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/common_name.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// A public key as DER (SubjectPublicKeyInfo): what a certificate is about.
struct PublicKey {
  std::string der;
};

PublicKey public_key_of(const CertificateKey& key);
Result<PublicKey> public_key_of(const CertificateRequest& request);
Result<PublicKey> public_key_of(const Certificate& certificate);

/// What a certificate may be used for, by its extendedKeyUsage; where it has none, for both.
struct CertificateUsage {
  bool is_server = true;
  bool is_client = true;
};

CertificateUsage usage_of(const Certificate& certificate);

/// What a certificate is to say.
struct CertificateTerms {
  std::string common_name;
  std::string serial;  ///< hexadecimal, as random_serial() gives it
  Timestamp not_before;
  Timestamp not_after;
  bool is_server = false;
  std::vector<std::string> hosts;  ///< DNS names and IP addresses
};

/// A certificate that is no longer to be believed.
struct RevokedCertificate {
  std::string serial;
  Timestamp revoked_at;
};

/// 128 random bits, positive. Source: RFC 5280, 4.1.2.2.
Result<std::string> random_serial();

/// A host as a certificate may name it: small letters, digits, hyphens and dots, or an IP address.
/// \return kInvalidArgument
Result<void> check_host(std::string_view host);

/// The root that signs: its certificate and its key.
class CertificateIssuer {
 public:
  /// \return kConflict  the key is of another certificate, or this is no authority's; kParseError
  static Result<CertificateIssuer> create(std::string_view pem, CertificateKey key);
  /// A new self-signed one: CA:TRUE with one level below it, for certificates and revocation lists.
  static Result<CertificateIssuer> create_root(const CertificateTerms& terms, CertificateKey key);

  const Certificate& root() const noexcept { return root_; }

  /// Signs a certificate of no authority: its subject is the common name alone.
  /// \return kUnsupported  the key is none that kind_of_key() takes; kUnavailable
  Result<Certificate> issue(const CertificateTerms& terms, const PublicKey& key) const;
  /// Whether this root has signed a certificate; says nothing of its time or revocation.
  bool has_signed(std::string_view pem) const;
  /// The same of a revocation list.
  bool has_signed_list(std::string_view pem) const;

  /// A revocation list, PEM. Source: RFC 5280, section 5.
  Result<std::string> revocation_list(const std::vector<RevokedCertificate>& revoked, std::uint64_t number,
                                      Timestamp now, Timestamp next_update) const;
  /// The name by which OpenSSL looks for the revocation list of this root in a folder: "1a2b3c4d.r0".
  std::string revocation_file_name() const;

 private:
  CertificateIssuer(Certificate root, CertificateKey key) : root_(std::move(root)), key_(std::move(key)) {}

  Certificate root_;
  CertificateKey key_;
};

/// What a revocation list says of itself.
struct RevocationListFacts {
  std::uint64_t number = 0;
  Timestamp this_update;
  std::optional<Timestamp> next_update;  ///< its end; without one it has none
  std::vector<std::string> serials;
};

/// \return kParseError
Result<RevocationListFacts> read_revocation_list(std::string_view pem);

}  // namespace vipauth
