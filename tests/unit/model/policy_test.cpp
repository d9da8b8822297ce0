#include <vipauth/policy.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

TEST_CASE("Policy: what it does not understand survives, in its place and order") {
  const std::string text =
      "{'custom':[1,2.50,{'z':1,'a':2}],'allow':['text',{'user_id':'u','credentials':'" + kKeyA +
      "','colour':'blue','capabilities':['a',{'b':{'x':1e2}}]},null],'deny':[{'credentials':'" + kKeyB +
      "','why':'stolen'}],'version':{'major':1,'minor':9,'patch':'x'},'roles':{'r':5},'groups':{'g':['r']}}";
  Policy p = policy(text);
  CHECK(p.to_json().dump() == json(text).dump());
  CHECK(p.problems().size() == 3);
  CHECK(p.problems()[0].location == "/allow/0");
  CHECK(p.problems()[1].location == "/allow/2");
  CHECK(p.problems()[2].location == "/roles/r");
  REQUIRE(p.add_allow(json("{'credentials':'" + kKeyC + "','user_id':'new','flavour':'mint'}")));
  REQUIRE(p.remove_allow({0}));
  const Json out = p.to_json();
  CHECK(out.find("allow")->as_array()[0].dump() == json(text).find("allow")->as_array()[1].dump());
  CHECK(out.find("allow")->as_array()[1].is_null());
  CHECK(out.find("allow")->as_array()[2].find("flavour")->as_string() == "mint");
  CHECK(p.problems()[0].location == "/allow/1");  // moved up
}

TEST_CASE("Policy: an added record has every field that VOLTTRON writes, and a user_id") {
  Policy p;
  REQUIRE(p.add_allow(json("{'credentials':'HseegXD$I9[!-IP5)tT4]0}66PFL:6M$E+$+*ikc'}")));
  const Json& source = p.allow()[0].source;
  std::string names;
  for (const Json::Member& member : source.as_object()) names += member.name + " ";
  CHECK(names ==
        "domain address mechanism credentials groups roles capabilities rpc_method_authorizations comments "
        "user_id identity enabled ");
  CHECK(source.find("credentials")->as_string() ==
        "htI7e7kJQAbyGCEHEloKjfK5QcKgM-b1mGcm18zPqHE");  // Z85 is only input
  CHECK(source.find("user_id")->as_string().size() == 36);
}

TEST_CASE("Policy: adding refuses what is taken, and what is not understood") {
  Policy p = policy("{'allow':[{'user_id':'a','credentials':'" + kKeyA +
                    "'},'junk',{'user_id':'c','credentials':'" + kKeyC + "'}]}");
  const auto added = [&](const std::string& text) { return p.add_allow(json(text)); };
  CHECK(added("{'user_id':'c','credentials':'" + kKeyB + "'}").error().message ==
        "user_id c is already in use at index [2]");
  CHECK(added("{'user_id':'x','credentials':'" + kKeyA + "'}").error().message ==
        "entry matches domain, address and credentials at index [0]");
  CHECK(added("{'user_id':'x','credentials':'" + kKeyA + "','address':''}").error().code ==
        ErrorCode::kAlreadyExists);
  CHECK(added("{'user_id':'x','credentials':'" + kKeyA + "','address':'10.0.0.1'}"));
  CHECK(added("{'user_id':'y'}").error().location == "/credentials");
  CHECK(added("'text'").error().code == ErrorCode::kInvalidArgument);
  CHECK(p.allow().size() == 4);
}

TEST_CASE("Policy: records that are added together may share a user_id, but all or none are added") {
  Policy p = policy("{'allow':[{'user_id':'a','credentials':'" + kKeyA + "'}]}");
  const Json b = json("{'user_id':'u','credentials':'" + kKeyB + "'}");
  const Json c = json("{'user_id':'u','credentials':'" + kKeyC + "'}");
  const Json taken = json("{'user_id':'a','credentials':'" + kKeyC + "'}");
  CHECK_FALSE(p.add_allow_together({b, taken}));
  CHECK(p.allow().size() == 1);
  CHECK(p.add_allow_together({b, c}));
  CHECK(p.allow().size() == 3);
}

TEST_CASE("Policy: removing takes indices as they are listed, each once, or nothing at all") {
  Policy p = policy("{'allow':['a','b','c','d']}");
  CHECK(p.remove_allow({0, 4}).error().message == "invalid index 4");
  CHECK(p.allow().size() == 4);
  CHECK(p.remove_allow({2, 0, 2}));
  CHECK(p.to_json().find("allow")->dump() == "[\"b\",\"d\"]");
}

TEST_CASE("Policy: a wrong type at the top fails the whole, with its place") {
  const auto location = [](std::string_view text) { return Policy::parse(json(text)).error().location; };
  CHECK(location("{'allow':null}") == "/allow");
  CHECK(location("{'allow':{}}") == "/allow");
  CHECK(location("{'deny':5}") == "/deny");
  CHECK(location("{'roles':[]}") == "/roles");
  CHECK(location("{'groups':'x'}") == "/groups");
  CHECK_FALSE(Policy::parse(json("[]")));
  CHECK(Policy::parse(json("{}")));
}

TEST_CASE("Policy: reads its version, however it is written") {
  const auto version = [](const std::string& text) { return policy("{'version':" + text + "}").version(); };
  CHECK(version("{'major':1,'minor':4}")->minor == 4);
  CHECK(version("{'major':2.0,'minor':1}")->major == 2);
  CHECK(version("{'major':1}")->minor == 0);
  CHECK_FALSE(version("'1.4'"));
  CHECK_FALSE(version("{'major':true,'minor':4}"));
  CHECK_FALSE(version("{'major':-1}"));
  CHECK_FALSE(policy("{}").version());
}

TEST_CASE("Policy: a role is added once, in the form it was written") {
  Policy p;
  CHECK(p.add_role("r", json("['a',{'b':{'x':1}}]")));
  CHECK(p.add_role("r", json("[]")).error().message == "role \"r\" already exists");
  CHECK(p.add_role("bad", json("[5]")).error().location == "/roles/bad/0");
  CHECK(p.to_json().find("roles")->dump() == "{\"r\":[\"a\",{\"b\":{\"x\":1}}]}");
}

TEST_CASE("AuthRecord: an empty text is as good as none, where VOLTTRON writes one") {
  const auto record =
      AuthRecord::parse(json("{'domain':'','address':'','user_id':'u','identity':'','roles':'','groups':'','"
                             "capabilities':'','credentials':'" +
                             kKeyA + "'}"));
  REQUIRE(record);
  CHECK(record->domain.empty());
  CHECK(record->address.empty());
  CHECK(record->identity.empty());
  CHECK(record->roles.empty());
  CHECK(record->capabilities.empty());
}

TEST_CASE("AuthRecord: comments may be anything") {
  for (const std::string comment : {"'/(/'", "5", "{'a':[]}", "null"}) {
    CHECK(AuthRecord::parse(json("{'credentials':'" + kKeyA + "','comments':" + comment + "}")));
  }
}

TEST_CASE("Policy: tells what the document says besides records and names") {
  CHECK(policy("{'x':1,'deny':[],'version':{'major':1,'minor':4},'roles':{},'y':[null]}")
            .other_members()
            .dump() == R"({"x":1,"version":{"major":1,"minor":4},"y":[null]})");
  CHECK(Policy().other_members().dump() == R"({"version":{"major":1,"minor":4}})");
  CHECK(policy("{}").other_members().dump() == "{}");
}
