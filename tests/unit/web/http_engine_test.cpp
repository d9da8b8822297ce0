#include "web/http_engine.hpp"

#include <chrono>
#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "support/memory_connection.hpp"
#include "support/web_home.hpp"

using namespace vipauth;
using namespace vipauth::test;
using namespace vipauth::web;

namespace {

/// An engine without sockets, and what it sends to a peer.
struct Engine {
  Engine()
      : site({web.service, *web.store, web.users, {.instance_name = "here"}, {}, [] { return kNow; }, {}},
             *AddressPenalties::create({})),
        engine(site, {std::chrono::seconds(15), std::chrono::seconds(5), 100}) {}

  std::string answer_to(std::string_view request) {
    MemoryConnection connection(request);
    next = engine.serve(connection, {"10.0.0.1", [] {}, [] {}}, false);
    return connection.received;
  }

  WebHome web;
  Site site;
  HttpEngine engine;
  HttpEngine::Next next = HttpEngine::Next::kClose;
};

std::string body_of(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

}  // namespace

TEST_CASE("HttpEngine: answers are whole and plain whatever the peer takes") {
  Engine engine;
  const std::string plain = engine.answer_to("GET /ca.pem HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(plain.starts_with("HTTP/1.1 200 "));
  CHECK(engine.next == HttpEngine::Next::kNextRequest);
  const std::string asked = engine.answer_to(
      "GET /ca.pem HTTP/1.1\r\nHost: h\r\nRange: bytes=0-5\r\nAccept-Encoding: gzip, br\r\n\r\n");
  CHECK(asked.starts_with("HTTP/1.1 200 "));
  CHECK(body_of(asked) == body_of(plain));
  CHECK(asked.find("Content-Encoding") == std::string::npos);
}

TEST_CASE("HttpEngine: so are the refusals of the library that reads HTTP") {
  Engine engine;
  const std::string refused = engine.answer_to(
      "GET /ca.pem HTTP/1.1\r\nHost: h\r\nRange: bytes=0x\r\nAccept-Encoding: gzip, br\r\n\r\n");
  INFO(refused);
  CHECK(refused.starts_with("HTTP/1.1 416 "));
  CHECK(refused.find("Content-Encoding") == std::string::npos);
  CHECK(Json::parse(body_of(refused))->text_at("status") == "ERROR");
  CHECK(refused.find("X-Content-Type-Options: nosniff\r\n") != std::string::npos);
  CHECK(engine.next == HttpEngine::Next::kCloseUnread);
}
