#include "web/site.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include <vipauth/administration.hpp>

namespace vipauth::web {
namespace {

constexpr std::size_t kMaxPath = 1024;
constexpr std::string_view kCookie = "__Host-vipauth";

/// Where a path and a route meet.
struct Match {
  const Route* route = nullptr;  ///< null: the path is known, with other methods
  std::string parameter;
  std::string allowed;  ///< the methods of the path; empty: there is no such path
};

/// The parameter, as sent, of a path that a route has; nothing for another path.
std::optional<std::string_view> match_path(std::string_view pattern, std::string_view path) {
  const std::size_t open = pattern.find('{');
  if (open == std::string_view::npos) {
    if (pattern == path) return std::string_view();
    return std::nullopt;
  }
  const std::string_view tail = pattern.substr(pattern.find('}') + 1);
  if (path.size() <= open + tail.size() || !path.starts_with(pattern.substr(0, open)) ||
      !path.ends_with(tail)) {
    return std::nullopt;
  }
  const std::string_view parameter = path.substr(open, path.size() - open - tail.size());
  if (parameter.find('/') != std::string_view::npos) return std::nullopt;
  return parameter;
}

Match match(const HttpRequest& request) {
  Match out;
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  for (const Route& route : routes()) {
    const auto parameter = match_path(route.path, request.path);
    if (!parameter) continue;
    if (!out.allowed.empty()) out.allowed += ", ";
    out.allowed += route.method == "GET" ? "GET, HEAD" : route.method;
    if (route.method != method) continue;
    auto decoded = percent_decode(*parameter);
    if (!decoded) return {};
    out.route = &route;
    out.parameter = *std::move(decoded);
  }
  return out;
}

HttpReply not_found() { return error_reply(404, "there is nothing under this path"); }

/// RFC 9110, section 5.6.2. A space before the colon is part of a name for some, and for others it is not.
bool is_token(std::string_view name) {
  const auto is_allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_allowed);
}

/// The length that a request says that its body has; nothing where that is no number.
std::optional<std::size_t> body_length(const HttpRequest& request) {
  if (request.count("content-length") == 0) return 0;
  const auto text = request.header("content-length");
  if (!text || text->empty()) return std::nullopt;
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), length);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return length;
}

bool has_clear_names(const HttpRequest& request) {
  return std::all_of(request.headers.begin(), request.headers.end(),
                     [](const auto& header) { return is_token(header.first); });
}

bool is_json(std::string_view content_type) {
  const std::string type = to_small_letters(content_type.substr(0, content_type.find(';')));
  return type.substr(0, type.find_last_not_of(" \t") + 1) == "application/json";
}

/// True where a page of another site made a browser send this.
bool is_cross_site(const HttpRequest& request) {
  if (request.count("origin") > 0) {
    const auto origin = request.header("origin");
    const auto host = request.header("host");
    if (!origin || !host || to_small_letters(*origin) != "https://" + to_small_letters(*host)) return true;
  }
  if (request.count("sec-fetch-site") > 0) {
    const auto site = request.header("sec-fetch-site");
    if (!site || (*site != "same-origin" && *site != "none")) return true;
  }
  return false;
}

bool is_changing(const HttpRequest& request) { return request.method != "GET" && request.method != "HEAD"; }

}  // namespace

Site::Site(Parts parts, AddressPenalties penalties)
    : parts_(std::move(parts)),
      sessions_(parts_.sessions),
      logins_(parts_.users, std::move(penalties), LoginGate::Limits{}) {}

HttpReply Site::refuse(const Error& error, std::string_view what) const {
  HttpReply reply = error_reply(error);
  if (reply.status >= 500) log(LogLevel::kError, "web: " + std::string(what) + ": " + error.to_string());
  if (error.code == ErrorCode::kBusy) reply.headers.emplace_back("Retry-After", "10");
  return reply;
}

bool Site::has_clear_end(const HttpRequest& request) {
  const bool has_body = request.count("content-length") > 0 || request.count("transfer-encoding") > 0;
  const bool may_have_body =
      request.method != "GET" && request.method != "HEAD" && request.method != "DELETE";
  return !has_body && !may_have_body && has_clear_names(request);
}

std::optional<HttpReply> Site::refuse_head(const HttpRequest& request) const {
  if (!has_clear_names(request)) return error_reply(400, "the name of a header field is none");
  if (request.path.size() > kMaxPath) return error_reply(414, "the path is too long");
  const Match found = match(request);
  if (found.allowed.empty()) return not_found();
  if (found.route == nullptr) {
    HttpReply reply = error_reply(405, "this path has the methods " + found.allowed);
    reply.headers.emplace_back("Allow", found.allowed);
    return reply;
  }
  if (request.count("transfer-encoding") > 0 || request.count("content-encoding") > 0) {
    return error_reply(415, "a body is sent as it is, with its Content-Length");
  }
  const auto length = body_length(request);
  if (!length) return error_reply(400, "the Content-Length is not a number");
  if (found.route->max_body == 0) {
    if (*length > 0) return error_reply(413, "such a request has no body");
    return std::nullopt;
  }
  if (request.count("content-length") == 0) return error_reply(411, "the Content-Length is missing");
  if (*length > found.route->max_body) {
    return error_reply(413, "the body may have " + std::to_string(found.route->max_body) + " bytes");
  }
  const auto type = request.header("content-type");
  if (!type || !is_json(*type)) return error_reply(415, "the body must be application/json");
  return std::nullopt;
}

HttpReply Site::answer(const HttpRequest& request) {
  HttpReply reply = [&] {
    if (auto refused = refuse_head(request)) return *std::move(refused);
    Match found = match(request);
    return answer_route(*found.route, std::move(found.parameter), request);
  }();
  complete(request, reply);
  return reply;
}

HttpReply Site::answer_route(const Route& route, std::string parameter, const HttpRequest& request) {
  Call call{request, std::move(parameter), {}, nullptr, parts_.clock()};
  // Before anything that costs, or tells something.
  const bool is_api = route.path.starts_with("/api/");
  if (is_api && is_changing(request) && is_cross_site(request)) {
    return error_reply(403, "this request comes from a page of another site");
  }
  std::optional<Caller> caller;
  if (route.access == Route::Access::kAdmin) {
    caller = caller_of(request, call.now);
    if (!caller) return error_reply(401, "log in first, or show the certificate of an administrator");
    call.caller = &*caller;
    if (is_changing(request) && caller->by == Caller::By::kSession) {
      const auto token = request.header("x-csrf-token");
      if (!token || !are_equal_secrets(*token, WebSessions::csrf_token_of(caller->token))) {
        return error_reply(403, "the X-CSRF-Token is missing, or not the one of this session");
      }
    }
  }
  if (route.max_body > 0) {
    if (request.body.size() > route.max_body) return error_reply(413, "the body is too large");
    if (!request.body.empty() || route.access == Route::Access::kPublic) {
      auto body = Json::parse(request.body);
      if (!body) return error_reply(400, "the body is not JSON: " + body.error().to_string());
      if (!body->is_object()) return error_reply(400, "the body must be a JSON object");
      call.body = *std::move(body);
    } else {
      call.body = Json::Object();
    }
  }
  return route.answer(*this, call);
}

std::optional<std::string_view> Site::session_token(const HttpRequest& request) {
  std::optional<std::string_view> out;
  for (const auto& [name, value] : request.headers) {
    if (name != "cookie") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(';'), rest.size());
      std::string_view cookie = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      cookie.remove_prefix(std::min(cookie.find_first_not_of(' '), cookie.size()));
      if (!cookie.starts_with(kCookie) || cookie.size() <= kCookie.size() || cookie[kCookie.size()] != '=')
        continue;
      if (out) return std::nullopt;  // two: who knows whose
      out = cookie.substr(kCookie.size() + 1);
    }
  }
  return out;
}

std::optional<Caller> Site::caller_of(const HttpRequest& request, Timestamp now) {
  if (auto caller = caller_by_session(request, now)) return caller;
  return caller_by_certificate(request);
}

std::optional<Caller> Site::caller_by_session(const HttpRequest& request, Timestamp now) {
  const auto token = session_token(request);
  if (!token) return std::nullopt;
  const auto session = sessions_.use(*token, now);
  if (!session) return std::nullopt;
  // Who was removed, has another password or is in other groups must log in again.
  const auto user = parts_.users.get(session->user);
  if (!user && user.error().code != ErrorCode::kNotFound) {  // which tells nothing of the user
    log(LogLevel::kError, "web: cannot ask for a user: " + user.error().to_string());
    return std::nullopt;
  }
  if (!user || !user->is_admin() || user->stamp != session->stamp) {
    sessions_.end(*token);
    return std::nullopt;
  }
  return Caller{Caller::By::kSession, session->user, std::string(*token), session->ends};
}

std::optional<Caller> Site::caller_by_certificate(const HttpRequest& request) const {
  if (request.client_certificate.empty()) return std::nullopt;
  const auto certificate = parts_.store.authority().verify(request.client_certificate);
  if (!certificate || certificate->is_authority) return std::nullopt;
  const auto policy = parts_.service.policy()->current().snapshot;
  const auto grants = policy->capabilities.grants_of(certificate->common_name, Administration::kModify);
  const bool holds = std::any_of(grants.begin(), grants.end(), [](const HeldGrant& grant) {
    return grant.capability.restrictions.empty();
  });
  if (!holds) return std::nullopt;
  return Caller{Caller::By::kCertificate, certificate->common_name, "", std::nullopt};
}

void Site::complete(const HttpRequest& request, HttpReply& reply) {
  const auto add = [&](std::string_view name, std::string_view value) {
    reply.headers.emplace_back(name, value);
  };
  add("Strict-Transport-Security", "max-age=31536000");
  add("X-Content-Type-Options", "nosniff");
  add("X-Frame-Options", "DENY");
  add("Referrer-Policy", "no-referrer");
  add("Cross-Origin-Opener-Policy", "same-origin");
  add("Cross-Origin-Resource-Policy", "same-origin");
  const bool is_page = request.path == "/admin" || request.path.starts_with("/admin/");
  add("Cache-Control", is_page ? "no-cache" : "no-store");
  add("Content-Security-Policy",
      is_page
          ? "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
            "form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
          : "default-src 'none'; frame-ancestors 'none'");
}

}  // namespace vipauth::web
