#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <vipauth/certificate_key.hpp>
#include <vipauth/common_name.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// A certificate signing request (CSR) whose sender has proved to hold its key. Only its name and its public
/// key are ever used: what else it asks for (other subject fields, extensions, CA:TRUE) is for the issuer to
/// decide. Source: RFC 2986.
class CertificateRequest {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{16} * 1024;

  /// \return kLimitExceeded    longer than kMaxBytes
  /// \return kParseError       not one PEM-encoded CSR and nothing else, or one without exactly one common name
  /// \return kInvalidArgument  the common name is not a CommonName; the signature is not by its own key
  /// \return kUnsupported      the key is none of RSA >= 2048, P-256, P-384, P-521 and Ed25519
  VIPAUTH_EXPORT static Result<CertificateRequest> parse(std::string_view pem);

  /// A request for a name, signed with its key.
  VIPAUTH_EXPORT static Result<CertificateRequest> create(const CommonName& name, const CertificateKey& key);

  const std::string& pem() const noexcept { return pem_; }  ///< in canonical form
  const CommonName& common_name() const noexcept { return common_name_; }
  /// SHA-256 of the public key (SubjectPublicKeyInfo): "AB:CD:...".
  const std::string& key_fingerprint() const noexcept { return key_fingerprint_; }
  const std::string& key_kind() const noexcept { return key_kind_; }  ///< "RSA 2048", "P-256", "Ed25519"

 private:
  CertificateRequest(std::string pem, CommonName name, std::string fingerprint, std::string kind)
      : pem_(std::move(pem)),
        common_name_(std::move(name)),
        key_fingerprint_(std::move(fingerprint)),
        key_kind_(std::move(kind)) {}

  std::string pem_;
  CommonName common_name_;
  std::string key_fingerprint_;
  std::string key_kind_;
};

}  // namespace vipauth
