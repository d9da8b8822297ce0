#include <vipauth/remote_certificate_files.hpp>

#include <filesystem>
#include <iterator>
#include <string>

#include <vipauth/certificate_key_file.hpp>

#include "support/catch.hpp"
#include "support/few_descriptors.hpp"
#include "support/temp_home.hpp"

namespace vipauth::test {

namespace {

const CommonName kLocal = *CommonName::parse("v2.platform.agent");
constexpr const char* kAddress = "https://v1:8443";

Certificate certificate_in(const TempHome& home) {
  return CertificateAuthority::open_or_create(home / "other", "v1", {})->root();
}

}  // namespace

TEST_CASE("RemoteCertificateFiles: names come from what another platform says, and are checked") {
  const TempHome home;
  const RemoteCertificateFiles files(home / "certificates", kLocal);
  CHECK(files.name_for("v1")->text() == "v1.v2.platform.agent");
  CHECK(files.name_for("v1.x")->text() == "v1.x.v2.platform.agent");
  for (const std::string name : {"", "..", "v1/..", "v1.", "v1\n", "v 1"}) {
    INFO(name);
    CHECK_FALSE(files.name_for(name));
  }
  CHECK(files.name_for("v2").error().code == ErrorCode::kConflict);
  CHECK_FALSE(files.name_for(std::string(60, 'v')));
  CHECK_FALSE(home.has("certificates"));
}

TEST_CASE("RemoteCertificateFiles: saves, finds by address, and forgets") {
  const TempHome home;
  const RemoteCertificateFiles files(home / "certificates", kLocal);
  const CommonName name = *files.name_for("v1");
  const Certificate certificate = certificate_in(home);
  CHECK_FALSE(files.find(kAddress)->has_value());
  CHECK(files.forget(name, kAddress));
  REQUIRE(files.save(name, certificate, certificate.pem, kAddress, Json::Object{{"instance-name", "v1"}}));
  const auto found = files.find(kAddress);
  REQUIRE(found);
  REQUIRE(found->has_value());
  CHECK((*found)->common_name == name);
  CHECK((*found)->certificate.fingerprint == certificate.fingerprint);
  CHECK((*found)->discovery.find("instance-name")->as_string() == "v1");
  CHECK_FALSE(files.find("https://v1:8444")->has_value());
  CHECK_FALSE(RemoteCertificateFiles(home / "certificates", *CommonName::parse("v2.other"))
                  .find(kAddress)
                  ->has_value());
  const auto mode = std::filesystem::status((*found)->files.certificate).permissions();
  CHECK(mode == static_cast<std::filesystem::perms>(0644));

  REQUIRE(files.forget(name, kAddress));
  CHECK_FALSE(files.find(kAddress)->has_value());
  CHECK_FALSE(home.has("certificates/remote_certs/v1.v2.platform.agent.crt"));
}

TEST_CASE("RemoteCertificateFiles: a platform has no power over what another one of its name left") {
  const TempHome home;
  const RemoteCertificateFiles files(home / "certificates", kLocal);
  const CommonName name = *files.name_for("v1");
  const Certificate certificate = certificate_in(home);
  const Certificate another = CertificateAuthority::open_or_create(home / "stranger", "v1", {})->root();
  const Json discovery{Json::Object()};
  const std::string folder = "certificates/remote_certs/";
  REQUIRE(files.save(name, certificate, certificate.pem, kAddress, discovery));
  const std::string origin = home.read(folder + "v1.v2.platform.agent.json");

  for (const std::string& pem : {certificate.pem, another.pem}) {
    const auto refused = files.save(name, another, pem, "https://stranger:8443", discovery);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kConflict);
    CHECK_THAT(refused.error().message, Catch::Contains(kAddress) &&
                                            Catch::Contains("https://stranger:8443") &&
                                            Catch::Contains("v1.v2.platform.agent.json"));
  }
  CHECK(files.forget(name, "https://stranger:8443").error().code == ErrorCode::kConflict);

  // The authority is shared by all agents: another one's request does not replace it, either.
  const RemoteCertificateFiles others(home / "certificates", *CommonName::parse("v2.other"));
  const CommonName other_name = *others.name_for("v1");
  CHECK(others.save(other_name, another, another.pem, "https://stranger:8443", discovery).error().code ==
        ErrorCode::kConflict);
  CHECK_FALSE(home.has(folder + "v1.v2.other.crt"));
  CHECK(home.read(folder + "v1.v2.platform.agent.crt") == certificate.pem);
  CHECK(home.read(folder + "v1_ca.crt") == certificate.pem);
  CHECK(home.read(folder + "v1.v2.platform.agent.json") == origin);

  // The same authority by another address, a new one at the same, and one that moved.
  CHECK(others.save(other_name, certificate, certificate.pem, "https://10.0.0.1:8443", discovery));
  CHECK(others.forget(other_name, "https://10.0.0.1:8443"));
  CHECK(files.save(name, another, another.pem, kAddress, discovery));
  std::filesystem::remove(home / (folder + "v1.v2.platform.agent.json"));
  CHECK(files.save(name, certificate, certificate.pem, "https://moved:8443", discovery));
}

TEST_CASE("RemoteCertificateFiles: what is damaged is told, and a link is not written through") {
  const TempHome home;
  const RemoteCertificateFiles files(home / "certificates", kLocal);
  const CommonName name = *files.name_for("v1");
  const Certificate certificate = certificate_in(home);
  REQUIRE(files.save(name, certificate, certificate.pem, kAddress, Json(Json::Object())));
  home.write("certificates/remote_certs/v1.v2.platform.agent.json", "{");
  CHECK_FALSE(files.find(kAddress));
  CHECK_FALSE(files.save(name, certificate, certificate.pem, kAddress, Json(Json::Object())));
  CHECK_FALSE(files.forget(name, kAddress));
  CHECK(home.read("certificates/remote_certs/v1.v2.platform.agent.json") == "{");
  std::filesystem::remove(home / "certificates/remote_certs/v1.v2.platform.agent.json");
  REQUIRE(files.save(name, certificate, certificate.pem, kAddress, Json(Json::Object())));
  CHECK(files.find(kAddress)->has_value());
  home.write("certificates/remote_certs/v1.v2.platform.agent.crt", "damaged");
  CHECK_FALSE(files.find(kAddress));

  home.write("elsewhere", "untouched");
  std::filesystem::remove(home / "certificates/remote_certs/v1.v2.platform.agent.crt");
  std::filesystem::create_symlink(home / "elsewhere",
                                  home / "certificates/remote_certs/v1.v2.platform.agent.crt");
  CHECK_FALSE(files.save(name, certificate, certificate.pem, kAddress, Json(Json::Object())));
  CHECK(home.read("elsewhere") == "untouched");
}

TEST_CASE("RemoteCertificateFiles: the key is made once") {
  const TempHome home;
  const RemoteCertificateFiles files(home / "certificates", kLocal);
  const auto key = files.key();
  REQUIRE(key);
  CHECK(files.key()->fingerprint() == key->fingerprint());
  CHECK(CertificateKeyFile(home / "certificates/private/v2.platform.agent.pem").load()->fingerprint() ==
        key->fingerprint());
  home.set_mode("certificates/private/v2.platform.agent.pem", 0644);
  CHECK(files.key().error().code == ErrorCode::kPermissionDenied);
}

TEST_CASE("RemoteCertificateFiles: a folder that cannot be listed, or holds too much, is told") {
  const TempHome home;
  const RemoteCertificateFiles files(home / "certificates", kLocal);
  const CommonName name = *files.name_for("v1");
  const Certificate certificate = certificate_in(home);
  REQUIRE(files.save(name, certificate, certificate.pem, kAddress, Json(Json::Object())));
  {
    const FewDescriptors none(0);
    const auto unlisted = files.find(kAddress);
    CHECK(unlisted.error().code == ErrorCode::kIoError);
    CHECK_THAT(unlisted.error().message, Catch::Contains("remote_certs"));
  }
  CHECK(files.find(kAddress)->has_value());

  const std::string folder = "certificates/remote_certs/";
  const std::filesystem::directory_iterator present(home / folder);
  const auto ours = std::distance(begin(present), end(present));
  home.write(folder + "0", "");
  for (auto i = ours + 1; i < 10'000; ++i)
    std::filesystem::create_hard_link(home / (folder + "0"), home / (folder + std::to_string(i)));
  CHECK(files.find(kAddress)->has_value());
  home.write(folder + "one more", "");
  CHECK(files.find(kAddress).error().code == ErrorCode::kLimitExceeded);
}

}  // namespace vipauth::test
