#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <sys/types.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <vipauth/result.hpp>

namespace vipauth::web {

/// Calls one of OpenSSL's functions that free something.
template <auto Free>
struct FreeTls {
  template <typename T>
  void operator()(T* pointer) const noexcept {
    Free(pointer);
  }
};

using TlsBio = std::unique_ptr<BIO, FreeTls<BIO_free>>;
using TlsKey = std::unique_ptr<EVP_PKEY, FreeTls<EVP_PKEY_free>>;
using TlsCertificate = std::unique_ptr<X509, FreeTls<X509_free>>;
using TlsStore = std::unique_ptr<X509_STORE, FreeTls<X509_STORE_free>>;
using TlsStoreContext = std::unique_ptr<X509_STORE_CTX, FreeTls<X509_STORE_CTX_free>>;

/// The first certificate of a PEM text; null where there is none.
TlsCertificate read_certificate(std::string_view pem);

/// Adds all certificates of a PEM text.
/// \return whether there was any
bool add_authorities(X509_STORE* store, std::string_view pem);

/// A file of one or more certificates in PEM form, which others are verified by.
/// \return kNotFound, kIoError, kLimitExceeded; kParseError  it does not begin with a certificate
Result<std::string> read_authorities(const std::filesystem::path& path);

/// Reads a file that is open to its end, or until `out` is full.
/// \return how much; negative: errno says why not
ssize_t read_to_end(int fd, std::string& out);

/// For OpenSSL: an encrypted text asks nobody at the terminal.
int no_passphrase(char* buffer, int size, int is_writing, void* user);

/// The private key in a PEM file, which is not for everybody to read.
/// \param owner  for messages: "the server"
/// \return null  there is none: OpenSSL has the reason; kNotFound, kPermissionDenied
Result<TlsKey> read_private_key(const std::filesystem::path& path, std::string_view owner);

/// SHA-256 of the certificate: "AB:CD:...".
std::string fingerprint_of(X509& certificate);

}  // namespace vipauth::web
