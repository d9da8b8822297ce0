#include <sys/stat.h>

#include <vipauth/curve_key.hpp>

#include "cli.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

using Catch::Contains;

TEST_CASE("keypair: the secret key has the public key") {
  Cli cli;
  const Outcome outcome = cli.auth({"keypair"});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.err.empty());
  const Json pair = json(outcome.out);
  CHECK(outcome.out == pair.dump_pretty() + "\n");
  const auto derived = CurveKeyPair::from_secret(at(pair, "secret").as_string());
  REQUIRE(derived);
  CHECK(at(pair, "public") == Json(derived->public_key.to_base64url()));
  CHECK(json(cli.auth({"keypair", "--json"}).out).as_object().size() == 2);
  CHECK(cli.auth({"keypair"}).out != outcome.out);
}

TEST_CASE("keypair: --z85 prints the other form") {
  Cli cli;
  const Json pair = json(cli.auth({"keypair", "--z85"}).out);
  const auto derived = CurveKeyPair::from_secret(at(pair, "secret").as_string());
  REQUIRE(derived);
  CHECK(at(pair, "public") == Json(derived->public_key.to_z85()));
}

TEST_CASE("serverkey: makes the key store if there is none, and keeps it") {
  Cli cli;
  const Outcome outcome = cli.auth({"serverkey"});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.err.empty());
  const Json stored = json(cli.home.read("keystore"));
  CHECK(outcome.out == at(stored, "public").as_string() + "\n");
  struct stat status{};
  REQUIRE(stat((cli.home / "keystore").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600U);

  CHECK(cli.auth({"serverkey"}).out == outcome.out);
  CHECK(at(json(cli.auth({"serverkey", "--json"}).out), "serverkey") == at(stored, "public"));
  const auto key = CurveKey::parse(at(stored, "public").as_string());
  REQUIRE(key);
  CHECK(cli.auth({"serverkey", "--z85"}).out == key->to_z85() + "\n");
}

TEST_CASE("serverkey: a key store that cannot be read is no reason for a new key") {
  Cli cli;
  cli.home.write("keystore", R"({"public": "x", "secret": "s3cret"})");
  const Outcome outcome = cli.auth({"serverkey"});
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.out.empty());
  CHECK_THAT(outcome.err, Contains("keystore") && !Contains("s3cret"));
  CHECK(cli.home.read("keystore") == R"({"public": "x", "secret": "s3cret"})");
}

}  // namespace vipauth::test
