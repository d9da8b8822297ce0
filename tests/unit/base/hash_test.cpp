#include "base/hash.hpp"

#include <string>

#include "base/sha256.hpp"
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
TEST_CASE("Sha256: pieces give what the whole gives") {
  Sha256 nothing;
  CHECK(nothing.hex() == sha256_hex(""));
  Sha256 pieces;
  for (const char* piece : {"a", "", "bc", "def"}) pieces.add(piece);
  CHECK(pieces.hex() == sha256_hex("abcdef"));
}

TEST_CASE("keyed_digest: the same for the same text, another for others, and no plain hash") {
  CHECK(keyed_digest("a") == keyed_digest("a"));
  CHECK(keyed_digest("a") != keyed_digest("b"));
  CHECK(keyed_digest("") != keyed_digest(std::string_view("\0", 1)));
}
