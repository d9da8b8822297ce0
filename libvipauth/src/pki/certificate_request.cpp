#include <vipauth/certificate_request.hpp>

#include <algorithm>

#include <openssl/pem.h>

#include "pki/certificate_key_parts.hpp"
#include "pki/openssl.hpp"

namespace vipauth {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kSpace = " \t\r\n";

Error malformed(std::string why) {
  return Error{ErrorCode::kParseError, "not a certificate signing request: " + std::move(why), ""};
}

/// One block of PEM, and nothing else: what a reader skips, an administrator would not see.
Result<std::string_view> one_block(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return malformed("it holds a NUL");
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return malformed("it is empty");
  const std::string_view trimmed = text.substr(first, text.find_last_not_of(kSpace) - first + 1);
  const bool is_request = trimmed.starts_with("-----BEGIN CERTIFICATE REQUEST-----") ||
                          trimmed.starts_with("-----BEGIN NEW CERTIFICATE REQUEST-----");
  if (!is_request) return malformed("it must begin with \"-----BEGIN CERTIFICATE REQUEST-----\"");
  const std::size_t end = trimmed.find("-----END ");
  const bool is_alone = trimmed.find(kBegin, kBegin.size()) == std::string_view::npos &&
                        end != std::string_view::npos && trimmed.find('\n', end) == std::string_view::npos;
  if (!is_alone) return malformed("it must be one block of PEM and nothing else");
  return trimmed;
}

Result<X509RequestPtr> read_request(std::string_view pem) {
  const BioPtr bio = reader_of(pem);
  X509RequestPtr request(bio ? PEM_read_bio_X509_REQ(bio.get(), nullptr, no_passphrase, nullptr) : nullptr);
  if (!request) return openssl_error(ErrorCode::kParseError, "not a certificate signing request");
  return request;
}

Result<std::string> to_pem(X509_REQ* request) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509_REQ(bio.get(), request) != 1) {
    return openssl_error(ErrorCode::kUnavailable, "cannot write the request");
  }
  return text_of(bio.get());
}

Result<CommonName> name_of(const X509_REQ* request) {
  int count = 0;
  const std::string text = common_name_of(X509_REQ_get_subject_name(request), &count);
  if (count != 1) {
    return malformed("its subject must have one common name (CN), not " + std::to_string(count));
  }
  auto name = CommonName::parse(text);
  if (!name) return Error{ErrorCode::kInvalidArgument, name.error().message, ""};
  return name;
}

}  // namespace

Result<CertificateRequest> CertificateRequest::parse(std::string_view pem) {
  const ErrorQueueGuard guard;
  if (pem.size() > kMaxBytes) {
    return Error{ErrorCode::kLimitExceeded, "a certificate signing request has at most 16 KiB", ""};
  }
  const auto block = one_block(pem);
  if (!block) return block.error();
  const auto request = read_request(*block);
  if (!request) return request.error();
  auto name = name_of(request->get());
  if (!name) return name.error();
  EVP_PKEY* key = X509_REQ_get0_pubkey(request->get());
  if (key == nullptr) return openssl_error(ErrorCode::kUnsupported, "the key of the request is not known");
  auto kind = kind_of_key(key);
  if (!kind) return kind.error();
  if (X509_REQ_verify(request->get(), key) != 1) {
    return Error{ErrorCode::kInvalidArgument,
                 "the request is not signed with its own key, or was changed on its way", ""};
  }
  auto canonical = to_pem(request->get());
  if (!canonical) return canonical.error();
  return CertificateRequest(std::move(*canonical), std::move(*name), fingerprint_of(public_key_der(key)),
                            std::move(*kind));
}

Result<CertificateRequest> CertificateRequest::create(const CommonName& name, const CertificateKey& key) {
  const ErrorQueueGuard guard;
  EVP_PKEY* pkey = key.impl().key.get();
  const X509RequestPtr request(X509_REQ_new());
  const X509NamePtr subject(X509_NAME_new());
  const auto* text = reinterpret_cast<const unsigned char*>(name.text().data());
  const bool made = request && subject &&
                    X509_NAME_add_entry_by_NID(subject.get(), NID_commonName, MBSTRING_ASC, text,
                                               static_cast<int>(name.text().size()), -1, 0) == 1 &&
                    X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
                    X509_REQ_set_subject_name(request.get(), subject.get()) == 1 &&
                    X509_REQ_set_pubkey(request.get(), pkey) == 1 &&
                    X509_REQ_sign(request.get(), pkey, digest_for(pkey)) > 0;
  if (!made) return openssl_error(ErrorCode::kUnavailable, "cannot make a certificate signing request");
  auto pem = to_pem(request.get());
  if (!pem) return pem.error();
  return parse(*pem);
}

}  // namespace vipauth
