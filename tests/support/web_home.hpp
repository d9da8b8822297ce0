#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <vipauth/certificate_request.hpp>
#include <vipauth/csr_store.hpp>
#include <vipauth/web_users.hpp>

#include "support/homes.hpp"

namespace vipauth::test {

inline const std::string kAdminPassword = "correct horse battery";

/// A home with a certificate authority, a service, and the administrator "alice".
struct WebHome {
  explicit WebHome(CsrStore::Options store_options = {}, AuthService::Options service_options = {},
                   const std::string& auth = auth_file({}))
      : service((home.write("auth.json", auth), open_service(home, std::move(service_options)))),
        store(std::make_shared<CsrStore>(authority_of(home), std::move(store_options))),
        users(home / "web-users.json") {
    set_user("alice", {"admin"});
  }

  static CertificateAuthority authority_of(const TempHome& home) {
    auto authority = CertificateAuthority::open_or_create(home / "certificates", "here", {});
    if (!authority) throw std::runtime_error(authority.error().to_string());
    return *std::move(authority);
  }

  /// Writes a web user; all have kAdminPassword, which is hashed once.
  void set_user(const std::string& name, const std::vector<std::string>& groups) const {
    static const std::string hash = *hash_password(kAdminPassword);
    Json document =
        home.has("web-users.json") ? *Json::parse(home.read("web-users.json")) : Json(Json::Object());
    document.set(name, Json::Object{{"hashed_password", hash}, {"groups", Json::strings(groups)}});
    home.write("web-users.json", document.dump_pretty());
  }

  /// A request that an agent of another platform would send.
  static CertificateRequest csr(const std::string& name) {
    const auto key = CertificateKey::generate();
    auto request = CertificateRequest::create(*CommonName::parse(name), *key);
    if (!request) throw std::runtime_error(request.error().to_string());
    return *std::move(request);
  }

  TempHome home;
  AuthService service;
  std::shared_ptr<CsrStore> store;
  WebUsers users;
};

}  // namespace vipauth::test
