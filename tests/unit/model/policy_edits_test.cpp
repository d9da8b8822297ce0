#include <vipauth/policy.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

using Catch::Contains;

namespace {

/// A policy with the allow records of a list; `A`, `B` and `C` stand for keys.
Policy allowing(std::string text) {
  for (const auto& [letter, key] :
       {std::pair("'A'", kKeyA), std::pair("'B'", kKeyB), std::pair("'C'", kKeyC)}) {
    for (std::size_t at = text.find(letter); at != std::string::npos; at = text.find(letter, at)) {
      text.replace(at, 3, "'" + key + "'");
    }
  }
  return policy("{'allow':" + text + "}");
}

std::string dump(const Policy& p) { return p.to_json().dump(); }

std::string role_after(const std::string& source, const std::string& added) {
  Policy p = policy("{'roles':{'r':" + source + "}}");
  REQUIRE(p.add_to_role("r", json(added)));
  return p.find_role("r")->source.dump();
}

std::string role_without(const std::string& source, const std::vector<std::string>& names) {
  Policy p = policy("{'roles':{'r':" + source + "}}");
  REQUIRE(p.remove_from_role("r", names));
  return p.find_role("r")->source.dump();
}

/// What the record at an index lists for the method m.
std::string listed(const Policy& p, std::size_t index) {
  const Json* methods = p.allow()[index].source.find("rpc_method_authorizations");
  const Json* names = methods == nullptr ? nullptr : methods->find("m");
  return names == nullptr ? "nothing" : names->dump();
}

}  // namespace

// ---- Records ----

TEST_CASE("Policy: an update changes the given fields in their places, and nothing else") {
  Policy p = allowing(
      "[{'colour':'blue','user_id':'a','comments':'x','credentials':'A','rpc_method_authorizations':"
      "{'m':['c']},'capabilities':'c1','domain':'vip'},'junk']");
  REQUIRE(p.update_allow(0, json("{'comments':'y','enabled':false,'capabilities':['c2']}")));
  CHECK(dump(p) == allowing("[{'colour':'blue','user_id':'a','comments':'y','credentials':'A',"
                            "'rpc_method_authorizations':{'m':['c']},'capabilities':['c2'],'domain':'vip',"
                            "'enabled':false},'junk']")
                       .to_json()
                       .dump());
  CHECK_FALSE(p.allow()[0].record->enabled);
}

TEST_CASE("Policy: an update that changes nothing leaves the record as it was written") {
  Policy p = allowing("[{'user_id':'a','credentials':'A'}]");
  const std::string before = dump(p);
  REQUIRE(p.update_allow(0, json("{}")));
  REQUIRE(p.update_allow(0, json("{'user_id':'a','domain':null,'not_after':null}")));
  CHECK(dump(p) == before);
}

TEST_CASE("Policy: null clears a field") {
  Policy p = allowing(
      "[{'user_id':'a','credentials':'A','domain':'vip','roles':['r'],'capabilities':{'c':null},"
      "'enabled':false,'not_after':'2026-11-21T21:30:00Z','colour':'blue'}]");
  REQUIRE(p.update_allow(0, json("{'domain':null,'roles':null,'capabilities':null,'enabled':null,"
                                 "'not_after':null,'colour':null}")));
  CHECK(dump(p) == allowing("[{'user_id':'a','credentials':'A','domain':null,'roles':[],'capabilities':{},"
                            "'enabled':true}]")
                       .to_json()
                       .dump());
  REQUIRE(p.update_allow(0, json("{'user_id':null}")));
  CHECK(p.allow()[0].source.find("user_id")->as_string().size() == 36);
  CHECK(p.update_allow(0, json("{'credentials':null}")).error().location == "/allow/0/credentials");
}

TEST_CASE("Policy: an update keeps users and peers apart from other records, not from their own") {
  Policy p = allowing("[{'user_id':'a','credentials':'A'},'junk',{'user_id':'c','credentials':'C'}]");
  const std::string before = dump(p);
  const auto user = p.update_allow(0, json("{'user_id':'c'}"));
  CHECK(user.error().code == ErrorCode::kAlreadyExists);
  CHECK(user.error().message == "user_id c is already in use at index [2]");
  CHECK(p.update_allow(0, json("{'credentials':'" + kKeyC + "'}")).error().message ==
        "entry matches domain, address and credentials at index [2]");
  CHECK(dump(p) == before);
  CHECK(p.update_allow(0, json("{'user_id':'a','credentials':'" + kKeyA + "','comments':'x'}")));
  CHECK(p.update_allow(0, json("{'credentials':'" + kKeyC + "','address':'10.0.0.1'}")));
}

TEST_CASE("Policy: records that share a user_id already may be updated") {
  Policy p = allowing("[{'user_id':'a','credentials':'A'},{'user_id':'a','credentials':'B'}]");
  CHECK(p.update_allow(1, json("{'comments':'the new key'}")));
  CHECK(p.update_allow(1, json("{'credentials':'" + kKeyC + "'}")));
  CHECK_FALSE(p.update_allow(1, json("{'credentials':'" + kKeyA + "'}")));
}

TEST_CASE("Policy: an update of what is not there, or of no record, or to no record, changes nothing") {
  Policy p = allowing("[{'user_id':'a','credentials':'A'},'junk']");
  const std::string before = dump(p);
  CHECK(p.update_allow(9, json("{}")).error().code == ErrorCode::kNotFound);
  CHECK(p.update_allow(9, json("{}")).error().message == "invalid index 9");
  CHECK(p.update_allow(1, json("{'user_id':'b'}")).error().location == "/allow/1");
  CHECK(p.update_allow(0, json("{'roles':'r'}")).error().location == "/allow/0/roles");
  CHECK(p.update_allow(0, json("{'domain':'/(/'}")).error().location == "/allow/0/domain");
  CHECK_FALSE(p.update_allow(0, json("[]")));
  CHECK(dump(p) == before);
}

TEST_CASE("Policy: an update may make a record understood") {
  Policy p = allowing("[{'user_id':'a','credentials':'short'},{'user_id':'a','credentials':'A','roles':5}]");
  CHECK(p.update_allow(0, json("{'comments':'x'}")).error().location == "/allow/0/credentials");
  CHECK(p.update_allow(0, json("{'credentials':'" + kKeyB + "'}")));
  CHECK(p.update_allow(1, json("{'roles':[]}")).error().message ==
        "user_id a is already in use at index [0]");
  CHECK(p.update_allow(1, json("{'roles':[],'user_id':'b'}")));
  CHECK(p.problems().empty());
}

TEST_CASE("Policy: a new key is kept in its base64url form, and one that is not named as it is") {
  const std::string z85 = "HseegXD$I9[!-IP5)tT4]0}66PFL:6M$E+$+*ikc";
  Policy p = allowing("[{'user_id':'a','credentials':'" + z85 + "'}]");
  REQUIRE(p.update_allow(0, json("{'comments':'x'}")));
  CHECK(p.allow()[0].source.find("credentials")->as_string() == z85);
  REQUIRE(p.update_allow(0, json("{'credentials':'" + z85 + "'}")));
  CHECK(p.allow()[0].source.find("credentials")->as_string() ==
        "htI7e7kJQAbyGCEHEloKjfK5QcKgM-b1mGcm18zPqHE");
}

TEST_CASE("Policy: a key does not become a password, nor a password a key") {
  Policy p =
      allowing("[{'user_id':'a','credentials':'A'},{'user_id':'p','mechanism':'PLAIN','credentials':'B'}]");
  CHECK(p.update_allow(0, json("{'mechanism':'PLAIN'}")).error().location == "/allow/0/credentials");
  CHECK(p.update_allow(1, json("{'mechanism':'CURVE'}")).error().location == "/allow/1/credentials");
  CHECK(p.update_allow(0, json("{'mechanism':'CURVE'}")));
  REQUIRE(p.update_allow(1, json("{'mechanism':'NULL','address':'10.0.0.1'}")));
  CHECK(p.allow()[1].source.find("credentials")->is_null());
  CHECK(p.update_allow(1, json("{'mechanism':'PLAIN','credentials':'new'}")));
}

// ---- Roles and groups ----

TEST_CASE("Policy: a role takes further capabilities in the form that it has") {
  CHECK(role_after("['a','b']", "['b','c','c']") == R"(["a","b","c"])");
  CHECK(role_after("'a'", "['a']") == R"("a")");
  CHECK(role_after("'a'", "['b']") == R"(["a","b"])");
  CHECK(role_after("{'a':null}", "['b',{'c':{'x':1}}]") == R"({"a":null,"b":null,"c":{"x":1}})");
  CHECK(role_after("['a',{'b':{'x':1}}]", "{'b':{'x':2},'a':null}") ==
        R"(["a",{"b":{"x":1}},{"b":{"x":2}}])");
  CHECK(role_after("null", "'a'") == R"(["a"])");
  CHECK(role_after("''", "['a']") == R"(["a"])");
  CHECK(role_after("['a','a']", "[]") == R"(["a","a"])");
}

TEST_CASE("Policy: a role that is a map becomes a list where a map cannot hold the grants") {
  CHECK(role_after("{'a':null,'b':{'x':1}}", "[{'b':{'x':2}}]") == R"(["a",{"b":{"x":1}},{"b":{"x":2}}])");
  CHECK(role_after("{'a':null}", "[{'b':{'x':1}},{'b':{'x':2}}]") == R"(["a",{"b":{"x":1}},{"b":{"x":2}}])");
  CHECK(role_after("{'b':{'x':1}}", "[{'b':{'x':1.0}}]") == R"({"b":{"x":1}})");
  CHECK(role_after("{'b':{}}", "['b']") == R"({"b":{}})");
}

TEST_CASE("Policy: removing from a role takes every grant of the name") {
  CHECK(role_without("['a','b','a']", {"a", "nope"}) == R"(["b"])");
  CHECK(role_without("['a',{'b':{'x':1},'c':null},{'b':{'x':2}}]", {"b"}) == R"(["a",{"c":null}])");
  CHECK(role_without("{'a':null,'b':{'x':1}}", {"b"}) == R"({"a":null})");
  CHECK(role_without("'a'", {"a"}) == "[]");
  CHECK(role_without("'a'", {"b"}) == R"("a")");
  CHECK(role_without("null", {"b"}) == "null");
}

TEST_CASE("Policy: roles that are not there, or not understood, are not edited") {
  Policy p = policy("{'roles':{'bad':5,'r':[]}}");
  const std::string before = dump(p);
  CHECK(p.add_to_role("x", json("['a']")).error().message == "role \"x\" does not exist");
  CHECK(p.remove_from_role("x", {"a"}).error().code == ErrorCode::kNotFound);
  CHECK(p.remove_role("x").error().message == "role \"x\" does not exist");
  CHECK(p.add_to_role("bad", json("['a']")).error().location == "/roles/bad");
  CHECK(p.remove_from_role("bad", {"a"}).error().location == "/roles/bad");
  CHECK_FALSE(p.add_to_role("r", json("[5]")));
  CHECK(dump(p) == before);
  CHECK(p.remove_role("bad"));
  CHECK(p.problems().empty());
}

TEST_CASE("Policy: groups are added, changed and removed as roles are") {
  Policy p = policy("{'groups':{'none':null,'bad':5,'twice':['a','a']}}");
  CHECK(p.add_group("g", {"r1", "r2", "r1"}));
  CHECK(p.add_group("g", {"r3"}).error().message == "group \"g\" already exists");
  CHECK(p.add_to_group("g", {"r2", "r3"}));
  CHECK(p.remove_from_group("g", {"r1", "nope"}));
  CHECK(p.find_group("g")->source.dump() == R"(["r2","r3"])");
  CHECK(p.add_to_group("none", {}));
  CHECK(p.find_group("none")->source.is_null());
  CHECK(p.add_to_group("none", {"r"}));
  CHECK(p.find_group("none")->source.dump() == R"(["r"])");
  CHECK(p.add_to_group("twice", {"a"}));
  CHECK(p.find_group("twice")->source.dump() == R"(["a","a"])");
  CHECK(p.add_to_group("bad", {"r"}).error().location == "/groups/bad");
  CHECK(p.remove_from_group("bad", {"r"}).error().location == "/groups/bad");
  CHECK(p.add_to_group("x", {"r"}).error().message == "group \"x\" does not exist");
  CHECK(p.remove_from_group("x", {"r"}).error().code == ErrorCode::kNotFound);
  CHECK(p.remove_group("x").error().code == ErrorCode::kNotFound);
  CHECK(p.remove_group("g"));
  CHECK(p.find_group("g") == nullptr);
}

// ---- Methods ----

TEST_CASE("Policy: capabilities that a method requires are added once, and removed") {
  Policy p = allowing("[{'user_id':'a','identity':'ag','credentials':'A','colour':'blue'}]");
  REQUIRE(p.add_rpc_authorizations("ag", "m", {"c1", "c2", "c1"}));
  REQUIRE(p.add_rpc_authorizations("ag", "m", {"c2", "c3"}));
  CHECK(listed(p, 0) == R"(["c1","c2","c3"])");
  REQUIRE(p.remove_rpc_authorizations("ag", "m", {"c1"}));
  CHECK(listed(p, 0) == R"(["c2","c3"])");
  REQUIRE(p.remove_rpc_authorizations("ag", "m", {"c3", "c2"}));
  CHECK(listed(p, 0) == R"([""])");
  REQUIRE(p.add_rpc_authorizations("ag", "m", {"c4"}));
  CHECK(listed(p, 0) == R"(["c4"])");
  CHECK(p.allow()[0].source.find("colour")->as_string() == "blue");
  CHECK(p.allow()[0].source.find("domain") == nullptr);
}

TEST_CASE("Policy: several records of an identity require together") {
  Policy p = allowing(
      "[{'user_id':'a','identity':'ag','credentials':'A'},{'user_id':'a','identity':'ag','credentials':'B',"
      "'enabled':false,'rpc_method_authorizations':{'m':['c1']}},{'user_id':'a','identity':'ag',"
      "'credentials':'C','rpc_method_authorizations':{'m':['c1','c2']}}]");
  REQUIRE(p.add_rpc_authorizations("ag", "m", {"c2", "c3"}));
  CHECK(listed(p, 0) == "nothing");
  CHECK(listed(p, 1) == R"(["c1","c3"])");
  REQUIRE(p.remove_rpc_authorizations("ag", "m", {"c1", "c3"}));
  CHECK(listed(p, 1) == R"([""])");
  CHECK(listed(p, 2) == R"(["c2"])");
}

TEST_CASE("Policy: an empty name among others is a name that somebody wrote") {
  Policy p = allowing(
      "[{'user_id':'a','identity':'ag','credentials':'A','rpc_method_authorizations':{'m':['','c']}}]");
  REQUIRE(p.add_rpc_authorizations("ag", "m", {"d"}));
  CHECK(listed(p, 0) == R"(["","c","d"])");
  REQUIRE(p.remove_rpc_authorizations("ag", "m", {""}));
  CHECK(listed(p, 0) == R"(["c","d"])");
  CHECK(p.add_rpc_authorizations("ag", "m", {""}).error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("Policy: who does not exist requires nothing, and the message says who does") {
  Policy p = allowing(
      "[{'user_id':'u','credentials':'A'},{'user_id':'b','identity':'zed','credentials':'B'},"
      "{'user_id':'c','identity':'ag','credentials':'bad'},{'user_id':'d','identity':'zed','credentials':'C'}"
      "]");
  const std::string before = dump(p);
  const auto unknown = p.add_rpc_authorizations("nobody", "m", {"c"});
  CHECK(unknown.error().code == ErrorCode::kNotFound);
  CHECK(unknown.error().message == "no record has the identity \"nobody\": there are ['zed']");
  CHECK_THAT(p.remove_rpc_authorizations("u", "m", {"c"}).error().message,
             Contains("index [0] has that user_id, and no identity"));
  CHECK_FALSE(p.add_rpc_authorizations("ag", "m", {"c"}));  // not understood, so it is nobody's
  CHECK_FALSE(p.add_rpc_authorizations("", "m", {"c"}));
  CHECK(dump(p) == before);
}

TEST_CASE("Policy: what is not listed is not removed, and the message says what is") {
  Policy p = allowing(
      "[{'user_id':'a','identity':'ag','credentials':'A','rpc_method_authorizations':{'m':['c'],'n':[''],"
      "'o':[]}}]");
  const std::string before = dump(p);
  const auto message = [&](const std::string& method, const std::vector<std::string>& capabilities) {
    const auto removed = p.remove_rpc_authorizations("ag", method, capabilities);
    return removed ? "removed" : removed.error().message;
  };
  CHECK(message("zzz", {"c"}) == "\"ag\" lists no method \"zzz\": it lists ['m', 'n', 'o']");
  CHECK(message("m", {"c", "x"}) == "\"m\" of \"ag\" does not require \"x\": it requires ['c']");
  CHECK(message("n", {"c"}) == "\"n\" of \"ag\" does not require \"c\": it requires nothing");
  CHECK(message("n", {""}) == "\"n\" of \"ag\" does not require \"\": it requires nothing");
  CHECK(message("o", {"c"}) == "\"o\" of \"ag\" does not require \"c\": it requires nothing");
  CHECK(dump(p) == before);
}

TEST_CASE("Policy: ill-typed requirements are left alone") {
  for (const std::string field : {"5", "{'m':'c'}", "{'n':[1]}"}) {
    Policy p = allowing(
        "[{'user_id':'a','identity':'ag','credentials':'A','rpc_method_authorizations':" + field + "}]");
    const std::string before = dump(p);
    CHECK(p.add_rpc_authorizations("ag", "m", {"c"}).error().location ==
          "/allow/0/rpc_method_authorizations");
    CHECK_FALSE(p.remove_rpc_authorizations("ag", "m", {"c"}));
    CHECK(dump(p) == before);
  }
}
