#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <vipauth/clock.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// Calls one of OpenSSL's functions that free something.
template <auto Free>
struct OpenSslDelete {
  template <typename T>
  void operator()(T* pointer) const noexcept {
    Free(pointer);
  }
};

using BioPtr = std::unique_ptr<BIO, OpenSslDelete<BIO_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpenSslDelete<EVP_PKEY_free>>;
using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, OpenSslDelete<EVP_PKEY_CTX_free>>;
using X509Ptr = std::unique_ptr<X509, OpenSslDelete<X509_free>>;
using X509RequestPtr = std::unique_ptr<X509_REQ, OpenSslDelete<X509_REQ_free>>;
using X509CrlPtr = std::unique_ptr<X509_CRL, OpenSslDelete<X509_CRL_free>>;
using X509NamePtr = std::unique_ptr<X509_NAME, OpenSslDelete<X509_NAME_free>>;
using X509RevokedPtr = std::unique_ptr<X509_REVOKED, OpenSslDelete<X509_REVOKED_free>>;
using BignumPtr = std::unique_ptr<BIGNUM, OpenSslDelete<BN_free>>;
using Asn1IntegerPtr = std::unique_ptr<ASN1_INTEGER, OpenSslDelete<ASN1_INTEGER_free>>;
using Asn1TimePtr = std::unique_ptr<ASN1_TIME, OpenSslDelete<ASN1_TIME_free>>;
using Asn1BitsPtr = std::unique_ptr<ASN1_BIT_STRING, OpenSslDelete<ASN1_BIT_STRING_free>>;
using Asn1OctetsPtr = std::unique_ptr<ASN1_OCTET_STRING, OpenSslDelete<ASN1_OCTET_STRING_free>>;

/// Frees the errors that OpenSSL has noted in this thread, at its beginning and at its end: what is refused
/// here must not turn up in another call, or in the TLS of the embedder.
class ErrorQueueGuard {
 public:
  ErrorQueueGuard() noexcept;
  ErrorQueueGuard(const ErrorQueueGuard&) = delete;
  ErrorQueueGuard& operator=(const ErrorQueueGuard&) = delete;
  ~ErrorQueueGuard();
};

/// An error with the reason that OpenSSL noted last.
Error openssl_error(ErrorCode code, std::string what);

/// A source of the bytes of a text, which the caller keeps alive.
BioPtr reader_of(std::string_view text);
/// What was written into a memory BIO.
std::string text_of(BIO* bio);

/// Answers OpenSSL's question for a pass phrase with none, so that it asks nobody at the terminal.
int no_passphrase(char* buffer, int size, int is_writing, void* user);

/// The DER of a public key (SubjectPublicKeyInfo); empty where there is no memory.
std::string public_key_der(const EVP_PKEY* key);
/// SHA-256 in OpenSSL's form: "AB:CD:...".
std::string fingerprint_of(std::string_view bytes);

/// "RSA 2048", "P-256", "P-384", "P-521", "Ed25519".
/// \return kUnsupported  it is none of them, an RSA key is shorter than 2048 or longer than 8192 bits, or
///         its exponent longer than 32, or an elliptic curve is written out
Result<std::string> kind_of_key(const EVP_PKEY* key);

/// All common names of a name, several joined by commas; they may hold any bytes.
/// \param count  how many there are
std::string common_name_of(const X509_NAME* name, int* count = nullptr);

/// The digest that a key signs with; null for Ed25519, which has its own.
const EVP_MD* digest_for(const EVP_PKEY* key);

/// A time to the second; nothing where it is no valid one.
Result<Timestamp> time_of(const ASN1_TIME* time);
Asn1TimePtr to_asn1(Timestamp time);

/// The first certificate of a PEM text.
Result<X509Ptr> read_x509(std::string_view pem);
std::string to_pem(X509* certificate);

}  // namespace vipauth
