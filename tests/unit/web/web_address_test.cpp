#include "web/web_address.hpp"

#include "support/catch.hpp"

namespace vipauth::test {

using web::path_part;
using web::WebAddress;

TEST_CASE("WebAddress: reads the parts of an address") {
  const auto full = WebAddress::parse("https://v1.example:8443/base/");
  REQUIRE(full);
  CHECK(full->is_tls);
  CHECK(full->host == "v1.example");
  CHECK(full->port == 8443);
  CHECK(full->path == "/base");
  CHECK(full->origin() == "https://v1.example:8443");

  const auto bare = WebAddress::parse("http://localhost");
  REQUIRE(bare);
  CHECK_FALSE(bare->is_tls);
  CHECK(bare->port == 80);
  CHECK(bare->path.empty());

  const auto ipv6 = WebAddress::parse("https://[::1]:1");
  REQUIRE(ipv6);
  CHECK(ipv6->host == "::1");
  CHECK(ipv6->origin() == "https://[::1]:1");
}

TEST_CASE("WebAddress: refuses what could be read in two ways") {
  for (const std::string text : {"",
                                 "v1.example",
                                 "ftp://v1",
                                 "HTTPS://v1",
                                 "https://",
                                 "https://:1",
                                 "https://v1:0",
                                 "https://v1:65536",
                                 "https://v1:1x",
                                 "https://v1:",
                                 "https://u@v1",
                                 "https://v1?x",
                                 "https://v1#x",
                                 "https://v1/a b",
                                 "https://v1/\r\nX: y",
                                 "https://v1\\a",
                                 "https://[::1",
                                 "https://[v1]",
                                 "https://[::1]1",
                                 "https://a,b",
                                 "https://v\xC3\xA4.example"}) {
    INFO(text);
    CHECK_FALSE(WebAddress::parse(text));
  }
  CHECK_FALSE(WebAddress::parse("https://v1/" + std::string(3000, 'a')));
}

TEST_CASE("path_part: escapes what would be read as anything but a name") {
  CHECK(path_part("volttron1.volttron2.platform-agent_~") == "volttron1.volttron2.platform-agent_~");
  CHECK(path_part("/") == "%2F");
  CHECK(path_part("..") == "%2E%2E");
  CHECK(path_part("a/../b?c#d%e f") == "a%2F..%2Fb%3Fc%23d%25e%20f");
  CHECK(path_part("\r\n\xC3\xA4") == "%0D%0A%C3%A4");
}

}  // namespace vipauth::test
