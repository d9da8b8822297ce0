#include "text/ip_network.hpp"

#include <string>

#include "support/catch.hpp"

using namespace vipauth;

namespace {

std::string source(const std::string& address) { return source_of(address, IpAddress::parse(address)); }

bool contains(const std::string& network, const std::string& address) {
  const auto parsed = IpNetwork::parse(network);
  REQUIRE(parsed);
  return parsed->contains(*IpAddress::parse(address));
}

}  // namespace

TEST_CASE("IpNetwork: holds the addresses of its block, and no others") {
  CHECK(contains("10.0.0.0/8", "10.255.1.2"));
  CHECK_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  CHECK(contains("10.1.2.128/25", "10.1.2.200"));
  CHECK_FALSE(contains("10.1.2.128/25", "10.1.2.127"));
  CHECK(contains("10.0.0.7", "10.0.0.7"));
  CHECK_FALSE(contains("10.0.0.7", "10.0.0.8"));
  CHECK(contains("0.0.0.0/0", "203.0.113.9"));
  CHECK(contains("2001:db8::/32", "2001:db8:ffff::1"));
  CHECK_FALSE(contains("2001:db8::/32", "2001:db9::1"));
  CHECK(contains("fe80::/10", "fe80::1%eth0"));
  CHECK(contains("::1", "::1"));
}

TEST_CASE("IpNetwork: keeps the families apart, and takes a mapped address for IPv4") {
  CHECK(contains("10.0.0.0/8", "::ffff:10.0.0.1"));
  CHECK_FALSE(contains("::/0", "10.0.0.1"));
  CHECK_FALSE(contains("0.0.0.0/0", "::1"));
}

TEST_CASE("IpNetwork: what is no network is refused, and the message helps") {
  for (const char* text : {"", "/8", "10.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x",
                           "::/129", "host.example", "fe80::1%eth0", "10.0.0.0/8/8", "10.0.0.0 /8"}) {
    INFO(text);
    const auto parsed = IpNetwork::parse(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == ErrorCode::kInvalidArgument);
    CHECK(parsed.error().message.find('"' + std::string(text) + '"') == 0);
  }
  CHECK(IpNetwork::parse("10.1.0.0/8").error().message.ends_with("write 10.0.0.0/8"));
  CHECK(IpNetwork::parse("2001:db8::1/64").error().message.ends_with("write 2001:db8::/64"));
}

TEST_CASE("source_of: an IPv4 address, the 64 of IPv6, the user of IPC") {
  CHECK(source("10.0.0.1") == "10.0.0.1");
  CHECK(source("::ffff:10.0.0.1") == "10.0.0.1");
  CHECK(source("2001:db8:0:1::1") == source("2001:db8:0:1:ffff:ffff:ffff:ffff"));
  CHECK(source("2001:db8:0:1::1") == "2001:db8:0:1::/64");
  CHECK(source("2001:db8:0:1::1") != source("2001:db8:0:2::1"));
  CHECK(source("fe80::1%eth0") == "fe80::/64%eth0");
  CHECK(source("localhost:1000:1000:7") == "localhost:1000");
  CHECK(source("localhost:1000:100:8") == "localhost:1000");
  CHECK(source("localhost:1001:1000:7") != source("localhost:1000:1000:7"));
}

TEST_CASE("source_of: any other text stands for itself, and is bounded") {
  CHECK(source("").empty());
  CHECK(source("localhost") == "localhost");
  CHECK(source("10.0.0.1%x") == "10.0.0.1%x");
  CHECK(source(std::string("10.0.0.1\0", 9)) != source("10.0.0.1"));
  CHECK(source(std::string(100'000, 'x')).size() == 64);
  CHECK(source("localhost:" + std::string(1000, '1')).size() == 64);
}
