#include "web/site.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <vipauth/file_history.hpp>

#include "support/asking.hpp"
#include "support/catch.hpp"
#include "support/web_home.hpp"
#include "web/assets.hpp"

using namespace vipauth;
using namespace vipauth::test;
using namespace vipauth::web;
using namespace std::chrono_literals;

namespace {

const std::string kName = "here.there.agent";

Json body_of(const HttpReply& reply) {
  INFO(reply.body);
  auto parsed = Json::parse(reply.body);
  REQUIRE(parsed);
  return *std::move(parsed);
}

std::string text_at(const Json& json, std::string_view name) {
  const Json* value = json.find(name);
  REQUIRE(value != nullptr);
  return value->as_string();
}

std::string header_of(const HttpReply& reply, std::string_view name) {
  for (const auto& [header, value] : reply.headers) {
    if (header == name) return value;
  }
  return "";
}

/// A site, and who asks it.
struct Asker {
  explicit Asker(AuthService::Options options = {}, const std::string& auth = auth_file({}))
      : web({}, std::move(options), auth),
        site({web.service,
              *web.store,
              web.users,
              {.instance_name = "here", .vip_address = "tcp://h:1"},
              {},
              [this] { return now; },
              [this](LogLevel, const std::string& line) { log += line + "\n"; }},
             *AddressPenalties::create({})) {}

  HttpRequest request(const std::string& method, const std::string& path,
                      const std::string& body = "{}") const {
    HttpRequest out{method, path, {{"host", "here:8443"}}, "", "10.0.0.1", ""};
    if (method != "POST") return out;
    out.headers.emplace_back("content-type", "application/json");
    out.headers.emplace_back("content-length", std::to_string(body.size()));
    out.body = body;
    return out;
  }
  HttpReply ask(const std::string& method, const std::string& path, const std::string& body = "{}") {
    return site.answer(request(method, path, body));
  }
  static std::string login_body(const std::string& name = "alice",
                                const std::string& password = kAdminPassword) {
    return Json(Json::Object{{"username", name}, {"password", password}}).dump();
  }
  void log_in() {
    const HttpReply reply = ask("POST", "/api/login", login_body());
    REQUIRE(reply.status == 200);
    csrf = text_at(body_of(reply), "csrf_token");
    const std::string set = header_of(reply, "Set-Cookie");
    cookie = set.substr(0, set.find(';'));
  }
  /// As the page of who is logged in.
  HttpRequest logged_in(const std::string& method, const std::string& path,
                        const std::string& body = "{}") const {
    HttpRequest out = request(method, path, body);
    out.headers.emplace_back("cookie", "other=1; " + cookie);
    out.headers.emplace_back("x-csrf-token", csrf);
    out.headers.emplace_back("origin", "https://here:8443");
    out.headers.emplace_back("sec-fetch-site", "same-origin");
    return out;
  }
  HttpReply ask_as_admin(const std::string& method, const std::string& path, const std::string& body = "{}") {
    return site.answer(logged_in(method, path, body));
  }
  HttpReply ask_for_certificate(const std::string& pem) {
    return ask("POST", "/csr/request_new", Json(Json::Object{{"csr", pem}}).dump());
  }
  std::string status_of(const std::string& name) const {
    return std::string(to_string(web.store->get(*CommonName::parse(name))->status));
  }

  Timestamp now = kNow;
  std::string log;
  WebHome web;
  Site site;
  std::string cookie;
  std::string csrf;
};

/// A path of a route, with something in the place of what is in braces.
std::string path_of(const Route& route) {
  std::string out(route.path);
  const std::size_t open = out.find('{');
  if (open != std::string::npos) out.replace(open, out.find('}') - open + 1, kName);
  return out;
}

void set_header(HttpRequest& request, const std::string& name, const std::string& value) {
  std::erase_if(request.headers, [&](const auto& header) { return header.first == name; });
  if (!value.empty()) request.headers.emplace_back(name, value);
}

}  // namespace

TEST_CASE("Site: a stranger gets nothing on any route for administrators") {
  Asker asker;
  REQUIRE(asker.ask_for_certificate(WebHome::csr(kName).pem()).status == 200);
  std::size_t count = 0;
  for (const Route& route : routes()) {
    if (route.access != Route::Access::kAdmin) continue;
    ++count;
    INFO(route.method << " " << route.path);
    const std::string method(route.method);
    for (const std::string& cookie :
         {std::string(), std::string("__Host-vipauth="), "__Host-vipauth=" + std::string(64, '0')}) {
      HttpRequest request = asker.request(method, path_of(route));
      set_header(request, "cookie", cookie);
      set_header(request, "x-csrf-token", "0");
      const HttpReply reply = asker.site.answer(request);
      CHECK(reply.status == 401);
      CHECK(reply.body.find(kName) == std::string::npos);
    }
  }
  CHECK(count == 14);
  CHECK(asker.status_of(kName) == "PENDING");
}

TEST_CASE("Site: only what is known to be for everybody is for everybody") {
  std::set<std::string> open;
  for (const Route& route : routes()) {
    if (route.access == Route::Access::kPublic)
      open.insert(std::string(route.method) + " " + std::string(route.path));
  }
  CHECK(open == std::set<std::string>{"POST /csr/request_new", "GET /discovery/", "GET /discovery",
                                      "GET /crl.pem", "GET /ca.pem", "GET /admin", "GET /admin/page.css",
                                      "GET /admin/page.js", "GET /admin/icon.svg", "GET /openapi.json",
                                      "POST /api/login"});
}

TEST_CASE("Site: every route is described, and nothing else is") {
  const auto description = Json::parse(find_asset("/openapi.json")->text);
  REQUIRE(description);
  std::set<std::string> described;
  for (const Json::Member& path : description->find("paths")->as_object()) {
    for (const Json::Member& method : path.value.as_object()) {
      std::string name = method.name;
      std::transform(name.begin(), name.end(), name.begin(),
                     [](char c) { return static_cast<char>(c - 'a' + 'A'); });
      described.insert(name + " " + path.name);
      const Json* security = method.value.find("security");
      const bool is_public = security != nullptr && security->as_array().empty();
      const auto route = std::find_if(routes().begin(), routes().end(), [&](const Route& known) {
        return known.method == name && known.path == path.name;
      });
      INFO(name << " " << path.name);
      REQUIRE(route != routes().end());
      CHECK(is_public == (route->access == Route::Access::kPublic));
    }
  }
  CHECK(described.size() == routes().size());
}

TEST_CASE("Site: a certificate is asked for, approved and given") {
  Asker asker;
  const CertificateRequest csr = WebHome::csr(kName);
  HttpReply reply = asker.ask_for_certificate(csr.pem());
  CHECK(reply.status == 200);
  CHECK(text_at(body_of(reply), "status") == "PENDING");
  CHECK(text_at(body_of(reply), "message") == "The request is pending admininstrator approval.");

  asker.log_in();
  reply = asker.ask_as_admin("POST", "/api/csrs/" + kName + "/approve");
  CHECK(reply.status == 200);
  CHECK(text_at(*body_of(reply).find("csr"), "status") == "APPROVED");

  reply = asker.ask_for_certificate(csr.pem());
  CHECK(text_at(body_of(reply), "status") == "APPROVED");
  const auto certificate = Certificate::parse(text_at(body_of(reply), "cert"));
  REQUIRE(certificate);
  CHECK(certificate->common_name == kName);
  CHECK(certificate->key_fingerprint == csr.key_fingerprint());

  reply = asker.ask_as_admin("POST", "/api/csrs/" + kName + "/deny");
  CHECK(reply.status == 200);
  reply = asker.ask_for_certificate(csr.pem());
  CHECK(text_at(body_of(reply), "status") == "DENIED");
  CHECK(text_at(body_of(reply), "message") == "The request has been denied by the administrator.");
  CHECK(body_of(reply).find("cert") == nullptr);

  CHECK(asker.ask_as_admin("DELETE", "/api/csrs/" + kName).status == 200);
  CHECK(asker.ask_as_admin("DELETE", "/api/csrs/" + kName).status == 404);
  CHECK(text_at(body_of(asker.ask_for_certificate(csr.pem())), "status") == "PENDING");
}

TEST_CASE("Site: the log tells of a decision that is not audited") {
  Asker asker;
  asker.log_in();
  REQUIRE(asker.ask_for_certificate(WebHome::csr(kName).pem()).status == 200);
  REQUIRE(asker.ask_as_admin("POST", "/api/csrs/" + kName + "/approve").status == 200);
  CHECK(asker.log.empty());
  asker.web.home.write("audit", "a file");
  CHECK(asker.ask_as_admin("POST", "/api/csrs/" + kName + "/deny").status == 200);
  CHECK(asker.log.find("this change is not in the audit log") != std::string::npos);
}

TEST_CASE("Site: an approval is for the key that was looked at") {
  Asker asker;
  const CertificateRequest first = WebHome::csr(kName);
  const CertificateRequest second = WebHome::csr(kName);
  REQUIRE(asker.ask_for_certificate(first.pem()).status == 200);
  asker.log_in();
  REQUIRE(asker.ask_as_admin("DELETE", "/api/csrs/" + kName).status == 200);
  REQUIRE(asker.ask_for_certificate(second.pem()).status == 200);
  const auto approve = [&](const Json& body) {
    return asker.ask_as_admin("POST", "/api/csrs/" + kName + "/approve", body.dump()).status;
  };
  CHECK(approve(Json::Object{{"key_fingerprint", first.key_fingerprint()}}) == 409);
  CHECK(approve(Json::Object{{"key_fingerprint", ""}}) == 400);
  CHECK(approve(Json::Object{{"key_fingerprint", Json()}}) == 400);
  CHECK(approve(Json::Object{{"fingerprint", second.key_fingerprint()}}) == 400);
  CHECK(asker.web.store->get(*CommonName::parse(kName))->status == CsrStatus::kPending);
  CHECK(approve(Json::Object{{"key_fingerprint", second.key_fingerprint()}}) == 200);
}

TEST_CASE("Site: hostile requests for certificates are refused clearly") {
  Asker asker;
  const auto status = [&](const std::string& body) {
    const HttpReply reply = asker.ask("POST", "/csr/request_new", body);
    CHECK(text_at(body_of(reply), "status") == "ERROR");
    CHECK_FALSE(text_at(body_of(reply), "message").empty());
    return reply.status;
  };
  CHECK(status("") == 400);
  CHECK(status("[]") == 400);
  CHECK(status("{") == 400);
  CHECK(status("{}") == 400);
  CHECK(status(R"({"csr": 1})") == 400);
  CHECK(status(R"({"csr": "not PEM"})") == 400);
  CHECK(status(std::string(20'000, '[')) == 400);
  CHECK(status(Json(Json::Object{{"csr", std::string(17'000, 'a')}}).dump()) == 413);
  CHECK(status(std::string(33'000, ' ')) == 413);
  const auto csr_status = [&](const std::string& pem) { return asker.ask_for_certificate(pem).status; };
  CHECK(csr_status(WebHome::csr("elsewhere.there.agent").pem()) == 400);
  REQUIRE(csr_status(WebHome::csr(kName).pem()) == 200);
  CHECK(csr_status(WebHome::csr(kName).pem()) == 409);
  CHECK(asker.web.store->list()->size() == 1);
}

TEST_CASE("Site: one address asks for a few new names in a minute") {
  Asker asker;
  for (int i = 0; i < 10; ++i) {
    CHECK(asker.ask_for_certificate(WebHome::csr("here.there.agent" + std::to_string(i)).pem()).status ==
          200);
  }
  const HttpReply reply = asker.ask_for_certificate(WebHome::csr("here.there.more").pem());
  CHECK(reply.status == 429);
  CHECK(header_of(reply, "Retry-After") == "60");
  CHECK(asker.web.store->list()->size() == 10);
}

TEST_CASE("Site: what everybody may read") {
  Asker asker;
  CHECK(text_at(body_of(asker.ask("GET", "/discovery/")), "instance-name") == "here");
  CHECK(body_of(asker.ask("GET", "/discovery")).find("serverkey") == nullptr);
  CHECK(asker.ask("GET", "/ca.pem").body == asker.web.store->authority().root().pem);
  CHECK(asker.ask("GET", "/crl.pem").body.find("BEGIN X509 CRL") != std::string::npos);
  CHECK(asker.ask("HEAD", "/discovery/").status == 200);
  CHECK(asker.ask("GET", "/admin").content_type == "text/html; charset=utf-8");
}

TEST_CASE("Site: other paths and methods are refused") {
  Asker asker;
  for (const char* path : {"/", "/api", "/api/", "/admin/", "/admin/../ca.pem", "/ca.pem/", "*", ""}) {
    INFO(path);
    CHECK(asker.ask("GET", path).status == 404);
  }
  for (const char* path : {"/api/csrs//approve", "/api/csrs/a/b/approve", "/api/csrs/%2/approve"}) {
    INFO(path);
    CHECK(asker.ask("POST", path).status == 404);
  }
  const HttpReply reply = asker.ask("DELETE", "/api/csrs");
  CHECK(reply.status == 405);
  CHECK(header_of(reply, "Allow") == "GET, HEAD");
  CHECK(asker.ask("PUT", "/csr/request_new").status == 405);
  CHECK(asker.ask("GET", "/api/login").status == 405);
  CHECK(asker.ask("OPTIONS", "/api/csrs").status == 405);
}

TEST_CASE("Site: a head that is not in order is refused before its body") {
  Asker asker;
  const auto status = [&](const std::string& name, const std::string& value) {
    HttpRequest request = asker.request("POST", "/csr/request_new");
    set_header(request, name, value);
    const auto refused = asker.site.refuse_head(request);
    return refused ? refused->status : 0;
  };
  CHECK(status("content-type", "application/json") == 0);
  CHECK(status("content-type", "Application/JSON ; charset=utf-8") == 0);
  CHECK(status("content-type", "text/plain") == 415);
  CHECK(status("content-type", "multipart/form-data; boundary=x") == 415);
  CHECK(status("content-type", "application/x-www-form-urlencoded") == 415);
  CHECK(status("content-type", "") == 415);
  CHECK(status("content-length", "") == 411);
  CHECK(status("content-length", "1048576") == 413);
  CHECK(status("content-length", "-1") == 400);
  CHECK(status("content-length", "99999999999999999999999") == 400);
  CHECK(status("transfer-encoding", "chunked") == 415);
  CHECK(status("content-encoding", "gzip") == 415);
  HttpRequest twice = asker.request("POST", "/csr/request_new");
  twice.headers.emplace_back("content-length", "0");
  CHECK(asker.site.refuse_head(twice)->status == 400);
  HttpRequest with_body = asker.request("GET", "/discovery/");
  with_body.headers.emplace_back("content-length", "5");
  CHECK(asker.site.refuse_head(with_body)->status == 413);
}

TEST_CASE("Site: a login needs the password, and gives a cookie that only this site gets") {
  AuthService::Options options;
  Asker asker(options);
  for (const auto& [name, password] : std::vector<std::pair<std::string, std::string>>{
           {"alice", "wrong"}, {"bob", kAdminPassword}, {"", ""}}) {
    const HttpReply reply = asker.ask("POST", "/api/login", Asker::login_body(name, password));
    CHECK(reply.status == 401);
    CHECK(header_of(reply, "Set-Cookie").empty());
  }
  CHECK(asker.ask("POST", "/api/login", R"({"username": "alice"})").status == 400);

  const HttpReply reply = asker.ask("POST", "/api/login", Asker::login_body());
  REQUIRE(reply.status == 200);
  const std::string cookie = header_of(reply, "Set-Cookie");
  CHECK(cookie.starts_with("__Host-vipauth="));
  CHECK(cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"));
  CHECK(text_at(body_of(reply), "expires") == "2026-11-21T00:30:00Z");
}

TEST_CASE("Site: who guesses passwords is told to wait") {
  Asker asker;
  for (int i = 0; i < 4; ++i) {
    CHECK(asker.ask("POST", "/api/login", Asker::login_body("alice", "wrong")).status == 401);
  }
  const HttpReply reply = asker.ask("POST", "/api/login", Asker::login_body());
  CHECK(reply.status == 429);
  CHECK(header_of(reply, "Retry-After") == "60");
  asker.now += 1h;
  CHECK(asker.ask("POST", "/api/login", Asker::login_body()).status == 200);
}

TEST_CASE("Site: who is logged in sees, and after the logout does not") {
  Asker asker;
  asker.log_in();
  const Json session = body_of(asker.ask_as_admin("GET", "/api/session"));
  CHECK(text_at(session, "username") == "alice");
  CHECK(text_at(session, "csrf_token") == asker.csrf);
  for (const Route& route : routes()) {
    if (route.method != "GET") continue;
    INFO(route.path);
    CHECK(asker.ask_as_admin("GET", path_of(route)).status == 200);
  }
  CHECK(asker.ask_as_admin("POST", "/api/logout").status == 200);
  CHECK(asker.ask_as_admin("GET", "/api/csrs").status == 401);
}

TEST_CASE("Site: another login of the same browser ends the session before") {
  Asker asker;
  asker.log_in();
  const std::string before = asker.cookie;
  HttpRequest again = asker.request("POST", "/api/login", Asker::login_body());
  again.headers.emplace_back("cookie", before);
  const HttpReply reply = asker.site.answer(again);
  REQUIRE(reply.status == 200);
  CHECK_FALSE(header_of(reply, "Set-Cookie").starts_with(before));
  CHECK(asker.ask_as_admin("GET", "/api/csrs").status == 401);
}

TEST_CASE("Site: a session ends with time") {
  Asker asker;
  asker.log_in();
  asker.now += 29min;
  CHECK(asker.ask_as_admin("GET", "/api/csrs").status == 200);
  asker.now += 31min;
  CHECK(asker.ask_as_admin("GET", "/api/csrs").status == 401);
}

TEST_CASE("Site: a user that is changed or removed is logged out") {
  Asker asker;
  asker.log_in();
  asker.web.set_user("bob", {"admin"});
  CHECK(asker.ask_as_admin("GET", "/api/csrs").status == 200);
  SECTION("another password") {
    REQUIRE(asker.web.users.add("alice", "another password", {"admin"}, WebUsers::Existing::kReplace));
  }
  SECTION("another group") { asker.web.set_user("alice", {"vui"}); }
  SECTION("removed") { REQUIRE(asker.web.users.remove("alice")); }
  SECTION("a file that cannot be read") { asker.web.home.write("web-users.json", "{"); }
  CHECK(asker.ask_as_admin("GET", "/api/csrs").status == 401);
}

TEST_CASE("Site: a session lets nobody in while the users cannot be read, and outlives that") {
  Asker asker;
  asker.log_in();
  const std::string users = asker.web.home.read("web-users.json");
  asker.web.home.write("web-users.json", "{");
  CHECK(asker.ask_as_admin("GET", "/api/csrs").status == 401);
  CHECK(asker.log.find("cannot ask for a user") != std::string::npos);
  asker.web.home.write("web-users.json", users);
  CHECK(asker.ask_as_admin("GET", "/api/csrs").status == 200);
}

TEST_CASE("Site: a page of another site changes nothing") {
  Asker asker;
  REQUIRE(asker.ask_for_certificate(WebHome::csr(kName).pem()).status == 200);
  asker.log_in();
  const auto status = [&](const std::string& method, const std::string& path, const std::string& name,
                          const std::string& value) {
    HttpRequest request = asker.logged_in(method, path);
    set_header(request, name, value);
    return asker.site.answer(request).status;
  };
  for (const auto& [method, path] :
       std::vector<std::pair<std::string, std::string>>{{"POST", "/api/csrs/" + kName + "/approve"},
                                                        {"DELETE", "/api/csrs/" + kName},
                                                        {"POST", "/api/logout"}}) {
    INFO(method << " " << path);
    CHECK(status(method, path, "x-csrf-token", "") == 403);
    CHECK(status(method, path, "x-csrf-token", std::string(64, '0')) == 403);
    CHECK(status(method, path, "origin", "https://evil.example") == 403);
    CHECK(status(method, path, "origin", "http://here:8443") == 403);
    CHECK(status(method, path, "origin", "null") == 403);
    CHECK(status(method, path, "sec-fetch-site", "cross-site") == 403);
    CHECK(status(method, path, "sec-fetch-site", "same-site") == 403);
    HttpRequest twice = asker.logged_in(method, path);
    twice.headers.emplace_back("origin", "https://here:8443");
    CHECK(asker.site.answer(twice).status == 403);
    HttpRequest two_cookies = asker.logged_in(method, path);
    two_cookies.headers.emplace_back("cookie", "__Host-vipauth=" + std::string(64, '0'));
    CHECK(asker.site.answer(two_cookies).status == 401);
  }
  CHECK(status("POST", "/api/csrs/" + kName + "/approve", "content-type", "text/plain") == 415);
  CHECK(asker.status_of(kName) == "PENDING");
  // The twin: the page of this site does.
  CHECK(asker.ask_as_admin("POST", "/api/csrs/" + kName + "/approve").status == 200);
  CHECK(asker.status_of(kName) == "APPROVED");
  HttpRequest login = asker.request("POST", "/api/login", Asker::login_body());
  login.headers.emplace_back("origin", "https://evil.example");
  CHECK(asker.site.answer(login).status == 403);
}

TEST_CASE("Site: the certificate of an administrator counts as long as it is one") {
  const std::string auth =
      auth_file({user_record("boss", kKeyA, "{'capabilities': ['allow_auth_modifications']}"),
                 user_record("clerk", kKeyB,
                             "{'capabilities': [{'allow_auth_modifications': "
                             "{'user_id': 'x'}}]}"),
                 user_record("guest", kKeyC)});
  Asker asker({}, auth);
  CertificateAuthority authority = asker.web.store->authority();
  const auto status = [&](const std::string& pem) {
    HttpRequest request = asker.request("GET", "/api/csrs");
    request.client_certificate = pem;
    return asker.site.answer(request).status;
  };
  const auto pem_of = [&](const std::string& name) {
    const auto files = authority.client_certificate(*CommonName::parse(name));
    REQUIRE(files);
    return asker.web.home.read(files->certificate.lexically_relative(asker.web.home.path()).string());
  };
  CHECK(status(pem_of("boss")) == 200);
  CHECK(status(pem_of("clerk")) == 401);
  CHECK(status(pem_of("guest")) == 401);
  CHECK(status(pem_of("nobody")) == 401);
  CHECK(status("") == 401);
  CHECK(status(asker.web.store->authority().root().pem) == 401);

  const TempHome elsewhere;
  auto foreign = CertificateAuthority::open_or_create(elsewhere / "certificates", "here", {});
  REQUIRE(foreign);
  const auto files = foreign->client_certificate(*CommonName::parse("boss"));
  REQUIRE(files);
  CHECK(status(elsewhere.read(files->certificate.lexically_relative(elsewhere.path()).string())) == 401);

  // No token is needed, since no other site can have a browser send such a body; another site's page stays
  // out.
  HttpRequest approve = asker.request("POST", "/api/csrs/here.x.y/approve");
  approve.client_certificate = pem_of("boss");
  CHECK(asker.site.answer(approve).status == 404);
  approve.headers.emplace_back("sec-fetch-site", "cross-site");
  CHECK(asker.site.answer(approve).status == 403);

  const std::string boss = pem_of("boss");
  REQUIRE(authority.revoke(*CommonName::parse("boss")));
  CHECK(status(boss) == 401);
}

TEST_CASE("Site: a peer of the bus is approved with what it is given, denied and deleted") {
  AuthService::Options options;
  Asker asker(options, auth_file({}, "{'roles': {'reader': ['can_read']}, 'groups': {'staff': ['reader']}}"));
  const auto keys = CurveKeyPair::generate();
  const std::string key_text = keys.public_key.to_base64url();
  ask_curve(asker.web.service.zap_authenticator(), key_text, "10.0.0.9");
  REQUIRE(asker.web.service.flush());
  asker.log_in();
  const Json list = body_of(asker.ask_as_admin("GET", "/api/credentials"));
  REQUIRE(list.find("credentials")->as_array().size() == 1);
  const Json& peer = list.find("credentials")->as_array().front();
  CHECK(text_at(peer, "status") == "PENDING");
  CHECK(text_at(peer, "credentials") == key_text);
  const std::string path = "/api/credentials/" + text_at(peer, "user_id");

  CHECK(asker.ask_as_admin("POST", path + "/approve", R"({"rolls": ["reader"]})").status == 400);
  CHECK(asker.ask_as_admin("POST", path + "/approve", R"({"roles": "reader"})").status == 400);
  CHECK(asker.ask_as_admin("POST", path + "/approve", R"({"any_address": 1})").status == 400);
  CHECK(asker.ask_as_admin("POST", path + "/approve", R"({"credentials": null})").status == 400);
  CHECK(asker.ask_as_admin("POST", path + "/approve", R"({"credentials": "abc"})").status == 400);
  const HttpReply approved = asker.ask_as_admin(
      "POST", path + "/approve",
      R"({"user_id": "meter", "identity": "meter.agent", "roles": ["reader"], "groups": ["staff"], "any_address": true})");
  CHECK(approved.status == 200);
  CHECK(stored(asker.web.home, "allow", 0, "user_id") == Json("meter"));
  CHECK(stored(asker.web.home, "allow", 0, "identity") == Json("meter.agent"));
  CHECK(stored(asker.web.home, "allow", 0, "roles") == Json::strings({"reader"}));
  CHECK(stored(asker.web.home, "allow", 0, "groups") == Json::strings({"staff"}));
  CHECK(stored(asker.web.home, "allow", 0, "address").is_null());

  const FileHistory history(asker.web.home / "auth.json");
  const auto versions = history.list();
  REQUIRE(versions);
  REQUIRE_FALSE(versions->empty());
  CHECK(versions->back().who == "web:alice");

  CHECK(asker.ask_as_admin("POST", "/api/credentials/meter/deny").status == 200);
  CHECK(stored(asker.web.home, "deny", 0, "user_id") == Json("meter"));
  CHECK(asker.ask_as_admin("DELETE", "/api/credentials/meter").status == 200);
  CHECK(asker.ask_as_admin("DELETE", "/api/credentials/meter").status == 404);
  CHECK(text_at(body_of(asker.ask_as_admin("GET", "/api/roles")).find("roles")->as_array().front(), "name") ==
        "reader");
  CHECK(text_at(body_of(asker.ask_as_admin("GET", "/api/groups")).find("groups")->as_array().front(),
                "name") == "staff");
}

TEST_CASE("Site: a peer of the bus is approved with the key that was looked at, and with no other") {
  Asker asker;
  const std::string key_text = CurveKeyPair::generate().public_key.to_base64url();
  const std::string other = CurveKeyPair::generate().public_key.to_base64url();
  ask_curve(asker.web.service.zap_authenticator(), key_text, "10.0.0.9");
  REQUIRE(asker.web.service.flush());
  asker.log_in();
  const Json list = body_of(asker.ask_as_admin("GET", "/api/credentials"));
  const std::string path =
      "/api/credentials/" + text_at(list.find("credentials")->as_array().front(), "user_id") + "/approve";
  const auto approve = [&](const std::string& key) {
    return asker.ask_as_admin("POST", path, R"({"credentials": ")" + key + "\"}").status;
  };
  CHECK(approve(other) == 409);
  CHECK(asker.web.service.get_approved_authorizations()->empty());
  CHECK(approve(key_text) == 200);
  CHECK(stored(asker.web.home, "allow", 0, "credentials") == Json(key_text));
}

TEST_CASE("Site: every reply has the headers that keep browsers strict") {
  Asker asker;
  for (const char* path : {"/admin", "/discovery/", "/api/csrs", "/nothing"}) {
    const HttpReply reply = asker.ask("GET", path);
    INFO(path);
    CHECK(header_of(reply, "Strict-Transport-Security") == "max-age=31536000");
    CHECK(header_of(reply, "X-Content-Type-Options") == "nosniff");
    CHECK(header_of(reply, "X-Frame-Options") == "DENY");
    CHECK(header_of(reply, "Referrer-Policy") == "no-referrer");
    CHECK(header_of(reply, "Content-Security-Policy").starts_with("default-src 'none'"));
    CHECK(header_of(reply, "Server").empty());
  }
  CHECK(header_of(asker.ask("GET", "/api/csrs"), "Cache-Control") == "no-store");
  // What a strict policy would not run is not in the page.
  const std::string page(find_asset("/admin")->text);
  for (const char* loose : {"<style", " style=", " onclick", "javascript:", "http://", "https://"}) {
    CHECK(page.find(loose) == std::string::npos);
  }
  const std::string script(find_asset("/admin/page.js")->text);
  for (const char* loose : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("}) {
    CHECK(script.find(loose) == std::string::npos);
  }
}

TEST_CASE("Site: logins and decisions are audited") {
  AuthService::Options options;
  options.audit = AuditLog::Options{};
  Asker asker(options);
  REQUIRE(asker.ask_for_certificate(WebHome::csr(kName).pem()).status == 200);
  asker.ask("POST", "/api/login", Asker::login_body("alice", "wrong-password"));
  asker.log_in();
  REQUIRE(asker.ask_as_admin("POST", "/api/csrs/" + kName + "/approve").status == 200);
  REQUIRE(asker.ask_as_admin("POST", "/api/logout").status == 200);
  REQUIRE(asker.web.service.flush());
  std::string lines;
  for (const auto& file : std::filesystem::directory_iterator(asker.web.home / "audit")) {
    if (file.is_regular_file()) lines += asker.web.home.read("audit/" + file.path().filename().string());
  }
  CHECK(lines.find("\"web:alice\"") != std::string::npos);
  CHECK(lines.find("the user name or the password is wrong") != std::string::npos);
  CHECK(lines.find("logged out") != std::string::npos);
  CHECK(lines.find("approve_csr") != std::string::npos);
  CHECK(lines.find("wrong-password") == std::string::npos);
  CHECK(lines.find(asker.csrf) == std::string::npos);
}
