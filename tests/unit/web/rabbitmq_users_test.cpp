#include <vipauth/rabbitmq_users.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <set>
#include <thread>

#include <vipauth/json.hpp>

#include "support/catch.hpp"
#include "support/temp_home.hpp"
#include "unit/web/fake_web_server.hpp"

namespace vipauth::test {

namespace {

using Request = FakeWebServer::Request;

CommonName name(const std::string& text) { return *CommonName::parse(text); }

/// As much of a broker as the class talks to.
struct FakeBroker {
  std::map<std::string, std::string> users{{"guest", R"(["administrator"])"}};  ///< and their tags
  std::map<std::string, std::string> permissions;
  int connections_left = 0;  ///< how often they are shown yet

  std::string operator()(const Request& request) {
    const std::string path = request.path;
    const auto behind = [&](const std::string& begin) { return path.substr(begin.size()); };
    if (path == "/api/users") {
      std::string out;
      for (const auto& [user, tags] : users) {
        out += (out.empty() ? "" : ",") + std::string(R"({"name":")") + user + R"(","tags":)" + tags + "}";
      }
      return FakeWebServer::ok("[" + out + "]");
    }
    if (path == "/api/permissions") {
      std::string out;
      for (const auto& [user, permission] : permissions) {
        out += (out.empty() ? "" : ",") + std::string(R"({"vhost":"/","user":")") + user + R"(",)" +
               permission.substr(1);
      }
      return FakeWebServer::ok("[" + out + "]");
    }
    if (path.starts_with("/api/users/")) {
      const std::string user = behind("/api/users/");
      if (request.method == "PUT") {
        users[user] = R"([")" + Json::parse(request.body)->find("tags")->as_string() + R"("])";
        return FakeWebServer::answer("201 Created", "");
      }
      if (!users.contains(user)) return FakeWebServer::answer("404 Not Found", R"({"error":"x"})");
      if (request.method == "DELETE") {
        users.erase(user);
        permissions.erase(user);
        return FakeWebServer::answer("204 No Content", "");
      }
      return FakeWebServer::ok(R"({"name":")" + user + R"(","tags":)" + users[user] + "}");
    }
    if (path.starts_with("/api/permissions/%2F/")) {
      permissions[behind("/api/permissions/%2F/")] = request.body;
      return FakeWebServer::answer("201 Created", "");
    }
    if (path.starts_with("/api/topic-permissions/%2F/")) return FakeWebServer::answer("201 Created", "");
    if (path.starts_with("/api/connections/username/")) {
      if (connections_left <= 0) return FakeWebServer::ok("[]");
      --connections_left;
      return FakeWebServer::ok(R"([{"name":"127.0.0.1:1 -> 127.0.0.1:2","user":")" +
                               behind("/api/connections/username/") + R"("}])");
    }
    if (path.starts_with("/api/connections/")) return FakeWebServer::answer("404 Not Found", "{}");
    return FakeWebServer::answer("400 Bad Request", "{}");
  }
};

RabbitMqUsers::Settings settings_for(const FakeWebServer& server, const TempHome& home) {
  home.write("password", "secret word\n");
  RabbitMqUsers::Settings settings;
  settings.url = server.url();
  settings.user = "guest";
  settings.password_file = home / "password";
  return settings;
}

std::shared_ptr<RabbitMqUsers> users_of(const FakeWebServer& server, const TempHome& home) {
  auto users = RabbitMqUsers::create(settings_for(server, home));
  REQUIRE(users);
  return *users;
}

bool asked(const FakeWebServer& server, const std::string& method, const std::string& path) {
  const auto requests = server.requests();
  return std::any_of(requests.begin(), requests.end(), [&](const Request& request) {
    return request.method == method && request.path == path;
  });
}

}  // namespace

TEST_CASE("RabbitMqUsers: admits by making a user without password that has its own permissions") {
  const TempHome home;
  FakeBroker broker;
  const FakeWebServer server([&](const Request& request) { return broker(request); });
  const auto users = users_of(server, home);
  CHECK(users->admit(name("v1.v2.agent-1")));
  CHECK(users->admit(name("v1.v2.agent-1")));
  CHECK(broker.users.at("v1.v2.agent-1") == R"(["vipauth"])");
  const Json permissions = *Json::parse(broker.permissions.at("v1.v2.agent-1"));
  CHECK(permissions.find("configure")->as_string() ==
        R"(^(v1\.v2\.agent\-1(\.(pubsub|zmq)\..*)?|amq\.gen-.*)$)");
  CHECK(permissions.find("write")->as_string() ==
        R"(^(volttron|v1\.v2\.agent\-1(\.(pubsub|zmq)\..*)?|amq\.gen-.*)$)");
  const auto requests = server.requests();
  const auto made = std::find_if(requests.begin(), requests.end(),
                                 [](const Request& request) { return request.method == "PUT"; });
  REQUIRE(made != requests.end());
  CHECK(made->body == R"({"password_hash":"","tags":"vipauth"})");
  CHECK(made->headers.find("Authorization: Basic Z3Vlc3Q6c2VjcmV0IHdvcmQ=") != std::string::npos);
  CHECK_FALSE(asked(server, "PUT", "/api/topic-permissions/%2F/v1.v2.agent-1"));
}

TEST_CASE("RabbitMqUsers: a user that somebody else made is neither changed nor removed") {
  const TempHome home;
  FakeBroker broker;
  broker.users["v1.v2.a"] = R"(["management"])";
  broker.users["v1.v2.old"] = R"("vipauth")";
  const FakeWebServer server([&](const Request& request) { return broker(request); });
  const auto users = users_of(server, home);
  for (const std::string other : {"guest", "v1.v2.a"}) {
    const auto admitted = users->admit(name(other));
    REQUIRE_FALSE(admitted);
    CHECK(admitted.error().code == ErrorCode::kConflict);
    CHECK(admitted.error().message.find("\"" + other + "\"") != std::string::npos);
    CHECK(users->expel(name(other)).error().code == ErrorCode::kConflict);
  }
  CHECK(broker.users.size() == 3);
  CHECK(broker.permissions.empty());
  CHECK(users->expel(name("v1.v2.old")));  // a tag as RabbitMQ wrote it before 3.9
  CHECK(broker.users.size() == 2);
}

TEST_CASE("RabbitMqUsers: expels a user and waits until its connections are gone") {
  const TempHome home;
  FakeBroker broker;
  const FakeWebServer server([&](const Request& request) { return broker(request); });
  const auto users = users_of(server, home);
  REQUIRE(users->admit(name("v1.v2.a")));
  broker.connections_left = 2;
  CHECK(users->expel(name("v1.v2.a")));
  CHECK_FALSE(broker.users.contains("v1.v2.a"));
  CHECK(broker.connections_left == 0);
  CHECK(asked(server, "DELETE", "/api/connections/127.0.0.1%3A1%20-%3E%20127.0.0.1%3A2"));
  CHECK(users->expel(name("v1.v2.a")));  // not there: done
}

TEST_CASE("RabbitMqUsers: a connection that does not end is reported") {
  const TempHome home;
  FakeBroker broker;
  broker.connections_left = 1'000'000;
  const FakeWebServer server([&](const Request& request) { return broker(request); });
  auto settings = settings_for(server, home);
  settings.timeout = std::chrono::milliseconds(300);
  const auto users = *RabbitMqUsers::create(settings);
  const auto expelled = users->expel(name("v1.v2.a"));
  REQUIRE_FALSE(expelled);
  CHECK(expelled.error().code == ErrorCode::kBusy);
}

TEST_CASE("RabbitMqUsers: admit_only removes its other users and leaves those of others") {
  const TempHome home;
  FakeBroker broker;
  broker.users["v1.v2.gone"] = R"(["vipauth"])";
  broker.users["somebody"] = R"([])";
  const FakeWebServer server([&](const Request& request) { return broker(request); });
  const auto users = users_of(server, home);
  REQUIRE(users->admit(name("v1.v2.a")));
  broker.users["v1.v2.b"] = R"(["vipauth"])";
  broker.permissions["v1.v2.b"] = R"({"configure":".*","write":".*","read":".*"})";
  REQUIRE(users->admit_only({name("v1.v2.a"), name("v1.v2.b"), name("v1.v2.c")}));
  const auto has = [&](const std::string& user) { return broker.users.contains(user); };
  CHECK((has("v1.v2.a") && has("v1.v2.b") && has("v1.v2.c") && has("guest") && has("somebody")));
  CHECK_FALSE(has("v1.v2.gone"));
  CHECK(broker.permissions.at("v1.v2.b").find(".*\",\"write\":\".*") == std::string::npos);

  const std::size_t before = server.requests().size();
  REQUIRE(users->admit_only({name("v1.v2.a"), name("v1.v2.b"), name("v1.v2.c")}));
  CHECK(server.requests().size() == before + 2);  // nothing to change

  const auto conflict = users->admit_only({name("somebody"), name("v1.v2.d")});
  REQUIRE_FALSE(conflict);
  CHECK(conflict.error().code == ErrorCode::kConflict);
  CHECK(has("v1.v2.d"));  // it goes on
}

TEST_CASE("RabbitMqUsers: a broker that falls silent is not asked again for each user") {
  const TempHome home;
  FakeBroker broker;
  std::atomic<int> asked = 0;
  const FakeWebServer server([&](const Request& request) {
    if (request.path.starts_with("/api/users/")) {
      ++asked;
      return std::string();
    }
    return broker(request);
  });
  auto settings = settings_for(server, home);
  settings.timeout = std::chrono::milliseconds(300);
  const auto users = *RabbitMqUsers::create(settings);
  const auto silent = users->admit_only({name("v1.v2.a"), name("v1.v2.b"), name("v1.v2.c")});
  REQUIRE_FALSE(silent);
  CHECK(silent.error().code == ErrorCode::kIoError);
  CHECK(asked == 1);
}

TEST_CASE("RabbitMqUsers: nothing is waited for once it is told to stop") {
  const TempHome home;
  const FakeWebServer server([](const Request&) { return std::string(); });
  auto settings = settings_for(server, home);
  settings.timeout = std::chrono::minutes(1);
  const auto users = *RabbitMqUsers::create(settings);
  const auto begin = std::chrono::steady_clock::now();
  std::thread asking([&] { CHECK_FALSE(users->admit_only({name("v1.v2.a")})); });
  users->stop();
  asking.join();
  CHECK_FALSE(users->admit(name("v1.v2.a")));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
}

TEST_CASE("RabbitMqUsers: topic permissions are set where there is a template") {
  const TempHome home;
  FakeBroker broker;
  const FakeWebServer server([&](const Request& request) { return broker(request); });
  auto settings = settings_for(server, home);
  settings.topics = RabbitMqUsers::TopicPermissions{"volttron", "^{common_name}$", ".*"};
  REQUIRE((*RabbitMqUsers::create(settings))->admit(name("v1.v2.a")));
  const auto requests = server.requests();
  CHECK(requests.back().path == "/api/topic-permissions/%2F/v1.v2.a");
  CHECK(requests.back().body == R"({"exchange":"volttron","write":"^v1\\.v2\\.a$","read":".*"})");
}

TEST_CASE("RabbitMqUsers: says what is wrong with the answers of a broker") {
  const TempHome home;
  struct Case {
    std::string answer;
    ErrorCode code;
    std::string message;
  };
  const std::vector<Case> cases{
      {FakeWebServer::answer("401 Unauthorized", "{}"), ErrorCode::kPermissionDenied, "rmq-management-user"},
      {FakeWebServer::answer("500 Internal Server Error", ""), ErrorCode::kParseError, "500"},
      {FakeWebServer::answer("302 Found", "", "Location: http://localhost:1/\r\n"), ErrorCode::kParseError,
       "not followed"},
      {FakeWebServer::ok("<html>"), ErrorCode::kParseError, "no JSON"},
      {FakeWebServer::ok(R"({"name":"another","tags":["vipauth"]})"), ErrorCode::kParseError, "another user"},
      {FakeWebServer::ok("[[[["), ErrorCode::kParseError, "no JSON"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", ErrorCode::kIoError, "cannot be reached"},
      {"garbage\r\n\r\n", ErrorCode::kIoError, "cannot be reached"},
      {FakeWebServer::ok(std::string(std::size_t{33} << 20U, ' ')), ErrorCode::kLimitExceeded, "more than"},
  };
  for (const Case& expected : cases) {
    const FakeWebServer server([&](const Request&) { return expected.answer; });
    const auto admitted = users_of(server, home)->admit(name("v1.v2.a"));
    INFO(expected.answer.substr(0, 60));
    REQUIRE_FALSE(admitted);
    CHECK(admitted.error().code == expected.code);
    CHECK(admitted.error().message.find(expected.message) != std::string::npos);
    CHECK(admitted.error().to_string().find("secret word") == std::string::npos);
    CHECK_FALSE(users_of(server, home)->admit_only({}));
  }
}

TEST_CASE("RabbitMqUsers: a broker that does not answer is given up") {
  const TempHome home;
  const FakeWebServer server([](const Request&) { return std::string(); });
  auto settings = settings_for(server, home);
  settings.timeout = std::chrono::milliseconds(200);
  const auto admitted = (*RabbitMqUsers::create(settings))->admit(name("v1.v2.a"));
  REQUIRE_FALSE(admitted);
  CHECK(admitted.error().message.find("did not answer within 200 milliseconds") != std::string::npos);

  settings.url = "http://localhost:1";
  const auto nobody = (*RabbitMqUsers::create(settings))->admit(name("v1.v2.a"));
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().code == ErrorCode::kIoError);
}

TEST_CASE("RabbitMqUsers: refuses settings that would show the password") {
  const TempHome home;
  const FakeWebServer server([](const Request&) { return std::string(); });
  auto settings = settings_for(server, home);
  CHECK(RabbitMqUsers::create(settings));

  auto elsewhere = settings;
  elsewhere.url = "http://broker.example:15672";
  CHECK(RabbitMqUsers::create(elsewhere).error().code == ErrorCode::kInvalidArgument);
  elsewhere.url = "http://localhost@broker.example:15672";
  CHECK(RabbitMqUsers::create(elsewhere).error().code == ErrorCode::kInvalidArgument);
  elsewhere.url = "https://broker.example";  // nothing says whom to trust
  CHECK(RabbitMqUsers::create(elsewhere).error().code == ErrorCode::kInvalidArgument);
  elsewhere.authorities = home / "password";
  CHECK(RabbitMqUsers::create(elsewhere).error().to_string().starts_with("rmq-management-ca: "));

  home.set_mode("password", 0644);
  CHECK(RabbitMqUsers::create(settings).error().code == ErrorCode::kPermissionDenied);
  home.set_mode("password", 0600);
  home.write("password", "\n");
  CHECK(RabbitMqUsers::create(settings).error().code == ErrorCode::kInvalidArgument);
  settings.password_file = home / "none";
  CHECK(RabbitMqUsers::create(settings).error().code == ErrorCode::kNotFound);
}

TEST_CASE("RabbitMqUsers: reads its settings from the configuration of a home") {
  const auto read = [](const std::string& text) {
    return RabbitMqUsers::settings(*PlatformConfig::parse("[volttron]\n" + text), "/home/v");
  };
  CHECK_FALSE(*read("instance-name = v1\n"));
  const auto settings = read(
      "rmq-management-url = https://b:1\nrmq-management-user = u\nrmq-management-password-file = secret\n"
      "rmq-management-ca = /ca.crt\nrmq-vhost = volttron\nrmq-read = ^{common_name}$\nrmq-topic-read = x\n");
  REQUIRE(settings);
  REQUIRE(*settings);
  CHECK((*settings)->url == "https://b:1");
  CHECK((*settings)->password_file == "/home/v/secret");
  CHECK((*settings)->authorities == "/ca.crt");
  CHECK((*settings)->vhost == "volttron");
  CHECK((*settings)->permissions.read == "^{common_name}$");
  CHECK((*settings)->topics->read == "x");
  CHECK((*settings)->topics->exchange == "volttron");
  CHECK_FALSE(read("rmq-management-url = http://localhost\nrmq-management-user = u\n"));
  CHECK_FALSE(read("rmq-management-url = http://localhost\nrmq-management-password-file = f\n"));
}

}  // namespace vipauth::test
