#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <vipauth/address_penalties.hpp>
#include <vipauth/auth_service.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/csr_store.hpp>
#include <vipauth/log_sink.hpp>
#include <vipauth/platform_discovery.hpp>
#include <vipauth/result.hpp>
#include <vipauth/web_users.hpp>

namespace vipauth {

/// The HTTPS service of an instance: other platforms ask it for certificates, and administrators decide.
///
/// | path                             | for                                                          |
/// | POST /csr/request_new            | everybody: `{"csr": "<PEM>"}`; repeating it is how to wait   |
/// | GET /discovery/                  | everybody: how to reach this instance                        |
/// | GET /crl.pem, /ca.pem            | everybody: the revocation list, the root certificate         |
/// | GET /admin, /openapi.json        | everybody: a page, which shows nothing before a login        |
/// | /api/...                         | administrators                                               |
/// An administrator is a web user of the group "admin" with a session, or who shows a certificate of the
/// store's authority whose common name is a user that holds `allow_auth_modifications` without a restriction.
///
/// There is no plain HTTP, and TLS is 1.2 or later. Silent and slow peers are cut off, and make room for
/// others when there are too many: see Limits. Threads of its own serve; no signal handler runs on them.
/// Source: VOLTTRON csr_endpoints.py, CSREndpoints; discovery.py; admin_endpoints.py.
class CsrServer {
 public:
  struct Limits {
    std::size_t connections = 256;              ///< at once; each is a thread
    std::size_t connections_per_source = 64;    ///< of one IPv4 address or IPv6 /64
    std::chrono::milliseconds handshake{5000};  ///< for all of TLS's
    std::chrono::milliseconds idle{5000};       ///< between two requests
    std::chrono::milliseconds request{15'000};  ///< from its first byte to its last; and again for the answer
    std::size_t requests_per_connection = 100;
    std::chrono::milliseconds session_idle = std::chrono::minutes(30);
    std::chrono::milliseconds session = std::chrono::hours(12);
  };

  struct Options {
    /// `bind-web-address`: "https://0.0.0.0:8443". Port 0: one of the system's choice.
    std::string bind = "https://127.0.0.1:8443";
    /// `web-ssl-cert` and `web-ssl-key`, both or none: PEM, the chain behind the certificate. Without, the
    /// authority of the store makes them for these hosts and the one of `bind`.
    std::filesystem::path certificate;
    std::filesystem::path key;
    std::vector<std::string> hosts;
    PlatformDiscovery discovery;
    Limits limits;
    /// Of addresses from which logins fail.
    AddressPenalties::Settings penalties;
    Clock clock = system_now;  ///< of sessions and lists; time limits go by a clock that nobody sets
    LogSink log;
  };

  /// \param service  must outlive the server
  /// \return kInvalidArgument   not an https address; one of certificate and key without the other
  /// \return kAlreadyExists     another process listens there
  /// \return kPermissionDenied, kIoError, kUnavailable  it cannot listen there
  /// \return what CertificateAuthority::server_certificate and AddressPenalties::create return
  VIPAUTH_EXPORT static Result<CsrServer> start(AuthService& service, std::shared_ptr<CsrStore> store,
                                                WebUsers users, const Options& options);

  VIPAUTH_EXPORT CsrServer(CsrServer&&) noexcept;
  VIPAUTH_EXPORT CsrServer& operator=(CsrServer&&) noexcept;
  VIPAUTH_EXPORT ~CsrServer();  ///< ends every connection, and waits for what is being answered

  VIPAUTH_EXPORT std::uint16_t port() const noexcept;
  VIPAUTH_EXPORT std::size_t connections() const;  ///< now

 private:
  struct Impl;
  explicit CsrServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vipauth
