#include <vipauth/certificate_key.hpp>

#include <array>
#include <atomic>
#include <sys/stat.h>
#include <thread>

#include <vipauth/certificate.hpp>
#include <vipauth/certificate_key_file.hpp>

#include "support/catch.hpp"
#include "support/certificates.hpp"

using namespace vipauth;
using namespace vipauth::test;

TEST_CASE("CertificateKey: no two are the same") {
  const auto a = CertificateKey::generate();
  const auto b = CertificateKey::generate();
  REQUIRE(a);
  REQUIRE(b);
  CHECK(a->fingerprint() != b->fingerprint());
  CHECK(a->fingerprint().size() == 95);
}

TEST_CASE("CertificateKey: what openssl writes is read, and what is weak or locked is not") {
  const TempHome home;
  const auto made = [&](const std::string& arguments) {
    openssl(home.path(), "genpkey " + arguments + " -out key.pem");
    return CertificateKey::parse(home.read("key.pem"));
  };
  CHECK(made("-algorithm ed25519"));
  CHECK(made("-algorithm RSA -pkeyopt rsa_keygen_bits:2048"));
  CHECK(made("-algorithm RSA -pkeyopt rsa_keygen_bits:1024").error().code == ErrorCode::kUnsupported);
  CHECK(made("-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:4294967295"));
  CHECK(made("-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:4294967297")
            .error()
            .code == ErrorCode::kUnsupported);
  CHECK(made("-algorithm ed25519 -aes128 -pass pass:secret").error().code == ErrorCode::kUnsupported);
  CHECK(made("-algorithm X25519").error().code == ErrorCode::kUnsupported);
  openssl(home.path(), "ecparam -name prime256v1 -genkey -noout -out key.pem");  // the older form
  CHECK(CertificateKey::parse(home.read("key.pem")));
  CHECK(CertificateKey::parse("").error().code == ErrorCode::kParseError);
  CHECK(CertificateKey::parse("nothing").error().code == ErrorCode::kParseError);
  CHECK(CertificateKey::parse(std::string(1 << 20, 'A')).error().code == ErrorCode::kParseError);
}

TEST_CASE("CertificateKeyFile: makes a key once and keeps it to its owner") {
  const TempHome home;
  const CertificateKeyFile file(home / "agent.pem");
  CHECK(file.load().error().code == ErrorCode::kNotFound);
  const auto made = file.load_or_create();
  REQUIRE(made);
  struct stat status{};
  REQUIRE(::stat(file.path().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(file.load_or_create()->fingerprint() == made->fingerprint());
  CHECK(openssl(home.path(), "pkey -in agent.pem -noout -check").find("Key is valid") != std::string::npos);

  home.set_mode("agent.pem", 0644);
  CHECK(file.load_or_create().error().code == ErrorCode::kPermissionDenied);
  CHECK(CertificateKeyFile(file.path(), StrictModes::kOff).load());
}

TEST_CASE("CertificateKeyFile: what cannot be read stays as it is") {
  const TempHome home;
  home.write("agent.pem", "no key");
  const CertificateKeyFile file(home / "agent.pem");
  const auto key = file.load_or_create();
  REQUIRE_FALSE(key);
  CHECK(key.error().code == ErrorCode::kParseError);
  CHECK(key.error().location == "agent.pem");
  CHECK(home.read("agent.pem") == "no key");
}

TEST_CASE("Certificate: says what openssl says") {
  const TempHome home;
  openssl(home.path(),
          "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem -days 10 "
          "-set_serial "
          "0x0A0B0C -subj '/O=x/CN=some one' -addext "
          "'subjectAltName=DNS:bus.example,IP:10.0.0.7,IP:2001:db8::1'");
  const auto certificate = Certificate::parse(home.read("c.pem"));
  REQUIRE(certificate);
  CHECK(certificate->common_name == "some one");
  CHECK(certificate->issuer_name == "some one");
  CHECK(certificate->serial == "0A0B0C");
  CHECK(certificate->is_authority);
  CHECK(certificate->hosts == std::vector<std::string>{"bus.example", "10.0.0.7", "2001:db8::1"});
  CHECK(certificate->not_after - certificate->not_before == std::chrono::days(10));
  CHECK(openssl(home.path(), "x509 -in c.pem -noout -fingerprint -sha256").find(certificate->fingerprint) !=
        std::string::npos);
  const auto key = CertificateKey::parse(home.read("k.pem"));
  REQUIRE(key);
  CHECK(key->fingerprint() == certificate->key_fingerprint);
  CHECK(Certificate::parse("text\n" + home.read("c.pem") + "more")->pem == certificate->pem);
  CHECK(Certificate::parse("").error().code == ErrorCode::kParseError);
  CHECK(Certificate::parse(std::string(std::size_t{65} * 1024, 'A')).error().code ==
        ErrorCode::kLimitExceeded);
}

TEST_CASE("CertificateKeyFile: who asks at once gets the key that is in the file") {
  const TempHome home;
  for (int round = 0; round < 50; ++round) {
    const CertificateKeyFile file(home / ("key" + std::to_string(round) + ".pem"));
    std::array<std::string, 4> got;
    std::atomic<int> ready = 0;
    std::vector<std::thread> threads;
    threads.reserve(got.size());
    for (std::string& mine : got) {
      threads.emplace_back([&] {
        ++ready;
        while (ready < 4) std::this_thread::yield();
        const auto key = file.load_or_create();
        mine = key ? key->fingerprint() : key.error().to_string();
      });
    }
    for (std::thread& thread : threads) thread.join();
    const auto kept = file.load();
    REQUIRE(kept);
    for (const std::string& mine : got) CHECK(mine == kept->fingerprint());
  }
}
