#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <vipauth/result.hpp>

struct ssl_ctx_st;

namespace vipauth::web {

/// What all TLS connections of a server share: its certificate and key, and which TLS it speaks.
///
/// TLS 1.2 with forward secrecy, or 1.3. A client may show a certificate: that it has the key of it, TLS
/// proves; whose it is, and whether it still counts, is asked of the authority for each request.
using TlsContext = std::shared_ptr<ssl_ctx_st>;

/// \param client_authority  PEM, of the certificates that a client is asked for
/// \return kNotFound, kPermissionDenied, kParseError  one of the files; kConflict  they do not belong together
Result<TlsContext> make_tls_context(const std::filesystem::path& certificate,
                                    const std::filesystem::path& key, const std::string& client_authority);

}  // namespace vipauth::web
