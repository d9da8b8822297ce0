#include <vipauth/lint_certificates.hpp>

#include <vipauth/certificate_request.hpp>
#include <vipauth/csr_store.hpp>

#include "support/catch.hpp"
#include "support/temp_home.hpp"

namespace vipauth::test {

namespace {

using Catch::Contains;

std::string found(const std::vector<LintFinding>& findings) {
  std::string out;
  for (const LintFinding& finding : findings) {
    out += std::string(to_string(finding.severity)) + " " + finding.check + " " + finding.file + "\n";
  }
  return out;
}

/// A home with an authority, an approved request, and a revocation list.
struct Home {
  Home()
      : authority(*CertificateAuthority::open_or_create(home / "certificates", "v1", {})), now(system_now()) {
    CsrStore store(authority, {});
    const CommonName name = *CommonName::parse("v1.v2.agent");
    REQUIRE(store.request(CertificateRequest::create(name, *CertificateKey::generate())->pem(), "10.0.0.2"));
    REQUIRE(store.approve(name));
    REQUIRE(authority.revocation_list());
  }

  std::string lint(std::chrono::days later = std::chrono::days(0)) const {
    return found(lint_certificates(authority, now + later));
  }

  TempHome home;
  CertificateAuthority authority;
  Timestamp now;
};

}  // namespace

TEST_CASE("lint_certificates: finds nothing in a folder that is in order") {
  const Home home;
  CHECK(home.lint().empty());
}

TEST_CASE("lint_certificates: reports what ends, before and after") {
  const Home home;
  const std::string list = "certificates/crls/v1-root-ca.crl.pem\n";
  CHECK(home.lint(std::chrono::days(24)) == "warning revocation-list-old " + list);
  CHECK(home.lint(std::chrono::days(31)) == "error revocation-list-old " + list);
  CHECK(home.lint(std::chrono::days(340)) ==
        "warning certificate-ending certificates/remote_certs/v1.v2.agent.crt\nerror revocation-list-old " +
            list);
  CHECK(home.lint(std::chrono::days(3640)) ==
        "warning certificate-ending certificates/certs/v1-root-ca.crt\n"
        "error certificate-expired certificates/remote_certs/v1.v2.agent.crt\nerror revocation-list-old " +
            list);
}

TEST_CASE("lint_certificates: reports keys that others could read, and damage") {
  const Home home;
  home.home.set_mode("certificates/private/v1-root-ca.pem", 0644);
  CHECK(home.lint() == "error key-file-modes certificates/private/v1-root-ca.pem\n");
  home.home.set_mode("certificates/private/v1-root-ca.pem", 0600);
  CHECK(home.lint().empty());

  home.home.write("certificates/private/x.pem", "damaged");
  CHECK(home.lint() == "error certificate-unreadable certificates/private/x.pem\n");
  std::filesystem::remove(home.home / "certificates/private/x.pem");
  home.home.write("certificates/crls/v1-root-ca.crl.pem", "damaged");
  CHECK(home.lint() == "error revocation-list-old certificates/crls/v1-root-ca.crl.pem\n");
}

TEST_CASE("lint_certificates: reads in the revocation list itself when that ends") {
  const Home home;
  CertificateAuthority::Options options;
  options.crl_validity = std::chrono::days(90);
  const auto later = *CertificateAuthority::open(home.home / "certificates", "v1", options);
  CHECK(found(lint_certificates(later, home.now + std::chrono::days(31))) ==
        "error revocation-list-old certificates/crls/v1-root-ca.crl.pem\n");
  CHECK(found(lint_certificates(later, home.now + std::chrono::days(20))).empty());
}

TEST_CASE("lint_certificates: reports a request that was edited to APPROVED by hand") {
  const Home home;
  const CommonName name = *CommonName::parse("v1.v3.agent");
  CsrStore store(home.authority, {});
  REQUIRE(store.request(CertificateRequest::create(name, *CertificateKey::generate())->pem(), "10.0.0.2"));
  CHECK(home.lint().empty());

  const std::string file = "certificates/pending_csr/v1.v3.agent.json";
  std::string text = home.home.read(file);
  const std::size_t place = text.find("PENDING");
  REQUIRE(place != std::string::npos);
  home.home.write(file, text.replace(place, 7, "APPROVED"));
  const auto findings = lint_certificates(home.authority, home.now);
  CHECK(found(findings) == "warning request-in-doubt certificates/pending_csr\n");
  REQUIRE(findings.size() == 1);
  CHECK_THAT(findings.front().message,
             Contains("\"v1.v3.agent\": its file says APPROVED, but it has no good certificate"));
  CHECK(store.get(name)->status == CsrStatus::kPending);

  REQUIRE(store.deny(name));
  CHECK(home.lint().empty());
  home.home.write(file, "damaged");
  CHECK(home.lint() == "warning request-in-doubt certificates/pending_csr\n");
}

TEST_CASE("lint_certificates: its checks are in the list") {
  const Home home;
  home.home.set_mode("certificates/private/v1-root-ca.pem", 0644);
  const std::vector<LintCheck> checks = lint_checks();
  for (const LintFinding& finding : lint_certificates(home.authority, home.now + std::chrono::days(3640))) {
    bool is_known = false;
    for (const LintCheck& check : checks) is_known = is_known || check.name == finding.check;
    CHECK(is_known);
  }
}

}  // namespace vipauth::test
