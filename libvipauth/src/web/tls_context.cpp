#include "web/tls_context.hpp"

#include <array>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509err.h>

#include "web/tls_support.hpp"

namespace vipauth::web {
namespace {

constexpr long kMaxCertificateBytes = 16'384;  // of the chain that a client shows

std::string openssl_reason() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(error);
  return reason == nullptr ? "no reason is given" : reason;
}

Error tls_error(ErrorCode code, std::string_view what, const std::filesystem::path& file) {
  return {code, std::string(what) + ": " + openssl_reason(), file.string()};
}

/// Whose certificate it is, is asked later, of each request: see Site. In the place of OpenSSL's own
/// verification, whose signatures, as many and as dear as a stranger's chain has, each handshake would cost.
/// That the client holds the key of its certificate is proved nevertheless.
int accept_certificate(X509_STORE_CTX*, void*) { return 1; }

}  // namespace

Result<TlsContext> make_tls_context(const std::filesystem::path& certificate,
                                    const std::filesystem::path& key, const std::string& client_authority) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return Error{ErrorCode::kUnavailable, "there is no TLS here: " + openssl_reason(), ""};
  SSL_CTX* tls = context.get();
  static constexpr std::array<unsigned char, 7> kSessionContext{'v', 'i', 'p', 'a', 'u', 't', 'h'};
  const bool is_set =
      SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) == 1 &&
      SSL_CTX_set_cipher_list(tls, "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!SHA1") == 1 &&
      SSL_CTX_set_session_id_context(tls, kSessionContext.data(), kSessionContext.size()) == 1 &&
      SSL_CTX_set_num_tickets(tls, 0) == 1;
  if (!is_set) return Error{ErrorCode::kUnavailable, "this TLS cannot be used: " + openssl_reason(), ""};
  // Each connection proves its key anew: nothing is resumed, compressed or negotiated again.
  SSL_CTX_set_options(tls, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
  // SSL_read returns after each record that holds no data, so that its caller can look at the time.
  SSL_CTX_clear_mode(tls, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_max_cert_list(tls, kMaxCertificateBytes);
  SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(tls, accept_certificate, nullptr);
  SSL_CTX_set_default_passwd_cb(tls, no_passphrase);

  if (SSL_CTX_use_certificate_chain_file(tls, certificate.c_str()) != 1) {
    return tls_error(ErrorCode::kParseError, "cannot use the certificate of the server", certificate);
  }
  const auto private_key = read_private_key(key, "the server");
  if (!private_key) return private_key.error();
  if (!*private_key || SSL_CTX_use_PrivateKey(tls, private_key->get()) != 1) {
    const bool is_another = ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH;
    return tls_error(is_another ? ErrorCode::kConflict : ErrorCode::kParseError,
                     is_another ? "the key is not the one of the server's certificate"
                                : "cannot use the key of the server",
                     key);
  }

  const TlsCertificate authority = read_certificate(client_authority);
  if (!authority || SSL_CTX_add_client_CA(tls, authority.get()) != 1) {
    return Error{ErrorCode::kParseError, "cannot use the certificate of the authority", ""};
  }
  return context;
}

}  // namespace vipauth::web
