#include <vipauth/certificate_key.hpp>

#include <openssl/crypto.h>
#include <openssl/pem.h>

#include "pki/certificate_key_parts.hpp"
#include "pki/private_key_text.hpp"

namespace vipauth {
namespace {

constexpr std::size_t kMostBytes = std::size_t{64} * 1024;

bool is_encrypted(std::string_view pem) {
  return pem.find("BEGIN ENCRYPTED PRIVATE KEY") != std::string_view::npos ||
         pem.find("Proc-Type: 4,ENCRYPTED") != std::string_view::npos;
}

}  // namespace

CertificateKey::CertificateKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CertificateKey::CertificateKey(CertificateKey&&) noexcept = default;
CertificateKey& CertificateKey::operator=(CertificateKey&&) noexcept = default;
CertificateKey::~CertificateKey() = default;

Result<CertificateKey> CertificateKey::generate() {
  const ErrorQueueGuard guard;
  KeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return openssl_error(ErrorCode::kUnavailable, "cannot make a key");
  return CertificateKey(std::make_unique<Impl>(Impl{std::move(key)}));
}

Result<CertificateKey> CertificateKey::parse(std::string_view pem) {
  const ErrorQueueGuard guard;
  if (pem.size() > kMostBytes) return Error{ErrorCode::kParseError, "a private key has at most 64 KiB", ""};
  if (is_encrypted(pem)) {
    return Error{ErrorCode::kUnsupported,
                 "the private key is encrypted: write it without a pass phrase (openssl pkey)", ""};
  }
  const BioPtr bio = reader_of(pem);
  KeyPtr key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr) : nullptr);
  if (!key) return openssl_error(ErrorCode::kParseError, "no private key in PEM form");
  if (auto kind = kind_of_key(key.get()); !kind) return kind.error();
  return CertificateKey(std::make_unique<Impl>(Impl{std::move(key)}));
}

std::string CertificateKey::fingerprint() const { return fingerprint_of(public_key_der(impl_->key.get())); }

Result<SecretText> private_key_text(const CertificateKey& key) {
  const ErrorQueueGuard guard;
  // A BIO_s_secmem's memory is wiped when it is freed.
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  EVP_PKEY* pkey = key.impl().key.get();
  if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), pkey, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return openssl_error(ErrorCode::kUnavailable, "cannot write the private key");
  }
  return SecretText(text_of(bio.get()));
}

void SecretText::wipe() noexcept { OPENSSL_cleanse(text_.data(), text_.size()); }

}  // namespace vipauth
