#include "fleet/etcd_messages.hpp"

#include <limits>
#include <string>
#include <vector>

#include <vipauth/json.hpp>

#include "support/catch.hpp"
#include "web/base64.hpp"

using namespace vipauth;
using namespace vipauth::fleet;
using Catch::Contains;

namespace {

std::string header(const std::string& revision = "\"9\"") {
  return R"("header":{"cluster_id":"18446744073709551615","member_id":"2","raft_term":"2","revision":)" +
         revision + "}";
}

/// A text with one place replaced.
std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

RangeQuestion question(std::int64_t limit = 0) { return {"a", "c", limit, 0, 0, false}; }

}  // namespace

TEST_CASE("etcd messages: questions are JSON as the gateway takes it") {
  CHECK(range_text({"a", "", 0, 0, 0, false}) == R"({"key":"YQ=="})");
  CHECK(
      range_text({"a", std::string("\0", 1), 7, 8, 9, true}) ==
      R"({"key":"YQ==","range_end":"AA==","limit":"7","revision":"8","min_mod_revision":"9","keys_only":true})");
  CHECK(txn_text({}, {}) == R"({"compare":[],"success":[]})");
  const std::string text =
      txn_text({{"a", Compare::Field::kModRevision, 0}, {"\"", Compare::Field::kCreateRevision, 5}},
               {{"a", "\xff"}, {"b", ""}, {"c", std::nullopt}, {"c", std::nullopt, "d"}});
  const auto document = Json::parse(text);
  REQUIRE(document);
  CHECK(document->dump() == text);
  CHECK(
      text ==
      R"({"compare":[{"key":"YQ==","result":"EQUAL","target":"MOD","mod_revision":"0"},)"
      R"({"key":"Ig==","result":"EQUAL","target":"CREATE","create_revision":"5"}],)"
      R"("success":[{"request_put":{"key":"YQ==","value":"/w=="}},{"request_put":{"key":"Yg==","value":""}},)"
      R"({"request_delete_range":{"key":"Yw=="}},{"request_delete_range":{"key":"Yw==","range_end":"ZA=="}}]})");
  CHECK(
      watch_text("a", "b", 3) ==
      R"({"create_request":{"key":"YQ==","range_end":"Yg==","start_revision":"3","progress_notify":true,"fragment":true}})");
}

TEST_CASE("etcd messages: the end of a range of a prefix") {
  CHECK(prefix_end("a/") == "a0");
  CHECK(prefix_end("a\xff") == "b");
  CHECK(prefix_end("a\x7f") == "a\x80");
  CHECK(prefix_end("\xff\xff") == std::string("\0", 1));
  CHECK(prefix_end("") == std::string("\0", 1));
  CHECK(is_in_range("a/", "a/", prefix_end("a/")));
  CHECK(is_in_range("a/\xff", "a/", prefix_end("a/")));
  CHECK_FALSE(is_in_range("a0", "a/", prefix_end("a/")));
  CHECK_FALSE(is_in_range("a", "a/", prefix_end("a/")));
  CHECK(is_in_range("z", "a", prefix_end("")));
  CHECK(is_in_range("a", "a", ""));
  CHECK_FALSE(is_in_range("ab", "a", ""));
}

TEST_CASE("etcd messages: a range is read, with what is left out because it is empty") {
  auto answer = parse_range(
      "{" + header() + R"(,"kvs":[{"key":"YQ==","create_revision":"2","mod_revision":"4",)" +
          R"("version":"2","value":"aGk="},{"key":"Yg==","create_revision":3,"mod_revision":3}],)" +
          R"("more":true,"count":"5","something":"new"})",
      question());
  REQUIRE(answer);
  CHECK(answer->revision == 9);
  CHECK(answer->has_more);
  REQUIRE(answer->values.size() == 2);
  CHECK(answer->values[0].key == "a");
  CHECK(answer->values[0].value == "hi");
  CHECK(answer->values[0].create_revision == 2);
  CHECK(answer->values[0].mod_revision == 4);
  CHECK(answer->values[1].value.empty());
  answer = parse_range("{" + header("\"9223372036854775806\"") + "}", question());
  REQUIRE(answer);
  CHECK(answer->revision == std::numeric_limits<std::int64_t>::max() - 1);
  CHECK(answer->values.empty());
  CHECK_FALSE(answer->has_more);
}

TEST_CASE("etcd messages: an answer that etcd does not give is refused, whatever is wrong with it") {
  const std::string good =
      "{" + header() + R"(,"kvs":[{"key":"YQ==","create_revision":"2","mod_revision":"4",)" +
      R"("value":"aGk="},{"key":"Yg==","create_revision":"3","mod_revision":"3"}],"more":true})";
  REQUIRE(parse_range(good, question(2)));
  const std::vector<std::string> bad{
      "",
      "null",
      "[]",
      "\"x\"",
      "{}",
      good + "x",
      good.substr(0, good.size() - 1),
      with(good, header(), "\"header\":null"),
      with(good, header(), "\"header\":[]"),
      with(good, header(), header("\"0\"")),
      with(good, header(), header("\"-1\"")),
      with(good, header(), header("\"9223372036854775807\"")),  // it would have no next one
      with(good, header(), header("\"9223372036854775808\"")),
      with(good, header(), header("\"\"")),
      with(good, header(), header("\"0x9\"")),
      with(good, header(), header("\" 9\"")),
      with(good, header(), header("9.5")),
      with(good, header(), header("1e3")),
      with(good, header(), header("true")),
      with(good, header(), header("{}")),
      with(good, "\"more\":true", "\"more\":\"true\""),
      with(good, "\"more\":true", "\"more\":1"),
      with(good, "\"more\":true", "\"kvs\":[]"),
      with(good, "\"YQ==\"", "\"YQ=\""),
      with(good, "\"YQ==\"", "\"Y Q=\""),
      with(good, "\"YQ==\"", "\"YR==\""),
      with(good, "\"YQ==\"", "\"\""),
      with(good, "\"YQ==\"", "5"),
      with(good, "\"YQ==\"", "\"Yg==\""),  // twice
      with(good, "\"Yg==\"", "\"Yw==\""),  // out of the range
      with(good, "\"aGk=\"", "\"aGk\""),
      with(good, "\"aGk=\"", "[]"),
      with(good, "\"create_revision\":\"2\"", "\"create_revision\":\"5\""),
      with(good, "\"mod_revision\":\"4\"", "\"mod_revision\":\"0\""),
      with(good, "\"mod_revision\":\"4\"", "\"mod_revision\":[]"),
      with(good, "\"mod_revision\":\"4\"", "\"mod_revision\":\"9223372036854775807\""),
      with(good, "\"kvs\":[{", "\"kvs\":[1,{"),
      with(good, "\"kvs\":[", "\"kvs\":{\"a\":[") + "}",
      std::string(200, '[') + std::string(200, ']'),
  };
  for (const std::string& text : bad) {
    INFO(text);
    const auto answer = parse_range(text, question());
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == ErrorCode::kParseError);
  }
  CHECK_FALSE(parse_range(good, question(1)));  // more than was asked for
  CHECK_FALSE(parse_range(good, {"a", "", 0, 0, 0, false}));
}

TEST_CASE("etcd messages: transactions, the status and tokens") {
  auto txn = parse_txn("{" + header() + ",\"succeeded\":true,\"responses\":[{\"response_put\":{}}]}");
  REQUIRE(txn);
  CHECK(txn->succeeded);
  CHECK(txn->revision == 9);
  txn = parse_txn("{" + header() + "}");
  REQUIRE(txn);
  CHECK_FALSE(txn->succeeded);
  CHECK_FALSE(parse_txn("{" + header() + ",\"succeeded\":\"true\"}"));
  CHECK_FALSE(parse_txn("{\"succeeded\":true}"));

  const auto status = parse_status("{" + header() + ",\"version\":\"3.4.23\"}");
  REQUIRE(status);
  CHECK(status->version == "3.4.23");
  CHECK(status->cluster_id == "18446744073709551615");
  CHECK(status->revision == 9);
  CHECK(parse_status("{" + header() + R"(,"version":"3.\u001b[2J"})")->version == "3.?[2J");
  CHECK_FALSE(parse_status(with("{" + header() + "}", "18446744073709551615", "18446744073709551616")));
  CHECK_FALSE(parse_status(with("{" + header() + "}", "18446744073709551615", "")));
  CHECK_FALSE(parse_status("{" + header() + ",\"version\":3}"));

  CHECK(*parse_token(R"({"token":"abc.16"})") == "abc.16");
  for (const char* text : {R"({"token":""})", R"({})", R"({"token":5})", R"({"token":"a b"})",
                           R"({"token":"a\r\nHost: x"})", R"({"token":"\u0000"})", R"({"token":"ä"})"}) {
    CHECK_FALSE(parse_token(text));
  }
  CHECK_FALSE(parse_token(R"({"token":")" + std::string(8193, 'a') + "\"}"));
}

TEST_CASE("etcd messages: what etcd refuses has the code that it means") {
  struct Case {
    int code;
    const char* message;
    ErrorCode expected;
  };
  const Case cases[] = {
      {3, "etcdserver: user name is empty", ErrorCode::kPermissionDenied},
      {3, "etcdserver: authentication failed, invalid user ID or password", ErrorCode::kPermissionDenied},
      {3, "etcdserver: revision of auth store is old", ErrorCode::kPermissionDenied},
      {3, "etcdserver: request is too large", ErrorCode::kLimitExceeded},
      {3, "etcdserver: too many operations in txn request", ErrorCode::kLimitExceeded},
      {3, "etcdserver: key is not provided", ErrorCode::kInvalidArgument},
      {7, "etcdserver: permission denied", ErrorCode::kPermissionDenied},
      {8, "etcdserver: mvcc: database space exceeded", ErrorCode::kLimitExceeded},
      {8, "etcdserver: too many requests", ErrorCode::kBusy},
      {8, "grpc: received message larger than max (3 vs. 2)", ErrorCode::kLimitExceeded},
      {8, "anything", ErrorCode::kBusy},
      {11, "etcdserver: mvcc: required revision has been compacted", ErrorCode::kConflict},
      {12, "unknown method", ErrorCode::kParseError},
      {14, "etcdserver: no leader", ErrorCode::kBusy},
      {14, "etcdserver: leader changed", ErrorCode::kBusy},
      {14, "etcdserver: request timed out", ErrorCode::kBusy},
      {16, "etcdserver: invalid auth token", ErrorCode::kPermissionDenied},
      {2, "anything", ErrorCode::kIoError},
      {13, "anything", ErrorCode::kIoError},
      {99, "anything", ErrorCode::kIoError},
  };
  for (const Case& one : cases) {
    INFO(one.code << one.message);
    const std::string text = std::string("{\"error\":\"") + one.message + "\",\"message\":\"" + one.message +
                             "\",\"code\":" + std::to_string(one.code) + "}";
    const auto refusal = parse_refusal(text);
    REQUIRE(refusal);
    CHECK(refusal->to_error().code == one.expected);
    CHECK_THAT(refusal->to_error().message, Contains(one.message));
    CHECK(refusal->is_without_leader() == (std::string(one.message) == "etcdserver: no leader"));
    CHECK(refusal->is_leader_changing() == (std::string(one.message) == "etcdserver: leader changed"));
  }
  CHECK(parse_refusal(R"({"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader"}})")
            ->is_without_leader());
  for (const char* text :
       {R"({"error":"etcdserver: permission denied","code":7})",
        R"({"code":7,"message":"etcdserver: permission denied","details":[]})",
        R"({"error":{"code":7,"message":"etcdserver: permission denied","details":[]}})"}) {
    CHECK(parse_refusal(text)->to_error().code == ErrorCode::kPermissionDenied);
  }
  CHECK(parse_refusal(R"({"error":"etcdserver: authentication is not enabled","code":9})")->is_auth_off());
  CHECK_FALSE(parse_refusal(R"({"error":"etcdserver: something else","code":9})")->is_auth_off());
}

TEST_CASE("etcd messages: what is no refusal of etcd is none") {
  for (const char* text :
       {"", "Not Found", "<html>", "[]", "{}", R"({"error":"x"})", R"({"code":7})",
        R"({"error":"","code":7})", R"({"error":"x","code":0})", R"({"error":"x","code":-1})",
        R"({"error":"x","code":101})", R"({"error":"x","code":"seven"})", R"({"error":5,"code":7})",
        R"({"error":{"message":"x"}})", R"({"error":{"grpc_code":7}})"}) {
    INFO(text);
    CHECK_FALSE(parse_refusal(text));
  }
  // Nothing that a terminal would obey, nor very much.
  const auto refusal = parse_refusal(R"({"error":"\u001b[2J\nä)" + std::string(5000, 'x') + R"(","code":7})");
  REQUIRE(refusal);
  CHECK(refusal->message.size() <= 300);
  CHECK_THAT(refusal->message, Catch::StartsWith("?[2J???x"));
}

TEST_CASE("etcd messages: of a watch") {
  auto answer = parse_watch(R"({"result":{)" + header() + R"(,"created":true}})");
  REQUIRE(answer);
  CHECK(answer->is_created);
  CHECK(answer->revision == 9);
  answer = parse_watch(
      R"({"result":{)" + header() +
      R"(,"fragment":true,"events":[{"kv":{"key":"YQ==","create_revision":"2","mod_revision":"3","value":"eA=="}},)"
      R"({"type":"PUT","kv":{"key":"Yg==","create_revision":"3","mod_revision":"3"}},)"
      R"({"type":"DELETE","kv":{"key":"YQ==","mod_revision":"4"},"prev_kv":{"key":"eA=="}}]}})");
  REQUIRE(answer);
  CHECK(answer->is_fragment);
  CHECK(answer->revisions == std::vector<std::int64_t>{3, 3, 4});
  REQUIRE(answer->events.size() == 3);
  CHECK(answer->events[0].value == "x");
  CHECK(answer->events[1].value == "");
  CHECK_FALSE(answer->events[2].value);
  answer = parse_watch(R"({"result":{"header":{"raft_term":"2"},"canceled":true,"compact_revision":"7"}})");
  REQUIRE(answer);
  CHECK(answer->is_canceled);
  CHECK(answer->compact_revision == 7);
  answer = parse_watch(
      R"({"result":{)" + header() +
      R"(,"watch_id":"-1","created":true,"canceled":true,"cancel_reason":"rpc error: code = PermissionDenied desc = etcdserver: permission denied"}})");
  REQUIRE(answer);
  REQUIRE(answer->refusal);
  CHECK(answer->refusal->to_error().code == ErrorCode::kPermissionDenied);
  CHECK_FALSE(answer->refusal->is_unauthenticated());
  for (const char* reason : {"etcdserver: invalid auth token", "etcdserver: user name is empty"}) {
    answer = parse_watch(R"({"result":{"canceled":true,"cancel_reason":")" + std::string(reason) + "\"}}");
    REQUIRE(answer);
    CHECK(answer->refusal->is_unauthenticated());
  }
  answer = parse_watch(R"({"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader"}})");
  REQUIRE(answer);
  REQUIRE(answer->refusal);
  CHECK(answer->refusal->to_error().code == ErrorCode::kBusy);

  for (const std::string& text : std::vector<std::string>{
           "", "{}", R"({"result":[]})", R"({"error":"x"})", R"({"error":{}})",
           R"({"result":{"created":true}})", R"({"result":{)" + header() + R"(,"created":"true"}})",
           R"({"result":{)" + header() + R"(,"events":{}}})",
           R"({"result":{)" + header() + R"(,"events":[1]}})",
           R"({"result":{)" + header() + R"(,"events":[{"type":"PUT"}]}})",
           R"({"result":{)" + header() + R"(,"events":[{"kv":{"key":"YQ=="}}]}})",
           R"({"result":{)" + header() +
               R"(,"events":[{"type":"MOVE","kv":{"key":"YQ==","mod_revision":"3"}}]}})",
           R"({"result":{)" + header() + R"(,"events":[{"type":1,"kv":{"key":"YQ==","mod_revision":"3"}}]}})",
           R"({"result":{"canceled":true,"compact_revision":"-7"}})",
           R"({"result":{"canceled":true,"cancel_reason":7}})"}) {
    INFO(text);
    CHECK_FALSE(parse_watch(text));
  }
}
