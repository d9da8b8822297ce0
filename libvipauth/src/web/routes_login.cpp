// Logging in, and who is.

#include <utility>

#include "web/site.hpp"

namespace vipauth::web {
namespace {

/// The cookie's name says that no other host and no plain HTTP can have set it. Source: RFC 6265bis, 4.1.3.2.
std::string cookie_of(std::string_view token) {
  return "__Host-vipauth=" + std::string(token) + "; Path=/; Secure; HttpOnly; SameSite=Strict";
}

std::string expired_cookie() { return cookie_of("") + "; Max-Age=0"; }

void audit(Site& site, const Call& call, std::string_view user, bool allowed, Reason reason,
           std::string message) {
  AuditEvent event;
  event.kind = AuditEvent::Kind::kAuthentication;
  event.allowed = allowed;
  event.reason = reason;
  event.mechanism = "WEB";
  event.credentials = std::string(user.substr(0, AuditEvent::kMaxTextBytes));
  if (allowed) event.user_id = "web:" + event.credentials;
  event.address = call.request.address;
  event.message = std::move(message);
  site.service().audit(std::move(event));
}

}  // namespace

HttpReply answer_login(Site& site, const Call& call) {
  const Json* name = call.body.find("username");
  const Json* password = call.body.find("password");
  if (name == nullptr || !name->is_string() || password == nullptr || !password->is_string()) {
    return error_reply(400, "the body must be {\"username\": ..., \"password\": ...}");
  }
  const auto user =
      site.logins().check(name->as_string(), password->as_string(), call.request.address, call.now);
  if (!user) {
    const bool is_busy = user.error().code == ErrorCode::kBusy;
    if (!is_busy && user.error().code != ErrorCode::kPermissionDenied)
      return site.refuse(user.error(), "a login");
    audit(site, call, name->as_string(), false, is_busy ? Reason::kUnknown : Reason::kDenied,
          user.error().message);
    HttpReply reply = error_reply(is_busy ? 429 : 401, user.error().message);
    if (is_busy) reply.headers.emplace_back("Retry-After", "60");
    return reply;
  }
  // A browser that is logged in gets another token, and the one before ends.
  if (const auto before = Site::session_token(call.request)) site.sessions().end(*before);
  const auto token = site.sessions().begin(user->name, user->stamp, call.now);
  if (!token) return site.refuse(token.error(), "a login");
  audit(site, call, user->name, true, Reason::kAccepted, "logged in");
  const auto session = site.sessions().use(*token, call.now);
  HttpReply reply =
      json_reply(200, Json::Object{{"status", "OK"},
                                   {"username", user->name},
                                   {"csrf_token", WebSessions::csrf_token_of(*token)},
                                   {"expires", format_timestamp(session ? session->ends : call.now)}});
  reply.headers.emplace_back("Set-Cookie", cookie_of(*token));
  return reply;
}

HttpReply answer_logout(Site& site, const Call& call) {
  if (call.caller->by == Caller::By::kSession) {
    site.sessions().end(call.caller->token);
    audit(site, call, call.caller->name, true, Reason::kAccepted, "logged out");
  }
  HttpReply reply = json_reply(200, Json::Object{{"status", "OK"}});
  reply.headers.emplace_back("Set-Cookie", expired_cookie());
  return reply;
}

HttpReply answer_session(Site&, const Call& call) {
  const Caller& caller = *call.caller;
  Json out = Json::Object{{"username", caller.name},
                          {"by", caller.by == Caller::By::kSession ? "session" : "certificate"}};
  if (caller.by == Caller::By::kSession) {
    out.set("csrf_token", WebSessions::csrf_token_of(caller.token));
    out.set("expires", format_timestamp(*caller.expires));
  }
  return json_reply(200, out);
}

}  // namespace vipauth::web
