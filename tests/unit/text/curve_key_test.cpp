#include <vipauth/curve_key.hpp>

#include <cstring>
#include <string>

#include "support/catch.hpp"
#include "text/curve_key_text.hpp"

using namespace vipauth;

namespace {

// ZeroMQ RFC 32: the eight bytes 86 4F D2 6F B5 59 F7 5B are "HelloWorld".
const std::string kHelloBytes = "\x86\x4f\xd2\x6f\xb5\x59\xf7\x5b";
const std::string kHello = "HelloWorld";

std::string times_four(const std::string& text) { return text + text + text + text; }

CurveKey key_of(const std::string& bytes) { return *CurveKey::from_bytes(bytes); }

}  // namespace

TEST_CASE("CurveKey: Z85 is that of RFC 32") {
  const auto key = CurveKey::parse(times_four(kHello));
  REQUIRE(key);
  CHECK(*key == key_of(times_four(kHelloBytes)));
  CHECK(key->to_z85() == times_four(kHello));
}

TEST_CASE("CurveKey: both forms of a key are the same key") {
  // A server key of ZeroMQ's own documentation.
  const std::string z85 = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
  const std::string base64url = "VPy6JOkySZaTFvthfIcrsMHR_xSABCfFlMv6zxvC1lI";
  const auto from_z85 = CurveKey::parse(z85);
  const auto from_base64url = CurveKey::parse(base64url);
  REQUIRE(from_z85);
  REQUIRE(from_base64url);
  CHECK(*from_z85 == *from_base64url);
  CHECK(from_z85->to_base64url() == base64url);
  CHECK(from_base64url->to_z85() == z85);
}

TEST_CASE("CurveKey: base64url uses hyphen and underscore without padding") {
  const CurveKey ones = key_of(std::string(32, '\xff'));
  CHECK(ones.to_base64url() == "__________________________________________8");
  CHECK(*CurveKey::parse("__________________________________________8") == ones);
  const CurveKey zeros = key_of(std::string(32, '\0'));
  CHECK(zeros.to_base64url() == std::string(43, 'A'));
  CHECK(zeros.to_z85() == std::string(40, '0'));
}

TEST_CASE("CurveKeyText: is what to_base64url makes") {
  CurveKey::Bytes bytes{};
  for (std::size_t i = 0; i < 1000; ++i) {
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(byte * 31U + i + 7U);
    const CurveKey key(bytes);
    CHECK(CurveKeyText(key).view() == key.to_base64url());
  }
  bytes.fill(0xff);
  CHECK(CurveKeyText(CurveKey(bytes)).view() == CurveKey(bytes).to_base64url());
}

TEST_CASE("CurveKey: base64url with stray bits is refused, so that a key has one name") {
  const std::string zeros(42, 'A');
  CHECK(CurveKey::parse(zeros + "A"));
  CHECK(CurveKey::parse(zeros + "E"));
  CHECK(CurveKey::parse(zeros + "8"));
  for (const char stray : {'B', 'C', 'D', 'F', '9', '_', '-', 'Z'}) {
    INFO(stray);
    CHECK_FALSE(CurveKey::parse(zeros + stray));
  }
}

TEST_CASE("CurveKey: characters outside of base64url are refused wherever they are") {
  for (const char bad : {'+', '/', '=', ' ', '.', '\n', '\0', '\xff', '~'}) {
    for (const std::size_t place : {std::size_t{0}, std::size_t{20}, std::size_t{42}}) {
      std::string text(43, 'A');
      text[place] = bad;
      CHECK_FALSE(CurveKey::parse(text));
    }
  }
}

TEST_CASE("CurveKey: no byte beyond ASCII stands for a character of either form") {
  for (int byte = 0x80; byte <= 0xff; ++byte) {
    for (const std::size_t length : {std::size_t{43}, std::size_t{40}}) {
      std::string text(length, '0');
      text.back() = length == 43 ? '8' : '0';
      REQUIRE(CurveKey::parse(text));
      text[7] = static_cast<char>(byte);
      CHECK_FALSE(CurveKey::parse(text));
    }
  }
}

TEST_CASE("CurveKey: characters outside of Z85 are refused wherever they are") {
  for (const char bad : {'~', '"', '\'', '\\', ',', ';', '_', '`', '|', ' ', '\n', '\0', '\xff'}) {
    for (const std::size_t place : {std::size_t{0}, std::size_t{20}, std::size_t{39}}) {
      std::string text(40, '0');
      text[place] = bad;
      CHECK_FALSE(CurveKey::parse(text));
    }
  }
}

TEST_CASE("CurveKey: Z85 beyond four bytes is refused") {
  const std::string zeros(35, '0');
  CHECK(CurveKey::parse(zeros + "%nSc0"));        // 0xffffffff
  CHECK_FALSE(CurveKey::parse(zeros + "%nSc1"));  // one more
  CHECK_FALSE(CurveKey::parse(zeros + "#####"));
  CHECK_FALSE(CurveKey::parse("#####" + zeros));
  CHECK_FALSE(CurveKey::parse(std::string(40, '#')));
  CHECK(CurveKey::parse(times_four("%nSc0%nSc0"))->bytes() == key_of(std::string(32, '\xff')).bytes());
}

TEST_CASE("CurveKey: every other length is refused without repeating the text") {
  for (const std::size_t length : {0U, 1U, 32U, 39U, 41U, 42U, 44U, 64U, 86U, 100'000U}) {
    const auto parsed = CurveKey::parse(std::string(length, 'S'));
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == ErrorCode::kParseError);
    CHECK(parsed.error().message.find("SS") == std::string::npos);
  }
  for (const std::string& secret : {std::string(42, 'S') + "+", std::string(39, 'S') + "~"}) {
    CHECK(CurveKey::parse(secret).error().message.find("SS") == std::string::npos);
  }
}

TEST_CASE("CurveKey: is made of exactly 32 bytes") {
  CHECK(CurveKey::from_bytes(std::string(32, 'x')));
  for (const std::size_t length : {0U, 31U, 33U, 64U}) {
    const auto made = CurveKey::from_bytes(std::string(length, 'x'));
    REQUIRE_FALSE(made);
    CHECK(made.error().code == ErrorCode::kInvalidArgument);
  }
}

TEST_CASE("CurveKey: compares by its bytes") {
  CHECK(key_of(std::string(32, 'a')) == key_of(std::string(32, 'a')));
  CHECK(key_of(std::string(31, 'a') + "b") != key_of(std::string(32, 'a')));
  CHECK(key_of(std::string(32, 'a')) < key_of(std::string(31, 'a') + "b"));
}

TEST_CASE("CurveKeyPair: the public key is derived from the secret one") {
  // RFC 7748, section 6.1: Alice's keys.
  const std::string secret =
      "\x77\x07\x6d\x0a\x73\x18\xa5\x7d\x3c\x16\xc1\x72\x51\xb2\x66\x45\xdf\x4c\x2f\x87\xeb\xc0\x99\x2a\xb1"
      "\x77\xfb\xa5"
      "\x1d\xb9\x2c\x2a";
  const std::string expected =
      "\x85\x20\xf0\x09\x89\x30\xa7\x54\x74\x8b\x7d\xdc\xb4\x3e\xf7\x5a\x0d\xbf\x3a\x0d\x26\x38\x1a\xf4\xeb"
      "\xa4\xa9\x8e"
      "\xaa\x9b\x4e\x6a";
  for (const std::string& text : {key_of(secret).to_base64url(), key_of(secret).to_z85()}) {
    const auto pair = CurveKeyPair::from_secret(text);
    REQUIRE(pair);
    CHECK(pair->public_key == key_of(expected));
    CHECK(std::memcmp(pair->secret_key.bytes().data(), secret.data(), secret.size()) == 0);
  }
}

TEST_CASE("CurveKeyPair: a text that is no key is refused without repeating it") {
  for (const std::string& bad :
       {std::string(), std::string(43, 'S'), std::string(42, 'S'), std::string(40, '#')}) {
    const auto pair = CurveKeyPair::from_secret(bad);
    REQUIRE_FALSE(pair);
    CHECK(pair.error().message.find("SS") == std::string::npos);
    CHECK(pair.error().message.find("##") == std::string::npos);
  }
}

TEST_CASE("CurveKeyPair: a new one is another each time, and survives as text") {
  const CurveKeyPair one = CurveKeyPair::generate();
  const CurveKeyPair two = CurveKeyPair::generate();
  CHECK(one.public_key != two.public_key);
  CHECK(std::memcmp(one.secret_key.bytes().data(), two.secret_key.bytes().data(), kCurveKeyBytes) != 0);
  CHECK(CurveKeyPair::from_secret(reveal_base64url(one.secret_key))->public_key == one.public_key);
  CHECK(CurveKeyPair::from_secret(reveal_z85(one.secret_key))->public_key == one.public_key);
}

TEST_CASE("CurveKey: the fingerprint is the SHA-256 of the bytes, whichever form was read") {
  const auto key = CurveKey::parse("VPy6JOkySZaTFvthfIcrsMHR_xSABCfFlMv6zxvC1lI");
  REQUIRE(key);
  CHECK(key->fingerprint() == "SHA256:UiUB9OemP2Hdd21+1oKRBMgVAiTJW5bZXRioJUnsVdM");
  CHECK(CurveKey::parse(key->to_z85())->fingerprint() == key->fingerprint());
  CHECK(CurveKeyPair::generate().public_key.fingerprint() != key->fingerprint());
}
