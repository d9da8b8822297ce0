#include "web/http_message.hpp"

#include "support/catch.hpp"
#include "web/socket.hpp"

using namespace vipauth;
using namespace vipauth::web;

TEST_CASE("percent_decode: what is encoded is decoded, and nothing else is taken") {
  CHECK(percent_decode("alice") == "alice");
  CHECK(percent_decode("a%20b%2Fc%C3%A9") == "a b/c\xc3\xa9");
  CHECK(percent_decode("") == "");
  for (const char* bad :
       {"%", "%2", "%zz", "a%00", "%1f", "%7f", "a b", "a\"", "%ff", "%c3", "\xc3\xa9", "a%2"}) {
    INFO(bad);
    CHECK_FALSE(percent_decode(bad));
  }
}

TEST_CASE("HttpRequest: a header that is there twice is not there") {
  HttpRequest request;
  request.headers = {{"host", "a"}, {"origin", "b"}, {"origin", "c"}};
  CHECK(request.header("host") == "a");
  CHECK_FALSE(request.header("origin"));
  CHECK(request.count("origin") == 2);
  CHECK_FALSE(request.header("cookie"));
}

TEST_CASE("error_reply: trouble of the server is not told to who asks") {
  CHECK(error_reply({ErrorCode::kNotFound, "no such name", ""}).status == 404);
  const HttpReply hidden = error_reply({ErrorCode::kIoError, "cannot read /home/v/secret", ""});
  CHECK(hidden.status == 500);
  CHECK(hidden.body.find("secret") == std::string::npos);
}

TEST_CASE("BindAddress: only https is served") {
  const auto parsed = BindAddress::parse("https://127.0.0.1:8443");
  REQUIRE(parsed);
  CHECK(parsed->host == "127.0.0.1");
  CHECK(parsed->port == 8443);
  CHECK(BindAddress::parse("https://[::1]:0/")->host == "::1");
  CHECK(BindAddress::parse("https://host.example")->port == 443);
  CHECK(BindAddress::parse("https://0.0.0.0:8443")->is_wildcard());
  for (const char* bad :
       {"http://127.0.0.1:8080", "127.0.0.1:8443", "https://", "https://:8443", "https://h:0x1",
        "https://h:65536", "https://h:1/path", "https://[::1", "https://u@h:1", "https://a b:1"}) {
    INFO(bad);
    CHECK_FALSE(BindAddress::parse(bad));
  }
}

TEST_CASE("listen_at: nobody else can listen at the same port") {
  const auto first = listen_at({"127.0.0.1", 0});
  REQUIRE(first);
  CHECK(first->second != 0);
  const auto second = listen_at({"127.0.0.1", first->second});
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::kAlreadyExists);
}
