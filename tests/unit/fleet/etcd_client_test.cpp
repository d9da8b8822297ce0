#include "fleet/etcd_client.hpp"

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <vipauth/json.hpp>

#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/eventually.hpp"
#include "support/raw_server.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::fleet;
using namespace vipauth::test;
using Catch::Contains;

namespace {

using Connection = RawServer::Connection;

constexpr const char* kRange = R"({"header":{"revision":"9"},"kvs":[]})";
constexpr const char* kDone = R"({"header":{"revision":"9"},"succeeded":true})";
constexpr const char* kCreated = R"({"result":{"header":{"revision":"9"},"created":true}})"
                                 "\n";

std::string refusal(int code, const std::string& message) {
  return R"({"error":")" + message + R"(","message":")" + message + R"(","code":)" + std::to_string(code) +
         "}";
}

/// What a member would answer, as long as it is asked.
std::string good_answer(const std::string& request) {
  return request.starts_with("POST /v3/kv/txn ") ? kDone : kRange;
}
void be_good(Connection& connection) {
  for (auto request = connection.read_request(); !request.empty(); request = connection.read_request()) {
    if (!connection.answer(good_answer(request))) return;
  }
}

/// One that answers always the same, to all connections.
RawServer::Script always(const std::string& body, const std::string& status = "200 OK") {
  return [=](Connection& connection) {
    while (!connection.read_request().empty() && connection.answer(body, status)) {
    }
  };
}

StoreAddress address_of(const std::vector<int>& ports) {
  StoreAddress out;
  out.is_tls = false;
  out.prefix = "p";
  for (const int port : ports) out.endpoints.push_back({"127.0.0.1", port});
  return out;
}

EtcdClient client_of(const std::vector<int>& ports, EtcdOptions options = {}) {
  auto client = EtcdClient::create(address_of(ports), std::move(options));
  if (!client) throw std::runtime_error(client.error().to_string());
  return *std::move(client);
}

EtcdOptions patience(std::chrono::milliseconds timeout) {
  EtcdOptions out;
  out.timeout = timeout;
  return out;
}

EtcdOptions user(const std::string& password) {
  EtcdOptions out;
  out.user = "u";
  out.password = password;
  return out;
}

const RangeQuestion kQuestion{"a", "", 0, 0, 0, false};
const std::vector<Mutation> kMutation{{"a", "1"}};

/// A port where nobody listens.
int dead_port() {
  return RawServer([](Connection&) {}).port();
}

WatchEnd watch(const EtcdClient& client, int* told = nullptr) {
  return client.watch("a", "", 5, [&](const WatchEvents&) {
    if (told != nullptr) ++*told;
    return true;
  });
}

}  // namespace

TEST_CASE("EtcdClient: asks many questions over one connection, and several at once over several") {
  const RawServer server(be_good);
  const EtcdClient client = client_of({server.port()});
  for (int i = 0; i < 20; ++i) CHECK(client.range(kQuestion));
  CHECK(server.connections() == 1);
  std::vector<std::thread> threads;
  std::atomic<int> failed{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 50; ++j) failed += client.txn({}, kMutation) ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failed == 0);
  CHECK(server.connections() < 200);
}

TEST_CASE("EtcdClient: a connection that the member has closed meanwhile is made anew") {
  const RawServer server([](Connection& connection) {
    if (!connection.read_request().empty()) connection.answer(kRange);
  });
  const EtcdClient client = client_of({server.port()});
  for (int i = 0; i < 5; ++i) {
    // Its end may not have come yet: then nothing is known of the answer.
    CHECK(eventually([&] { return client.range(kQuestion).has_value(); }));
  }
  CHECK(server.connections() >= 5);
}

TEST_CASE("EtcdClient: a password goes nowhere in clear but to this host") {
  for (const char* host : {"127.0.0.1", "127.9.8.7", "localhost", "::1"}) {
    StoreAddress address = address_of({1});
    address.endpoints[0].host = host;
    CHECK(EtcdClient::create(address, user("hunter2")));
    for (const char* other :
         {"example.org", "10.0.0.1", "128.0.0.1", "::2", "127.0.0.1.example.org", "localhost2"}) {
      address.endpoints.resize(1);
      address.allows_plain_network = false;
      address.endpoints.push_back({other, 2379});
      const auto refused = EtcdClient::create(address, user("hunter2"));
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == ErrorCode::kInvalidArgument);
      CHECK_THAT(refused.error().message, Contains("in clear") && Contains(other) && !Contains("hunter2"));
      address.allows_plain_network = true;
      CHECK_FALSE(EtcdClient::create(address, user("hunter2")));  // still not in clear
      CHECK(EtcdClient::create(address, {}));
    }
  }
}

TEST_CASE("EtcdClient: another host is believed with TLS, or where the address says so") {
  StoreAddress address = address_of({1});
  CHECK(EtcdClient::create(address, {}));
  address.endpoints.push_back({"10.0.0.1", 2379});
  const auto refused = EtcdClient::create(address, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kInvalidArgument);
  CHECK_THAT(refused.error().message, Contains("10.0.0.1") && Contains("insecure-transport=true"));
  address.allows_plain_network = true;
  CHECK(EtcdClient::create(address, {}));
}

TEST_CASE("EtcdClient: options that do not fit together are refused, and files that do not either") {
  const TempHome home;
  const auto make = [](const StoreAddress& address, const EtcdOptions& options) -> std::string {
    const auto client = EtcdClient::create(address, options);
    return client ? "made" : client.error().to_string();
  };
  StoreAddress plain = address_of({1});
  StoreAddress tls = plain;
  tls.is_tls = true;
  for (const char* name : {"one", "two"}) {
    int code = 0;
    openssl(home.path(),
            std::string("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ") + name +
                ".key -out " + name + ".pem -subj /O=" + name,
            &code);
    REQUIRE(code == 0);
  }
  EtcdOptions options;
  CHECK(make(plain, options) == "made");
  CHECK_THAT(make(tls, options), Contains("TLS needs the authorities"));
  options.authorities = home / "one.pem";
  CHECK(make(tls, options) == "made");
  CHECK_THAT(make(plain, options), Contains("use etcds://"));
  options.certificate = home / "one.pem";
  CHECK_THAT(make(tls, options), Contains("together"));
  options.key = home / "one.key";
  CHECK(make(tls, options) == "made");
  options.key = home / "two.key";
  CHECK_THAT(make(tls, options), Contains("is not the key of"));
  options.key = home / "one.pem";
  home.set_mode("one.pem", 0600);
  CHECK_THAT(make(tls, options), Contains("holds no private key"));
  options.key = home / "one.key";
  home.set_mode("one.key", 0604);
  CHECK_THAT(make(tls, options), Contains("everybody can use the key"));
  options.key = home / "none.key";
  CHECK_THAT(make(tls, options), Contains("none.key"));
  options = {};
  options.authorities = home / "none.pem";
  CHECK_THAT(make(tls, options), Contains("none.pem"));
  home.write("garbage.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  options.authorities = home / "garbage.pem";
  CHECK_THAT(make(tls, options), Contains("garbage.pem"));

  CHECK_THAT(make(plain, user("")), Contains("no password"));
  options = user("x");
  options.user.clear();
  CHECK_THAT(make(plain, options), Contains("no user"));
  CHECK_THAT(make(plain, user("\xff")), Contains("UTF-8"));
  CHECK_THAT(make(plain, user(std::string(5000, 'x'))), Contains("longer than 4096"));
  CHECK_THAT(make(StoreAddress{}, {}), Contains("names no member"));
}

TEST_CASE(
    "EtcdClient: what is nonsense is an error, for a transaction an uncertain one, and another member is "
    "asked") {
  struct Case {
    const char* what;
    RawServer::Script script;
    ErrorCode of_question;
  };
  const std::string large(std::size_t{17} << 20U, ' ');
  const std::vector<Case> cases{
      {"not found", always("Not Found", "404 Not Found"), ErrorCode::kParseError},
      {"a redirect", always("", "302 Found"), ErrorCode::kParseError},
      {"a proxy", always("<html>bad gateway</html>", "502 Bad Gateway"), ErrorCode::kIoError},
      {"JSON, but no error", always("{}", "400 Bad Request"), ErrorCode::kParseError},
      {"no HTTP",
       [](Connection& connection) {
         connection.read_request();
         connection.write("SSH-2.0-OpenSSH\r\n\r\n");
       },
       ErrorCode::kIoError},
      {"nothing", [](Connection& connection) { connection.read_request(); }, ErrorCode::kIoError},
      {"less than announced",
       [](Connection& connection) {
         connection.read_request();
         connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
       },
       ErrorCode::kIoError},
      {"header fields without end",
       [](Connection& connection) {
         connection.read_request();
         connection.write("HTTP/1.1 200 OK\r\n");
         while (connection.write("X-Field: " + std::string(4000, 'x') + "\r\n")) {
         }
       },
       ErrorCode::kLimitExceeded},
      {"chunks without end",
       [&](Connection& connection) {
         connection.read_request();
         connection.begin_chunks();
         while (connection.write_chunk(std::string(60000, ' '))) {
         }
       },
       ErrorCode::kLimitExceeded},
      {"too much",
       [&](Connection& connection) {
         connection.read_request();
         connection.answer(large);
       },
       ErrorCode::kLimitExceeded},
      {"a length that is none",
       [](Connection& connection) {
         connection.read_request();
         connection.write("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n{}");
       },
       ErrorCode::kLimitExceeded},
  };
  for (const Case& one : cases) {
    INFO(one.what);
    const RawServer bad(one.script);
    std::atomic<int> asked{0};
    const RawServer good([&](Connection& connection) {
      ++asked;
      be_good(connection);
    });
    const EtcdClient alone = client_of({bad.port()}, patience(std::chrono::seconds(20)));
    const auto answer = alone.range(kQuestion);
    REQUIRE_FALSE(answer);
    // What is cut off may be told as either.
    const bool is_expected =
        answer.error().code == one.of_question || answer.error().code == ErrorCode::kIoError;
    UNSCOPED_INFO(answer.error().to_string());
    CHECK(is_expected);
    const auto lost = alone.txn({}, kMutation);
    REQUIRE_FALSE(lost);
    UNSCOPED_INFO(lost.error().to_string());
    CHECK_FALSE(EtcdClient::is_certain(lost.error()));

    const EtcdClient both = client_of({bad.port(), good.port()}, patience(std::chrono::seconds(20)));
    const auto sent = both.txn({}, kMutation);
    REQUIRE_FALSE(sent);
    CHECK_FALSE(EtcdClient::is_certain(sent.error()));
    CHECK(asked == 0);               // not sent again elsewhere
    CHECK(both.txn({}, kMutation));  // the next one goes to the next one
    CHECK(asked == 1);
  }
}

TEST_CASE("EtcdClient: a question that one member does not answer is asked of the next one") {
  const RawServer silent([](Connection& connection) { connection.wait_until_closed(); });
  const RawServer dripping([](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    while (connection.write(" ")) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  });
  const RawServer broken(always("<html>", "503 Service Unavailable"));
  const RawServer good(be_good);
  const EtcdClient client =
      client_of({dead_port(), silent.port(), dripping.port(), broken.port(), good.port()},
                patience(std::chrono::seconds(10)));
  CHECK(client.range(kQuestion));
  const int before = silent.connections();
  CHECK(client.range(kQuestion));  // begins with the one that answered
  CHECK(silent.connections() == before);

  const EtcdClient none = client_of({dead_port(), silent.port(), dripping.port(), broken.port()},
                                    patience(std::chrono::seconds(4)));
  const auto answer = none.range(kQuestion);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::kIoError);
  CHECK_THAT(answer.error().message, Contains("no member") && Contains("Connection") &&
                                         Contains("did not answer within") && Contains("answers 503"));
}

TEST_CASE("EtcdClient: a transaction goes to the next member where nobody got it, and only there") {
  const RawServer good(be_good);
  CHECK(client_of({dead_port(), dead_port(), good.port()}).txn({}, kMutation));
  const RawServer leaderless(always(refusal(14, "etcdserver: no leader"), "503 Service Unavailable"));
  CHECK(client_of({leaderless.port(), good.port()}).txn({}, kMutation));
  auto answer =
      client_of({leaderless.port(), dead_port()}, patience(std::chrono::seconds(2))).txn({}, kMutation);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::kBusy);
  CHECK_FALSE(EtcdClient::is_certain(answer.error()));

  const RawServer slow(always(refusal(14, "etcdserver: request timed out"), "503 Service Unavailable"));
  answer = client_of({slow.port(), good.port()}).txn({}, kMutation);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::kBusy);
  CHECK_FALSE(EtcdClient::is_certain(answer.error()));
  CHECK(client_of({slow.port(), good.port()}).range(kQuestion));  // a question is

  answer = client_of({dead_port(), dead_port()}).txn({}, kMutation);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::kUnavailable);
  CHECK(EtcdClient::is_certain(answer.error()));

  const RawServer silent([](Connection& connection) { connection.wait_until_closed(); });
  answer = client_of({silent.port(), good.port()}, patience(std::chrono::seconds(2))).txn({}, kMutation);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::kIoError);
  CHECK_FALSE(EtcdClient::is_certain(answer.error()));
}

TEST_CASE("EtcdClient: what is refused for want of a leader is asked again until there is one, or no time") {
  std::atomic<int> asked{0};
  const RawServer server([&](Connection& connection) {
    for (auto request = connection.read_request(); !request.empty(); request = connection.read_request()) {
      if (++asked <= 3) {
        connection.answer(refusal(14, "etcdserver: no leader"), "503 Service Unavailable");
      } else {
        connection.answer(good_answer(request));
      }
    }
  });
  CHECK(client_of({server.port(), dead_port()}).txn({}, kMutation));
  CHECK(asked == 4);
  asked = -1000;
  CHECK(client_of({server.port()}, patience(std::chrono::seconds(2))).range(kQuestion).error().code ==
        ErrorCode::kBusy);
  const EtcdClient patient = client_of({server.port()}, patience(std::chrono::minutes(5)));
  const int before = asked;
  std::thread asking([&] { CHECK_FALSE(patient.range(kQuestion)); });
  CHECK(eventually([&] { return asked > before + 1; }));
  patient.stop();  // far less than the five minutes
  asking.join();
}

TEST_CASE("EtcdClient: a question is asked again while the leader changes, a transaction is not") {
  std::atomic<int> asked{0};
  const RawServer server([&](Connection& connection) {
    for (auto request = connection.read_request(); !request.empty(); request = connection.read_request()) {
      if (++asked <= 3) {
        connection.answer(refusal(14, "etcdserver: leader changed"), "503 Service Unavailable");
      } else {
        connection.answer(good_answer(request));
      }
    }
  });
  CHECK(client_of({server.port(), dead_port()}).range(kQuestion));
  CHECK(asked == 4);
  asked = 0;
  const auto answer = client_of({server.port(), dead_port()}).txn({}, kMutation);
  REQUIRE_FALSE(answer);
  CHECK_FALSE(EtcdClient::is_certain(answer.error()));
  CHECK(asked == 1);
}

TEST_CASE("EtcdClient: what etcd refuses is not asked of another member") {
  std::atomic<int> asked{0};
  const RawServer good([&](Connection& connection) {
    ++asked;
    be_good(connection);
  });
  // As the gateway says it: in chunks, with a field behind them.
  const RawServer refusing([](Connection& connection) {
    if (connection.read_request().empty()) return;
    const std::string body = refusal(7, "etcdserver: permission denied");
    connection.write(
        "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nTrailer: "
        "Grpc-Trailer-Content-Type\r\nTransfer-Encoding: chunked\r\n\r\n");
    connection.write_chunk(body);
    connection.write("0\r\nGrpc-Trailer-Content-Type: application/grpc\r\n\r\n");
    connection.wait_until_closed();
  });
  const EtcdClient client = client_of({refusing.port(), good.port()});
  const auto answer = client.txn({}, kMutation);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::kPermissionDenied);
  CHECK(EtcdClient::is_certain(answer.error()));
  CHECK(client.range(kQuestion).error().code == ErrorCode::kPermissionDenied);
  CHECK(watch(client).error.code == ErrorCode::kPermissionDenied);
  CHECK(asked == 0);
}

TEST_CASE("EtcdClient: shows a token, and gets another one when it counts no more, once") {
  std::mutex mutex;
  std::vector<std::string> names;  // that were authenticated, with their passwords
  std::vector<std::string> tokens;
  std::atomic<bool> is_refusing{false};
  const RawServer server([&](Connection& connection) {
    for (auto request = connection.read_request(); !request.empty(); request = connection.read_request()) {
      const std::lock_guard lock(mutex);
      if (request.starts_with("POST /v3/auth/authenticate ")) {
        const auto body = Json::parse(request.substr(request.find("\r\n\r\n") + 4));
        names.push_back(body ? body->text_at("name") + ":" + body->text_at("password") : "no JSON");
        connection.answer(R"({"token":"token-)" + std::to_string(names.size()) + "\"}");
        continue;
      }
      const std::size_t at = request.find("\r\nAuthorization: ");
      const std::string token =
          at > request.size() ? "" : request.substr(at + 17, request.find("\r\n", at + 2) - at - 17);
      tokens.push_back(token);
      const bool is_good = !is_refusing && token == "token-" + std::to_string(names.size());
      if (is_good) {
        connection.answer(good_answer(request));
      } else {
        connection.answer(refusal(16, "etcdserver: invalid auth token"), "401 Unauthorized");
      }
    }
  });
  const std::string password = std::string("p\"\\\n\x01 \xc3\xa4", 8);
  const EtcdClient client = client_of({server.port()}, user(password));
  CHECK(client.range(kQuestion));
  CHECK(client.range(kQuestion));
  CHECK(names == std::vector<std::string>{"u:" + password});
  CHECK(tokens == std::vector<std::string>{"token-1", "token-1"});

  names.push_back("of somebody else");  // from now on token-1 is of the past
  CHECK(client.txn({}, kMutation));
  CHECK(names.size() == 3);
  CHECK(tokens.back() == "token-3");

  is_refusing = true;
  const auto refused = client.txn({}, kMutation);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kPermissionDenied);
  CHECK_THAT(refused.error().to_string(), !Contains("token-") && !Contains(password));
  CHECK(names.size() == 4);
}

TEST_CASE("EtcdClient: a token that would be a header field of its own is refused") {
  std::atomic<int> asked{0};
  const RawServer server([&](Connection& connection) {
    for (auto request = connection.read_request(); !request.empty(); request = connection.read_request()) {
      if (!request.starts_with("POST /v3/auth/authenticate ")) ++asked;
      connection.answer(R"({"token":"x\r\nHost: elsewhere"})");
    }
  });
  const auto answer = client_of({server.port()}, user("p")).txn({}, kMutation);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::kParseError);
  CHECK(asked == 0);
}

TEST_CASE("EtcdClient: a watch goes to the next member until it stands, and no further") {
  const auto watching = [](Connection& connection) {
    const std::string request = connection.read_request();
    if (request.starts_with("POST /v3/watch ")) {
      connection.begin_chunks();
      connection.write_chunk(kCreated);
      return;  // and ends it
    }
    if (!request.empty()) connection.answer(kRange);
  };
  const RawServer first(watching);
  const RawServer second(watching);
  const RawServer silent([](Connection& connection) { connection.wait_until_closed(); });
  const RawServer never([](Connection& connection) {
    connection.read_request();
    connection.begin_chunks();
    while (connection.write_chunk(" ")) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  });
  const EtcdClient client = client_of({dead_port(), silent.port(), never.port(), first.port(), second.port()},
                                      patience(std::chrono::seconds(12)));
  int told = 0;
  WatchEnd end = watch(client, &told);
  CHECK(end.why == WatchEnd::Why::kFailed);
  CHECK(end.error.code == ErrorCode::kIoError);
  CHECK(told == 1);
  CHECK(second.connections() == 0);
  end = watch(client, &told);  // goes on with the next one
  CHECK(told == 2);
  CHECK(second.connections() == 1);

  end = watch(client_of({dead_port(), dead_port()}));
  CHECK(end.why == WatchEnd::Why::kFailed);
  CHECK(end.error.code == ErrorCode::kUnavailable);
}

TEST_CASE("EtcdClient: whoever has less time than the options is not kept for longer") {
  const RawServer silent([](Connection& connection) { connection.wait_until_closed(); });
  const EtcdClient client = client_of({silent.port()}, patience(std::chrono::minutes(10)));
  using std::chrono::steady_clock;
  const auto soon = [] { return steady_clock::now() + std::chrono::milliseconds(50); };
  // A whole test has less time than the options give.
  CHECK(client.range({.key = "k"}, soon()).error().code == ErrorCode::kIoError);
  const auto written = client.txn({}, {{.key = "k", .value = "v"}}, soon());
  REQUIRE_FALSE(written);
  CHECK_FALSE(EtcdClient::is_certain(written.error()));
  const int before = silent.connections();
  const auto too_late = client.txn({}, {{.key = "k", .value = "v"}}, steady_clock::now());
  REQUIRE_FALSE(too_late);
  CHECK(EtcdClient::is_certain(too_late.error()));  // it was never sent
  CHECK(silent.connections() == before);
}

TEST_CASE("EtcdClient: a watch that is silent ends unless the member answers") {
  std::atomic<bool> is_alive{true};
  std::atomic<int> asked{0};
  const RawServer server([&](Connection& connection) {
    for (auto request = connection.read_request(); !request.empty(); request = connection.read_request()) {
      if (request.starts_with("POST /v3/watch ")) {
        connection.begin_chunks();
        connection.write_chunk(kCreated);
        // Bytes that say nothing are silence, too.
        while (connection.write_chunk(" ")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return;
      }
      ++asked;
      if (!is_alive) {
        connection.wait_until_closed();
        return;
      }
      connection.answer(kRange);
    }
  });
  const EtcdClient client = client_of({server.port()}, patience(std::chrono::seconds(2)));
  int told = 0;
  const WatchEnd end = client.watch("a", "", 5, [&](const WatchEvents& events) {
    CHECK(events.revision == 4);
    if (++told == 2) is_alive = false;
    return true;
  });
  CHECK(end.why == WatchEnd::Why::kFailed);
  CHECK_THAT(end.error.message, Contains("did not answer"));
  CHECK(told == 2);
  CHECK(asked == 2);
}

TEST_CASE("EtcdClient: a watch that tells nonsense or too much ends") {
  const std::pair<const char*, RawServer::Script> cases[] = {
      {"nonsense", [](Connection& connection) { connection.write_chunk("{\"result\":5}\n"); }},
      {"a line without end",
       [](Connection& connection) {
         while (connection.write_chunk(std::string(60000, 'x'))) {
         }
       }},
      {"a transaction without end",
       [](Connection& connection) {
         const std::string event =
             R"({"kv":{"key":"YQ==","mod_revision":"5","value":")" + std::string(4'000'000, 'A') + "\"}}";
         while (connection.write_chunk(R"({"result":{"header":{"revision":"9"},"fragment":true,"events":[)" +
                                       event + "]}}\n")) {
         }
       }},
  };
  for (const auto& [what, script] : cases) {
    INFO(what);
    const RawServer server([&script = script](Connection& connection) {
      if (connection.read_request().empty()) return;
      connection.begin_chunks();
      connection.write_chunk(kCreated);
      script(connection);
      connection.wait_until_closed();
    });
    const WatchEnd end = watch(client_of({server.port()}));
    CHECK(end.why == WatchEnd::Why::kFailed);
    CHECK((end.error.code == ErrorCode::kParseError || end.error.code == ErrorCode::kLimitExceeded));
  }
}

TEST_CASE("EtcdClient: a client that is stopped ends what waits, and begins nothing") {
  const RawServer server([](Connection& connection) {
    if (connection.read_request().starts_with("POST /v3/watch ")) {
      connection.begin_chunks();
      connection.write_chunk(kCreated);
    }
    connection.wait_until_closed();
  });
  const EtcdClient client = client_of({server.port()}, patience(std::chrono::minutes(5)));
  std::atomic<int> ended{0};
  std::thread asking([&] {
    CHECK_FALSE(client.range(kQuestion));
    ++ended;
  });
  WatchEnd end;
  std::atomic<bool> stands{false};
  std::thread watching([&] {
    end = client.watch("a", "", 5, [&](const WatchEvents&) {
      stands = true;
      return true;
    });
    ++ended;
  });
  CHECK(eventually([&] { return stands.load() && server.connections() == 2; }));
  client.stop();
  CHECK(eventually([&] { return ended == 2; }));  // far less than the five minutes
  asking.join();
  watching.join();
  CHECK(end.why == WatchEnd::Why::kStopped);
  CHECK_FALSE(client.range(kQuestion));
  CHECK(watch(client).why == WatchEnd::Why::kStopped);
  CHECK(server.connections() == 2);
}
