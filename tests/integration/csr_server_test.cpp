#include <vipauth/csr_server.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/https.hpp"

using namespace vipauth;
using namespace vipauth::test;
using namespace std::chrono_literals;

namespace {

const std::string kName = "here.there.agent";
const std::string kJson = "-H 'Content-Type: application/json'";

std::string status_of(const ShellResult& result) { return result.out.substr(result.out.rfind('\n') + 1); }

std::string csr_body(const std::string& pem) { return Json(Json::Object{{"csr", pem}}).dump(); }

/// A request over TLS that openssl sends as it is, and whatever comes back until the server closes.
ShellResult raw_request(const RunningServer& running, const std::string& text) {
  running.web.home.write("raw.txt", text);
  return shell("openssl s_client -quiet -connect localhost:" + std::to_string(running.server().port()) +
               " < '" + (running.web.home / "raw.txt").string() + "' 2>/dev/null");
}

std::size_t thread_count() {
  const ShellResult result = shell("ls /proc/" + std::to_string(::getpid()) + "/task | wc -l");
  return std::stoul(result.out);
}

}  // namespace

TEST_CASE("CsrServer: openssl makes a request, curl sends it, and openssl accepts the certificate") {
  const RunningServer running;
  const std::string home = running.web.home.path().string();
  REQUIRE(shell("cd '" + home +
                "' && openssl req -new -newkey rsa:2048 -nodes -keyout key.pem -out csr.pem -subj '/CN=" +
                kName + "' 2>/dev/null")
              .code == 0);
  running.web.home.write("body.json", csr_body(running.web.home.read("csr.pem")));
  const auto post = [&] { return running.curl(kJson + " -d @" + home + "/body.json", "/csr/request_new"); };

  ShellResult reply = post();
  INFO(reply.out);
  CHECK(status_of(reply) == "200");
  CHECK(reply.out.find("\"PENDING\"") != std::string::npos);
  const auto store = running.web.store;
  REQUIRE(store->approve(*CommonName::parse(kName)));

  reply = post();
  const auto answer = Json::parse(reply.out.substr(0, reply.out.rfind('\n')));
  REQUIRE(answer);
  REQUIRE(answer->find("cert") != nullptr);
  running.web.home.write("cert.pem", answer->find("cert")->as_string());
  const std::string verify = "cd '" + home + "' && openssl verify -CAfile '" + running.root_file() + "' ";
  CHECK(shell(verify + "-purpose sslclient cert.pem 2>&1").code == 0);
  CHECK(shell(verify + "-purpose sslserver cert.pem 2>&1").code != 0);

  REQUIRE(store->deny(*CommonName::parse(kName)));
  REQUIRE(running.curl("-o " + home + "/crl.pem", "/crl.pem").code == 0);
  CHECK(shell(verify + "cert.pem 2>&1").code == 0);
  CHECK(shell(verify + "-crl_check -CRLfile crl.pem cert.pem 2>&1").code != 0);
}

TEST_CASE("CsrServer: hostile requests of openssl are refused, and what they ask for is not given") {
  const RunningServer running;
  const std::string home = running.web.home.path().string();
  const auto send = [&](const std::string& subject, const std::string& options) {
    if (shell("cd '" + home + "' && openssl req -new -nodes -keyout key.pem -out csr.pem " + options +
              " -subj '" + subject + "' 2>/dev/null")
            .code != 0) {
      throw std::runtime_error("openssl makes no request for " + subject);
    }
    running.web.home.write("body.json", csr_body(running.web.home.read("csr.pem")));
    return running.curl(kJson + " -d @" + home + "/body.json", "/csr/request_new");
  };
  const std::string ec = "-newkey ec -pkeyopt ec_paramgen_curve:P-256";
  for (const std::string& subject :
       {std::string("/CN=here.x\\/..\\/..\\/evil"), std::string("/CN=..\\/here.x"),
        std::string("/CN=here..x"), std::string("/CN=here."), std::string("/CN=here"),
        std::string("/CN=elsewhere.there.agent"), std::string("/O=here"),
        std::string("/CN=here.a.b/CN=here.c.d"), std::string("/CN=here.agent"),
        "/CN=here.b." + std::string(57, 'a')}) {
    INFO(subject);
    const ShellResult result = send(subject, ec);
    INFO(result.out);
    CHECK(status_of(result) == (subject.size() == 68 ? "200" : "400"));
  }
  CHECK(status_of(send("/CN=here.there.weak", "-newkey rsa:1024")) == "400");
  const auto entries = running.web.store->list();
  REQUIRE(entries);
  CHECK(entries->size() == 1);

  REQUIRE(status_of(send("/CN=" + kName, ec + " -addext basicConstraints=critical,CA:TRUE -addext "
                                              "subjectAltName=DNS:evil.example")) == "200");
  const auto approved = running.web.store->approve(*CommonName::parse(kName));
  REQUIRE(approved);
  REQUIRE(approved->entry.certificate);
  CHECK_FALSE(approved->entry.certificate->is_authority);
  CHECK(approved->entry.certificate->hosts.empty());
}

TEST_CASE("CsrServer: only TLS of our time is spoken") {
  const RunningServer running;
  const std::string at =
      " -connect localhost:" + std::to_string(running.server().port()) + " </dev/null 2>&1";
  const std::string with_root =
      " -CAfile '" + running.root_file() + "' -verify_return_error -verify_hostname localhost";
  CHECK(shell("openssl s_client -tls1_2" + with_root + at).code == 0);
  CHECK(shell("openssl s_client -tls1_3" + with_root + at).code == 0);
  CHECK(shell("openssl s_client -tls1_1 -cipher ALL:@SECLEVEL=0" + at).code != 0);
  CHECK(shell("openssl s_client -tls1_2 -cipher AES128-SHA" + at).code != 0);
  const RawConnection plain(running.server().port());
  REQUIRE(plain.send("GET /discovery/ HTTP/1.1\r\nHost: x\r\n\r\n"));
  CHECK(plain.read_all().find("HTTP/1.1 2") == std::string::npos);
}

TEST_CASE("CsrServer: a key and a certificate of the operator are used, and refused where they do not fit") {
  RunningServer running;
  const TempHome& home = running.web.home;
  REQUIRE(shell("cd '" + home.path().string() +
                "' && openssl req -x509 -newkey rsa:2048 -nodes -keyout own.key -out "
                "own.crt -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null && "
                "openssl genrsa "
                "-out other.key 2048 2>/dev/null")
              .code == 0);
  const auto start = [&](const std::string& certificate, const std::string& key) {
    CsrServer::Options options;
    options.bind = "https://127.0.0.1:0";
    if (!certificate.empty()) options.certificate = home / certificate;
    if (!key.empty()) options.key = home / key;
    return CsrServer::start(running.web.service, running.web.store, running.web.users, options);
  };
  const auto own = start("own.crt", "own.key");
  REQUIRE(own);
  const std::string url = " 'https://localhost:" + std::to_string(own->port()) + "/discovery/' 2>&1";
  CHECK(shell("curl -s --cacert '" + (home / "own.crt").string() + "'" + url).code == 0);
  CHECK(shell("curl -s --cacert '" + running.root_file() + "'" + url).code != 0);

  CHECK(start("own.crt", "other.key").error().code == ErrorCode::kConflict);
  CHECK(start("own.crt", "").error().code == ErrorCode::kInvalidArgument);
  CHECK(start("own.crt", "missing.key").error().code == ErrorCode::kNotFound);
  CHECK(start("own.key", "own.key").error().code == ErrorCode::kParseError);
  home.set_mode("own.key", 0604);
  CHECK(start("own.crt", "own.key").error().code == ErrorCode::kPermissionDenied);
  CsrServer::Options taken;
  taken.bind = "https://127.0.0.1:" + std::to_string(running.server().port());
  CHECK(CsrServer::start(running.web.service, running.web.store, running.web.users, taken).error().code ==
        ErrorCode::kAlreadyExists);
}

TEST_CASE("CsrServer: hostile bodies get a clear answer") {
  const RunningServer running;
  const TempHome& home = running.web.home;
  home.write("large.json", csr_body(std::string(std::size_t{1024} * 1024, 'a')));
  home.write("deep.json", std::string(30'000, '['));
  home.write("bad.json", "{\"csr\": ");
  const auto post = [&](const std::string& file, const std::string& options) {
    return running.curl(options + " --data-binary '@" + (home / file).string() + "'", "/csr/request_new");
  };
  for (const char* expect : {"", "-H 'Expect:' ", "-H 'Expect: 100-continue' "}) {
    const ShellResult large = post("large.json", expect + kJson);
    INFO(large.out);
    CHECK(status_of(large) == "413");
    CHECK(large.out.find("\"ERROR\"") != std::string::npos);
  }
  CHECK(status_of(post("deep.json", kJson)) == "400");
  CHECK(status_of(post("bad.json", kJson)) == "400");
  CHECK(status_of(post("bad.json", "-H 'Content-Type: text/plain'")) == "415");
  CHECK(status_of(post("bad.json", "-F a=b -H 'Content-Type: multipart/form-data; boundary=b'")) != "200");
  CHECK(status_of(post("bad.json", kJson + " -H 'Transfer-Encoding: chunked'")) == "415");
  CHECK(status_of(running.curl("-H 'Range: bytes=0-1,0-1,0-1,0-1'", "/discovery/")) == "200");
  CHECK(running.curl("-H 'Accept-Encoding: gzip, br' -D -", "/discovery/").out.find("ncoding") ==
        std::string::npos);
  CHECK(running.web.store->list()->empty());
}

TEST_CASE("CsrServer: lines without an end are cut off") {
  const RunningServer running;
  const auto request = [&](const std::string& text) { return raw_request(running, text).out; };
  CHECK(request("GET /discovery/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .starts_with("HTTP/1.1 200"));
  CHECK_FALSE(request(std::string(200'000, 'A')).starts_with("HTTP/1.1 200"));
  CHECK_FALSE(
      request("GET /discovery/ HTTP/1.1\r\nX: " + std::string(200'000, 'A')).starts_with("HTTP/1.1 200"));
  std::string many = "GET /discovery/ HTTP/1.1\r\n";
  for (int i = 0; i < 20'000; ++i) many += "A: b\r\n";
  CHECK_FALSE(request(many + "\r\n").starts_with("HTTP/1.1 200"));
  CHECK(request("NONSENSE\r\n\r\n").starts_with("HTTP/1.1 400"));
  // What follows a body that was not read is not taken for a request.
  const std::string smuggled = request(
      "POST /csr/request_new HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 60\r\n\r\n"
      "GET /discovery/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(smuggled.starts_with("HTTP/1.1 415"));
  CHECK(smuggled.find("HTTP/1.1 200") == std::string::npos);
  const std::string unclear = request(
      "GET /discovery/ HTTP/1.1\r\nHost: x\r\nContent-Length : 60\r\n\r\n"
      "GET /ca.pem HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(unclear.starts_with("HTTP/1.1 400"));
  CHECK(unclear.find("HTTP/1.1 200") == std::string::npos);
  const std::string unmeasured = request(
      "POST /csr/request_new HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\r\n"
      "GET /ca.pem HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(unmeasured.starts_with("HTTP/1.1 411"));
  CHECK(unmeasured.find("HTTP/1.1 200") == std::string::npos);
  CHECK(status_of(running.curl("", "/discovery/")) == "200");
}

TEST_CASE("CsrServer: silent connections do not keep an honest request waiting") {
  const RunningServer running;
  const std::size_t threads = thread_count();
  std::vector<RawConnection> silent;
  silent.reserve(200);
  for (int i = 0; i < 200; ++i) silent.emplace_back(running.server().port());
  std::chrono::steady_clock::duration best = 1h;
  for (int i = 0; i < 3; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    CHECK(status_of(running.curl("", "/discovery/")) == "200");
    best = std::min(best, std::chrono::steady_clock::now() - begin);
  }
  CHECK(best < 1s);
  CHECK(running.server().connections() <= 200);
  CHECK(eventually([&] { return thread_count() <= threads + 64; }));
}

TEST_CASE("CsrServer: who does not finish its handshake or its request in time is cut off") {
  CsrServer::Options options;
  options.limits.handshake = 200ms;
  options.limits.idle = 200ms;
  options.limits.request = 300ms;
  const RunningServer running(options);
  const RawConnection silent(running.server().port());
  CHECK(silent.read_all().empty());

  // One that drips: a byte at a time, of TLS's handshake.
  const RawConnection drip(running.server().port());
  const std::string hello("\x16\x03\x01\x02\x00\x01", 6);
  std::size_t sent = 0;
  CHECK(eventually([&] { return !drip.send(hello.substr(sent++ % hello.size(), 1)); }));

  // And of a request, after the handshake.
  FILE* client =
      ::popen(("openssl s_client -quiet -connect localhost:" + std::to_string(running.server().port()) +
               " >/dev/null 2>&1")
                  .c_str(),
              "w");
  REQUIRE(client != nullptr);
  REQUIRE(std::fputs("GET /discovery/ HTTP/1.1\r\nX: ", client) >= 0);
  REQUIRE(std::fflush(client) == 0);
  CHECK(eventually([&] { return running.server().connections() == 1; }));
  CHECK(eventually([&] { return running.server().connections() == 0; }));
  ::pclose(client);
  CHECK(status_of(running.curl("", "/discovery/")) == "200");
}

TEST_CASE("CsrServer: ten thousand requests of one address leave one behind") {
  const RunningServer running;
  running.web.home.write("body.json", csr_body(WebHome::csr(kName).pem()));
  const ShellResult result = shell("curl --silent --cacert '" + running.root_file() +
                                   "' --output /dev/null --write-out '%{http_code}\n' " + kJson +
                                   " --data-binary '@" + (running.web.home / "body.json").string() + "' '" +
                                   running.url("/csr/request_new?[1-10000]") + "' | sort | uniq -c");
  INFO(result.out);
  CHECK(result.out.find("10000 200") != std::string::npos);
  const auto entries = running.web.store->list();
  REQUIRE(entries);
  REQUIRE(entries->size() == 1);
  CHECK(entries->front().retries == 10'000);
}

TEST_CASE("CsrServer: many at once are all answered") {
  const RunningServer running;
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 5; ++j) {
        if (status_of(running.curl("", "/discovery/")) == "200") ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(good == 40);
  CHECK(eventually([&] { return running.server().connections() == 0; }));
}

TEST_CASE("CsrServer: an administrator logs in by curl and decides, and a stranger does not") {
  const RunningServer running;
  const std::string jar = "'" + (running.web.home / "cookies").string() + "'";
  REQUIRE(running.web.store->request(WebHome::csr(kName).pem(), "10.0.0.9"));
  CHECK(status_of(running.curl("", "/api/csrs")) == "401");
  CHECK(status_of(running.curl("-X POST -d '{}' " + kJson, "/api/csrs/" + kName + "/approve")) == "401");

  const ShellResult login = running.curl(
      "-c " + jar + " " + kJson + " -d '{\"username\": \"alice\", \"password\": \"" + kAdminPassword + "\"}'",
      "/api/login");
  INFO(login.out);
  REQUIRE(status_of(login) == "200");
  const auto answer = Json::parse(login.out.substr(0, login.out.rfind('\n')));
  const std::string token = " -H 'X-CSRF-Token: " + answer->find("csrf_token")->as_string() + "' ";
  CHECK(status_of(running.curl("-b " + jar, "/api/csrs")) == "200");
  const std::string path = "/api/csrs/" + kName + "/approve";
  CHECK(status_of(running.curl("-b " + jar + " -d '{}' " + kJson, path)) == "403");
  CHECK(status_of(running.curl("-b " + jar + token + "-d '{}' " + kJson, path)) == "200");
  CHECK(running.web.store->get(*CommonName::parse(kName))->status == CsrStatus::kApproved);
  CHECK(status_of(running.curl("-b " + jar + token + "-X DELETE", "/api/csrs/" + kName)) == "200");
}

TEST_CASE("CsrServer: a client certificate of an administrator is enough, with its key") {
  const RunningServer running(
      {}, {},
      auth_file({user_record("boss", kKeyA, "{'capabilities': ['allow_auth_modifications']}"),
                 user_record("guest", kKeyB)}));
  CertificateAuthority authority = running.web.store->authority();
  const auto as = [&](const std::string& name, const std::string& key_of) {
    const auto shown = authority.client_certificate(*CommonName::parse(name));
    const auto key = authority.client_certificate(*CommonName::parse(key_of));
    REQUIRE(shown);
    REQUIRE(key);
    return running.curl("--cert '" + shown->certificate.string() + "' --key '" + key->key.string() + "'",
                        "/api/session");
  };
  CHECK(status_of(as("boss", "boss")) == "200");
  CHECK(status_of(as("guest", "guest")) == "401");
  CHECK(status_of(as("boss", "guest")) != "200");
  REQUIRE(authority.revoke(*CommonName::parse("boss")));
  // Asked for again it is refused to be made: what was shown before is what counts here.
  CHECK(status_of(running.curl("", "/api/session")) == "401");
}

TEST_CASE("CsrServer: it ends at once whatever is connected") {
  auto running = std::make_unique<RunningServer>();
  const std::uint16_t port = running->server().port();
  std::vector<RawConnection> silent;
  silent.reserve(20);
  for (int i = 0; i < 20; ++i) silent.emplace_back(port);
  REQUIRE(eventually([&] { return running->server().connections() == 20; }));
  running.reset();
  CHECK_THROWS(RawConnection(port));
}
