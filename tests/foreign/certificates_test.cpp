#include <chrono>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <optional>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <signal.h>

#include <vipauth/certificate_authority.hpp>
#include <vipauth/certificate_key_file.hpp>
#include <vipauth/certificate_request.hpp>
#include <vipauth/csr_client.hpp>
#include <vipauth/csr_store.hpp>

#include "amqp_client.hpp"
#include "cli/cli.hpp"
#include "rabbitmq_broker.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/paths.hpp"

namespace vipauth::test {

using Catch::Contains;

namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// What a program printed, and how it ended.
struct Ran {
  int exit_code = -1;
  std::string out;
};

/// Runs a program by its name, in a folder, with its standard output and error together.
Ran run(const std::filesystem::path& folder, const std::vector<std::string>& command) {
  const std::string output = (folder / "output").string();
  std::vector<char*> words;
  words.reserve(command.size() + 1);
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
    if (::chdir(folder.c_str()) == 0) ::execvp(words[0], words.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_file(output)};
}

/// `vctl auth serve` as a process.
class Serving {
 public:
  explicit Serving(const TempHome& home) {
    const std::string out = (home / "serve.out").string();
    const std::string err = (home / "serve.err").string();
    std::filesystem::remove(out);
    pid_ = ::fork();
    if (pid_ == 0) {
      const int out_file = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      const int err_file = ::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      ::dup2(out_file, STDOUT_FILENO);
      ::dup2(err_file, STDERR_FILENO);
      ::execl(VCTL_PATH, "vctl", "--home", home.path().c_str(), "--json", "auth", "serve", nullptr);
      ::_exit(127);
    }
    const bool is_ready = eventually([&] {
      const auto document = Json::parse(read_file(out));
      if (!document || document->find("address") == nullptr) return false;
      url = document->find("address")->as_string();
      fingerprint = document->find("fingerprint")->as_string();
      return true;
    });
    if (!is_ready) FAIL("the service did not start: " + read_file(err));
    // "0.0.0.0" and addresses are no names of a host to librabbitmq and curl.
    url = "https://localhost:" + url.substr(url.rfind(':') + 1);
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;
  ~Serving() { end(SIGKILL); }

  /// \return its exit code; -1 after a signal
  int end(int signal_number) {
    if (pid_ <= 0) return -1;
    ::kill(pid_, signal_number);
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::string url;
  std::string fingerprint;

 private:
  pid_t pid_ = -1;
};

/// The home of a platform "v1" with its authority.
struct Platform {
  explicit Platform(const std::string& more_config = {}) {
    cli.home.write("config",
                   "[volttron]\ninstance-name = v1\nbind-web-address = https://127.0.0.1:0\n" + more_config);
    cli.now = system_now();
    REQUIRE(cli.auth({"certs", "init"}).exit_code == 0);
  }

  CertificateAuthority authority() const {
    auto opened = CertificateAuthority::open(cli.home / "certificates", "v1", {});
    REQUIRE(opened);
    return *std::move(opened);
  }

  Cli cli;
};

/// A certificate for a name and key, by an authority, as files.
AmqpClient::Files issue(const TempHome& folder, const std::string& file, CertificateAuthority authority,
                        const std::string& name, const CertificateKey& key,
                        const std::filesystem::path& key_file, const std::filesystem::path& trusted) {
  CsrStore store(std::move(authority), {});
  REQUIRE(store.request(CertificateRequest::create(*CommonName::parse(name), key)->pem(), "127.0.0.1"));
  const auto decision = store.approve(*CommonName::parse(name));
  REQUIRE(decision);
  folder.write(file, decision->entry.certificate->pem);
  return {folder / file, key_file, trusted};
}

bool is_missing(const char* what, bool is_there) {
  if (!is_there) WARN("skipped: " << what << " is not installed");
  return !is_there;
}

}  // namespace

TEST_CASE("RabbitMQ: an agent asks, is approved, publishes, is denied, and is out") {
  if (is_missing("rabbitmq-server", RabbitMqBroker::is_installed())) return;
  if (is_missing("librabbitmq-dev", AmqpClient::is_installed())) return;
  Platform platform;
  auto authority = platform.authority();
  REQUIRE(authority.revocation_list());
  const auto server = authority.server_certificate(*CommonName::parse("v1.broker"), {"localhost"});
  REQUIRE(server);
  RabbitMqBroker broker(
      {authority.root_path(), server->certificate, server->key, authority.revocation_folder()});
  REQUIRE(broker.ask("PUT", "/api/exchanges/%2f/volttron", R"({"type":"topic"})") == 201);
  platform.cli.home.write("broker-password", std::string(RabbitMqBroker::kPassword) + "\n");
  platform.cli.home.write("config", platform.cli.home.read("config") +
                                        "rmq-management-url = " + broker.management_url() +
                                        "\nrmq-management-user = " + RabbitMqBroker::kAdministrator +
                                        "\nrmq-management-password-file = broker-password\n");
  Serving serving(platform.cli.home);

  const TempHome agent;
  CsrClient::Options options;
  options.certificates = agent / "certificates";
  options.instance_name = "v2";
  options.identity = "platform.agent";
  options.authorities = authority.root_path();
  int alerts = 0;
  options.on_denied = [&](const RemotePlatform&) { ++alerts; };
  auto client = *CsrClient::create(serving.url, options);
  const auto pending = client.connect_remote_platform();
  REQUIRE(pending);
  CHECK(pending->status == CsrStatus::kPending);
  const std::string name = "v1.v2.platform.agent";
  CHECK_THAT(platform.cli.auth({"remote", "list"}).out, Contains(name + " 127.0.0.1 PENDING"));

  REQUIRE(platform.cli.auth({"remote", "approve", name}).exit_code == 0);
  const auto approved = client.connect_remote_platform();
  REQUIRE(approved);
  REQUIRE(approved->status == CsrStatus::kApproved);
  const AmqpClient::Files files{approved->files.certificate, approved->files.key, approved->files.authority};
  std::string problem;
  auto connection = AmqpClient::connect(broker.tls_port(), files, &problem);
  INFO(problem);
  REQUIRE(connection);
  CHECK(connection->publishes(name));

  // Others with the right name are out: of another authority, expired, without a user.
  const TempHome others;
  const auto key = CertificateKeyFile(files.key).load();
  REQUIRE(key);
  const auto refused = [&](const AmqpClient::Files& shown) {
    return !AmqpClient::connect(broker.tls_port(), shown, &problem).has_value();
  };
  auto stranger = *CertificateAuthority::open_or_create(others / "stranger", "v1", {});
  CHECK(refused(issue(others, "stranger.crt", stranger, name, *key, files.key, files.authority)));
  CertificateAuthority::Options past;
  past.clock = [] { return system_now() - std::chrono::days(2); };
  past.validity = std::chrono::days(1);
  auto earlier = *CertificateAuthority::open(platform.cli.home / "certificates", "v1", past);
  CHECK(refused(issue(others, "expired.crt", earlier, "v1.v2.expired", *key, files.key, files.authority)));
  CHECK(refused(issue(others, "unknown.crt", authority, "v1.v2.unknown", *key, files.key, files.authority)));
  CHECK(AmqpClient::connect(broker.tls_port(), files));

  // Denied: out at once, and for good.
  REQUIRE(platform.cli.auth({"remote", "deny", name}).exit_code == 0);
  CHECK(connection->is_ended());
  CHECK(refused(files));
  CHECK(broker.get("/api/users").find(name) == std::string::npos);
  agent.write("saved.crt", read_file(files.certificate));
  const auto denied = client.connect_remote_platform();
  REQUIRE(denied);
  CHECK(denied->status == CsrStatus::kDenied);
  CHECK(alerts == 1);
  CHECK(client.connect_remote_platform()->status == CsrStatus::kDenied);
  CHECK(alerts == 1);

  // It is on the list of the broker as well: a user of that name does not let the old certificate in, and a
  // new one is.
  const AmqpClient::Files revoked{agent / "saved.crt", files.key, authority.root_path()};
  REQUIRE(platform.cli.auth({"remote", "approve", name}).exit_code == 0);
  CHECK(broker.get("/api/users").find(name) != std::string::npos);
  CHECK(refused(revoked));
  REQUIRE(client.connect_remote_platform()->status == CsrStatus::kApproved);
  CHECK(AmqpClient::connect(broker.tls_port(), files));

  // Deleted: the same.
  REQUIRE(platform.cli.auth({"remote", "delete", name}).exit_code == 0);
  CHECK(refused(files));
  CHECK(broker.get("/api/users").find(name) == std::string::npos);
  CHECK(client.connect_remote_platform()->status == CsrStatus::kPending);
  CHECK(serving.end(SIGTERM) == 0);
}

TEST_CASE("openssl and curl: a foreign request, certificate and revocation list") {
  Platform platform;
  const TempHome work;
  if (is_missing("openssl", run(work.path(), {"openssl", "version"}).exit_code == 0)) return;
  if (is_missing("curl", run(work.path(), {"curl", "--version"}).exit_code == 0)) return;
  Serving serving(platform.cli.home);
  const std::string root = platform.authority().root_path().string();

  const auto posted = [&]() -> Json {
    const Ran ran = run(work.path(), {"curl", "-sS", "--cacert", root, "-H", "Content-Type: application/json",
                                      "-d", "@body", serving.url + "/csr/request_new"});
    INFO(ran.out);
    REQUIRE(ran.exit_code == 0);
    return json(ran.out);
  };
  for (const std::vector<std::string>& key :
       {std::vector<std::string>{"rsa:2048"}, {"ec", "-pkeyopt", "ec_paramgen_curve:P-384"}, {"ed25519"}}) {
    const std::string name = "v1.v2.foreign-" + key.front().substr(0, 2);
    std::vector<std::string> request{"openssl", "req",
                                     "-new",    "-nodes",
                                     "-keyout", "key.pem",
                                     "-out",    "request.csr",
                                     "-subj",   "/O=Anybody/CN=" + name,
                                     "-addext", "basicConstraints=CA:TRUE",
                                     "-addext", "subjectAltName=DNS:v1.example",
                                     "-newkey"};
    request.insert(request.end(), key.begin(), key.end());
    const Ran made = run(work.path(), request);
    INFO(made.out);
    REQUIRE(made.exit_code == 0);
    work.write("body", Json(Json::Object{{"csr", work.read("request.csr")}}).dump());
    CHECK(at(posted(), "status") == Json("PENDING"));
    REQUIRE(platform.cli.auth({"remote", "approve", name}).exit_code == 0);
    const Json approved = posted();
    CHECK(at(approved, "status") == Json("APPROVED"));
    work.write("issued.crt", at(approved, "cert").as_string());

    const auto verify = [&](const std::vector<std::string>& more) {
      std::vector<std::string> command{"openssl", "verify", "-x509_strict", "-purpose", "sslclient",
                                       "-CAfile", root};
      command.insert(command.end(), more.begin(), more.end());
      command.emplace_back("issued.crt");
      return run(work.path(), command);
    };
    CHECK(verify({}).out == "issued.crt: OK\n");
    const std::string text =
        run(work.path(), {"openssl", "x509", "-in", "issued.crt", "-noout", "-text"}).out;
    CHECK_THAT(text, Contains("CA:FALSE") && Contains("TLS Web Client Authentication"));
    CHECK_THAT(text, !Contains("CA:TRUE") && !Contains("v1.example") && !Contains("Anybody"));

    const auto fetch_list = [&] {
      REQUIRE(run(work.path(), {"curl", "-sS", "--cacert", root, "-o", "crl.pem", serving.url + "/crl.pem"})
                  .exit_code == 0);
    };
    fetch_list();
    CHECK(verify({"-crl_check", "-CRLfile", "crl.pem"}).out == "issued.crt: OK\n");
    REQUIRE(platform.cli.auth({"remote", "deny", name}).exit_code == 0);
    CHECK(at(posted(), "status") == Json("DENIED"));
    fetch_list();
    const Ran revoked = verify({"-crl_check", "-CRLfile", "crl.pem"});
    CHECK(revoked.exit_code != 0);
    CHECK_THAT(revoked.out, Contains("certificate revoked"));
  }
}

TEST_CASE("csr request: waits, and trusts a server by its fingerprint alone") {
  Platform platform;
  Serving serving(platform.cli.home);
  const std::string name = "v1.v2.platform.agent";
  const TempHome agent;
  agent.write("config", "[volttron]\ninstance-name = v2\n");
  const auto asks = [&](const std::string& fingerprint, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{
        VCTL_PATH, "--home",    agent.path().string(), "--json",         "auth",          "csr",
        "request", serving.url, "--identity",          "platform.agent", "--fingerprint", fingerprint};
    words.insert(words.end(), more.begin(), more.end());
    return run(agent.path(), words);
  };

  // Another server than the one whose fingerprint is given: nothing is sent.
  std::string other = serving.fingerprint;
  other.front() = other.front() == '0' ? '1' : '0';
  const Ran mistaken = asks(other, {"--wait"});
  CHECK(mistaken.exit_code == 1);
  CHECK_THAT(mistaken.out, Contains("is not trusted") && Contains(serving.fingerprint));
  CHECK(platform.cli.auth({"remote", "list"}).out.find(name) == std::string::npos);

  const Ran pending = asks(serving.fingerprint);
  CHECK(pending.exit_code == 1);
  const Json asked = json(pending.out);
  CHECK(at(asked, "status") == Json("PENDING"));
  CHECK(at(asked, "certificate") == Json());

  // It waits for as long as nobody decides: what files the request is answered PENDING.
  REQUIRE(platform.cli.auth({"remote", "delete", name}).exit_code == 0);
  std::optional<Ran> ran;
  std::thread waiting([&] { ran = asks(serving.fingerprint, {"--wait"}); });
  const bool has_asked = eventually([&] {
    return platform.cli.auth({"remote", "list"}).out.find(name + " 127.0.0.1 PENDING") != std::string::npos;
  });
  const Outcome approved = platform.cli.auth(
      {"remote", "approve", name, "--fingerprint", at(asked, "key_fingerprint").as_string()});
  if (approved.exit_code != 0) static_cast<void>(platform.cli.auth({"remote", "deny", name}));  // it ends
  waiting.join();
  CHECK(has_asked);
  CHECK(approved.exit_code == 0);
  REQUIRE(ran);
  CHECK(ran->exit_code == 0);
  const Json there = json(ran->out);
  CHECK(at(there, "status") == Json("APPROVED"));
  const auto certificate = Certificate::parse(read_file(at(there, "certificate").as_string()));
  REQUIRE(certificate);
  CHECK(certificate->common_name == name);
  CHECK(certificate->key_fingerprint == at(asked, "key_fingerprint").as_string());

  // Denied: it waits no longer, and says so.
  REQUIRE(platform.cli.auth({"remote", "deny", name}).exit_code == 0);
  const Ran denied = asks(serving.fingerprint, {"--wait"});
  CHECK(denied.exit_code == 2);
  CHECK(at(json(denied.out), "status") == Json("DENIED"));
  CHECK_FALSE(std::filesystem::exists(at(there, "certificate").as_string()));
}

TEST_CASE("serve: a kill at any moment leaves one certificate for one request") {
  Platform platform;
  const TempHome agent;
  constexpr int kRounds = 25;
  for (int round = 0; round < kRounds; ++round) {
    Serving serving(platform.cli.home);
    CsrClient::Options options;
    options.certificates = agent / "certificates";
    options.instance_name = "v2";
    options.identity = "agent-" + std::to_string(round);
    options.fingerprint = serving.fingerprint;
    const std::string name = "v1.v2." + options.identity;
    auto client = *CsrClient::create(serving.url, options);
    REQUIRE(client.connect_remote_platform());

    // Another process approves, and is killed somewhere on the way; the service as well.
    const pid_t approving = ::fork();
    if (approving == 0) {
      ::execl(VCTL_PATH, "vctl", "--home", platform.cli.home.path().c_str(), "auth", "remote", "approve",
              name.c_str(), nullptr);
      ::_exit(127);
    }
    ::usleep(static_cast<useconds_t>(1500 * round));
    ::kill(approving, SIGKILL);
    ::waitpid(approving, nullptr, 0);
    serving.end(SIGKILL);

    Serving again(platform.cli.home);
    auto later = *CsrClient::create(again.url, options);
    const auto state = later.connect_remote_platform();
    REQUIRE(state);
    if (state->status == CsrStatus::kPending) {
      REQUIRE(platform.cli.auth({"remote", "approve", name}).exit_code == 0);
      REQUIRE(later.connect_remote_platform()->status == CsrStatus::kApproved);
    }
    std::size_t issued = 0;
    const auto all = platform.authority().list();
    REQUIRE(all);
    for (const IssuedCertificate& one : *all) issued += one.certificate.common_name == name ? 1U : 0U;
    CHECK(issued == 1);
  }
  CHECK(platform.cli.auth({"lint"}).out == "nothing found\n");
}

}  // namespace vipauth::test
