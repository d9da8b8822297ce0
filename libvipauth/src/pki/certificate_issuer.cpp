#include "pki/certificate_issuer.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include "pki/certificate_key_parts.hpp"
#include "pki/openssl.hpp"
#include "text/ip_network.hpp"

namespace vipauth {
namespace {

using BasicConstraintsPtr = std::unique_ptr<BASIC_CONSTRAINTS, OpenSslDelete<BASIC_CONSTRAINTS_free>>;
using ExtendedUsagePtr = std::unique_ptr<EXTENDED_KEY_USAGE, OpenSslDelete<EXTENDED_KEY_USAGE_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, OpenSslDelete<GENERAL_NAMES_free>>;
using GeneralNamePtr = std::unique_ptr<GENERAL_NAME, OpenSslDelete<GENERAL_NAME_free>>;
using KeyIdPtr = std::unique_ptr<AUTHORITY_KEYID, OpenSslDelete<AUTHORITY_KEYID_free>>;

// The numbers of the bits of a keyUsage. Source: RFC 5280, 4.2.1.3.
constexpr int kDigitalSignature = 0;
constexpr int kKeyEncipherment = 2;
constexpr int kKeyCertSign = 5;
constexpr int kCrlSign = 6;

constexpr int kSerialBytes = 16;
constexpr bool kCritical = true;

Error cannot(const char* what) {
  return openssl_error(ErrorCode::kUnavailable, std::string("cannot ") + what);
}

Asn1IntegerPtr to_asn1_serial(const std::string& serial) {
  BIGNUM* read = nullptr;
  if (BN_hex2bn(&read, serial.c_str()) == 0) return nullptr;
  const BignumPtr number(read);
  return Asn1IntegerPtr(BN_to_ASN1_INTEGER(number.get(), nullptr));
}

std::string serial_text(const ASN1_INTEGER* serial) {
  const BignumPtr number(ASN1_INTEGER_to_BN(serial, nullptr));
  char* text = number ? BN_bn2hex(number.get()) : nullptr;
  std::string out = text == nullptr ? std::string() : std::string(text);
  OPENSSL_free(text);
  return out;
}

KeyPtr read_public_key(const PublicKey& key) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(key.der.data());
  return KeyPtr(d2i_PUBKEY(nullptr, &bytes, static_cast<long>(key.der.size())));
}

bool set_name(X509* certificate, const std::string& common_name) {
  const X509NamePtr name(X509_NAME_new());
  const auto* text = reinterpret_cast<const unsigned char*>(common_name.data());
  return name &&
         X509_NAME_add_entry_by_NID(name.get(), NID_commonName, MBSTRING_UTF8, text,
                                    static_cast<int>(common_name.size()), -1, 0) == 1 &&
         X509_set_subject_name(certificate, name.get()) == 1;
}

bool add(X509* certificate, int nid, void* value, bool is_critical = false) {
  return value != nullptr &&
         X509_add1_ext_i2d(certificate, nid, value, is_critical ? 1 : 0, X509V3_ADD_APPEND) == 1;
}

bool add_basic_constraints(X509* certificate, bool is_authority) {
  const BasicConstraintsPtr constraints(BASIC_CONSTRAINTS_new());
  if (!constraints) return false;
  if (is_authority) {
    constraints->ca = 0xff;
    constraints->pathlen = ASN1_INTEGER_new();
    if (constraints->pathlen == nullptr || ASN1_INTEGER_set(constraints->pathlen, 1) != 1) return false;
  }
  return add(certificate, NID_basic_constraints, constraints.get(), kCritical);
}

bool add_key_usage(X509* certificate, std::initializer_list<int> bits) {
  const Asn1BitsPtr usage(ASN1_BIT_STRING_new());
  const bool made = usage && std::all_of(bits.begin(), bits.end(), [&](int bit) {
                      return ASN1_BIT_STRING_set_bit(usage.get(), bit, 1) == 1;
                    });
  return made && add(certificate, NID_key_usage, usage.get(), kCritical);
}

bool add_extended_usage(X509* certificate, int nid) {
  const ExtendedUsagePtr usage(sk_ASN1_OBJECT_new_null());
  return usage && sk_ASN1_OBJECT_push(usage.get(), OBJ_nid2obj(nid)) > 0 &&
         add(certificate, NID_ext_key_usage, usage.get());
}

/// The SHA-1 of the public key. Source: RFC 5280, 4.2.1.2 (1).
Asn1OctetsPtr key_id_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  Asn1OctetsPtr id(ASN1_OCTET_STRING_new());
  const bool made = id && X509_pubkey_digest(certificate, EVP_sha1(), digest.data(), &length) == 1 &&
                    ASN1_OCTET_STRING_set(id.get(), digest.data(), static_cast<int>(length)) == 1;
  return made ? std::move(id) : nullptr;
}

/// What certificates and lists say of the key that signed them; null where the root has no such name.
KeyIdPtr authority_key_id(const X509* root) {
  const ASN1_OCTET_STRING* root_id = X509_get0_subject_key_id(const_cast<X509*>(root));
  KeyIdPtr id(root_id == nullptr ? nullptr : AUTHORITY_KEYID_new());
  if (id) id->keyid = ASN1_OCTET_STRING_dup(root_id);
  return id;
}

GeneralNamePtr general_name(const std::string& host) {
  GeneralNamePtr name(GENERAL_NAME_new());
  if (!name) return nullptr;
  if (ASN1_OCTET_STRING* address = a2i_IPADDRESS(host.c_str())) {
    GENERAL_NAME_set0_value(name.get(), GEN_IPADD, address);
    return name;
  }
  ASN1_IA5STRING* text = ASN1_IA5STRING_new();
  if (text == nullptr) return nullptr;
  GENERAL_NAME_set0_value(name.get(), GEN_DNS, text);
  return ASN1_STRING_set(text, host.data(), static_cast<int>(host.size())) == 1 ? std::move(name) : nullptr;
}

bool add_hosts(X509* certificate, const std::vector<std::string>& hosts) {
  if (hosts.empty()) return true;
  const GeneralNamesPtr names(sk_GENERAL_NAME_new_null());
  if (!names) return false;
  for (const std::string& host : hosts) {
    GeneralNamePtr name = general_name(host);
    if (!name || sk_GENERAL_NAME_push(names.get(), name.get()) <= 0) return false;
    name.release();  // NOLINT(bugprone-unused-return-value): the list has it now
  }
  return add(certificate, NID_subject_alt_name, names.get());
}

/// What every certificate says, but for its issuer and its extensions.
bool fill(X509* certificate, const CertificateTerms& terms, EVP_PKEY* key) {
  const Asn1IntegerPtr serial = to_asn1_serial(terms.serial);
  const Asn1TimePtr not_before = to_asn1(terms.not_before);
  const Asn1TimePtr not_after = to_asn1(terms.not_after);
  return serial && not_before && not_after && X509_set_version(certificate, X509_VERSION_3) == 1 &&
         X509_set_serialNumber(certificate, serial.get()) == 1 &&
         X509_set1_notBefore(certificate, not_before.get()) == 1 &&
         X509_set1_notAfter(certificate, not_after.get()) == 1 && set_name(certificate, terms.common_name) &&
         X509_set_pubkey(certificate, key) == 1;
}

bool add_leaf_extensions(X509* certificate, const CertificateTerms& terms, const EVP_PKEY* key,
                         const X509* root) {
  const Asn1OctetsPtr subject_id = key_id_of(certificate);
  const KeyIdPtr authority_id = authority_key_id(root);
  const bool is_rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
  return add_basic_constraints(certificate, false) &&
         (is_rsa ? add_key_usage(certificate, {kDigitalSignature, kKeyEncipherment})
                 : add_key_usage(certificate, {kDigitalSignature})) &&
         add_extended_usage(certificate, terms.is_server ? NID_server_auth : NID_client_auth) &&
         add_hosts(certificate, terms.hosts) &&
         add(certificate, NID_subject_key_identifier, subject_id.get()) &&
         (!authority_id || add(certificate, NID_authority_key_identifier, authority_id.get()));
}

bool add_revoked(X509_CRL* list, const RevokedCertificate& revoked) {
  X509RevokedPtr entry(X509_REVOKED_new());
  const Asn1IntegerPtr serial = to_asn1_serial(revoked.serial);
  const Asn1TimePtr when = to_asn1(revoked.revoked_at);
  const bool made = entry && serial && when &&
                    X509_REVOKED_set_serialNumber(entry.get(), serial.get()) == 1 &&
                    X509_REVOKED_set_revocationDate(entry.get(), when.get()) == 1 &&
                    X509_CRL_add0_revoked(list, entry.get()) == 1;
  if (made) entry.release();  // NOLINT(bugprone-unused-return-value): the list has it now
  return made;
}

bool add_crl_extensions(X509_CRL* list, std::uint64_t number, const X509* root) {
  const Asn1IntegerPtr crl_number(ASN1_INTEGER_new());
  if (!crl_number || ASN1_INTEGER_set_uint64(crl_number.get(), number) != 1) return false;
  const KeyIdPtr authority_id = authority_key_id(root);
  const auto add_to_list = [list](int nid, void* value) {
    return X509_CRL_add1_ext_i2d(list, nid, value, 0, X509V3_ADD_APPEND) == 1;
  };
  return add_to_list(NID_crl_number, crl_number.get()) &&
         (!authority_id || add_to_list(NID_authority_key_identifier, authority_id.get()));
}

}  // namespace

PublicKey public_key_of(const CertificateKey& key) { return {public_key_der(key.impl().key.get())}; }

Result<PublicKey> public_key_of(const CertificateRequest& request) {
  const ErrorQueueGuard guard;
  const BioPtr bio = reader_of(request.pem());
  const X509RequestPtr read(bio ? PEM_read_bio_X509_REQ(bio.get(), nullptr, no_passphrase, nullptr)
                                : nullptr);
  const EVP_PKEY* key = read ? X509_REQ_get0_pubkey(read.get()) : nullptr;
  if (key == nullptr) return cannot("read the key of the request");
  return PublicKey{public_key_der(key)};
}

Result<PublicKey> public_key_of(const Certificate& certificate) {
  const ErrorQueueGuard guard;
  auto read = read_x509(certificate.pem);
  if (!read) return read.error();
  const EVP_PKEY* key = X509_get0_pubkey(read->get());
  if (key == nullptr) return cannot("read the key of the certificate");
  return PublicKey{public_key_der(key)};
}

CertificateUsage usage_of(const Certificate& certificate) {
  const ErrorQueueGuard guard;
  const auto read = read_x509(certificate.pem);
  if (!read) return {false, false};
  const std::uint32_t usage = X509_get_extended_key_usage(read->get());  // all bits where there is none
  return {(usage & (XKU_SSL_SERVER | XKU_ANYEKU)) != 0, (usage & (XKU_SSL_CLIENT | XKU_ANYEKU)) != 0};
}

Result<std::string> random_serial() {
  const ErrorQueueGuard guard;
  std::array<unsigned char, kSerialBytes> bytes{};
  if (RAND_bytes(bytes.data(), kSerialBytes) != 1) return cannot("draw random numbers");
  const BignumPtr number(BN_bin2bn(bytes.data(), kSerialBytes, nullptr));
  char* text = number ? BN_bn2hex(number.get()) : nullptr;
  if (text == nullptr) return cannot("draw random numbers");
  std::string out = text;
  OPENSSL_free(text);
  return out;
}

Result<void> check_host(std::string_view host) {
  constexpr std::size_t kMostBytes = 253;  // RFC 1035, 2.3.4, as text
  if (const auto address = IpAddress::parse(host)) {
    if (address->scope.empty()) return {};
  }
  const bool is_name = !host.empty() && host.size() <= kMostBytes && host.front() != '.' &&
                       std::all_of(host.begin(), host.end(), [](char c) {
                         return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                c == '-' || c == '.' || c == '_';
                       });
  if (is_name) return {};
  return Error{ErrorCode::kInvalidArgument,
               "a certificate can name a host (\"bus.example.org\") or an IP address, not this text", ""};
}

Result<CertificateIssuer> CertificateIssuer::create(std::string_view pem, CertificateKey key) {
  const ErrorQueueGuard guard;
  auto root = Certificate::parse(pem);
  if (!root) return root.error();
  if (!root->is_authority) {
    return Error{ErrorCode::kConflict, "the certificate is of no authority (CA:TRUE)", ""};
  }
  if (root->key_fingerprint != key.fingerprint()) {
    return Error{ErrorCode::kConflict, "the private key is of another certificate", ""};
  }
  return CertificateIssuer(std::move(*root), std::move(key));
}

Result<CertificateIssuer> CertificateIssuer::create_root(const CertificateTerms& terms, CertificateKey key) {
  const ErrorQueueGuard guard;
  EVP_PKEY* pkey = key.impl().key.get();
  const X509Ptr certificate(X509_new());
  X509* x509 = certificate.get();
  const bool filled =
      certificate && fill(x509, terms, pkey) && X509_set_issuer_name(x509, X509_get_subject_name(x509)) == 1;
  const Asn1OctetsPtr id = filled ? key_id_of(x509) : nullptr;
  const bool made =
      id && add_basic_constraints(x509, true) && add_key_usage(x509, {kKeyCertSign, kCrlSign}) &&
      add(x509, NID_subject_key_identifier, id.get()) && X509_sign(x509, pkey, digest_for(pkey)) > 0;
  if (!made) return cannot("make a root certificate");
  return create(to_pem(x509), std::move(key));
}

Result<Certificate> CertificateIssuer::issue(const CertificateTerms& terms, const PublicKey& key) const {
  const ErrorQueueGuard guard;
  auto root = read_x509(root_.pem);
  if (!root) return root.error();
  const KeyPtr subject_key = read_public_key(key);
  if (!subject_key) return cannot("read the key that is to be certified");
  if (auto kind = kind_of_key(subject_key.get()); !kind) return kind.error();
  EVP_PKEY* root_key = key_.impl().key.get();
  const X509Ptr certificate(X509_new());
  X509* x509 = certificate.get();
  const bool made = certificate && fill(x509, terms, subject_key.get()) &&
                    X509_set_issuer_name(x509, X509_get_subject_name(root->get())) == 1 &&
                    add_leaf_extensions(x509, terms, subject_key.get(), root->get()) &&
                    X509_sign(x509, root_key, digest_for(root_key)) > 0;
  if (!made) return cannot("sign a certificate");
  return Certificate::parse(to_pem(x509));
}

bool CertificateIssuer::has_signed(std::string_view pem) const {
  const ErrorQueueGuard guard;
  const auto certificate = read_x509(pem);
  const auto root = read_x509(root_.pem);
  if (!certificate || !root) return false;
  return X509_NAME_cmp(X509_get_issuer_name(certificate->get()), X509_get_subject_name(root->get())) == 0 &&
         X509_verify(certificate->get(), key_.impl().key.get()) == 1;
}

bool CertificateIssuer::has_signed_list(std::string_view pem) const {
  const ErrorQueueGuard guard;
  const auto root = read_x509(root_.pem);
  const BioPtr bio = reader_of(pem);
  const X509CrlPtr list(bio ? PEM_read_bio_X509_CRL(bio.get(), nullptr, no_passphrase, nullptr) : nullptr);
  if (!list || !root) return false;
  return X509_NAME_cmp(X509_CRL_get_issuer(list.get()), X509_get_subject_name(root->get())) == 0 &&
         X509_CRL_verify(list.get(), key_.impl().key.get()) == 1;
}

Result<std::string> CertificateIssuer::revocation_list(const std::vector<RevokedCertificate>& revoked,
                                                       std::uint64_t number, Timestamp now,
                                                       Timestamp next_update) const {
  const ErrorQueueGuard guard;
  auto root = read_x509(root_.pem);
  if (!root) return root.error();
  EVP_PKEY* root_key = key_.impl().key.get();
  const X509CrlPtr list(X509_CRL_new());
  const Asn1TimePtr this_update = to_asn1(now);
  const Asn1TimePtr next = to_asn1(next_update);
  const bool made =
      list && this_update && next && X509_CRL_set_version(list.get(), X509_CRL_VERSION_2) == 1 &&
      X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(root->get())) == 1 &&
      X509_CRL_set1_lastUpdate(list.get(), this_update.get()) == 1 &&
      X509_CRL_set1_nextUpdate(list.get(), next.get()) == 1 &&
      std::all_of(revoked.begin(), revoked.end(),
                  [&](const RevokedCertificate& item) { return add_revoked(list.get(), item); }) &&
      add_crl_extensions(list.get(), number, root->get()) && X509_CRL_sort(list.get()) == 1 &&
      X509_CRL_sign(list.get(), root_key, digest_for(root_key)) > 0;
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!made || !bio || PEM_write_bio_X509_CRL(bio.get(), list.get()) != 1) {
    return cannot("sign the revocation list");
  }
  return text_of(bio.get());
}

std::string CertificateIssuer::revocation_file_name() const {
  const ErrorQueueGuard guard;
  const auto root = read_x509(root_.pem);
  const unsigned long hash = root ? X509_subject_name_hash(root->get()) : 0;
  std::array<char, 16> name{};
  static_cast<void>(std::snprintf(name.data(), name.size(), "%08lx.r0", hash));
  return name.data();
}

Result<RevocationListFacts> read_revocation_list(std::string_view pem) {
  const ErrorQueueGuard guard;
  const BioPtr bio = reader_of(pem);
  const X509CrlPtr list(bio ? PEM_read_bio_X509_CRL(bio.get(), nullptr, no_passphrase, nullptr) : nullptr);
  if (!list) return openssl_error(ErrorCode::kParseError, "no revocation list in PEM form");
  RevocationListFacts out;
  auto this_update = time_of(X509_CRL_get0_lastUpdate(list.get()));
  if (!this_update) return this_update.error();
  out.this_update = *this_update;
  if (const ASN1_TIME* end = X509_CRL_get0_nextUpdate(list.get())) {
    auto next_update = time_of(end);
    if (!next_update) return next_update.error();
    out.next_update = *next_update;
  }
  const Asn1IntegerPtr number(
      static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(list.get(), NID_crl_number, nullptr, nullptr)));
  if (number && ASN1_INTEGER_get_uint64(&out.number, number.get()) != 1) out.number = 0;
  STACK_OF(X509_REVOKED)* revoked = X509_CRL_get_REVOKED(list.get());
  for (int i = 0; i < sk_X509_REVOKED_num(revoked); ++i) {
    out.serials.push_back(serial_text(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(revoked, i))));
  }
  return out;
}

}  // namespace vipauth
