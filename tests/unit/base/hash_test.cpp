#include "base/hash.hpp"

#include <string>

#include "support/catch.hpp"

using namespace vipauth;
using namespace std::literals;

TEST_CASE("seeded_hash: the same for the same bytes, another for others") {
  CHECK(seeded_hash("alice"sv) == seeded_hash("alice"s));
  CHECK(seeded_hash("alice"sv) != seeded_hash("alicf"sv));
  CHECK(seeded_hash(""sv) != seeded_hash("\0"sv));
}

TEST_CASE("secret_fingerprint: tells a changed secret, shows nothing of it, and has one length") {
  const std::string secret = "correct horse battery staple";
  const std::string fingerprint = secret_fingerprint(secret);
  CHECK(fingerprint == secret_fingerprint(secret));
  CHECK(fingerprint != secret_fingerprint(secret + " "));
  CHECK(fingerprint.find("horse") == std::string::npos);
  CHECK(fingerprint.size() == secret_fingerprint("").size());
  CHECK(fingerprint.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
        std::string::npos);
}
