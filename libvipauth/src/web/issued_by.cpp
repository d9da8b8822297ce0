#include "web/issued_by.hpp"

#include <string>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "web/tls_support.hpp"

namespace vipauth::web {

Result<void> check_issued_by(std::string_view pem, std::string_view authorities, Timestamp now) {
  const TlsCertificate certificate = read_certificate(pem);
  if (!certificate) return Error{ErrorCode::kParseError, "this is no certificate", ""};
  const TlsStore store(X509_STORE_new());
  const TlsStoreContext context(X509_STORE_CTX_new());
  if (!store || !context) return Error{ErrorCode::kUnavailable, "cannot set up TLS", ""};
  if (!add_authorities(store.get(), authorities)) {
    return Error{ErrorCode::kParseError, "there is no certificate of an authority", ""};
  }
  X509_VERIFY_PARAM* wanted = X509_STORE_get0_param(store.get());
  X509_VERIFY_PARAM_set_time(
      wanted, std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  X509_VERIFY_PARAM_set_purpose(wanted, X509_PURPOSE_SSL_CLIENT);
  const bool is_good = X509_STORE_CTX_init(context.get(), store.get(), certificate.get(), nullptr) == 1 &&
                       X509_verify_cert(context.get()) == 1;
  const int reason = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  if (is_good) return {};
  return Error{ErrorCode::kPermissionDenied, X509_verify_cert_error_string(reason), ""};
}

}  // namespace vipauth::web
