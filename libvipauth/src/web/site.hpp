#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <vipauth/auth_service.hpp>
#include <vipauth/csr_server.hpp>
#include <vipauth/csr_store.hpp>

#include "web/http_message.hpp"
#include "web/login_gate.hpp"
#include "web/web_sessions.hpp"

namespace vipauth::web {

class Site;

/// An administrator, as a request shows it.
struct Caller {
  enum class By { kSession, kCertificate };
  By by = By::kSession;
  std::string name;
  std::string token;                 ///< of a session
  std::optional<Timestamp> expires;  ///< the same

  /// For the history and the audit log: no user of the system has a colon in its name.
  std::string who() const { return (by == By::kSession ? "web:" : "peer:") + name; }
};

/// A request that has been found in order, for who answers it.
struct Call {
  const HttpRequest& request;
  std::string parameter;  ///< what stands for `{...}` in the path, decoded
  Json body;              ///< of what has one: an object
  const Caller* caller;   ///< not null where the route asks for an administrator
  Timestamp now;
};

struct Route {
  enum class Access { kPublic, kAdmin };
  std::string_view method;
  std::string_view path;  ///< "/api/csrs/{common_name}/approve": one part in braces stands for any
  Access access;
  std::size_t max_body;  ///< bytes
  HttpReply (*answer)(Site&, const Call&);
};

/// Everything that there is to ask for.
std::span<const Route> routes();

/// What is asked of whom, without a socket. answer() may be called from any thread.
class Site {
 public:
  struct Parts {
    AuthService& service;
    CsrStore& store;
    WebUsers users;
    PlatformDiscovery discovery;
    WebSessions::Limits sessions;
    Clock clock;
    LogSink log;
  };
  /// As large as the body of any request may be.
  static constexpr std::size_t kMaxBody = 65'536;

  Site(Parts parts, AddressPenalties penalties);

  /// Looks at a request before its body is read. \return the refusal of one that needs not be read
  std::optional<HttpReply> refuse_head(const HttpRequest& request) const;
  /// Whether what follows such a head, with no body read, is surely the next request.
  static bool has_clear_end(const HttpRequest& request);
  /// Answers a request, with all headers that the answer has.
  HttpReply answer(const HttpRequest& request);
  /// Puts on a reply what every reply has.
  static void complete(const HttpRequest& request, HttpReply& reply);

  // For those who answer.

  AuthService& service() { return parts_.service; }
  CsrStore& store() { return parts_.store; }
  const WebUsers& users() const { return parts_.users; }
  const PlatformDiscovery& discovery() const { return parts_.discovery; }
  WebSessions& sessions() { return sessions_; }
  LoginGate& logins() { return logins_; }
  void log(LogLevel level, const std::string& line) const {
    if (parts_.log) parts_.log(level, line);
  }
  /// The reply to an error, which is logged where the peer is not told.
  HttpReply refuse(const Error& error, std::string_view what) const;
  /// The token that a request shows in its cookie.
  static std::optional<std::string_view> session_token(const HttpRequest& request);

 private:
  std::optional<Caller> caller_of(const HttpRequest& request, Timestamp now);
  std::optional<Caller> caller_by_session(const HttpRequest& request, Timestamp now);
  std::optional<Caller> caller_by_certificate(const HttpRequest& request) const;
  HttpReply answer_route(const Route& route, std::string parameter, const HttpRequest& request);

  Parts parts_;
  WebSessions sessions_;
  LoginGate logins_;
};

// The answers, by theme.

HttpReply answer_csr(Site&, const Call&);
HttpReply answer_discovery(Site&, const Call&);
HttpReply answer_revocation_list(Site&, const Call&);
HttpReply answer_root(Site&, const Call&);
HttpReply answer_asset(Site&, const Call&);

HttpReply answer_login(Site&, const Call&);
HttpReply answer_logout(Site&, const Call&);
HttpReply answer_session(Site&, const Call&);

HttpReply answer_csrs(Site&, const Call&);
HttpReply answer_approve_csr(Site&, const Call&);
HttpReply answer_deny_csr(Site&, const Call&);
HttpReply answer_delete_csr(Site&, const Call&);
HttpReply answer_credentials(Site&, const Call&);
HttpReply answer_approve_credential(Site&, const Call&);
HttpReply answer_deny_credential(Site&, const Call&);
HttpReply answer_delete_credential(Site&, const Call&);
HttpReply answer_roles(Site&, const Call&);
HttpReply answer_groups(Site&, const Call&);
HttpReply answer_protected_topics(Site&, const Call&);
HttpReply answer_certificates(Site&, const Call&);

}  // namespace vipauth::web
