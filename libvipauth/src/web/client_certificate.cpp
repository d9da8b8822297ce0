#include "web/client_certificate.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "web/tls_support.hpp"

namespace vipauth::web {

Result<ClientCertificate> ClientCertificate::read(const std::filesystem::path& certificate,
                                                  const std::filesystem::path& key) {
  auto chain = read_authorities(certificate);
  if (!chain) return chain.error();
  auto private_key = read_private_key(key, "the client");
  ERR_clear_error();
  if (!private_key) return private_key.error();
  if (!*private_key) {
    return Error{ErrorCode::kParseError, "holds no private key in PEM form without a passphrase",
                 key.string()};
  }
  const TlsCertificate own = read_certificate(*chain);
  const bool belongs = own && X509_check_private_key(own.get(), private_key->get()) == 1;
  ERR_clear_error();
  if (!belongs) {
    return Error{ErrorCode::kConflict, "is not the key of \"" + certificate.string() + "\"", key.string()};
  }
  ClientCertificate out;
  out.chain_ = *std::move(chain);
  out.key_ = std::shared_ptr<EVP_PKEY>(private_key->release(), EVP_PKEY_free);
  return out;
}

bool ClientCertificate::add_to(SSL_CTX* context) const {
  const TlsBio input(BIO_new_mem_buf(chain_.data(), static_cast<int>(chain_.size())));
  bool is_added = false;
  while (input) {
    const TlsCertificate certificate(PEM_read_bio_X509(input.get(), nullptr, no_passphrase, nullptr));
    if (!certificate) break;
    const bool is_taken = is_added ? SSL_CTX_add1_chain_cert(context, certificate.get()) == 1
                                   : SSL_CTX_use_certificate(context, certificate.get()) == 1;
    if (!is_taken) break;
    is_added = true;
  }
  is_added = is_added && SSL_CTX_use_PrivateKey(context, key_.get()) == 1;
  ERR_clear_error();
  return is_added;
}

}  // namespace vipauth::web
