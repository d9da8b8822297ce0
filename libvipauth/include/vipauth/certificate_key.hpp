#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <vipauth/result.hpp>

namespace vipauth {

/// The private key of a certificate: wiped when destroyed, never printed, never copied.
class CertificateKey {
 public:
  /// A new one: P-256, which every TLS library takes.
  VIPAUTH_EXPORT static Result<CertificateKey> generate();
  /// Reads an unencrypted PEM text: RSA of 2048 bits or more, P-256, P-384, P-521, Ed25519.
  /// \return kParseError  no such text; kUnsupported  another kind of key, an encrypted or a short one
  VIPAUTH_EXPORT static Result<CertificateKey> parse(std::string_view pem);

  VIPAUTH_EXPORT CertificateKey(CertificateKey&&) noexcept;
  VIPAUTH_EXPORT CertificateKey& operator=(CertificateKey&&) noexcept;
  VIPAUTH_EXPORT ~CertificateKey();

  /// SHA-256 of the public key (SubjectPublicKeyInfo): "AB:CD:...".
  VIPAUTH_EXPORT std::string fingerprint() const;

  struct Impl;  // of the files that use OpenSSL
  const Impl& impl() const noexcept { return *impl_; }

 private:
  explicit CertificateKey(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vipauth
