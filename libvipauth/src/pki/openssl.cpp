#include "pki/openssl.hpp"

#include <array>
#include <ctime>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace vipauth {
namespace {

constexpr int kLeastRsaBits = 2048;
// Longer ones cost who verifies them milliseconds each.
constexpr int kMostRsaBits = 8192;
constexpr int kMostExponentBits = 32;

Error unsupported(std::string message) { return Error{ErrorCode::kUnsupported, std::move(message), ""}; }

Result<std::string> kind_of_rsa(const EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  if (bits < kLeastRsaBits || bits > kMostRsaBits) {
    return unsupported("an RSA key must have 2048 to 8192 bits, not " + std::to_string(bits));
  }
  BIGNUM* read = nullptr;
  const int has_exponent = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &read);
  const BignumPtr exponent(read);
  if (has_exponent != 1 || BN_is_odd(exponent.get()) == 0 || BN_is_one(exponent.get()) != 0) {
    return unsupported("the exponent of an RSA key must be odd, and above 1");
  }
  if (BN_num_bits(exponent.get()) > kMostExponentBits) {
    return unsupported("the exponent of an RSA key must have at most 32 bits");
  }
  return "RSA " + std::to_string(bits);
}

Result<std::string> kind_of_curve(const EVP_PKEY* key) {
  struct Curve {
    std::string_view name;
    std::string_view kind;
  };
  constexpr std::array<Curve, 3> kCurves = {
      {{"prime256v1", "P-256"}, {"secp384r1", "P-384"}, {"secp521r1", "P-521"}}};
  std::array<char, 80> text{};
  std::size_t length = 0;
  const bool is_named = EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, text.data(),
                                                       text.size(), &length) == 1 &&
                        std::string_view(text.data(), length) == OSSL_PKEY_EC_ENCODING_GROUP;
  if (!is_named) return unsupported("an elliptic curve must be given by its name");
  if (EVP_PKEY_get_group_name(key, text.data(), text.size(), &length) == 1) {
    for (const Curve& curve : kCurves) {
      if (std::string_view(text.data(), length) == curve.name) return std::string(curve.kind);
    }
  }
  return unsupported("the elliptic curve of a key must be P-256, P-384 or P-521");
}

}  // namespace

ErrorQueueGuard::ErrorQueueGuard() noexcept { ERR_clear_error(); }
ErrorQueueGuard::~ErrorQueueGuard() { ERR_clear_error(); }

Error openssl_error(ErrorCode code, std::string what) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  if (reason != nullptr) what += ": " + std::string(reason);
  ERR_clear_error();
  return Error{code, std::move(what), ""};
}

BioPtr reader_of(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  return length > 0 ? std::string(data, static_cast<std::size_t>(length)) : std::string();
}

int no_passphrase(char* /*buffer*/, int /*size*/, int /*is_writing*/, void* /*user*/) { return -1; }

std::string public_key_der(const EVP_PKEY* key) {
  unsigned char* bytes = nullptr;
  const int length = i2d_PUBKEY(key, &bytes);
  if (length <= 0) return {};
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
  OPENSSL_free(bytes);
  return out;
}

std::string fingerprint_of(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr);
  std::string out;
  for (unsigned i = 0; i < length; ++i) {
    if (i > 0) out += ':';
    out += kDigits[digest[i] >> 4U];
    out += kDigits[digest[i] & 0xfU];
  }
  return out;
}

Result<std::string> kind_of_key(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA: return kind_of_rsa(key);
    case EVP_PKEY_EC: return kind_of_curve(key);
    case EVP_PKEY_ED25519: return std::string("Ed25519");
    default: return unsupported("a key must be RSA, P-256, P-384, P-521 or Ed25519");
  }
}

std::string common_name_of(const X509_NAME* name, int* count) {
  std::string out;
  int found = 0;
  int index = -1;
  while ((index = X509_NAME_get_index_by_NID(name, NID_commonName, index)) >= 0) {
    unsigned char* bytes = nullptr;
    const int length =
        ASN1_STRING_to_UTF8(&bytes, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)));
    if (found++ > 0) out += ',';
    // One that cannot be told as text is no name that anybody may have.
    out += length < 0 ? std::string("?")
                      : std::string(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
    OPENSSL_free(bytes);
  }
  if (count != nullptr) *count = found;
  return out;
}

const EVP_MD* digest_for(const EVP_PKEY* key) {
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
}

Result<Timestamp> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return openssl_error(ErrorCode::kParseError, "no valid time");
  const std::chrono::year_month_day day{std::chrono::year(parts.tm_year + 1900),
                                        std::chrono::month(static_cast<unsigned>(parts.tm_mon + 1)),
                                        std::chrono::day(static_cast<unsigned>(parts.tm_mday))};
  return Timestamp(std::chrono::sys_days(day)) + std::chrono::hours(parts.tm_hour) +
         std::chrono::minutes(parts.tm_min) + std::chrono::seconds(parts.tm_sec);
}

Asn1TimePtr to_asn1(Timestamp time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  return Asn1TimePtr(ASN1_TIME_set(nullptr, static_cast<std::time_t>(seconds)));
}

Result<X509Ptr> read_x509(std::string_view pem) {
  constexpr std::size_t kMostBytes = std::size_t{64} * 1024;
  if (pem.size() > kMostBytes) {
    return Error{ErrorCode::kLimitExceeded, "a certificate has at most 64 KiB", ""};
  }
  const BioPtr bio = reader_of(pem);
  X509Ptr certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr) : nullptr);
  if (!certificate) return openssl_error(ErrorCode::kParseError, "no certificate in PEM form");
  return certificate;
}

std::string to_pem(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), certificate) != 1) return {};
  return text_of(bio.get());
}

}  // namespace vipauth
