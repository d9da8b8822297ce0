#include <vipauth/vip_address.hpp>

#include <set>
#include <string>

#include "support/catch.hpp"
#include "support/vectors.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

constexpr const char* kKey = "htI7e7kJQAbyGCEHEloKjfK5QcKgM-b1mGcm18zPqHE";

/// The error of an address that must be refused.
Error error_of(const std::string& text) {
  const auto address = VipAddress::parse(text);
  INFO(text);
  REQUIRE_FALSE(address);
  return address.error();
}

const Json* recorded_parameter(const Json& recorded, const std::string& name) {
  return at(at(recorded, "upstream"), "params").find(name);
}

void check_key(const std::optional<CurveKey>& key, const Json* recorded) {
  REQUIRE(key.has_value() == (recorded != nullptr));
  if (key) CHECK(Json(key->to_z85()) == *recorded);
}

void check_text(const std::optional<std::string>& text, const Json* recorded) {
  REQUIRE(text.has_value() == (recorded != nullptr));
  if (text) CHECK(Json(*text) == *recorded);
}

}  // namespace

TEST_CASE("VipAddress: reads what VOLTTRON reads but for named differences") {
  // An empty key is more likely an unset variable of a script than a wish for none.
  const std::set<std::string> refused_here{"'tcp://h:1?serverkey='"};
  for (const Json& recorded : recorded_cases("vip_address.json")) {
    INFO(text_at(recorded, "name"));
    const auto address = VipAddress::parse(text_at(recorded, "address"));
    const Json& upstream = at(recorded, "upstream");
    if (refused_here.contains(text_at(recorded, "name"))) {
      CHECK_FALSE(address);
      continue;
    }
    REQUIRE(address.has_value() == (upstream.find("error") == nullptr));
    if (!address) continue;
    CHECK(address->endpoint == text_at(upstream, "base"));
    const Json& identity = at(upstream, "identity");
    check_text(address->identity, identity.is_null() ? nullptr : &identity);
    check_text(address->domain, recorded_parameter(recorded, "domain"));
    check_text(address->username, recorded_parameter(recorded, "username"));
    check_text(address->password, recorded_parameter(recorded, "password"));
    check_key(address->publickey, recorded_parameter(recorded, "publickey"));
    check_key(address->serverkey, recorded_parameter(recorded, "serverkey"));
    const Json* secret = recorded_parameter(recorded, "secretkey");
    REQUIRE(address->secretkey.has_value() == (secret != nullptr));
    if (secret != nullptr) CHECK(Json(reveal_z85(address->secretkey->secret_key)) == *secret);
    const Json* ipv6 = recorded_parameter(recorded, "ipv6");
    REQUIRE(address->ipv6.has_value() == (ipv6 != nullptr));
    if (ipv6 != nullptr) CHECK(Json(*address->ipv6) == *ipv6);
    CHECK(address->server.has_value() == (recorded_parameter(recorded, "server") != nullptr));
    // Keys are printed in base64url here, so the text differs; where there is none, it does not.
    if (!address->publickey && !address->serverkey) CHECK(address->to_string() == text_at(upstream, "str"));
  }
}

TEST_CASE("VipAddress: what is printed is read again as the same, without its secrets") {
  for (const std::string text :
       {"tcp://127.0.0.1:22916", "tcp://[::1]:1?ipv6=True", "ipc://@/home/v/.volttron/run/vip.socket",
        "ipc:///run/x.sock#me", "inproc://vip?domain=a%26b+%25%C3%A9", "tcp://h:1#"}) {
    const auto address = VipAddress::parse(text);
    REQUIRE(address);
    CHECK(address->to_string() == text);
  }
  const auto with_key = VipAddress::parse(std::string("tcp://h:1?serverkey=") + kKey);
  REQUIRE(with_key);
  CHECK(with_key->to_string() == std::string("tcp://h:1?serverkey=") + kKey);
  REQUIRE(with_key->serverkey);
  for (const std::string server : {"NULL", "CURVE"}) {
    const auto address = VipAddress::parse("tcp://h:1?server=" + server);
    REQUIRE(address);
    CHECK(address->to_string() == "tcp://h:1?server=" + server);
  }
  const auto z85 = VipAddress::parse(
      "tcp://h:1?SERVERKEY=HseegXD%24I9%5B%21-IP5%29tT4%5D0%7D66PFL%3A6M%24E%2B%24%2B%2Aikc");
  REQUIRE(z85);
  CHECK(z85->serverkey == with_key->serverkey);
}

TEST_CASE("VipAddress: a printed secret is no secret, and is not taken back") {
  const auto address =
      VipAddress::parse(std::string("tcp://h:1?server=plain&username=u&password=p4ss&secretkey=") + kKey);
  REQUIRE(address);
  const std::string printed = address->to_string();
  CHECK(printed == "tcp://h:1?server=PLAIN&secretkey=XXXXX&username=u&password=XXXXX");
  CHECK(error_of("tcp://h:1?secretkey=XXXXX").location == "secretkey");
  CHECK(error_of("tcp://h:1?username=u&password=XXXXX").location == "password");
}

TEST_CASE("VipAddress: the secret key is known by its public key") {
  const CurveKeyPair pair = CurveKeyPair::generate();
  const auto address = VipAddress::parse("tcp://h:1?secretkey=" + reveal_base64url(pair.secret_key));
  REQUIRE(address);
  REQUIRE(address->secretkey);
  CHECK(address->secretkey->public_key == pair.public_key);
  CHECK_FALSE(address->publickey);
}

TEST_CASE("VipAddress: a parameter that secures nothing is refused, not left out") {
  CHECK(error_of(std::string("tcp://h:1?serverky=") + kKey).message.find("\"serverky\"") !=
        std::string::npos);
  CHECK(error_of("tcp://h:1?serverkey").location == "serverkey");
  CHECK(error_of("tcp://h:1?serverkey=").location == "serverkey");
  CHECK(error_of("tcp://h:1?domain=").location == "domain");
  CHECK(error_of(std::string("tcp://h:1?serverkey=") + kKey + "&ServerKey=" + kKey).message ==
        "is given twice");
  CHECK(error_of("tcp://h:1?ipv6=perhaps").location == "ipv6");
  CHECK(error_of("tcp://h:1?domain=%zz").location == "domain");
  CHECK(error_of("tcp://h:1?domain=%4").location == "domain");
  CHECK(error_of("tcp://h:1?domain=%00").location == "domain");
  CHECK(error_of("tcp://h:1?domain=%ff").location == "domain");
}

TEST_CASE("VipAddress: an error never shows a secret") {
  const std::string secret = "s3cretS3cretS3cretS3cretS3cretS3cretS3cr3t";
  for (const std::string& text :
       {"tcp://h:1?secretkey=" + secret, "tcp://h:1?secretky=" + secret, "tcp://h:1?password=%" + secret,
        "tcp://h:1?" + secret, "tcp://h:1?secretkey:" + secret + "=1", "tcp://u:" + secret + "@h:1",
        "u:" + secret + "@h:1", "tcp://h:1?publickey=" + secret, "tcp://h:1?password=a&" + secret}) {
    const Error error = error_of(text);
    CHECK(error.to_string().find("3cret") == std::string::npos);
  }
}

TEST_CASE("VipAddress: the place must be one that ZeroMQ can take") {
  for (const std::string text : {"",
                                 "tcp://",
                                 "tcp:",
                                 "tcp://h",
                                 "tcp://h:",
                                 "tcp://:1",
                                 "tcp://h:65536",
                                 "tcp://h:-1",
                                 "tcp://h:1x",
                                 "tcp://::1:22916",
                                 "tcp://[::1",
                                 "tcp://[::1]",
                                 "tcp://[::1]22916",
                                 "ipc://",
                                 "ipc://@",
                                 "inproc://",
                                 "localhost:22916",
                                 "http://h:1",
                                 " tcp://h:1",
                                 "tcp://h:1 ",
                                 "tcp://h\n:1",
                                 "tcp://h:1#a\nb",
                                 "\xff"}) {
    CHECK(error_of(text).code == ErrorCode::kParseError);
  }
  CHECK(error_of("tcp://::1:22916").message.find("[::1]") != std::string::npos);
  CHECK(error_of("localhost:22916").message.find("\"localhost\"") != std::string::npos);
  for (const std::string text : {"TCP://h:1", "tcp://*:*", "tcp://h:0", "tcp://h:65535",
                                 "tcp://[fe80::1%eth0]:1", "ipc://@x", "h.example:1"}) {
    INFO(text);
    CHECK(VipAddress::parse(text).has_value() == (text != "h.example:1"));
  }
  const auto ipv6 = VipAddress::parse("tcp://[::1]:22916/path");
  REQUIRE(ipv6);
  CHECK(ipv6->host == "[::1]");
  CHECK(ipv6->port == "22916/path");
}

TEST_CASE("VipAddress: bounded") {
  const auto too_long = error_of("ipc:///" + std::string(VipAddress::kMaxBytes, 'a'));
  CHECK(too_long.code == ErrorCode::kLimitExceeded);
  CHECK(VipAddress::parse("tcp://h:1#" + std::string(255, 'a')));
  CHECK(error_of("tcp://h:1#" + std::string(256, 'a')).code == ErrorCode::kLimitExceeded);
}

TEST_CASE("VipAddress: no error repeats a secret that stands in the wrong place") {
  const std::string secret = "FqBb_AqFPoM2PO5PJRJAjytvhu4YldQvYrMEECsDm3k";
  for (const std::string& text :
       {"tcp://127.0.0.1:1&secretkey=" + secret, "tcp://127.0.0.1:1;secretkey=" + secret,
        "tcp://127.0.0.1:1/secretkey=" + secret, "secretkey=" + secret, "tcp://" + secret, secret,
        "tcp://h:" + secret, "tcp://h:1?" + secret, "tcp://h:1?secretkey=" + secret + "x"}) {
    const Error error = error_of(text);
    INFO(error.to_string());
    CHECK(error.to_string().find(secret) == std::string::npos);
  }
  CHECK(error_of("tcp://h:x").message.find("\"x\"") != std::string::npos);
}
