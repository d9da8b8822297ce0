#include "model/policy_upgrade.hpp"

#include <vipauth/auth_record.hpp>
#include <vipauth/authenticator.hpp>
#include <vipauth/capability_resolver.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

Json upgraded(std::string_view text) {
  auto done = upgrade_document(json(text));
  if (!done) throw std::runtime_error(done.error().to_string());
  return std::move(done->document);
}

/// The first allow record of a document of version 1.1 with one record, after the upgrade.
Json upgraded_record(const std::string& fields) {
  const Json document = upgraded("{'allow': [{'credentials': '" + kKeyA + "', " + fields +
                                 "}], 'version': {'major': 1, 'minor': 1}}");
  return document.find("allow")->as_array().at(0);
}

std::string capabilities(const std::string& fields) {
  return upgraded_record(fields).find("capabilities")->dump();
}

bool accepts(const Json& document, const std::string& key_text) {
  const auto authenticator = Authenticator::create(*Policy::parse(document), kNow);
  return authenticator && authenticator->authenticate({"vip", "127.0.0.1", key(key_text)}).decision.allowed();
}

}  // namespace

TEST_CASE("upgrade_document: the present version and newer ones are left as they are") {
  for (const char* version : {"{'major': 1, 'minor': 4}", "{'minor': 4.0, 'major': 1.0}",
                              "{'major': 1, 'minor': 9}", "{'major': 2, 'minor': 0}", "{'major': 2}"}) {
    const Json before =
        json("{'allow': [{'credentials': 'CURVE:x'}], 'version': " + std::string(version) + "}");
    const auto after = upgrade_document(before);
    REQUIRE(after);
    CHECK(after->document.dump() == before.dump());
    CHECK(after->from.empty());
  }
  CHECK(upgrade_document(json("[]"))->document.dump() == "[]");
}

TEST_CASE("upgrade_document: tells from which version") {
  CHECK(upgrade_document(json("{}"))->from == "0.0");
  CHECK(upgrade_document(json("{'version': {'major': 0}}"))->from == "0.0");
  CHECK(upgrade_document(json("{'version': {'major': 1, 'minor': 3}}"))->from == "1.3");
  CHECK(upgraded("{'version': {'minor': 3, 'major': 1, 'x': 1}, 'last': 1}").dump() ==
        R"({"version":{"minor":4,"major":1,"x":1},"last":1})");
}

TEST_CASE("upgrade_document: a version that cannot be read is refused, not guessed") {
  for (const char* version :
       {"'1.4'", "null", "[]", "1.4", "{}", "{'minor': 4}", "{'major': -1}", "{'major': 1, 'minor': '4'}",
        "{'major': 1, 'minor': null}", "{'major': 0.5}"}) {
    INFO(version);
    const auto refused = upgrade_document(json("{'version': " + std::string(version) + "}"));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().location == "/version");
  }
}

TEST_CASE("upgrade_document: credentials of 0.0 are split, and what they meant stays") {
  const Json document = upgraded("{'allow': [{'credentials': 'CURVE:" + kKeyA + "', 'user_id': 'a'}]}");
  CHECK(accepts(document, kKeyA));
  CHECK_FALSE(accepts(document, kKeyB));
  const Json denied = upgraded("{'allow': [{'credentials': 'CURVE:" + kKeyA +
                               "'}], 'deny': [{'credentials': 'CURVE:" + kKeyA + "', 'why': 'lost'}]}");
  CHECK_FALSE(accepts(denied, kKeyA));
  CHECK(denied.find("deny")->as_array()[0].find("why")->as_string() == "lost");
  CHECK(denied.find("deny")->as_array()[0].find("capabilities") == nullptr);
}

TEST_CASE("upgrade_document: credentials that cannot be said in the present version never match") {
  for (const std::string& credentials :
       {std::string("'/.*/'"), std::string("'/CURVE:.*/'"), std::string("'CURVE:/.*/'"), "'" + kKeyA + "'",
        std::string("'curve:" + kKeyA + "'"), std::string("'NULL:'"), std::string("''"), std::string("null"),
        std::string("5"), std::string("['NULL']")}) {
    for (const char* mechanism : {"", "'mechanism': 'CURVE', ", "'mechanism': 'NULL', "}) {
      INFO(credentials << mechanism);
      auto done = upgrade_document(json("{'allow': [{" + std::string(mechanism) +
                                        "'colour': 'red', 'credentials': " + credentials + "}]}"));
      REQUIRE(done);
      CHECK_FALSE(accepts(done->document, kKeyA));
      REQUIRE(done->warnings.size() == 1);
      CHECK(done->warnings[0].starts_with("/allow/0/credentials: "));
      const auto policy = Policy::parse(done->document);
      REQUIRE(policy->problems().size() == 1);
      CHECK(policy->problems()[0].location == "/allow/0/mechanism");
      CHECK(policy->allow()[0].source.find("colour")->as_string() == "red");
      CHECK(policy->allow()[0].source.find("credentials")->dump() == json(credentials).dump());
    }
  }
  const auto no_credentials = upgrade_document(json("{'allow': [{'mechanism': 'NULL'}, 'text', null]}"));
  REQUIRE(no_credentials);
  CHECK_FALSE(accepts(no_credentials->document, kKeyA));
  CHECK(no_credentials->document.find("allow")->as_array().size() == 3);
}

TEST_CASE("upgrade_document: a deny record that cannot be said keeps the policy from being used") {
  const Json document = upgraded("{'allow': [{'credentials': 'CURVE:" + kKeyA +
                                 "'}], 'deny': [{'credentials': '/CURVE:AAA.*/'}]}");
  CHECK_FALSE(Authenticator::create(*Policy::parse(document), kNow));
}

TEST_CASE("upgrade_document: a missing user_id is the derived one, a taken one too") {
  const std::string text =
      "{'allow': [{'credentials': 'CURVE:" + kKeyA + "'}, {'credentials': 'CURVE:" + kKeyA +
      "', 'user_id': 'same', 'address': 'x'}, {'credentials': 'CURVE:" + kKeyB + "', 'user_id': 'same'}]}";
  auto done = upgrade_document(json(text));
  REQUIRE(done);
  const Json::Array& allow = done->document.find("allow")->as_array();
  const auto user_id = [&](std::size_t i) { return allow[i].find("user_id")->as_string(); };
  CHECK(user_id(0) == derive_user_id(json("{'credentials': '" + kKeyA + "'}")));
  CHECK(user_id(1) == "same");
  CHECK(user_id(2) == derive_user_id(json("{'credentials': '" + kKeyB + "'}")));
  REQUIRE(done->warnings.size() == 1);
  CHECK(done->warnings[0].starts_with("/allow/2/user_id: \"same\""));
  CHECK(upgrade_document(json(text))->document.dump() == done->document.dump());
}

TEST_CASE("upgrade_document: from 1.1 on, two records may share a user_id") {
  const auto done = upgrade_document(json("{'allow': [{'credentials': '" + kKeyA +
                                          "', 'user_id': 'same'}, {'credentials': '" + kKeyB +
                                          "', 'user_id': 'same'}], 'version': {'major': 1, 'minor': 1}}"));
  REQUIRE(done);
  CHECK(done->document.find("allow")->as_array()[1].find("user_id")->as_string() == "same");
  CHECK(done->warnings.empty());
}

TEST_CASE("upgrade_document: the grant of the configuration store keeps the form of capabilities") {
  const std::string grant = R"("edit_config_store":{"identity":"a"})";
  CHECK(capabilities("'user_id': 'a'") == "{" + grant + "}");
  CHECK(capabilities("'user_id': 'a', 'capabilities': ''") == "{" + grant + "}");
  CHECK(capabilities("'user_id': 'a', 'capabilities': []") == "[{" + grant + "}]");
  CHECK(capabilities("'user_id': 'a', 'capabilities': 'x'") == R"(["x",{)" + grant + "}]");
  CHECK(capabilities("'user_id': 'a', 'capabilities': ['x', {'y': {'p': 1}}]") ==
        R"(["x",{"y":{"p":1}},{)" + grant + "}]");
  CHECK(capabilities("'user_id': 'a', 'capabilities': {'y': {'p': 1}}") == R"({"y":{"p":1},)" + grant + "}");
  CHECK(capabilities("'user_id': 'a', 'capabilities': 5") == "5");
}

TEST_CASE("upgrade_document: a grant of the configuration store that is there stays as it is") {
  for (const char* present :
       {"{'edit_config_store': {'identity': 'only.this'}}", "{'edit_config_store': null}",
        "'edit_config_store'", "['x', 'edit_config_store']",
        "['x', {'edit_config_store': {'identity': 'b'}}]"}) {
    CHECK(capabilities("'user_id': 'a', 'capabilities': " + std::string(present)) == json(present).dump());
  }
}

TEST_CASE("upgrade_document: of the configuration store a user gets its own part and no more") {
  const auto may_edit = [](const std::string& user_id, const std::string& identity) {
    const Json document = upgraded("{'allow': [{'identity': 'vip.id', 'credentials': '" + kKeyA +
                                   "', 'user_id': '" + user_id + "'}], 'version': {'major': 1, 'minor': 0}}");
    const auto resolver = CapabilityResolver::create(*Policy::parse(document), kNow);
    const std::vector<std::string> required{"edit_config_store"};
    const CallArguments arguments(Json::Object{{"identity", Json(identity)}});
    return resolver->authorize_call(user_id, "set_config", required, arguments).allowed();
  };
  CHECK(may_edit("a", "a"));
  CHECK_FALSE(may_edit("a", "b"));
  CHECK(may_edit("control", "b"));
  CHECK(may_edit("platform.agent", "b"));
  CHECK_FALSE(may_edit("control.connection", "b"));
  // Names that would be read as something else.
  CHECK(may_edit("/.*/", "/.*/"));
  CHECK_FALSE(may_edit("/.*/", "b"));
  CHECK(may_edit("{identity}", "{identity}"));
  CHECK_FALSE(may_edit("{identity}", "vip.id"));
  CHECK_FALSE(may_edit("/{identity}|.*/", "vip.id"));
}

TEST_CASE("upgrade_document: from 1.2 on nobody is given the configuration store") {
  for (const char* minor : {"2", "3"}) {
    const Json document =
        upgraded("{'allow': [{'credentials': '" + kKeyA + "', 'user_id': 'a'}, {'credentials': '" + kKeyB +
                 "'}], 'version': {'major': 1, 'minor': " + minor + "}}");
    CHECK(document.find("allow")->as_array()[0].find("capabilities") == nullptr);
    CHECK(document.find("allow")->as_array()[1].find("user_id") == nullptr);
  }
}

TEST_CASE("upgrade_document: records that are the same in everything get user_ids of their own") {
  const std::string record = "{'mechanism': 'CURVE', 'credentials': '" + kKeyA + "', 'user_id': 'a'}";
  const Json document = upgraded("{'allow': [" + record + ", " + record + ", " + record +
                                 "], 'version': {'major': 1, 'minor': 0}}");
  const auto& allow = document.find("allow")->as_array();
  REQUIRE(allow.size() == 3);
  CHECK(*allow[0].find("user_id") == Json("a"));
  CHECK_FALSE(*allow[1].find("user_id") == *allow[2].find("user_id"));
}
