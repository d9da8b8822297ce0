#include <vipauth/policy_difference.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

PolicyDifference difference(const std::string& before, const std::string& after) {
  auto compared = compare(policy(before), policy(after), kNow);
  REQUIRE(compared);
  return *compared;
}

std::string allow(const std::string& members, const std::string& rest = "") {
  return "{'allow':[{'user_id':'u','credentials':'" + kKeyA + "'" + members + "}]" + rest + "}";
}

}  // namespace

TEST_CASE("compare: the same policy in another form is no difference") {
  const std::string before = allow(",'capabilities':{'c':{'x':1,'y':[1,2]},'d':null},'address':''");
  CHECK(difference(before, before).empty());
  CHECK(difference(before, allow(",'address':null,'roles':['r'],'comments':'other'",
                                 ",'roles':{'r':['d',{'c':{'y':[1.0,2],'x':1.00}}],'unused':['e']}"))
            .empty());
  CHECK(difference(allow(",'address':'a'"), allow(",'address':['a']")).empty());
  CHECK(difference("{'allow':[]}", "{'deny':[{'credentials':'" + kKeyA + "','enabled':false}]}").empty());
}

TEST_CASE("compare: users and grants gained and lost") {
  const std::string two = "{'allow':[{'user_id':'u','credentials':'" + kKeyA +
                          "'},{'user_id':'v','credentials':'" + kKeyB + "','capabilities':'c'}]}";
  const PolicyDifference gained = difference(allow(""), two);
  CHECK(gained.users_gained == std::vector<std::string>{"v"});
  CHECK(gained.users_lost.empty());
  REQUIRE(gained.users.size() == 1);
  CHECK(gained.users[0].user_id == "v");
  CHECK(gained.users[0].gained.at(0).name == "c");
  REQUIRE(gained.peers_gained.size() == 1);
  CHECK(gained.peers_gained[0].credentials == kKeyB);
  const PolicyDifference lost = difference(two, allow(""));
  CHECK(lost.users_lost == std::vector<std::string>{"v"});
  CHECK(lost.users.at(0).lost.at(0).name == "c");
}

TEST_CASE("compare: a restriction is part of a grant") {
  const PolicyDifference changed =
      difference(allow(",'capabilities':{'c':{'x':1}}"), allow(",'capabilities':{'c':{'x':true}}"));
  REQUIRE(changed.users.size() == 1);
  CHECK(changed.users[0].lost.at(0).restrictions.at(0).constraint == Json(1));
  CHECK(changed.users[0].gained.at(0).restrictions.at(0).constraint == Json(true));
  CHECK(changed.peers_gained.empty());
}

TEST_CASE("compare: a change of a role is one for everybody who has it") {
  const PolicyDifference changed =
      difference(allow(",'groups':['g']", ",'groups':{'g':['r']},'roles':{'r':['c']}"),
                 allow(",'groups':['g']", ",'groups':{'g':['r']},'roles':{'r':['c','d']}"));
  REQUIRE(changed.users.size() == 1);
  CHECK(changed.users[0].gained.at(0).name == "d");
  CHECK(changed.users[0].lost.empty());
}

TEST_CASE("compare: who is let in and kept out, and no password") {
  const PolicyDifference wider = difference(allow(",'address':'127.0.0.1'"), allow(""));
  CHECK(wider.users.empty());
  CHECK(wider.peers_lost.at(0).address == Json("127.0.0.1"));
  CHECK(wider.peers_gained.at(0).address.is_null());
  CHECK(difference(allow(""), allow(",'enabled':false")).users_lost == std::vector<std::string>{"u"});
  const PolicyDifference denied =
      difference(allow(""), allow("", ",'deny':[{'credentials':'" + kKeyA + "'}]"));
  CHECK(denied.denied_gained.size() == 1);
  CHECK(denied.users_lost == std::vector<std::string>{"u"});
  const auto plain = [](const std::string& password) {
    return "{'allow':[{'mechanism':'PLAIN','user_id':'p','credentials':'" + password + "'}]}";
  };
  const PolicyDifference password = difference(plain("one"), plain("two"));
  REQUIRE(password.peers_gained.size() == 1);
  CHECK(password.peers_gained[0].credentials.empty());
  CHECK(difference(plain("one"), plain("one")).empty());
}

TEST_CASE("compare: the identity that a record gives, and its times") {
  const PolicyDifference identity = difference(allow(",'identity':'a'"), allow(",'identity':'b'"));
  REQUIRE(identity.peers_gained.size() == 1);
  CHECK(identity.peers_lost.at(0).identity == "a");
  CHECK(identity.peers_gained[0].identity == "b");
  const PolicyDifference endless = difference(allow(",'not_after':'2999-01-01T00:00:00Z'"), allow(""));
  REQUIRE(endless.peers_gained.size() == 1);
  CHECK(endless.peers_lost.at(0).not_after == *parse_timestamp("2999-01-01T00:00:00Z"));
  CHECK_FALSE(endless.peers_gained[0].not_after);
  CHECK_FALSE(difference(allow(",'not_before':'2001-01-01T00:00:00Z'"), allow("")).empty());
  const auto denied = [](const std::string& members) {
    return allow("", ",'deny':[{'credentials':'" + kKeyB + "'" + members + "}]");
  };
  CHECK(difference(denied(""), denied(",'not_after':'2999-01-01T00:00:00Z'")).denied_gained.size() == 1);
  CHECK(difference(denied(",'identity':'a'"), denied(",'identity':'b'")).empty());
}

TEST_CASE("compare: the order of records of which the first that matches decides") {
  const auto listed = [](const std::string& records) { return "{'allow':[" + records + "]}"; };
  const std::string a = "{'user_id':'a','credentials':'/.*/'}";
  const std::string b = "{'user_id':'b','credentials':'/x.*/'}";
  const std::string c = "{'user_id':'c','credentials':'/y.*/'}";
  const std::string key = "{'user_id':'k','credentials':'" + kKeyA + "'}";
  const std::string null = "{'user_id':'n','mechanism':'NULL'}";
  const std::string local = "{'user_id':'l','mechanism':'NULL','address':'127.0.0.1'}";
  const PolicyDifference patterns = difference(listed(c + "," + a + "," + b), listed(c + "," + b + "," + a));
  REQUIRE(patterns.orders.size() == 1);
  REQUIRE(patterns.orders[0].before.size() == 2);
  CHECK(patterns.orders[0].before[0].user_id == "a");
  CHECK(patterns.orders[0].after.at(0).user_id == "b");
  CHECK(patterns.peers_gained.empty());
  CHECK_FALSE(patterns.empty());
  CHECK(difference(listed(null + "," + local), listed(local + "," + null)).orders.size() == 1);
  const std::string other = "{'user_id':'o','credentials':'" + kKeyA + "','identity':'o'}";
  CHECK(difference(listed(key + "," + other), listed(other + "," + key)).orders.size() == 1);
  CHECK(difference(listed(a + "," + key + "," + null), listed(null + "," + key + "," + a)).empty());
  CHECK(difference(listed(a + "," + b + "," + a), listed(a + "," + b)).empty());
  CHECK(difference(listed(a + "," + b), listed(b)).orders.empty());
}

TEST_CASE("compare: what methods require") {
  const auto with = [](const std::string& methods) {
    return allow(",'identity':'I','rpc_method_authorizations':" + methods);
  };
  const PolicyDifference changed =
      difference(with("{'m':['a','b'],'n':['c']}"), with("{'m':['b','a'],'o':['c']}"));
  REQUIRE(changed.methods.size() == 2);
  CHECK(changed.methods[0].method == "n");
  CHECK_FALSE(changed.methods[0].after);
  CHECK(changed.methods[1].after == std::vector<std::string>{"c"});
  CHECK(difference(with("{'m':[]}"), with("{'m':['']}")).empty());
  CHECK(difference(with("{}"), with("5")).unreadable_gained == std::vector<std::string>{"I"});
}

TEST_CASE("compare: a policy that is never in force is an error") {
  const auto compared = compare(policy("{}"), policy("{'deny':[5]}"), kNow);
  REQUIRE_FALSE(compared);
  CHECK(compared.error().location == "after: /deny/0");
}

TEST_CASE("compare: topic rules") {
  const TopicRules before = topic_rules(
      "{'write-protect':[{'topic':'a','capabilities':['x','y']},{'topic':'b','capabilities':[]}]}");
  CHECK(
      compare(before, topic_rules("{'write-protect':[{'topic':'a','capabilities':['y','x','y']}]}")).empty());
  const TopicRulesDifference changed =
      compare(before, topic_rules("{'read-protect':[{'topic':'a','capabilities':['x','y']}]}"));
  CHECK_FALSE(changed.lost.at(0).is_read);
  CHECK(changed.gained.at(0).is_read);
}

TEST_CASE("compare: a key that another user comes to share changes nothing for who had it") {
  const std::string alice = "{'user_id':'alice','credentials':'" + kKeyA +
                            "','capabilities':'c'},"
                            "{'user_id':'alice','mechanism':'PLAIN','credentials':'p'}";
  const std::string bob = "{'user_id':'bob','credentials':'" + kKeyA + "'}";
  const PolicyDifference shared =
      difference("{'allow':[" + alice + "]}", "{'allow':[" + alice + "," + bob + "]}");
  CHECK(shared.users_gained == std::vector<std::string>{"bob"});
  CHECK(shared.users_lost.empty());
  CHECK(shared.users.empty());
  REQUIRE(shared.peers_gained.size() == 1);
  CHECK(shared.peers_gained[0].user_id == "bob");
  CHECK(shared.peers_lost.empty());
  const PolicyDifference swapped =
      difference("{'allow':[" + alice + "," + bob + "]}", "{'allow':[" + bob + "," + alice + "]}");
  CHECK(swapped.users.empty());
  CHECK(swapped.orders.size() == 1);
}
