#include "web/http_client.hpp"

#include <csignal>
#include <ctime>
#include <unistd.h>

#include <pthread.h>

#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/temp_home.hpp"
#include "unit/web/fake_web_server.hpp"
#include "web/quiet_thread.hpp"

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

TEST_CASE("HttpConnection: one that is kept, and cut, goes without a signal") {
  const TempHome home;
  int code = 0;
  openssl(home.path(),
          "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout s.key -out s.pem "
          "-subj /CN=localhost -addext subjectAltName=DNS:localhost",
          &code);
  REQUIRE(code == 0);
  const FakeWebServer server([](const auto&) { return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"; },
                             FakeWebServer::Certificate{home / "s.pem", home / "s.key"});
  HttpConnection::Options options;
  options.trust.authorities = home.read("s.pem");
  options.connect_timeout = std::chrono::seconds(60);
  options.most_bytes = 65'536;
  options.is_kept = true;
  auto connection = HttpConnection::create(*WebAddress::parse(server.url()), options);
  REQUIRE(connection);
  std::string body;
  const auto outcome = (*connection)
                           ->run({"GET", "/", nullptr, "", [](int) {},
                                  [&](std::string_view data) {
                                    body += data;
                                    return true;
                                  }});
  CHECK(outcome.failure.empty());
  CHECK(body == "{}");
  (*connection)->cut();
  connection->reset();  // which says farewell, by TLS, to nobody
  CHECK(takes_signals());
}

TEST_CASE("BrokenPipesIgnored: a signal that was there before is still there") {
  int ends[2] = {-1, -1};
  REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);
  sigset_t pipe_signal;
  sigset_t before;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  const auto is_pending = [] {
    sigset_t pending;
    ::sigpending(&pending);
    return sigismember(&pending, SIGPIPE) == 1;
  };
  {
    const BrokenPipesIgnored ignored;
    CHECK(::write(ends[1], "x", 1) < 0);
    CHECK(is_pending());
  }
  CHECK_FALSE(is_pending());
  CHECK(::write(ends[1], "x", 1) < 0);
  {
    const BrokenPipesIgnored ignored;
    CHECK(::write(ends[1], "x", 1) < 0);
  }
  CHECK(is_pending());
  constexpr timespec kAtOnce{};
  ::sigtimedwait(&pipe_signal, nullptr, &kAtOnce);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(ends[1]);
}
