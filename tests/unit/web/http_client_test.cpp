#include "web/http_client.hpp"

#include <csignal>

#include <pthread.h>

#include "support/catch.hpp"
#include "unit/web/fake_web_server.hpp"

using namespace vipauth;
using namespace vipauth::test;
using namespace vipauth::web;
using Catch::Contains;

namespace {

/// While it lives, no thread can be started: its stack would be larger than what there is.
class NoThreads {
 public:
  NoThreads() {
    ::pthread_attr_init(&attributes_);
    ::pthread_getattr_default_np(&attributes_);
    ::pthread_attr_getstacksize(&attributes_, &size_);
    set(std::size_t{1} << 60U);
  }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;
  ~NoThreads() {
    set(size_);
    ::pthread_attr_destroy(&attributes_);
  }

 private:
  void set(std::size_t size) {
    ::pthread_attr_setstacksize(&attributes_, size);
    ::pthread_setattr_default_np(&attributes_);
  }

  pthread_attr_t attributes_{};
  std::size_t size_ = 0;
};

bool takes_signals() {
  sigset_t blocked;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  return sigismember(&blocked, SIGTERM) == 0;
}

}  // namespace

TEST_CASE("HttpClient: without a thread it fails, and this one takes signals as before") {
  const FakeWebServer server([](const auto&) { return FakeWebServer::ok("{}"); });
  const HttpClient client(*WebAddress::parse(server.url()), {});
  REQUIRE(takes_signals());
  {
    const NoThreads none;
    const auto answer = client.send("GET", "/");
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == ErrorCode::kUnavailable);
    CHECK_THAT(answer.error().message, Contains("cannot ask \"" + server.url() + "\": there is no thread"));
  }
  CHECK(takes_signals());
  const auto answer = client.send("GET", "/");
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(takes_signals());
}
