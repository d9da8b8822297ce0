#include "model/document_change.hpp"

#include <vipauth/audit_event.hpp>

#include "base/sha256.hpp"
#include "support/catch.hpp"
#include "support/policies.hpp"

namespace vipauth::test {

TEST_CASE("change_between: an added and a removed record are whole") {
  const Json before = json("{'allow': [{'user_id': 'a', 'credentials': '" + kKeyA + "'}, {'user_id': 'b'}]}");
  const Json after = json("{'allow': [{'user_id': 'b'}, {'user_id': 'c', 'enabled': false}]}");
  const DocumentChange change = change_between(before, after);
  CHECK(change.before == json("{'allow': [{'user_id': 'a', 'credentials': '" + kKeyA + "'}]}"));
  CHECK(change.after == json("{'allow': [{'user_id': 'c', 'enabled': false}]}"));
}

TEST_CASE("change_between: of a changed record only what differs, and whose it is") {
  const Json before = json("{'allow': [{'user_id': 'a', 'roles': ['r'], 'enabled': true, 'comments': 'x'}]}");
  const Json after =
      json("{'allow': [{'user_id': 'a', 'roles': ['r', 's'], 'enabled': true, 'comments': 'x'}]}");
  const DocumentChange change = change_between(before, after);
  CHECK(change.before == json("{'allow': [{'user_id': 'a', 'roles': ['r']}]}"));
  CHECK(change.after == json("{'allow': [{'user_id': 'a', 'roles': ['r', 's']}]}"));
}

TEST_CASE("change_between: roles, groups, topic rules and order") {
  CHECK(change_between(json("{'roles': {'r': 'x', 's': 'y'}}"), json("{'roles': {'r': 'x', 's': 'z'}}"))
            .after == json("{'roles': {'s': 'z'}}"));
  CHECK(change_between(json("{'groups': {'g': ['r']}}"), json("{'groups': {}}")).before ==
        json("{'groups': {'g': ['r']}}"));
  CHECK(change_between(json("{}"), json("{'write-protect': [{'topic': 't', 'capabilities': 'c'}]}")).after ==
        json("{'write-protect': [{'topic': 't', 'capabilities': 'c'}]}"));
  CHECK(change_between(json("{'allow': [{'user_id': 'a'}, {'user_id': 'b'}]}"),
                       json("{'allow': [{'user_id': 'b'}, {'user_id': 'a'}]}"))
            .after == json("{'allow': '(another order)'}"));
}

TEST_CASE("change_between: the same content has no difference, in whatever form") {
  const DocumentChange change =
      change_between(json("{'allow': [{'user_id': 'a', 'domain': null}], 'roles': {'r': 1}}"),
                     json("{'roles': {'r': 1.0}, 'allow': [{'domain': null, 'user_id': 'a'}]}"));
  CHECK(change.before.is_null());
  CHECK(change.after.is_null());
}

TEST_CASE("change_between: passwords are never shown, and that one changed is") {
  for (const char* record : {
           "{'user_id': 'p', 'mechanism': 'PLAIN', 'credentials': 'hunter2'}",
           "{'user_id': 'p', 'mechanism': 'PLAIN', 'credentials': '/hunter2/'}",
           "{'user_id': 'p', 'mechanism': 'plain', 'credentials': 'hunter2'}",
           "{'user_id': 'p', 'mechanism': 7, 'credentials': 'hunter2'}",
           "{'user_id': 'p', 'credentials': 'hunter2'}",
           "{'user_id': 'p', 'credentials': 'PLAIN:hunter2'}",
           "{'user_id': 'p', 'credentials': ['hunter2']}",
           "{'user_id': 'p', 'mechanism': 'PLAIN', 'password': 'hunter2', 'credentials': 'x'}",
           "'hunter2'",
       }) {
    CAPTURE(record);
    const Json with = json("{'allow': [" + std::string(record) + "], 'secret': 'hunter2'}");
    const Json without = json("{'allow': [{'user_id': 'p', 'mechanism': 'PLAIN', 'credentials': 'other'}]}");
    for (const DocumentChange& change : {change_between(with, without), change_between(without, with)}) {
      CHECK_THAT(change.before.dump(), !Catch::Contains("hunter2"));
      CHECK_THAT(change.after.dump(), !Catch::Contains("hunter2"));
      CHECK_FALSE(change.before.is_null());
      CHECK_FALSE(change.after.is_null());
    }
  }
  const DocumentChange change =
      change_between(json("{'allow': [{'user_id': 'p', 'mechanism': 'PLAIN', 'credentials': 'one'}]}"),
                     json("{'allow': [{'user_id': 'p', 'mechanism': 'PLAIN', 'credentials': 'two'}]}"));
  CHECK(change.after == json("{'allow': [{'user_id': 'p', 'credentials': '(not shown)'}]}"));
}

TEST_CASE("change_between: public keys and patterns are shown") {
  const DocumentChange change = change_between(
      json("{}"), json("{'allow': [{'credentials': '" + kKeyB + "'}, {'credentials': '/A.*/'}]}"));
  CHECK_THAT(change.after.dump(), Catch::Contains(kKeyB) && Catch::Contains("/A.*/"));
}

TEST_CASE("content_digest: the same for each form of a content, and for each password") {
  const Json one = json("{'allow': [{'user_id': 'a', 'mechanism': 'PLAIN', 'credentials': 'one'}]}");
  const Json two = json("{'allow': [{'mechanism': 'PLAIN', 'credentials': 'two', 'user_id': 'a'}]}");
  CHECK(content_digest(one) == content_digest(two));
  CHECK(content_digest(one) != content_digest(json("{'allow': []}")));
  CHECK(content_digest(Json()) == sha256_hex(""));
}

TEST_CASE("sha256_hex: what sha256sum prints") {
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("AuditEvent: only what is not empty is written") {
  AuditEvent event;
  event.time = kNow;
  event.allowed = false;
  event.reason = Reason::kUnknown;
  event.credentials = kKeyA;
  CHECK(to_json(event).dump() == R"({"time":"2026-11-21T00:00:00Z","kind":"authentication","allowed":false,)"
                                 R"("reason":"unknown","credentials":")" +
                                     kKeyA + R"("})");
}

TEST_CASE("AuditEvent: of a change that is too large it is told whose records, and which keys, they are") {
  AuditEvent event;
  event.after = Json::Object{
      {"allow", Json::Array{Json::Object{{"domain", nullptr},
                                         {"user_id", "stranger"},
                                         {"credentials", kKeyA},
                                         {"address", Json::Array{"10.0.0.1", "10.0.0.2"}},
                                         {"identity", std::string(9000, 'i')},
                                         {"capabilities", Json::Object{{"cap", std::string(9000, 'p')}}}},
                            "(not shown)", Json::Object{{"user_id", "other"}}}},
      {"roles", Json::Object{{"r", std::string(9000, 'r')}}}};
  const Json after = *to_json(event).find("after");
  CHECK(after.dump().size() <= AuditEvent::kMaxChangeBytes);
  CHECK(*after.find("cut") == Json(true));
  CHECK(*after.find("sha256") == Json(sha256_hex(event.after.dump())));
  CHECK(after.find("roles") == nullptr);
  const Json::Array& allow = after.find("allow")->as_array();
  REQUIRE(allow.size() == 3);
  CHECK(*allow[0].find("user_id") == Json("stranger"));
  CHECK(*allow[0].find("credentials") == Json(kKeyA));
  CHECK(*allow[0].find("address") == json("['10.0.0.1', '10.0.0.2']"));
  CHECK(allow[0].find("identity")->as_string().ends_with("..."));
  CHECK(allow[0].find("capabilities") == nullptr);
  CHECK(allow[2] == json("{'user_id': 'other'}"));
}

TEST_CASE("AuditEvent: of very many records that changed as many are told as there is room for") {
  Json::Array records;
  for (int i = 0; i < 1000; ++i) {
    records.emplace_back(Json::Object{{"user_id", std::to_string(i)}, {"credentials", kKeyA}});
  }
  AuditEvent event;
  event.before = Json::Object{{"allow", records}, {"deny", records}};
  const Json before = *to_json(event).find("before");
  CHECK(before.dump().size() <= AuditEvent::kMaxChangeBytes);
  CHECK(before.find("allow")->as_array().size() > 10);
  CHECK(before.find("deny")->as_array().size() > 10);
}

TEST_CASE("AuditEvent: hostile text is bounded and escaped") {
  AuditEvent event;
  event.subject = std::string(100'000, 'x');
  event.user_id = "\xff\n\"";
  event.callee = std::string(AuditEvent::kMaxTextBytes - 1, 'a') + "\xc3\xa9";
  event.after = Json(std::string(100'000, 'y'));
  const Json out = to_json(event);
  CHECK(out.find("subject")->as_string().size() == AuditEvent::kMaxTextBytes + 3);
  CHECK(out.find("user_id")->as_string() == "\\xff\n\"");
  CHECK(is_valid_utf8(out.find("callee")->as_string()));
  CHECK(out.find("after")->find("bytes")->as_number().digits == "100002");
  CHECK(out.dump().size() < 10'000);
  CHECK(out.dump().find('\n') == std::string::npos);
}

}  // namespace vipauth::test
