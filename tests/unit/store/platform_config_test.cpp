#include <vipauth/platform_config.hpp>

#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

PlatformConfig config_of(const std::string& text) {
  auto config = PlatformConfig::parse(text);
  REQUIRE(config);
  return *config;
}

}  // namespace

TEST_CASE("PlatformConfig: reads the section volttron") {
  const PlatformConfig config = config_of(
      "# written by hand\n"
      "[other]\ninstance-name = not this\n"
      "[volttron]\r\n"
      "Instance_Name = volttron1\r\n"
      "message-bus=zmq\n"
      "; a comment\n"
      "bind-web-address = https://host:8443\n"
      "web-ssl-cert = /a b/cert.pem\n"
      "web-ssl-key: /k.pem\n"
      "empty =\n");
  CHECK(config.instance_name() == "volttron1");
  CHECK(config.message_bus() == "zmq");
  CHECK(config.bind_web_address() == "https://host:8443");
  CHECK(config.web_ssl_cert() == "/a b/cert.pem");
  CHECK(config.web_ssl_key() == "/k.pem");
  CHECK(config.get("EMPTY") == "");
  CHECK_FALSE(config.get("missing"));
  CHECK(config.settings().front().line == 5);
}

TEST_CASE("PlatformConfig: the bus may listen in several places") {
  const PlatformConfig config = config_of(
      "[volttron]\nvip-address = tcp://127.0.0.1:22916?domain=a\nvip-address = tcp://[::1]:1, tcp://h:2\n"
      "  ipc://@/run/x\n");
  const auto addresses = config.vip_addresses();
  REQUIRE(addresses);
  REQUIRE(addresses->size() == 4);
  CHECK(addresses->front().domain == "a");
  CHECK(addresses->at(2).endpoint == "tcp://h:2");
  CHECK(addresses->back().endpoint == "ipc://@/run/x");
  CHECK(config.get_all("vip-address").size() == 3);
  CHECK(config_of("[volttron]\n").vip_addresses()->empty());
}

TEST_CASE("PlatformConfig: errors name the line") {
  const TempHome home;
  const auto error_of = [&](const std::string& text) {
    home.write("config", text);
    const auto config = PlatformConfig::load(home / "config");
    REQUIRE_FALSE(config);
    return config.error();
  };
  CHECK(error_of("[volttron]\ninstance-name = a\nnonsense\n").location == "config:3");
  CHECK(error_of("[volttron\nx = 1\n").location == "config:1");
  CHECK(error_of("[volttron]\ninstance-name = a\nx = 1\ninstance_name = b\n").location == "config:4");
  CHECK(error_of("[volttron]\nx = 1\ny = " + std::string(PlatformConfig::kMaxLineBytes, 'a') + "\n").code ==
        ErrorCode::kLimitExceeded);
  CHECK(error_of(std::string("[volttron]\nx = \0\n", 17)).code == ErrorCode::kParseError);

  const auto bad = config_of("[volttron]\n\nvip-address = tcp://h:1?serverky=x\n").vip_addresses();
  REQUIRE_FALSE(bad);
  CHECK(bad.error().at("config").to_string().starts_with("config:3: vip-address: unknown parameter"));
}

TEST_CASE("PlatformConfig: a long line is read as a whole") {
  const std::string path = "/" + std::string(5000, 'a');
  CHECK(config_of("[volttron]\nweb-ssl-cert = " + path + "\nx = 1").web_ssl_cert() == path);
  CHECK(config_of("[volttron]\nweb-ssl-cert = " + path + "\nx = 1").get("x") == "1");
}

TEST_CASE("PlatformConfig: a missing file is empty, a folder is none") {
  const TempHome home;
  const auto missing = PlatformConfig::load(home / "config");
  REQUIRE(missing);
  CHECK(missing->settings().empty());
  CHECK_FALSE(PlatformConfig::load(home.path()));
}

TEST_CASE(
    "PlatformConfig: a file is read, one that is missing says nothing, a bad one is told with its name") {
  const TempHome home;
  CHECK_FALSE(PlatformConfig::load(home / "config")->instance_name());
  home.write("config", "[volttron]\ninstance-name = volttron1\n");
  CHECK(PlatformConfig::load(home / "config")->instance_name() == "volttron1");
  home.write("config", "[volttron\n");
  const auto bad = PlatformConfig::load(home / "config");
  REQUIRE_FALSE(bad);
  CHECK(bad.error().location.find("config") != std::string::npos);
}
