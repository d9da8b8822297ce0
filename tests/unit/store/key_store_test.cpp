#include <vipauth/key_store.hpp>

#include <cstring>
#include <set>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include <vipauth/json.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

KeyStore store_of(const TempHome& home) { return KeyStore(home / "keystore"); }

std::string written(std::string_view public_key, std::string_view secret_key) {
  return R"({"public": ")" + std::string(public_key) + R"(", "secret": ")" + std::string(secret_key) + "\"}";
}

}  // namespace

TEST_CASE("KeyStore: a pair is made once, private, and found again") {
  const TempHome home;
  CHECK(store_of(home).load().error().code == ErrorCode::kNotFound);
  CHECK_FALSE(home.has("keystore"));
  const auto made = store_of(home).load_or_create();
  REQUIRE(made);
  struct stat status{};
  REQUIRE(::stat((home / "keystore").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  const std::string content = home.read("keystore");
  for (const auto& again : {store_of(home).load_or_create(), store_of(home).load()}) {
    REQUIRE(again);
    CHECK(again->public_key == made->public_key);
    CHECK(std::memcmp(again->secret_key.bytes().data(), made->secret_key.bytes().data(), kCurveKeyBytes) ==
          0);
  }
  CHECK(home.read("keystore") == content);
}

TEST_CASE("KeyStore: has the form that VOLTTRON reads") {
  const TempHome home;
  const auto made = store_of(home).load_or_create();
  REQUIRE(made);
  const auto json = Json::parse(home.read("keystore"));
  REQUIRE(json);
  REQUIRE(json->as_object().size() == 2);
  CHECK(json->find("public")->as_string() == made->public_key.to_base64url());
  CHECK(json->find("secret")->as_string() == reveal_base64url(made->secret_key));
}

TEST_CASE("KeyStore: what is no key pair is an error, left untouched, and shows no secret") {
  const TempHome home;
  const CurveKeyPair pair = CurveKeyPair::generate();
  const CurveKeyPair other = CurveKeyPair::generate();
  const std::string secret = reveal_base64url(pair.secret_key);
  const std::string good = pair.public_key.to_base64url();
  for (const std::string& bad :
       {std::string(), std::string("{}"), std::string("[]"), std::string("null"),
        R"({"public": ")" + good + "\"}", R"({"secret": ")" + secret + "\"}",
        R"({"public": 1, "secret": ")" + secret + "\"}", R"({"secret": 1, "public": ")" + good + "\"}",
        written(good, "short"), written(good, secret + "A"), written("short", secret),
        written(other.public_key.to_base64url(), secret), written(secret, good), written(good, secret) + "x",
        written(good, secret).substr(0, 60), written(good, secret + R"(", "secret": ")" + secret)}) {
    home.write("keystore", bad);
    for (const auto& pair_read : {store_of(home).load(), store_of(home).load_or_create()}) {
      REQUIRE_FALSE(pair_read);
      CHECK(pair_read.error().code == ErrorCode::kParseError);
      CHECK(pair_read.error().location.starts_with("keystore"));
      CHECK(pair_read.error().to_string().find(secret) == std::string::npos);
      CHECK(pair_read.error().to_string().find("short") == std::string::npos);
    }
    CHECK(home.read("keystore") == bad);
  }
}

TEST_CASE("KeyStore: a public key of another secret key is refused") {
  const TempHome home;
  const CurveKeyPair pair = CurveKeyPair::generate();
  const std::string secret = reveal_base64url(pair.secret_key);
  home.write("keystore", written(pair.public_key.to_base64url(), secret));
  CHECK(store_of(home).load());
  home.write("keystore", written(CurveKeyPair::generate().public_key.to_base64url(), secret));
  const auto mismatched = store_of(home).load();
  REQUIRE_FALSE(mismatched);
  CHECK(mismatched.error().message.find("public") != std::string::npos);
}

TEST_CASE("KeyStore: Z85 is read too") {
  const TempHome home;
  const CurveKeyPair pair = CurveKeyPair::generate();
  Json json(Json::Object{{"public", Json(pair.public_key.to_z85())},
                         {"secret", Json(reveal_z85(pair.secret_key))}});
  home.write("keystore", json.dump());
  const auto read = store_of(home).load();
  REQUIRE(read);
  CHECK(read->public_key == pair.public_key);
}

TEST_CASE("KeyStore: a symbolic link or a missing folder makes no key") {
  const TempHome home;
  std::filesystem::create_symlink(home / "nowhere", home / "keystore");
  CHECK(store_of(home).load_or_create().error().code == ErrorCode::kPermissionDenied);
  CHECK_FALSE(home.has("nowhere"));
  CHECK(KeyStore(home.path() / "missing" / "keystore").load_or_create().error().code == ErrorCode::kNotFound);
}

TEST_CASE("KeyStore: whoever asks first and at once, all get one and the same pair") {
  const TempHome home;
  constexpr std::size_t kEach = 10;
  std::vector<ChildProcess> processes;
  processes.reserve(kEach);
  for (std::size_t i = 0; i < kEach; ++i) {
    processes.emplace_back([&] { return store_of(home).load_or_create() ? 0 : 1; });
  }
  std::vector<std::string> keys(kEach);
  std::vector<std::thread> threads;
  threads.reserve(kEach);
  for (std::string& key : keys) {
    threads.emplace_back([&] { key = store_of(home).load_or_create()->public_key.to_base64url(); });
  }
  for (std::thread& thread : threads) thread.join();
  for (ChildProcess& process : processes) CHECK(process.wait() == 0);
  CHECK(std::set<std::string>(keys.begin(), keys.end()).size() == 1);
  CHECK(store_of(home).load()->public_key.to_base64url() == keys[0]);
}
