#include "web/web_sessions.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;
using vipauth::web::WebSessions;
using namespace std::chrono_literals;

TEST_CASE("WebSessions: a token is found, and another is not") {
  WebSessions sessions({});
  const auto token = sessions.begin("alice", "stamp", kNow);
  REQUIRE(token);
  CHECK(token->size() == 64);
  const auto session = sessions.use(*token, kNow);
  REQUIRE(session);
  CHECK(session->user == "alice");
  CHECK(session->stamp == "stamp");
  std::string other = *token;
  other.back() = other.back() == '0' ? '1' : '0';
  CHECK_FALSE(sessions.use(other, kNow));
  CHECK_FALSE(sessions.use("", kNow));
  CHECK(*sessions.begin("alice", "stamp", kNow) != *token);
}

TEST_CASE("WebSessions: a session ends when it is idle, and at last however it is used") {
  WebSessions sessions({.idle = 30min, .longest = 2h});
  const auto idle = sessions.begin("alice", "", kNow);
  CHECK(sessions.use(*idle, kNow + 29min));
  CHECK(sessions.use(*idle, kNow + 58min));
  CHECK_FALSE(sessions.use(*idle, kNow + 88min));

  const auto busy = sessions.begin("alice", "", kNow);
  for (auto after = 20min; after < 2h; after += 20min) CHECK(sessions.use(*busy, kNow + after));
  CHECK_FALSE(sessions.use(*busy, kNow + 2h));
  CHECK(sessions.size() == 0);
}

TEST_CASE("WebSessions: a clock that is set back ends a session") {
  WebSessions sessions({});
  const auto token = sessions.begin("alice", "", kNow);
  CHECK_FALSE(sessions.use(*token, kNow - 1h));
}

TEST_CASE("WebSessions: logging out ends one session and no other") {
  WebSessions sessions({});
  const auto one = sessions.begin("alice", "", kNow);
  const auto two = sessions.begin("alice", "", kNow);
  CHECK(sessions.end(*one));
  CHECK_FALSE(sessions.end(*one));
  CHECK_FALSE(sessions.use(*one, kNow));
  CHECK(sessions.use(*two, kNow));
  sessions.end_all_of("alice");
  CHECK_FALSE(sessions.use(*two, kNow));
}

TEST_CASE("WebSessions: there are only so many, and the idlest goes") {
  WebSessions sessions({.sessions = 3, .per_user = 2});
  const auto first = sessions.begin("alice", "", kNow);
  const auto second = sessions.begin("alice", "", kNow + 1s);
  REQUIRE(sessions.use(*first, kNow + 2s));
  const auto third = sessions.begin("alice", "", kNow + 3s);
  CHECK_FALSE(sessions.use(*second, kNow + 3s));
  CHECK(sessions.use(*first, kNow + 3s));
  REQUIRE(sessions.begin("bob", "", kNow + 4s));
  REQUIRE(sessions.begin("carol", "", kNow + 5s));
  CHECK(sessions.size() == 3);
  CHECK(sessions.use(*third, kNow + 5s).has_value() != sessions.use(*first, kNow + 5s).has_value());
}

TEST_CASE("WebSessions: the token for forms does not tell the token") {
  CHECK(WebSessions::csrf_token_of("a") == WebSessions::csrf_token_of("a"));
  CHECK(WebSessions::csrf_token_of("a") != WebSessions::csrf_token_of("b"));
  CHECK(WebSessions::csrf_token_of("a") != web::digest_of("a"));
  CHECK(web::are_equal_secrets("abc", "abc"));
  CHECK_FALSE(web::are_equal_secrets("abc", "abd"));
  CHECK_FALSE(web::are_equal_secrets("abc", "ab"));
}
