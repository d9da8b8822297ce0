#include <vipauth/certificate.hpp>

#include <arpa/inet.h>
#include <array>

#include <openssl/bn.h>

#include "pki/openssl.hpp"

namespace vipauth {
namespace {

using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, OpenSslDelete<GENERAL_NAMES_free>>;

std::string serial_of(const X509* certificate) {
  const BignumPtr number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  char* text = number ? BN_bn2hex(number.get()) : nullptr;
  std::string out = text == nullptr ? std::string() : std::string(text);
  OPENSSL_free(text);
  return out;
}

std::string to_text(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

/// An address as text; empty where it has neither 4 nor 16 bytes.
std::string address_text(const ASN1_STRING* bytes) {
  const int length = ASN1_STRING_length(bytes);
  if (length != 4 && length != 16) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(bytes), text.data(), text.size());
  return text.data();
}

std::vector<std::string> hosts_of(const X509* certificate) {
  std::vector<std::string> out;
  const GeneralNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) out.push_back(to_text(name->d.dNSName));
    if (name->type == GEN_IPADD) out.push_back(address_text(name->d.iPAddress));
  }
  return out;
}

std::string der_of(X509* certificate) {
  unsigned char* bytes = nullptr;
  const int length = i2d_X509(certificate, &bytes);
  if (length <= 0) return {};
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
  OPENSSL_free(bytes);
  return out;
}

}  // namespace

Result<Certificate> Certificate::parse(std::string_view pem) {
  const ErrorQueueGuard guard;
  auto read = read_x509(pem);
  if (!read) return read.error();
  X509* x509 = read->get();
  const auto not_before = time_of(X509_get0_notBefore(x509));
  if (!not_before) return not_before.error().at("not before");
  const auto not_after = time_of(X509_get0_notAfter(x509));
  if (!not_after) return not_after.error().at("not after");
  const EVP_PKEY* key = X509_get0_pubkey(x509);
  if (key == nullptr)
    return openssl_error(ErrorCode::kParseError, "the certificate has no key that is known");
  Certificate out;
  out.pem = to_pem(x509);
  out.common_name = common_name_of(X509_get_subject_name(x509));
  out.issuer_name = common_name_of(X509_get_issuer_name(x509));
  out.serial = serial_of(x509);
  out.not_before = *not_before;
  out.not_after = *not_after;
  out.fingerprint = fingerprint_of(der_of(x509));
  out.key_fingerprint = fingerprint_of(public_key_der(key));
  out.hosts = hosts_of(x509);
  out.is_authority = (X509_get_extension_flags(x509) & EXFLAG_CA) != 0;
  return out;
}

}  // namespace vipauth
