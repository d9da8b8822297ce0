#include <vipauth/platform_discovery.hpp>

#include "support/catch.hpp"

using namespace vipauth;

TEST_CASE("PlatformDiscovery: what a platform tells is what another one reads") {
  const PlatformDiscovery told{"v1", "tcp://127.0.0.1:1", "a key", "amqps://v1", "a certificate"};
  const Json document = told.to_json();
  CHECK(document.dump() == R"({"instance-name":"v1","vip-address":"tcp://127.0.0.1:1","serverkey":"a key",)"
                           R"("rmq-address":"amqps://v1","rmq-ca-cert":"a certificate"})");
  CHECK(PlatformDiscovery::parse(document).to_json() == document);
  CHECK(PlatformDiscovery::parse(document).rmq_ca_cert == "a certificate");
}

TEST_CASE("PlatformDiscovery: what is empty is not told, and what is not known is not read") {
  CHECK(PlatformDiscovery().to_json().dump() == "{}");
  const auto hostile =
      Json::parse(R"({"instance-name": ["v1"], "serverkey": 1, "vip_address": "x", "more": {}})");
  REQUIRE(hostile);
  CHECK(PlatformDiscovery::parse(*hostile).to_json().dump() == "{}");
  CHECK(PlatformDiscovery::parse(Json("text")).to_json().dump() == "{}");
}
