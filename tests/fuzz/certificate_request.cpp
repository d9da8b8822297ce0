// A CSR: the input as PEM, and as the DER of one. What is understood is the same when it is read again.
#include <vipauth/certificate_request.hpp>

#include <memory>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <vipauth/certificate.hpp>

#include "fuzz.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;

namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509_REQ* request) const { X509_REQ_free(request); }
};
using PrivateKey = std::unique_ptr<EVP_PKEY, Free>;
using Request = std::unique_ptr<X509_REQ, Free>;

std::string pem_of(std::string_view der, std::string_view kind) {
  std::string base64(4 * ((der.size() + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()),
                      reinterpret_cast<const unsigned char*>(der.data()), static_cast<int>(der.size()));
  base64.resize(static_cast<std::size_t>(length));
  std::string out = "-----BEGIN " + std::string(kind) + "-----\n";
  for (std::size_t i = 0; i < base64.size(); i += 64) out += base64.substr(i, 64) + "\n";
  return out + "-----END " + std::string(kind) + "-----\n";
}

/// The DER of a request, signed anew with a key of ours, so that what is behind it is reached; or nothing.
std::string signed_anew(std::string_view der) {
  static const PrivateKey key(EVP_EC_gen("P-256"));
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  const Request request(d2i_X509_REQ(nullptr, &bytes, static_cast<long>(der.size())));
  if (!request || X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) <= 0) {
    return {};
  }
  unsigned char* out = nullptr;
  const int length = i2d_X509_REQ(request.get(), &out);
  if (length <= 0) return {};
  std::string text(reinterpret_cast<const char*>(out), static_cast<std::size_t>(length));
  OPENSSL_free(out);
  return text;
}

void check_request(std::string_view pem) {
  const auto request = CertificateRequest::parse(pem);
  if (!request) return require_good(request.error(), pem.size());
  require(pem.size() <= CertificateRequest::kMaxBytes);
  require(CommonName::parse(request->common_name().text()).has_value());
  require(request->key_fingerprint().size() == 32 * 3 - 1 && !request->key_kind().empty());
  const auto again = CertificateRequest::parse(request->pem());
  require(again.has_value(), again ? "" : again.error().to_string());
  require_same(again->pem(), request->pem());
  require_same(again->common_name().text(), request->common_name().text());
  require_same(again->key_fingerprint(), request->key_fingerprint());
  require_same(again->key_kind(), request->key_kind());
}

void check_certificate(std::string_view pem) {
  const auto certificate = Certificate::parse(pem);
  if (!certificate) return require_good(certificate.error(), pem.size());
  const auto again = Certificate::parse(certificate->pem);
  require(again.has_value(), again ? "" : again.error().to_string());
  require_same(again->pem, certificate->pem);
  require_same(again->common_name, certificate->common_name);
  require_same(again->fingerprint, certificate->fingerprint);
  require_same(again->serial, certificate->serial);
  require(again->hosts == certificate->hosts && again->is_authority == certificate->is_authority);
  require(again->not_before == certificate->not_before && again->not_after == certificate->not_after);
  require(certificate->serial.find_first_not_of("0123456789ABCDEF-") == std::string::npos,
          certificate->serial);
  static_cast<void>(format_timestamp(certificate->not_before) + format_timestamp(certificate->not_after));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = text_of(data, size);
  check_request(input);
  check_certificate(input);
  if (input.starts_with('\x30')) {
    check_request(pem_of(input, "CERTIFICATE REQUEST"));
    check_certificate(pem_of(input, "CERTIFICATE"));
    const std::string anew = signed_anew(input);
    if (!anew.empty()) check_request(pem_of(anew, "CERTIFICATE REQUEST"));
  }
  ERR_clear_error();
  return 0;
}
