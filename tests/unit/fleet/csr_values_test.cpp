#include "fleet/csr_values.hpp"

#include <limits>

#include "fleet/value_members.hpp"
#include "support/catch.hpp"
#include "support/certificates.hpp"

namespace vipauth::test {

using fleet::CsrAnswer;
using fleet::CsrAsked;
using fleet::CsrVerb;

namespace {

const std::string kName = "here.there.agent";

CsrEntry entry_of(const CertificateRequest& request) {
  return {request.common_name(),
          CsrStatus::kPending,
          "10.0.0.1",
          request.pem(),
          request.key_fingerprint(),
          request.key_kind(),
          kNow,
          kNow,
          1,
          std::nullopt};
}

const CsrEntry& pending() {
  static const CsrEntry entry = entry_of(Asker(kName).request);
  return entry;
}

/// An approved one, by an authority of its own.
CsrEntry approved_in(const TempHome& home, const std::string& name) {
  CsrStore store(authority_in(home), {});
  REQUIRE(store.request(Asker(name).request, "10.0.0.1"));
  auto decision = store.approve(name_of(name));
  REQUIRE(decision);
  return std::move(decision->entry);
}

Json changed(const std::string& value, std::string_view name, const Json& member) {
  Json out = *Json::parse(value);
  out.set(name, member);
  return out;
}

Json without(const std::string& value, std::string_view name) {
  Json out = *Json::parse(value);
  out.erase(name);
  return out;
}

CsrAsked asked() {
  return {"f6c5a6a6-2f60-4c35-9b8f-0c0a3a2b1c0d",
          CsrVerb::kApprove,
          pending().key_fingerprint,
          CsrStatus::kPending,
          "alice",
          "auth remote approve",
          kNow};
}

CsrAnswer answer() {
  return {asked().id,
          CsrVerb::kApprove,
          "alice",
          kNow,
          Error{ErrorCode::kConflict, "another key", "here"},
          Error{ErrorCode::kIoError, "no broker", ""},
          {"not in the audit log"}};
}

}  // namespace

TEST_CASE("CsrValues: a request is read as it was written") {
  const auto read = fleet::parse_csr_value(name_of(kName), fleet::csr_value(pending()));
  REQUIRE(read);
  CHECK(read->common_name == pending().common_name);
  CHECK(read->status == CsrStatus::kPending);
  CHECK(read->address == "10.0.0.1");
  CHECK(read->csr == pending().csr);
  CHECK(read->key_fingerprint == pending().key_fingerprint);
  CHECK(read->key_kind == pending().key_kind);
  CHECK(read->first_seen == kNow);
  CHECK(read->last_seen == kNow);
  CHECK(read->retries == 1);
  CHECK_FALSE(read->certificate.has_value());

  CsrEntry other = pending();
  other.status = CsrStatus::kDenied;
  other.first_seen = other.last_seen = std::nullopt;
  other.address.clear();
  other.retries = std::numeric_limits<std::uint64_t>::max();
  const auto again = fleet::parse_csr_value(name_of(kName), fleet::csr_value(other));
  REQUIRE(again);
  CHECK(again->status == CsrStatus::kDenied);
  CHECK_FALSE(again->first_seen.has_value());
  CHECK(again->retries == static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
}

TEST_CASE("CsrValues: key and kind are those of the request, whatever else the value says") {
  Json value = changed(fleet::csr_value(pending()), "key_fingerprint", Json("00:11"));
  value.set("key_kind", Json("\x1b[2J"));
  const auto read = fleet::parse_csr_value(name_of(kName), value.dump());
  REQUIRE(read);
  CHECK(read->key_fingerprint == pending().key_fingerprint);
  CHECK(read->key_kind == pending().key_kind);
}

TEST_CASE("CsrValues: a request counts for its own name, and with its sender's proof") {
  const std::string value = fleet::csr_value(pending());
  CHECK_FALSE(fleet::parse_csr_value(name_of("here.there.other"), value));
  const std::string forged = odd_request({{kName, 0}}, true);
  const auto read = fleet::parse_csr_value(name_of(kName), changed(value, "csr", Json(forged)).dump());
  REQUIRE_FALSE(read);
  CHECK(read.error().location == "/csr");
  const std::string odd = odd_request({{kName, 0}, {"here.there.other", 0}});
  CHECK_FALSE(fleet::parse_csr_value(name_of(kName), changed(value, "csr", Json(odd)).dump()));
}

TEST_CASE("CsrValues: a certificate is for the request's own name and key") {
  const TempHome home;
  const TempHome other_home;
  const CsrEntry approved = approved_in(home, "oracle1.there.agent");
  const std::string value = fleet::csr_value(approved);
  const auto read = fleet::parse_csr_value(approved.common_name, value);
  REQUIRE(read);
  CHECK(read->status == CsrStatus::kApproved);
  REQUIRE(read->certificate.has_value());
  CHECK(read->certificate->serial == approved.certificate->serial);

  const CsrEntry of_other_key = approved_in(other_home, "oracle1.there.agent");
  for (const Json& certificate : {Json(of_other_key.certificate->pem), Json("nonsense"), Json(), Json(7)}) {
    const auto refused =
        fleet::parse_csr_value(approved.common_name, changed(value, "certificate", certificate).dump());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().location.starts_with("/certificate"));
  }
  CHECK_FALSE(fleet::parse_csr_value(approved.common_name, without(value, "certificate").dump()));
}

TEST_CASE("CsrValues: hostile members of a request are refused with their place") {
  const std::string value = fleet::csr_value(pending());
  const std::pair<const char*, Json> hostile[] = {{"status", Json("approved")},
                                                  {"status", Json("\x1b[2J")},
                                                  {"status", Json(1)},
                                                  {"address", Json("a\x1b[2J")},
                                                  {"address", Json(std::string(256, 'x'))},
                                                  {"address", Json()},
                                                  {"first_seen", Json("yesterday")},
                                                  {"last_seen", Json(5)},
                                                  {"retries", Json(-1)},
                                                  {"retries", Json("3")},
                                                  {"csr", Json("nonsense")},
                                                  {"csr", Json()},
                                                  {"version", Json(2)},
                                                  {"version", Json("1")}};
  for (const auto& [name, member] : hostile) {
    CAPTURE(name, member.dump());
    const auto refused = fleet::parse_csr_value(name_of(kName), changed(value, name, member).dump());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().location.starts_with(std::string("/") + name));
  }
  for (const char* name : {"version", "csr", "status", "address", "retries"}) {
    CHECK_FALSE(fleet::parse_csr_value(name_of(kName), without(value, name).dump()));
  }
  for (const char* name : {"first_seen", "last_seen"}) {
    CHECK(fleet::parse_csr_value(name_of(kName), without(value, name).dump()));
  }
}

TEST_CASE("CsrValues: what is no object, or too long, is refused") {
  const std::string value = fleet::csr_value(pending());
  const auto padded = [](const std::string& text, std::size_t bytes) {
    return text + std::string(bytes - text.size(), ' ');
  };
  CHECK(fleet::parse_csr_value(name_of(kName), padded(value, fleet::kMaxCsrBytes)));
  CHECK(fleet::parse_csr_value(name_of(kName), padded(value, fleet::kMaxCsrBytes + 1)).error().code ==
        ErrorCode::kLimitExceeded);
  const std::string decision = fleet::asked_value(asked());
  CHECK(fleet::parse_asked(padded(decision, fleet::kMaxCsrDecisionBytes)));
  CHECK_FALSE(fleet::parse_asked(padded(decision, fleet::kMaxCsrDecisionBytes + 1)));
  const std::string told = fleet::answer_value(answer());
  CHECK(fleet::parse_answer(padded(told, fleet::kMaxCsrAnswerBytes)));
  CHECK_FALSE(fleet::parse_answer(padded(told, fleet::kMaxCsrAnswerBytes + 1)));
  for (const std::string text :
       {"", "{", "[]", "null", "7", "\xff", "{\"version\": 1, \"version\": 1}", "{}", "{\"version\": 1}"}) {
    CAPTURE(text);
    CHECK_FALSE(fleet::parse_csr_value(name_of(kName), text));
    CHECK_FALSE(fleet::parse_asked(text));
    CHECK_FALSE(fleet::parse_answer(text));
  }
}

TEST_CASE("CsrValues: a request that is seen again is no news until minutes have passed") {
  const std::string told = fleet::csr_value(pending());
  CsrEntry now = pending();
  CHECK_FALSE(fleet::is_news(told, now));
  now.retries = 50;
  now.last_seen = kNow + std::chrono::minutes(4);
  CHECK_FALSE(fleet::is_news(told, now));
  now.last_seen = kNow + std::chrono::minutes(5);
  CHECK(fleet::is_news(told, now));
  now.last_seen = kNow - std::chrono::minutes(4);
  CHECK_FALSE(fleet::is_news(told, now));
  now.last_seen = kNow - std::chrono::minutes(5);  // the clock was set back
  CHECK(fleet::is_news(told, now));
  now.last_seen = kNow;
  now.status = CsrStatus::kDenied;
  CHECK(fleet::is_news(told, now));
  CHECK(fleet::is_news("", pending()));
  CHECK(fleet::is_news("nonsense", pending()));
  CHECK(fleet::is_news(changed(told, "csr", Json("other")).dump(), pending()));
}

TEST_CASE("CsrValues: a decision is read as it was written") {
  const auto read = fleet::parse_asked(fleet::asked_value(asked()));
  REQUIRE(read);
  CHECK(read->id == asked().id);
  CHECK(read->verb == CsrVerb::kApprove);
  CHECK(read->key_fingerprint == asked().key_fingerprint);
  CHECK(read->seen == CsrStatus::kPending);
  CHECK(read->who == "alice");
  CHECK(read->command == "auth remote approve");
  CHECK(read->time == kNow);
}

TEST_CASE("CsrValues: a decision without what it must say is none") {
  const std::string value = fleet::asked_value(asked());
  const Json whole = *Json::parse(value);
  for (const Json::Member& member : whole.as_object()) {
    CAPTURE(member.name);
    CHECK_FALSE(fleet::parse_asked(without(value, member.name).dump()));
    CHECK_FALSE(fleet::parse_asked(changed(value, member.name, Json()).dump()));
    CHECK_FALSE(fleet::parse_asked(changed(value, member.name, Json(7)).dump()));
  }
  const std::string digits = asked().key_fingerprint;
  const std::pair<const char*, std::string> hostile[] = {{"decision", "APPROVE"},
                                                         {"decision", ""},
                                                         {"key_fingerprint", ""},
                                                         {"key_fingerprint", digits.substr(3)},
                                                         {"key_fingerprint", digits + ":AB"},
                                                         {"key_fingerprint", "xx" + digits.substr(2)},
                                                         {"key_fingerprint", std::string(95, ':')},
                                                         {"seen", "WAITING"},
                                                         {"id", ""},
                                                         {"id", "a b"},
                                                         {"id", std::string(65, 'a')},
                                                         {"who", ""},
                                                         {"who", "alice\n"},
                                                         {"who", std::string(256, 'a')},
                                                         {"command", "a\x1b[2J"},
                                                         {"time", "now"}};
  for (const auto& [name, text] : hostile) {
    CAPTURE(name, text);
    const auto refused = fleet::parse_asked(changed(value, name, Json(text)).dump());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().location == std::string("/") + name);
  }
  CHECK(fleet::parse_asked(changed(value, "of a newer program", Json::Array()).dump()));
}

TEST_CASE("CsrValues: an answer is read as it was written, and its texts mean nothing to a terminal") {
  const auto read = fleet::parse_answer(fleet::answer_value(answer()));
  REQUIRE(read);
  CHECK(read->id == answer().id);
  CHECK(read->verb == CsrVerb::kApprove);
  CHECK(read->who == "alice");
  CHECK(read->time == kNow);
  REQUIRE(read->problem.has_value());
  CHECK(read->problem->code == ErrorCode::kConflict);
  CHECK(read->problem->message == "here: another key");
  REQUIRE(read->broker_problem.has_value());
  CHECK(read->broker_problem->code == ErrorCode::kIoError);
  CHECK(read->warnings == std::vector<std::string>{"not in the audit log"});

  const CsrAnswer plain{asked().id, CsrVerb::kDeny, "alice", kNow, std::nullopt, std::nullopt, {}};
  const auto none = fleet::parse_answer(fleet::answer_value(plain));
  REQUIRE(none);
  CHECK_FALSE(none->problem.has_value());
  CHECK_FALSE(none->broker_problem.has_value());
  CHECK(none->warnings.empty());

  const std::string value = fleet::answer_value(answer());
  const auto hostile = fleet::parse_answer(
      changed(value, "problem", Json::Object{{"code", "conflict"}, {"message", "a\x1b[2J"}}).dump());
  REQUIRE(hostile);
  CHECK(hostile->problem->message == "a?[2J");
  for (const Json& problem : {Json("text"), Json(), Json(Json::Object{{"code", "conflict"}}),
                              Json(Json::Object{{"code", "unheard of"}, {"message", "m"}})}) {
    CHECK_FALSE(fleet::parse_answer(changed(value, "problem", problem).dump()));
  }
  for (const Json& warnings : {Json("text"), Json(Json::Array{Json(7)}),
                               Json(Json::Array{Json("1"), Json("2"), Json("3"), Json("4")})}) {
    CHECK_FALSE(fleet::parse_answer(changed(value, "warnings", warnings).dump()));
  }
}

TEST_CASE("CsrValues: whatever the site's errors say, its answer can be read") {
  CsrAnswer odd = answer();
  odd.who = std::string(300, '\xff');
  std::string umlauts;
  while (umlauts.size() < 5000) umlauts += "\xc3\xbc";
  odd.problem = Error{ErrorCode::kParseError, umlauts, std::string("\0\x1b", 2)};
  odd.broker_problem = Error{ErrorCode::kIoError, umlauts, ""};
  odd.warnings.assign(9, umlauts);
  const auto read = fleet::parse_answer(fleet::answer_value(odd));
  INFO((read ? std::string() : read.error().to_string()));
  REQUIRE(read);
  CHECK(read->warnings.size() == 3);
  CHECK(fleet::is_plain(read->problem->message));
}

TEST_CASE("ValueMembers: a text is made plain, of whole characters") {
  CHECK(fleet::made_plain("abc") == "abc");
  CHECK(fleet::made_plain("a\tb\x7f") == "a?b?");
  CHECK(fleet::made_plain("\xc3\xbc") == "\xc3\xbc");
  CHECK(fleet::made_plain("a\xff") == "a?");
  CHECK(fleet::made_plain("a\xc3\xbc", 2) == "a");
  CHECK(fleet::made_plain("a\xc3\xbc", 3) == "a\xc3\xbc");
  CHECK(fleet::is_plain("\xc3\xbc"));
  CHECK_FALSE(fleet::is_plain("\xc3"));
  CHECK_FALSE(fleet::is_plain("a\n"));
}

}  // namespace vipauth::test
