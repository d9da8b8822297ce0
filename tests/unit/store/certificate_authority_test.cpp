#include <vipauth/certificate_authority.hpp>

#include <fstream>
#include <iterator>
#include <sys/stat.h>

#include <vipauth/certificate_key_file.hpp>
#include <vipauth/csr_store.hpp>

#include "store/atomic_file.hpp"
#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/child_process.hpp"

using namespace vipauth;
using namespace vipauth::test;
using namespace std::chrono_literals;
using Catch::Contains;

namespace fs = std::filesystem;

namespace {

using Purpose = IssuedCertificate::Purpose;
using Key = CertificateAuthority::Key;

const std::string kLedger = "certificates/ca_db/oracle1-root-ca-ledger.json";
const std::string kList = "certificates/crls/oracle1-root-ca.crl.pem";

mode_t mode_of(const fs::path& file) {
  struct stat status{};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

Certificate read_certificate(const fs::path& file) {
  std::ifstream stream(file);
  const std::string pem{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  auto certificate = Certificate::parse(pem);
  REQUIRE(certificate);
  return *certificate;
}

/// Whether `openssl verify` accepts a certificate of `home`/certificates at the time of the test.
bool openssl_accepts(const TempHome& home, const std::string& file, const std::string& more = "",
                     Timestamp now = kNow) {
  int exit_code = 0;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  const std::string out = openssl(home / "certificates",
                                  "verify -x509_strict -CAfile certs/oracle1-root-ca.crt -attime " +
                                      std::to_string(seconds) + " " + more + " " + file,
                                  &exit_code);
  UNSCOPED_INFO(out);
  return exit_code == 0;
}

const std::string kCheckList = "-crl_check -CRLfile crls/oracle1-root-ca.crl.pem";

std::vector<std::string> names_and_purposes(const CertificateAuthority& authority) {
  std::vector<std::string> warnings;
  const auto list = authority.list(&warnings);
  REQUIRE(list);
  CHECK(warnings.empty());
  std::vector<std::string> out;
  for (const IssuedCertificate& item : *list) {
    out.push_back(item.certificate.common_name + " " + std::string(to_string(item.purpose)) +
                  (item.is_current ? " current" : "") + (item.revoked_at ? " revoked" : ""));
  }
  return out;
}

}  // namespace

TEST_CASE("CertificateAuthority: makes a root that openssl believes") {
  const TempHome home;
  const CertificateAuthority authority = authority_in(home);
  CHECK(authority.root().common_name == "oracle1 CA");
  CHECK(authority.root().is_authority);
  CHECK(authority.instance() == "oracle1");
  CHECK(openssl_accepts(home, "certs/oracle1-root-ca.crt"));
  const std::string text = openssl(home / "certificates", "x509 -in certs/oracle1-root-ca.crt -noout -text");
  CHECK_THAT(text, Contains("CA:TRUE, pathlen:1") && Contains("Certificate Sign, CRL Sign") &&
                       Contains("Subject Key Identifier") && Contains("ecdsa-with-SHA256"));
  CHECK(mode_of(home / "certificates/private/oracle1-root-ca.pem") == 0600);
  CHECK(mode_of(home / "certificates/private") == 0700);
  CHECK(mode_of(home / "certificates/certs/oracle1-root-ca.crt") == 0644);
  CHECK(mode_of(home / "certificates/certs") == 0755);
  CHECK(mode_of(home / kLedger) == 0600);

  const CertificateAuthority again = authority_in(home);
  CHECK(again.root().fingerprint == authority.root().fingerprint);
}

TEST_CASE("CertificateAuthority: opening makes nothing") {
  const TempHome home;
  CHECK(CertificateAuthority::open(home / "certificates", "oracle1", {}).error().code ==
        ErrorCode::kNotFound);
  CHECK(fs::is_empty(home.path()));
}

TEST_CASE("CertificateAuthority: an instance name that cannot be in a certificate is refused") {
  const TempHome home;
  for (const std::string& name :
       {std::string(), std::string("../x"), std::string("a b"), std::string("a."), std::string(57, 'n')}) {
    INFO(name);
    const auto authority = CertificateAuthority::open_or_create(home / "certificates", name, {});
    REQUIRE_FALSE(authority);
    CHECK(authority.error().code == ErrorCode::kInvalidArgument);
  }
  CHECK(fs::is_empty(home.path()));
}

TEST_CASE("CertificateAuthority: a root that cannot be used is an error and stays") {
  const TempHome home;
  {
    const CertificateAuthority authority = authority_in(home, TestClock());
  }
  const auto code = [&](Timestamp now = kNow) {
    CertificateAuthority::Options options;
    options.clock = [now] { return now; };
    const auto authority = CertificateAuthority::open_or_create(home / "certificates", "oracle1", options);
    return authority ? std::optional<ErrorCode>() : authority.error().code;
  };
  const std::string certificate = "certificates/certs/oracle1-root-ca.crt";
  const std::string key = "certificates/private/oracle1-root-ca.pem";
  const std::string pem = home.read(certificate);
  const std::string secret = home.read(key);
  CHECK(code() == std::nullopt);

  home.write(certificate, "damaged");
  CHECK(code() == ErrorCode::kParseError);
  CHECK(home.read(certificate) == "damaged");
  home.write(certificate, pem);

  home.write(key, "damaged");
  CHECK(code() == ErrorCode::kParseError);
  CHECK(home.read(key) == "damaged");
  home.write(key, secret);

  home.set_mode(key, 0644);
  CHECK(code() == ErrorCode::kPermissionDenied);
  home.set_mode(key, 0600);

  fs::remove(home / key);
  CHECK(code() == ErrorCode::kNotFound);
  CHECK_FALSE(home.has(key));
  REQUIRE(CertificateKeyFile(home / key).load_or_create());
  CHECK(code() == ErrorCode::kConflict);  // a key of something else
  home.write(key, secret);

  fs::remove(home / certificate);
  CHECK(code() == ErrorCode::kNotFound);  // the ledger tells that there was one
  CHECK_FALSE(home.has(certificate));
  home.write(certificate, pem);

  CHECK(code(kNow + std::chrono::days(4000)) == ErrorCode::kConflict);  // it has ended
  CHECK(code() == std::nullopt);
}

TEST_CASE("CertificateAuthority: a damaged ledger or one of another root is an error and stays") {
  const TempHome home;
  CertificateAuthority authority = authority_in(home);
  REQUIRE(authority.client_certificate(name_of("oracle1.agent")));
  const std::string good = home.read(kLedger);
  for (const std::string& bad : {std::string("{"), std::string("{}"), std::string("{\"version\": 2}"),
                                 good.substr(0, good.size() / 2)}) {
    home.write(kLedger, bad);
    CHECK_FALSE(authority.client_certificate(name_of("oracle1.other")));
    CHECK_FALSE(authority.list());
    CHECK_FALSE(authority.verify(authority.root().pem));
    CHECK_FALSE(authority.revocation_list());
    CHECK(home.read(kLedger) == bad);
  }
  home.write(kLedger, good);
  CHECK(authority.client_certificate(name_of("oracle1.other")));

  const TempHome elsewhere;
  const CertificateAuthority other = authority_in(elsewhere);
  home.write(kLedger, elsewhere.read(kLedger));
  CHECK(authority.client_certificate(name_of("oracle1.third")).error().code == ErrorCode::kConflict);
  CHECK(CertificateAuthority::open(home / "certificates", "oracle1", {}).error().code ==
        ErrorCode::kConflict);
}

TEST_CASE("CertificateAuthority: a root that another one signed is refused") {
  const TempHome home;
  {
    const CertificateAuthority authority = authority_in(home, TestClock());
  }
  const std::string root = "certificates/certs/oracle1-root-ca.crt";
  const std::string pem = home.read(root);
  home.write("extensions", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n");
  int exit_code = 0;
  const std::string said =
      openssl(home.path(),
              "req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout other.pem -out other.crt "
              "-days 3650 -subj '/CN=other CA' && "
              "openssl req -new -key certificates/private/oracle1-root-ca.pem -out root.csr -subj "
              "'/CN=oracle1 CA' && "
              "openssl x509 -req -in root.csr -CA other.crt -CAkey other.pem -CAcreateserial -days 3650 "
              "-extfile extensions -out " +
                  root,
              &exit_code);
  INFO(said);
  REQUIRE(exit_code == 0);
  const auto refused = CertificateAuthority::open(home / "certificates", "oracle1", {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kConflict);
  CHECK_THAT(refused.error().message, Contains("not signed by itself"));
  CHECK_FALSE(CertificateAuthority::open_or_create(home / "certificates", "oracle1", {}));
  home.write(root, pem);
  CHECK(CertificateAuthority::open(home / "certificates", "oracle1", {}));
}

TEST_CASE(
    "CertificateAuthority: each member of the ledger has its type, and the first that has not is told") {
  const TempHome home;
  const CertificateAuthority authority = authority_in(home);
  const auto place_of = [&](const std::string& issued) {
    home.write(kLedger, R"({"version": 1, "root_key_fingerprint": "x", "crl_number": 1)" + issued + "}");
    const auto list = authority.list();
    REQUIRE_FALSE(list);
    CHECK(list.error().code == ErrorCode::kParseError);
    return list.error().to_string();
  };
  const auto entry_of = [](const std::string& serial) {
    return R"(, "issued": [{"name": "oracle1.agent", "purpose": "client", "serial": ")" + serial +
           R"(", "key_fingerprint": "x", "certificate": ""}])";
  };
  CHECK_THAT(place_of(""), Contains("/issued"));
  CHECK_THAT(place_of(R"(, "issued": {})"), Contains("/issued") && Contains("must be a list"));
  for (const char* serial : {"", "0a", "0x1", "12 "}) {
    INFO(serial);
    CHECK_THAT(place_of(entry_of(serial)), Contains("/issued/0/serial") && Contains("hexadecimal"));
  }
  // With a good one, what comes next is told.
  CHECK_THAT(place_of(entry_of("0A") + R"(, "in_progress": {"operation": "dance"})"),
             Contains("/in_progress/operation"));
}

TEST_CASE("CertificateAuthority: what cannot be listed hides nothing else") {
  const TempHome home;
  CertificateAuthority authority = authority_in(home);
  for (const char* name : {"oracle1.one", "oracle1.two"})
    REQUIRE(authority.client_certificate(name_of(name)));
  const auto listed = [&](std::vector<std::string>& warnings) {
    const auto list = authority.list(&warnings);
    REQUIRE(list);
    return list->size();
  };
  std::vector<std::string> warnings;
  CHECK(listed(warnings) == 3);
  CHECK(warnings.empty());

  home.write("certificates/certs/damaged.crt", "damaged");
  CHECK(listed(warnings) == 3);
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings.back(), Contains("damaged.crt"));
  fs::remove(home / "certificates/certs/damaged.crt");

  fs::remove_all(home / "certificates/remote_certs");
  home.write("certificates/remote_certs", "");
  CHECK(listed(warnings) == 3);
  REQUIRE(warnings.size() == 2);
  CHECK_THAT(warnings.back(), Contains("cannot list") && Contains("remote_certs"));
  fs::remove(home / "certificates/remote_certs");

  auto ledger = Json::parse(home.read(kLedger));
  REQUIRE(ledger);
  ledger->find("issued")->as_array().front().set("certificate", "damaged");
  const std::string good = home.read(kLedger);
  home.write(kLedger, ledger->dump());
  CHECK(listed(warnings) == 2);
  REQUIRE(warnings.size() == 3);
  CHECK_THAT(warnings.back(), Contains("ledger.json"));
  home.write(kLedger, good);

  // What was begun and not finished.
  home.make_folder(kList + ".tmp");
  CHECK_FALSE(authority.revoke(name_of("oracle1.two")));
  CHECK(listed(warnings) == 3);
  REQUIRE(warnings.size() == 4);
  CHECK_THAT(warnings.back(), Contains("oracle1.two") && Contains("is not finished"));
  fs::remove(home / (kList + ".tmp"));
  REQUIRE(authority.revoke(name_of("oracle1.one")));
  CHECK(listed(warnings) == 3);
  CHECK(warnings.size() == 4);
}

TEST_CASE("CertificateAuthority: a client certificate is made once") {
  const TempHome home;
  CertificateAuthority authority = authority_in(home, TestClock());
  const auto files = authority.client_certificate(name_of("oracle1.agent"));
  REQUIRE(files);
  CHECK(mode_of(files->key) == 0600);
  CHECK(mode_of(files->certificate) == 0644);
  CHECK(openssl_accepts(home, "certs/oracle1.agent.crt", "-purpose sslclient"));
  CHECK_FALSE(openssl_accepts(home, "certs/oracle1.agent.crt", "-purpose sslserver"));
  const std::string text = openssl(home / "certificates", "x509 -in certs/oracle1.agent.crt -noout -text");
  CHECK_THAT(text, Contains("CA:FALSE") && Contains("Digital Signature") &&
                       Contains("Authority Key Identifier") && Contains("Subject: CN = oracle1.agent\n"));
  const Certificate certificate = read_certificate(files->certificate);
  CHECK(certificate.not_before == kNow - 5min);
  CHECK(certificate.not_after == kNow + std::chrono::days(365));
  CHECK(CertificateKeyFile(files->key).load()->fingerprint() == certificate.key_fingerprint);

  REQUIRE(authority.client_certificate(name_of("oracle1.agent")));
  CHECK(read_certificate(files->certificate).serial == certificate.serial);
  CHECK(names_and_purposes(authority) ==
        std::vector<std::string>{"oracle1 CA root current", "oracle1.agent client current"});
}

TEST_CASE("CertificateAuthority: what is lost is made anew and nothing else is touched") {
  const TempHome home;
  CertificateAuthority authority = authority_in(home);
  const auto files = authority.client_certificate(name_of("oracle1.agent"));
  REQUIRE(files);
  const Certificate first = read_certificate(files->certificate);
  fs::remove(files->certificate);
  REQUIRE(authority.client_certificate(name_of("oracle1.agent")));
  CHECK(read_certificate(files->certificate).serial == first.serial);
  fs::remove(files->key);
  REQUIRE(authority.client_certificate(name_of("oracle1.agent")));
  CHECK(read_certificate(files->certificate).serial != first.serial);
  CHECK(CertificateKeyFile(files->key).load()->fingerprint() ==
        read_certificate(files->certificate).key_fingerprint);

  home.write("certificates/certs/oracle1.foreign.crt", "not ours");
  CHECK(authority.client_certificate(name_of("oracle1.foreign")).error().code == ErrorCode::kConflict);
  CHECK(home.read("certificates/certs/oracle1.foreign.crt") == "not ours");
}

TEST_CASE("CertificateAuthority: the names of the authority itself are refused") {
  const TempHome home;
  CertificateAuthority authority = authority_in(home);
  const CommonName root = name_of("oracle1-root-ca");
  CHECK(authority.client_certificate(root).error().code == ErrorCode::kConflict);
  CHECK(authority.server_certificate(root, {}).error().code == ErrorCode::kConflict);
  CHECK(authority.renew(root, Key::kNew).error().code == ErrorCode::kConflict);
  CHECK(authority.revoke(root).error().code == ErrorCode::kConflict);
  CHECK(openssl_accepts(home, "certs/oracle1-root-ca.crt", "", system_now()));
}

TEST_CASE("CertificateAuthority: a server certificate waits for others no longer than it is told") {
  const TempHome home;
  const TestClock time;
  CertificateAuthority authority = authority_in(home, time);
  const CommonName name = name_of("oracle1-server");
  constexpr std::chrono::milliseconds kNoPatience{0};
  const auto files = authority.server_certificate(name, {"localhost"}, {}, nullptr, kNoPatience);
  REQUIRE(files);
  const std::string before = read_certificate(files->certificate).serial;
  {
    const auto held = FileLock::acquire(home / kLedger, kNoPatience);
    REQUIRE(held);
    CHECK(authority.server_certificate(name, {"bus.example"}, {}, nullptr, kNoPatience).error().code ==
          ErrorCode::kBusy);
  }
  CHECK(read_certificate(files->certificate).serial == before);
  REQUIRE(authority.server_certificate(name, {"bus.example"}, {}, nullptr, kNoPatience));
  CHECK(read_certificate(files->certificate).serial != before);
}

TEST_CASE("CertificateAuthority: what is issued is audited once, with who did it") {
  const TempHome home;
  const TestClock time;
  CertificateAuthority authority = authority_in(home, time);
  home.make_folder("audit");
  const CommonName name = name_of("oracle1.agent");
  std::vector<std::string> warnings;
  for (int i = 0; i < 2; ++i) {  // the second time it is there
    REQUIRE(authority.client_certificate(name, {"carol", "auth certs create"}, &warnings));
  }
  CHECK(warnings.empty());
  std::string lines;
  for (const auto& file : fs::directory_iterator(home / "audit")) {
    if (file.path().extension() == ".jsonl") lines += home.read("audit/" + file.path().filename().string());
  }
  const std::size_t first = lines.find("auth certs create");
  CHECK(first != std::string::npos);
  CHECK(lines.find("auth certs create", first + 1) == std::string::npos);
  CHECK(lines.find("carol") != std::string::npos);
  const Certificate issued = read_certificate(home / "certificates/certs/oracle1.agent.crt");
  CHECK(lines.find(issued.serial) != std::string::npos);
}

TEST_CASE("CertificateAuthority: warns where something is not audited") {
  const TempHome home;
  const TestClock time;
  CertificateAuthority authority = authority_in(home, time);
  const CommonName name = name_of("oracle1.agent");
  REQUIRE(authority.client_certificate(name));
  std::vector<std::string> warnings;
  REQUIRE(authority.renew(name, Key::kKeep, {}, &warnings));
  CHECK(warnings.empty());
  home.write("audit", "a file");
  REQUIRE(authority.renew(name, Key::kKeep, {}, &warnings));
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], Contains("this change is not in the audit log"));
  REQUIRE(authority.revoke(name, {}, &warnings));
  CHECK(warnings.size() == 2);
  REQUIRE(authority.client_certificate(name_of("oracle1.other"), {}, &warnings));
  REQUIRE(authority.server_certificate(name_of("oracle1.server"), {"localhost"}, {}, &warnings));
  CHECK(warnings.size() == 4);
}

TEST_CASE("CertificateAuthority: a server certificate names its hosts and is renewed in time") {
  const TempHome home;
  const TestClock time;
  CertificateAuthority authority = authority_in(home, time);
  const CommonName name = name_of("oracle1-server");
  const auto files = authority.server_certificate(name, {"localhost", "127.0.0.1", "::1"});
  REQUIRE(files);
  const std::string file = "certs/oracle1-server.crt";
  CHECK(openssl_accepts(home, file, "-purpose sslserver -verify_hostname localhost"));
  CHECK(openssl_accepts(home, file, "-verify_ip ::1"));
  CHECK_FALSE(openssl_accepts(home, file, "-verify_hostname elsewhere"));
  CHECK_FALSE(openssl_accepts(home, file, "-purpose sslclient"));
  const Certificate first = read_certificate(files->certificate);

  REQUIRE(authority.server_certificate(name, {"localhost"}));
  CHECK(read_certificate(files->certificate).serial == first.serial);
  REQUIRE(authority.server_certificate(name, {"localhost", "bus.example"}));
  const Certificate second = read_certificate(files->certificate);
  CHECK(second.serial != first.serial);
  CHECK(second.key_fingerprint == first.key_fingerprint);

  *time.now += std::chrono::days(200);
  REQUIRE(authority.server_certificate(name, {"bus.example"}));
  CHECK(read_certificate(files->certificate).serial == second.serial);
  *time.now += std::chrono::days(60);
  REQUIRE(authority.server_certificate(name, {"bus.example"}));
  CHECK(read_certificate(files->certificate).not_after == *time.now + std::chrono::days(365));

  for (const char* bad : {"", "a b", "DNS:x", "x,IP:1.2.3.4", "\xc3\xa9", "a\n"}) {
    INFO(bad);
    CHECK(authority.server_certificate(name, {bad}).error().code == ErrorCode::kInvalidArgument);
  }
}

TEST_CASE("CertificateAuthority: no certificate outlives its root") {
  const TempHome home;
  const TestClock time;
  CertificateAuthority authority = authority_in(home, time);
  *time.now += std::chrono::days(3500);
  const auto files = authority.client_certificate(name_of("oracle1.agent"));
  REQUIRE(files);
  CHECK(read_certificate(files->certificate).not_after == authority.root().not_after);
}

TEST_CASE("CertificateAuthority: renews with the same key or a new one") {
  const TempHome home;
  const TestClock time;
  CertificateAuthority authority = authority_in(home, time);
  const CommonName name = name_of("oracle1-server");
  CHECK(authority.renew(name, Key::kKeep).error().code == ErrorCode::kNotFound);
  const auto files = authority.server_certificate(name, {"localhost"});
  REQUIRE(files);
  const Certificate first = read_certificate(files->certificate);

  *time.now += 24h;
  const auto kept = authority.renew(name, Key::kKeep);
  REQUIRE(kept);
  CHECK(kept->purpose == Purpose::kServer);
  CHECK(kept->certificate.hosts == first.hosts);
  CHECK(kept->certificate.key_fingerprint == first.key_fingerprint);
  CHECK(kept->certificate.serial != first.serial);
  CHECK(read_certificate(files->certificate).serial == kept->certificate.serial);
  home.write("certificates/first.crt", first.pem);
  CHECK(openssl_accepts(home, "first.crt", kCheckList, *time.now));  // stays good until it ends

  *time.now += 24h;
  const auto fresh = authority.renew(name, Key::kNew);
  REQUIRE(fresh);
  CHECK(fresh->certificate.key_fingerprint != first.key_fingerprint);
  CHECK(CertificateKeyFile(files->key).load()->fingerprint() == fresh->certificate.key_fingerprint);
  CHECK_FALSE(fs::exists(files->key.string() + ".next"));
  CHECK(openssl_accepts(home, "certs/oracle1-server.crt", kCheckList, *time.now));
  home.write("certificates/kept.crt", kept->certificate.pem);
  CHECK_FALSE(openssl_accepts(home, "first.crt", kCheckList, *time.now));
  CHECK_FALSE(openssl_accepts(home, "kept.crt", kCheckList, *time.now));
  CHECK(names_and_purposes(authority) ==
        std::vector<std::string>{"oracle1 CA root current", "oracle1-server server current",
                                 "oracle1-server server revoked", "oracle1-server server revoked"});
}

TEST_CASE("CertificateAuthority: a revoked certificate is so for good") {
  const TempHome home;
  const TestClock time;
  CertificateAuthority authority = authority_in(home, time);
  const CommonName name = name_of("oracle1.agent");
  CHECK(authority.revoke(name).error().code == ErrorCode::kNotFound);
  const auto files = authority.client_certificate(name);
  REQUIRE(files);
  REQUIRE(authority.client_certificate(name_of("oracle1.other")));
  const Certificate certificate = read_certificate(files->certificate);
  CHECK(authority.verify(certificate.pem));
  CHECK(openssl_accepts(home, "certs/oracle1.agent.crt", kCheckList));

  REQUIRE(authority.revoke(name));
  CHECK(authority.revoke(name));
  const auto verified = authority.verify(certificate.pem);
  CHECK(verified.error().code == ErrorCode::kPermissionDenied);
  CHECK_THAT(verified.error().message, Contains("revoked"));
  CHECK_FALSE(openssl_accepts(home, "certs/oracle1.agent.crt", kCheckList));
  CHECK(openssl_accepts(home, "certs/oracle1.other.crt", kCheckList));
  CHECK_FALSE(openssl_accepts(home, "certs/oracle1.agent.crt", "-crl_check -CApath crls"));
  CHECK(openssl_accepts(home, "certs/oracle1.other.crt", "-crl_check -CApath crls"));
  CHECK(authority.renew(name, Key::kKeep).error().code == ErrorCode::kConflict);
  CHECK(authority.renew(name, Key::kNew).error().code == ErrorCode::kConflict);
  CHECK(authority.client_certificate(name).error().code == ErrorCode::kConflict);
  CHECK_FALSE(authority_in(home, time).verify(certificate.pem));
}

TEST_CASE("CertificateAuthority: verify tells ours from others") {
  const TempHome home;
  const TestClock time;
  CertificateAuthority authority = authority_in(home, time);
  const TempHome elsewhere;
  CertificateAuthority other = authority_in(elsewhere, time);
  const auto ours = authority.client_certificate(name_of("oracle1.agent"));
  const auto theirs = other.client_certificate(name_of("oracle1.agent"));
  REQUIRE(ours);
  REQUIRE(theirs);
  const std::string pem = read_certificate(ours->certificate).pem;
  CHECK(authority.verify(pem)->common_name == "oracle1.agent");
  const auto why_not = [&](std::string_view text) {
    const auto verified = authority.verify(text);
    REQUIRE_FALSE(verified);
    CHECK(verified.error().code == ErrorCode::kPermissionDenied);
    return verified.error().message;
  };
  CHECK_THAT(why_not(read_certificate(theirs->certificate).pem), Contains("not issued by"));
  CHECK_THAT(why_not(authority.root().pem), Contains("authority"));
  CHECK_THAT(why_not("nonsense"), Contains("no certificate"));
  *time.now += std::chrono::days(366);
  CHECK_THAT(why_not(pem), Contains("ended"));
  *time.now = kNow - 1h;
  CHECK_THAT(why_not(pem), Contains("begins"));
}

TEST_CASE("CertificateAuthority: the revocation list is renewed when it is old or lost") {
  const TempHome home;
  const TestClock time;
  CertificateAuthority authority = authority_in(home, time);
  const auto first = authority.revocation_list();
  REQUIRE(first);
  CHECK(home.read(kList) == *first);
  *time.now += 23h;
  CHECK(*authority.revocation_list() == *first);
  *time.now += 2h;
  const auto second = authority.revocation_list();
  REQUIRE(second);
  CHECK(*second != *first);
  const std::string text =
      openssl(home / "certificates", "crl -in crls/oracle1-root-ca.crl.pem -noout -text");
  CHECK_THAT(text, Contains("Version 2") && Contains("CRL Number") && Contains("Authority Key Identifier"));
  CHECK_THAT(openssl(home / "certificates",
                     "crl -in crls/oracle1-root-ca.crl.pem -noout -CAfile certs/oracle1-root-ca.crt"),
             Contains("verify OK"));
  home.write(kList, "damaged");
  CHECK(authority.revocation_list());
  CHECK(home.read(kList) != "damaged");
  fs::remove(home / kList);
  CHECK(authority.revocation_list());
  CHECK(home.has(kList));
}

TEST_CASE("CertificateAuthority: works with the root that VOLTTRON made") {
  const TempHome home;
  put_recorded_root(home);
  const std::string before = home.read("certificates/certs/oracle1-root-ca.crt");
  CertificateAuthority authority = authority_in(home);
  CHECK(authority.root().serial == "6B02052C");
  CHECK(home.read("certificates/certs/oracle1-root-ca.crt") == before);
  const auto files = authority.client_certificate(name_of("oracle1.agent"));
  REQUIRE(files);
  CHECK(openssl_accepts(home, "certs/oracle1.agent.crt", kCheckList, system_now()));
  REQUIRE(authority.revoke(name_of("oracle1.agent")));
  CHECK_FALSE(openssl_accepts(home, "certs/oracle1.agent.crt", kCheckList, system_now()));
}

TEST_CASE("CertificateAuthority: certificates that VOLTTRON issued are listed and revoked") {
  const TempHome home;
  put_recorded_root(home);
  CertificateAuthority authority = authority_in(home, CertificateAuthority::Options());
  // As VOLTTRON does: signed by the root, noted nowhere that this library reads.
  const auto issue = [&](const std::string& name, const std::string& folder) {
    foreign_request(home, name, "rsa:2048");
    openssl(home.path(),
            "x509 -req -in foreign.csr -CA certificates/certs/oracle1-root-ca.crt -CAkey "
            "certificates/private/oracle1-root-ca.pem -days 365 -out certificates/" +
                folder + "/" + name + ".crt");
    home.set_mode("certificates/" + folder + "/" + name + ".crt", 0644);
  };
  issue("oracle1.local", "certs");
  issue("oracle1.remote.agent", "remote_certs");
  CHECK(names_and_purposes(authority) == std::vector<std::string>{"oracle1 CA root current",
                                                                  "oracle1.local client current",
                                                                  "oracle1.remote.agent requested current"});
  const Certificate remote = read_certificate(home / "certificates/remote_certs/oracle1.remote.agent.crt");
  CHECK(authority.verify(remote.pem));
  REQUIRE(authority.revoke(name_of("oracle1.remote.agent")));
  CHECK_FALSE(authority.verify(remote.pem));
  CHECK_FALSE(home.has("certificates/remote_certs/oracle1.remote.agent.crt"));
  const auto renewed = authority.renew(name_of("oracle1.local"), Key::kKeep);
  REQUIRE(renewed);
  CHECK(renewed->certificate.key_fingerprint ==
        read_certificate(home / "certificates/certs/oracle1.local.crt").key_fingerprint);
  CHECK(names_and_purposes(authority) ==
        std::vector<std::string>{"oracle1 CA root current", "oracle1.local client current",
                                 "oracle1.local client", "oracle1.remote.agent requested revoked"});
}

TEST_CASE("CertificateAuthority: processes that begin at once agree on one root") {
  const TempHome home;
  std::vector<ChildProcess> children;
  for (int i = 0; i < 6; ++i) {
    children.emplace_back([&] {
      CertificateAuthority authority = authority_in(home, CertificateAuthority::Options());
      return authority.client_certificate(name_of("oracle1.agent")) ? 0 : 1;
    });
  }
  for (ChildProcess& child : children) CHECK(child.wait() == 0);
  const CertificateAuthority authority = authority_in(home, CertificateAuthority::Options());
  CHECK(names_and_purposes(authority) ==
        std::vector<std::string>{"oracle1 CA root current", "oracle1.agent client current"});
}

TEST_CASE("CertificateAuthority: a folder that others may change is refused") {
  const TempHome home;
  {
    const CertificateAuthority authority = authority_in(home);
  }
  home.set_mode("certificates/private", 0777);
  CHECK(CertificateAuthority::open(home / "certificates", "oracle1", {}).error().code ==
        ErrorCode::kPermissionDenied);
  home.set_mode("certificates/private", 0700);
  CHECK(CertificateAuthority::open(home / "certificates", "oracle1", {}));
}

TEST_CASE("CertificateAuthority: follows no symbolic link") {
  const TempHome home;
  CertificateAuthority authority = authority_in(home);
  home.write("victim", "precious");
  fs::create_symlink(home / "victim", home / "certificates/certs/oracle1.agent.crt");
  CHECK_FALSE(authority.client_certificate(name_of("oracle1.agent")));
  fs::create_symlink(home / "victim", home / "certificates/private/oracle1.other.pem");
  CHECK_FALSE(authority.client_certificate(name_of("oracle1.other")));
  CHECK(home.read("victim") == "precious");
}

TEST_CASE("CertificateAuthority: a certificate that is not on record is renewed as what it is") {
  const TempHome home;
  put_recorded_root(home);
  CertificateAuthority authority = authority_in(home, CertificateAuthority::Options());
  const auto issue = [&](const std::string& name, const std::string& folder, const std::string& key,
                         const std::string& more) {
    foreign_request(home, name, key);
    home.write("extensions", more);
    openssl(home.path(),
            "x509 -req -in foreign.csr -CA certificates/certs/oracle1-root-ca.crt -CAkey "
            "certificates/private/oracle1-root-ca.pem -days 365 -extfile extensions -out certificates/" +
                folder + "/" + name + ".crt");
    home.set_mode("certificates/" + folder + "/" + name + ".crt", 0644);
  };
  issue("oracle1-web", "certs", "rsa:2048", "extendedKeyUsage=serverAuth\n");
  issue("oracle1-host", "certs", "rsa:2048", "subjectAltName=DNS:localhost\n");
  issue("oracle1.local", "certs", "rsa:2048", "extendedKeyUsage=clientAuth\nsubjectAltName=DNS:localhost\n");
  CHECK(authority.renew(name_of("oracle1-web"), Key::kKeep)->purpose == Purpose::kServer);
  CHECK(authority.renew(name_of("oracle1-host"), Key::kKeep)->purpose == Purpose::kServer);
  CHECK(authority.renew(name_of("oracle1.local"), Key::kKeep)->purpose == Purpose::kClient);
  CHECK(openssl_accepts(home, "certs/oracle1-web.crt", "-purpose sslserver", system_now()));

  issue("oracle1.remote.weak", "remote_certs", "rsa:1024", "");
  const auto weak = authority.renew(name_of("oracle1.remote.weak"), Key::kKeep);
  REQUIRE_FALSE(weak);
  CHECK(weak.error().code == ErrorCode::kUnsupported);
  CHECK_THAT(weak.error().message, Contains("1024"));
}

TEST_CASE("CertificateAuthority: renewing writes over nothing that is not its own") {
  const TempHome home;
  put_recorded_root(home);
  CertificateAuthority authority = authority_in(home, CertificateAuthority::Options());
  CsrStore store(authority, {});
  const Asker asker("oracle1.remote.agent");
  REQUIRE(store.request(asker.request.pem(), "10.0.0.7"));
  REQUIRE(store.approve(name_of("oracle1.remote.agent")));
  const std::string file = "certificates/remote_certs/oracle1.remote.agent.crt";
  home.write(file, "somebody else's");
  CHECK(authority.renew(name_of("oracle1.remote.agent"), Key::kKeep).error().code == ErrorCode::kConflict);
  CHECK(home.read(file) == "somebody else's");
  fs::remove(home / file);
  CHECK(authority.renew(name_of("oracle1.remote.agent"), Key::kKeep));
  CHECK(home.has(file));
}

TEST_CASE("CertificateAuthority: a server's certificate is no peer's") {
  const TempHome home;
  CertificateAuthority authority = authority_in(home, TestClock());
  const auto files = authority.server_certificate(name_of("oracle1-server"), {"localhost"});
  REQUIRE(files);
  const auto verified = authority.verify(read_certificate(files->certificate).pem);
  REQUIRE_FALSE(verified);
  CHECK(verified.error().code == ErrorCode::kPermissionDenied);
  CHECK_THAT(verified.error().message, Contains("server"));
}

TEST_CASE("CertificateAuthority: a certificate with a negative serial is refused and nothing is lost") {
  const TempHome home;
  put_recorded_root(home);
  CertificateAuthority authority = authority_in(home, CertificateAuthority::Options());
  foreign_request(home, "oracle1.remote.agent", "rsa:2048");
  openssl(home.path(),
          "x509 -req -in foreign.csr -CA certificates/certs/oracle1-root-ca.crt -CAkey "
          "certificates/private/oracle1-root-ca.pem -days 365 -set_serial -5 -out "
          "certificates/remote_certs/oracle1.remote.agent.crt");
  home.set_mode("certificates/remote_certs/oracle1.remote.agent.crt", 0644);
  CHECK(authority.revoke(name_of("oracle1.remote.agent")).error().code == ErrorCode::kUnsupported);
  CHECK(authority.revocation_list());
  CHECK(authority.client_certificate(name_of("oracle1.other")));
}

TEST_CASE("CertificateAuthority: an address is the same in each spelling") {
  const TempHome home;
  CertificateAuthority authority = authority_in(home, TestClock());
  const CommonName name = name_of("oracle1-server");
  const auto files = authority.server_certificate(name, {"2001:DB8::0:1"});
  REQUIRE(files);
  const std::string serial = read_certificate(files->certificate).serial;
  REQUIRE(authority.server_certificate(name, {"2001:DB8::0:1"}));
  REQUIRE(authority.server_certificate(name, {"2001:db8::1"}));
  CHECK(read_certificate(files->certificate).serial == serial);
  REQUIRE(authority.server_certificate(name, {"2001:db8::2"}));
  CHECK(read_certificate(files->certificate).serial != serial);
}

TEST_CASE("CertificateAuthority: a new key that cannot be read is not passed over") {
  const TempHome home;
  CertificateAuthority authority = authority_in(home, TestClock());
  const CommonName name = name_of("oracle1.agent");
  const auto files = authority.client_certificate(name);
  REQUIRE(files);
  home.make_folder("certificates/certs/oracle1.agent.crt.tmp");  // stops it behind the key
  home.make_folder("certificates/crls/oracle1-root-ca.crl.pem.tmp");
  CHECK_FALSE(authority.renew(name, Key::kNew));
  // As if it had been stopped before the key, which is damaged since.
  const std::string fresh = home.read("certificates/private/oracle1.agent.pem");
  fs::rename(files->key, home / "certificates/private/oracle1.agent.pem.next");
  REQUIRE(CertificateKeyFile(files->key).load_or_create());
  home.set_mode("certificates/private/oracle1.agent.pem.next", 0644);
  fs::remove(home / "certificates/certs/oracle1.agent.crt.tmp");
  fs::remove(home / "certificates/crls/oracle1-root-ca.crl.pem.tmp");
  const auto refused = authority.client_certificate(name_of("oracle1.other"));
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, Contains("oracle1.agent.pem.next"));
  home.set_mode("certificates/private/oracle1.agent.pem.next", 0600);
  CHECK(authority.client_certificate(name_of("oracle1.other")));
  CHECK(home.read("certificates/private/oracle1.agent.pem") == fresh);
  CHECK(CertificateKeyFile(files->key).load()->fingerprint() ==
        read_certificate(files->certificate).key_fingerprint);
}
