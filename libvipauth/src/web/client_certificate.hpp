#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <vipauth/result.hpp>

struct evp_pkey_st;
struct ssl_ctx_st;

namespace vipauth::web {

/// What a client shows to a server that asks who it is: a certificate, with those that signed it, and its
/// key.
class ClientCertificate {
 public:
  ClientCertificate() = default;  ///< none

  /// \param certificate  PEM: the client's own first
  /// \return kNotFound, kIoError, kLimitExceeded, kPermissionDenied, kParseError  one of the files
  /// \return kConflict  they do not belong together
  static Result<ClientCertificate> read(const std::filesystem::path& certificate,
                                        const std::filesystem::path& key);

  bool is_none() const noexcept { return chain_.empty(); }

  /// \return false  OpenSSL does not take it
  bool add_to(ssl_ctx_st* context) const;

 private:
  std::string chain_;
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace vipauth::web
