#include <vipauth/csr_client.hpp>

#include <fstream>
#include <sys/stat.h>

#include <vipauth/certificate_request.hpp>
#include <vipauth/csr_store.hpp>
#include <vipauth/json.hpp>

#include "support/catch.hpp"
#include "support/temp_home.hpp"
#include "unit/web/fake_web_server.hpp"

namespace vipauth::test {

namespace {

using Catch::Contains;
using Request = FakeWebServer::Request;

CertificateAuthority authority_of(const std::filesystem::path& folder, const std::string& instance,
                                  CertificateAuthority::Options options = {}) {
  auto authority = CertificateAuthority::open_or_create(folder, instance, std::move(options));
  REQUIRE(authority);
  return *std::move(authority);
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// A platform "v1" with its authority, and as much of its web service as an agent asks. What it answers can
/// be replaced.
class RemoteV1 {
 public:
  RemoteV1()
      : authority(authority_of(home / "certificates", "v1")),
        store(authority, {}),
        server_files(*authority.server_certificate(*CommonName::parse("v1.web-server"), {"localhost"})),
        server([this](const Request& request) { return answer(request); },
               FakeWebServer::Certificate{server_files.certificate, server_files.key}) {}

  std::string answer(const Request& request) {
    if (request.path == "/discovery/") {
      if (!discovery.empty()) return discovery;
      return FakeWebServer::ok(Json(Json::Object{{"instance-name", "v1"},
                                                 {"vip-address", "tcp://127.0.0.1:1"},
                                                 {"rmq-ca-cert", authority.root().pem}})
                                   .dump());
    }
    if (!csr_answer.empty()) return csr_answer;
    const auto body = Json::parse(request.body);
    const auto entry = store.request(body->find("csr")->as_string(), "10.0.0.2");
    if (!entry) {
      return FakeWebServer::answer(
          "409 Conflict", Json(Json::Object{{"status", "ERROR"}, {"message", entry.error().message}}).dump());
    }
    Json out(Json::Object{{"status", to_string(entry->status)}, {"message", "as it stands"}});
    if (entry->certificate) out.set("cert", entry->certificate->pem);
    return FakeWebServer::ok(out.dump());
  }

  CsrClient::Options options(const TempHome& agent) const {
    CsrClient::Options out;
    out.certificates = agent / "certificates";
    out.instance_name = "v2";
    out.identity = "platform.agent";
    out.authorities = authority.root_path();
    return out;
  }
  CsrClient client(const TempHome& agent) const {
    auto client = CsrClient::create(server.url(), options(agent));
    REQUIRE(client);
    return *std::move(client);
  }
  std::string server_fingerprint() const {
    return Certificate::parse(read_file(server_files.certificate))->fingerprint;
  }

  TempHome home;
  CertificateAuthority authority;
  CsrStore store;
  CertificateFiles server_files;
  std::string discovery;   ///< instead of the right answer
  std::string csr_answer;  ///< the same
  FakeWebServer server;
};

const CommonName kName = *CommonName::parse("v1.v2.platform.agent");

}  // namespace

TEST_CASE("CsrClient: a request from pending to approved and denied") {
  RemoteV1 remote;
  const TempHome agent;
  int alerts = 0;
  auto options = remote.options(agent);
  options.on_denied = [&](const RemotePlatform& platform) {
    ++alerts;
    CHECK(platform.common_name == kName);
  };
  auto client = *CsrClient::create(remote.server.url(), options);

  const auto pending = client.connect_remote_platform();
  REQUIRE(pending);
  CHECK(pending->status == CsrStatus::kPending);
  CHECK(pending->common_name == kName);
  CHECK(pending->discovery.vip_address == "tcp://127.0.0.1:1");
  CHECK(remote.store.get(kName)->key_fingerprint == pending->key_fingerprint);
  CHECK_FALSE(std::filesystem::exists(pending->files.certificate));
  const std::string key = agent.read("certificates/private/v2.platform.agent.pem");
  const auto modes = std::filesystem::status(pending->files.key).permissions();
  CHECK(modes == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));

  REQUIRE(remote.store.approve(kName));
  const auto approved = client.connect_remote_platform();
  REQUIRE(approved);
  CHECK(approved->status == CsrStatus::kApproved);
  CHECK(approved->is_from_server);
  const auto certificate = Certificate::parse(read_file(approved->files.certificate));
  REQUIRE(certificate);
  CHECK(certificate->key_fingerprint == pending->key_fingerprint);
  CHECK(remote.authority.verify(certificate->pem));
  CHECK(read_file(approved->files.authority) == remote.authority.root().pem);
  CHECK(agent.read("certificates/private/v2.platform.agent.pem") == key);

  REQUIRE(remote.store.deny(kName));
  for (int i = 0; i < 3; ++i) {
    const auto denied = client.connect_remote_platform();
    REQUIRE(denied);
    CHECK(denied->status == CsrStatus::kDenied);
    CHECK(alerts == 1);
  }
  CHECK_FALSE(std::filesystem::exists(approved->files.certificate));
  CHECK(agent.read("certificates/private/v2.platform.agent.pem") == key);
}

TEST_CASE("CsrClient: a renewed certificate takes the place of the one before") {
  RemoteV1 remote;
  const TempHome agent;
  auto client = remote.client(agent);
  REQUIRE(client.connect_remote_platform());
  REQUIRE(remote.store.approve(kName));
  const auto first = client.connect_remote_platform();
  const std::string before = read_file(first->files.certificate);
  REQUIRE(remote.authority.renew(kName, CertificateAuthority::Key::kKeep));
  const auto second = client.connect_remote_platform();
  REQUIRE(second);
  CHECK(second->status == CsrStatus::kApproved);
  CHECK(read_file(second->files.certificate) != before);
}

TEST_CASE("CsrClient: a saved certificate serves while the server cannot be reached") {
  const TempHome agent;
  std::string url;
  auto late = CsrClient::Options{};
  {
    RemoteV1 remote;
    late = remote.options(agent);
    late.fingerprint = remote.server_fingerprint();
    late.authorities.clear();
    url = remote.server.url();
    auto client = remote.client(agent);
    REQUIRE(client.connect_remote_platform());
    REQUIRE(remote.store.approve(kName));
    REQUIRE(client.connect_remote_platform());
  }
  const auto saved = CsrClient::create(url, late)->connect_remote_platform();
  REQUIRE(saved);
  CHECK(saved->status == CsrStatus::kApproved);
  CHECK_FALSE(saved->is_from_server);
  CHECK(saved->common_name == kName);
  CHECK(saved->discovery.instance_name == "v1");
  CHECK_THAT(saved->message, Contains("cannot be reached"));

  late.clock = [] { return system_now() + std::chrono::days(400); };
  CHECK(CsrClient::create(url, late)->connect_remote_platform().error().code == ErrorCode::kIoError);
  late.clock = system_now;
  late.identity = "another.agent";
  CHECK(CsrClient::create(url, late)->connect_remote_platform().error().code == ErrorCode::kIoError);
}

TEST_CASE("CsrClient: a platform of the name of another takes nothing of that") {
  RemoteV1 remote;
  RemoteV1 stranger;
  const TempHome agent;
  auto client = remote.client(agent);
  REQUIRE(client.connect_remote_platform());
  REQUIRE(remote.store.approve(kName));
  const auto approved = client.connect_remote_platform();
  REQUIRE(approved);
  const std::string certificate = read_file(approved->files.certificate);

  const auto refused = stranger.client(agent).connect_remote_platform();  // it says PENDING
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kConflict);
  REQUIRE(stranger.store.approve(kName));
  CHECK(stranger.client(agent).connect_remote_platform().error().code == ErrorCode::kConflict);
  CHECK(read_file(approved->files.certificate) == certificate);
  CHECK(read_file(approved->files.authority) == remote.authority.root().pem);
  CHECK(client.connect_remote_platform()->status == CsrStatus::kApproved);
}

TEST_CASE("CsrClient: a saved certificate does not serve where a server that is reached fails") {
  RemoteV1 remote;
  const TempHome agent;
  auto client = remote.client(agent);
  REQUIRE(client.connect_remote_platform());
  REQUIRE(remote.store.approve(kName));
  REQUIRE(client.connect_remote_platform()->status == CsrStatus::kApproved);
  for (const std::string& answer :
       {FakeWebServer::answer("302 Found", "", "Location: https://localhost:1/\r\n"),
        FakeWebServer::answer("500 Internal Server Error", "{\"status\": \"ERROR\", \"message\": \"no\"}"),
        FakeWebServer::answer("502 Bad Gateway", "<html>")}) {
    remote.discovery = answer;
    const auto refused = client.connect_remote_platform();
    INFO(answer.substr(0, 40));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kParseError);
  }
  remote.discovery.clear();
  CHECK(client.connect_remote_platform()->is_from_server);
}

TEST_CASE("CsrClient: a long message is cut between characters") {
  RemoteV1 remote;
  const TempHome agent;
  std::string text = "x";
  for (int i = 0; i < 600; ++i) text += "\xc3\xa4";
  remote.csr_answer = FakeWebServer::ok(Json(Json::Object{{"status", "PENDING"}, {"message", text}}).dump());
  const auto pending = remote.client(agent).connect_remote_platform();
  REQUIRE(pending);
  CHECK(pending->message == text.substr(0, 999) + "...");
}

TEST_CASE("CsrClient: sends nothing to a server that is not trusted") {
  RemoteV1 remote;
  const TempHome agent;
  const TempHome other;
  const auto stranger = authority_of(other / "certificates", "v1");  // of the same name
  auto options = remote.options(agent);
  options.authorities = stranger.root_path();
  auto refused = CsrClient::create(remote.server.url(), options)->connect_remote_platform();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kPermissionDenied);
  CHECK_THAT(refused.error().message, Contains(remote.server_fingerprint()) && Contains("nothing was sent"));

  options.authorities.clear();
  options.fingerprint = stranger.root().fingerprint;
  refused = CsrClient::create(remote.server.url(), options)->connect_remote_platform();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kPermissionDenied);
  CHECK_THAT(refused.error().message,
             Contains(remote.server_fingerprint()) && Contains(stranger.root().fingerprint));
  CHECK(remote.server.requests().empty());
  CHECK_FALSE(agent.has("certificates"));

  // The right ones, with and without colons.
  options.fingerprint = remote.server_fingerprint();
  CHECK(CsrClient::create(remote.server.url(), options)->connect_remote_platform());
  std::erase(options.fingerprint, ':');
  CHECK(CsrClient::create(remote.server.url(), options)->connect_remote_platform());
}

TEST_CASE("CsrClient: the name of the host counts where an authority is trusted") {
  RemoteV1 remote;
  const TempHome agent;
  const std::string by_address = "https://127.0.0.1:" + std::to_string(remote.server.port());
  const auto refused = CsrClient::create(by_address, remote.options(agent))->connect_remote_platform();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kPermissionDenied);
  CHECK(remote.client(agent).connect_remote_platform());  // https://localhost
}

TEST_CASE("CsrClient: refuses a certificate that is not what was asked for") {
  RemoteV1 remote;
  const TempHome agent;
  auto client = remote.client(agent);
  const auto pending = client.connect_remote_platform();
  REQUIRE(pending);

  const auto approved = [](const std::string& pem) {
    return FakeWebServer::ok(Json(Json::Object{{"status", "APPROVED"}, {"cert", pem}}).dump());
  };
  const auto issued_by = [](CertificateAuthority& authority, const CommonName& name,
                            const CertificateKey& key) {
    CsrStore store(authority, {});
    REQUIRE(store.request(CertificateRequest::create(name, key)->pem(), "10.0.0.2"));
    return store.approve(name)->entry.certificate->pem;
  };
  const auto own_key = CertificateKey::parse(agent.read("certificates/private/v2.platform.agent.pem"));
  REQUIRE(own_key);
  const TempHome other;
  auto stranger = authority_of(other / "certificates", "v1");

  struct Case {
    std::string pem;
    std::string why;
  };
  const std::vector<Case> cases{
      {"", "certificate"},
      {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate"},
      {issued_by(remote.authority, *CommonName::parse("v1.v2.other"), *own_key), "it is for \"v1.v2.other\""},
      {issued_by(stranger, kName, *CertificateKey::generate()), "another key"},
      {issued_by(stranger, *CommonName::parse("v1.v2.x"), *own_key), "v1.v2.x"},
      {remote.authority.root().pem, "it is for"}};
  for (const Case& expected : cases) {
    remote.csr_answer = approved(expected.pem);
    const auto refused = client.connect_remote_platform();
    INFO(expected.why);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kInvalidArgument);
    CHECK_THAT(refused.error().message, Contains(expected.why));
    CHECK_FALSE(std::filesystem::exists(pending->files.certificate));
  }

  // The right name and key, of another authority.
  const TempHome third;
  auto another = authority_of(third / "certificates", "v1");
  remote.csr_answer = approved(issued_by(another, kName, *own_key));
  CHECK_THAT(client.connect_remote_platform().error().message,
             Contains("the certificate that it issued is not used"));
  // The right one.
  remote.csr_answer.clear();
  REQUIRE(remote.store.approve(kName));
  CHECK(client.connect_remote_platform()->status == CsrStatus::kApproved);
}

TEST_CASE("CsrClient: refuses hostile answers") {
  RemoteV1 remote;
  const TempHome agent;
  auto client = remote.client(agent);
  const auto named = [](const std::string& instance) {
    return FakeWebServer::ok(Json(Json::Object{{"instance-name", instance}}).dump());
  };
  struct Case {
    std::string discovery;
    std::string csr_answer;
    ErrorCode code;
  };
  const std::vector<Case> cases{
      {FakeWebServer::ok("[]"), "", ErrorCode::kParseError},
      {FakeWebServer::ok("{\"instance-name\": 5}"), "", ErrorCode::kParseError},
      {FakeWebServer::ok("{"), "", ErrorCode::kParseError},
      {named("../../etc"), "", ErrorCode::kInvalidArgument},
      {named(std::string("v1\0x", 4)), "", ErrorCode::kInvalidArgument},
      {named("v1..x"), "", ErrorCode::kInvalidArgument},
      {named(std::string(60, 'v')), "", ErrorCode::kLimitExceeded},
      {named("v2"), "", ErrorCode::kConflict},  // our own name
      {FakeWebServer::answer("302 Found", "", "Location: https://localhost:1/\r\n"), "",
       ErrorCode::kParseError},
      {FakeWebServer::answer("404 Not Found", "<html>"), "", ErrorCode::kNotFound},
      {FakeWebServer::ok(std::string(CsrClient::kMaxAnswerBytes + 1, ' ')), "", ErrorCode::kLimitExceeded},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(std::size_t{1} << 20U, 'x') + "\r\n\r\n{}", "",
       ErrorCode::kLimitExceeded},
      {"", FakeWebServer::ok("{}"), ErrorCode::kParseError},
      {"", FakeWebServer::ok("{\"status\": \"MAYBE\"}"), ErrorCode::kParseError},
      {"", FakeWebServer::ok("{\"status\": \"ERROR\", \"message\": \"no\"}"), ErrorCode::kParseError},
      {"", FakeWebServer::answer("409 Conflict", "{\"status\": \"ERROR\", \"message\": \"no\"}"),
       ErrorCode::kConflict},
      {"", FakeWebServer::answer("429 Too Many Requests", "{\"status\": \"ERROR\"}"), ErrorCode::kBusy},
      {"", FakeWebServer::answer("403 Forbidden", "{\"status\": \"ERROR\"}"), ErrorCode::kPermissionDenied},
  };
  for (const Case& expected : cases) {
    remote.discovery = expected.discovery;
    remote.csr_answer = expected.csr_answer;
    const auto refused = client.connect_remote_platform();
    INFO((expected.discovery + expected.csr_answer).substr(0, 120));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == expected.code);
  }
  CHECK_FALSE(agent.has("certificates/remote_certs/v1.v2.platform.agent.crt"));
  remote.discovery.clear();
  remote.csr_answer.clear();
  CHECK(client.connect_remote_platform());
}

TEST_CASE("CsrClient: a server that does not answer is given up") {
  const TempHome home;
  const TempHome agent;
  auto authority = authority_of(home / "certificates", "v1");
  const auto files = authority.server_certificate(*CommonName::parse("v1.web-server"), {"localhost"});
  const FakeWebServer server([](const Request&) { return std::string(); },
                             FakeWebServer::Certificate{files->certificate, files->key});
  CsrClient::Options options;
  options.certificates = agent / "certificates";
  options.instance_name = "v2";
  options.identity = "a";
  options.authorities = authority.root_path();
  options.timeout = std::chrono::milliseconds(200);
  const auto refused = CsrClient::create(server.url(), options)->connect_remote_platform();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kIoError);
}

TEST_CASE("CsrClient: a key that cannot be read stays as it is") {
  RemoteV1 remote;
  const TempHome agent;
  REQUIRE(remote.client(agent).connect_remote_platform());
  agent.write("certificates/private/v2.platform.agent.pem", "damaged");
  CHECK_FALSE(remote.client(agent).connect_remote_platform());
  CHECK(agent.read("certificates/private/v2.platform.agent.pem") == "damaged");
}

TEST_CASE("CsrClient: refuses options that make no sense") {
  const TempHome home;
  const auto authority = authority_of(home / "certificates", "v1");
  CsrClient::Options good;
  good.certificates = home / "agent";
  good.instance_name = "v2";
  good.identity = "platform.agent";
  good.authorities = authority.root_path();
  const auto code = [](const std::string& url, const CsrClient::Options& options) {
    const auto client = CsrClient::create(url, options);
    return client ? "none" : std::string(to_string(client.error().code));
  };
  CHECK(code("https://localhost:1", good) == "none");
  const std::string invalid(to_string(ErrorCode::kInvalidArgument));
  CHECK(code("http://localhost:1", good) == invalid);
  CHECK(code("localhost", good) == invalid);
  auto bad = good;
  bad.instance_name = "v2/..";
  CHECK(code("https://localhost:1", bad) == invalid);
  bad = good;
  bad.identity = "";
  CHECK(code("https://localhost:1", bad) != "none");
  bad = good;
  bad.fingerprint = "AB";
  CHECK(code("https://localhost:1", bad) == invalid);  // both
  bad.authorities.clear();
  CHECK(code("https://localhost:1", bad) == invalid);  // no SHA-256
  bad.fingerprint = std::string(64, 'g');
  CHECK(code("https://localhost:1", bad) == invalid);
  bad.fingerprint = std::string(64, 'a');
  CHECK(code("https://localhost:1", bad) == "none");
  bad = good;
  bad.authorities = home / "none";
  CHECK(code("https://localhost:1", bad) == std::string(to_string(ErrorCode::kNotFound)));
  home.write("empty", "");
  bad.authorities = home / "empty";
  CHECK(code("https://localhost:1", bad) == std::string(to_string(ErrorCode::kParseError)));
  // What would keep a reader waiting for ever.
  REQUIRE(::mkfifo((home / "fifo").c_str(), 0600) == 0);
  bad.authorities = home / "fifo";
  CHECK(code("https://localhost:1", bad) == std::string(to_string(ErrorCode::kIoError)));
  bad.authorities = home.path();
  CHECK(code("https://localhost:1", bad) == std::string(to_string(ErrorCode::kIoError)));
}

}  // namespace vipauth::test
