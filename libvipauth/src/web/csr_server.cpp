#include <vipauth/csr_server.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <unistd.h>
#include <utility>

#include "web/https_listener.hpp"
#include "web/site.hpp"

namespace vipauth {
namespace {

using web::BindAddress;
using web::TlsContext;

/// Nobody is let in while the server's certificate is renewed; where others are at work, the next time does.
constexpr std::chrono::seconds kRenewalPatience{1};

/// What the certificate of the server is good for where it is made here.
std::vector<std::string> hosts_of(const CsrServer::Options& options, const BindAddress& address) {
  std::vector<std::string> out = options.hosts;
  if (address.is_wildcard()) {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) == 0) out.emplace_back(name.data());
  } else {
    out.push_back(address.host);
  }
  out.emplace_back("localhost");
  out.emplace_back("127.0.0.1");
  std::vector<std::string> unique;
  for (std::string& host : out) {
    if (!host.empty() && std::find(unique.begin(), unique.end(), host) == unique.end()) {
      unique.push_back(std::move(host));
    }
  }
  return unique;
}

Result<TlsContext> make_context(CertificateAuthority authority, const CsrServer::Options& options,
                                const std::vector<std::string>& hosts,
                                std::optional<std::chrono::milliseconds> patience = std::nullopt) {
  if (!options.certificate.empty()) {
    return web::make_tls_context(options.certificate, options.key, authority.root().pem);
  }
  const auto name = CommonName::parse(authority.instance() + ".web-server");
  if (!name) return name.error();
  std::vector<std::string> warnings;
  const EditNote note{"", "web service", true};
  const auto files = authority.server_certificate(*name, hosts, note, &warnings, patience);
  if (!files) return files.error();
  for (const std::string& warning : warnings) {
    if (options.log) options.log(LogLevel::kWarning, "web: " + warning);
  }
  return web::make_tls_context(files->certificate, files->key, authority.root().pem);
}

}  // namespace

struct CsrServer::Impl {
  Impl(AuthService& service, std::shared_ptr<CsrStore> the_store, WebUsers users, const Options& options,
       AddressPenalties penalties)
      : store(std::move(the_store)),
        site({service,
              *store,
              std::move(users),
              options.discovery,
              {options.limits.session_idle, options.limits.session},
              options.clock,
              options.log},
             std::move(penalties)) {}

  std::shared_ptr<CsrStore> store;
  web::Site site;
  std::uint16_t port = 0;
  std::unique_ptr<web::HttpsListener> listener;  // last: it ends first
};

CsrServer::CsrServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CsrServer::CsrServer(CsrServer&&) noexcept = default;
CsrServer& CsrServer::operator=(CsrServer&&) noexcept = default;
CsrServer::~CsrServer() = default;

Result<CsrServer> CsrServer::start(AuthService& service, std::shared_ptr<CsrStore> store, WebUsers users,
                                   const Options& options) {
  const auto address = BindAddress::parse(options.bind);
  if (!address) return address.error();
  if (options.certificate.empty() != options.key.empty()) {
    return Error{ErrorCode::kInvalidArgument, "web-ssl-cert and web-ssl-key are given both, or none of them",
                 ""};
  }
  auto penalties = AddressPenalties::create(options.penalties);
  if (!penalties) return penalties.error();
  const auto hosts = hosts_of(options, *address);
  auto context = make_context(store->authority(), options, hosts);
  if (!context) return context.error();
  auto listening = web::listen_at(*address);
  if (!listening) return listening.error();

  auto impl =
      std::make_unique<Impl>(service, std::move(store), std::move(users), options, *std::move(penalties));
  impl->port = listening->second;
  auto renew = [authority = impl->store->authority(), options, hosts] {
    return make_context(authority, options, hosts, kRenewalPatience);
  };
  try {
    impl->listener = std::make_unique<web::HttpsListener>(
        impl->site, std::move(listening->first), *std::move(context), std::move(renew), options.limits);
  } catch (const std::exception&) {
    return Error{ErrorCode::kUnavailable, "there is no thread for the HTTPS service", ""};
  }
  return CsrServer(std::move(impl));
}

std::uint16_t CsrServer::port() const noexcept { return impl_->port; }
std::size_t CsrServer::connections() const { return impl_->listener->connections(); }

}  // namespace vipauth
