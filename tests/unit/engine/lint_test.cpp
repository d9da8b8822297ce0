#include <vipauth/lint.hpp>

#include <algorithm>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;
using Catch::Contains;

namespace {

const TopicRules kNoRules;

/// "error bad-key /allow/0/credentials", one a line.
std::string found(const std::vector<LintFinding>& findings) {
  std::string out;
  for (const LintFinding& finding : findings) {
    out += std::string(to_string(finding.severity)) + " " + finding.check + " " + finding.place + "\n";
  }
  return out;
}

std::string lint_allow(const std::string& records, const std::string& rest = "") {
  return found(lint(policy("{'allow':[" + records + "]" + rest + "}"), kNoRules, kNow));
}

std::string lint_deny(const std::string& records) {
  return found(lint(policy("{'deny':[" + records + "]}"), kNoRules, kNow));
}

/// A record of key A with more members.
std::string record(const std::string& more, const std::string& key = kKeyA) {
  return "{'user_id':'user" + key.substr(0, 1) + "','credentials':'" + key + "'" + (more.empty() ? "" : ",") +
         more + "}";
}

/// All findings of one policy.
std::vector<LintFinding> all_of(const std::string& text) { return lint(policy(text), kNoRules, kNow); }

}  // namespace

TEST_CASE("lint: a good file has no findings") {
  CHECK(lint(Policy(), kNoRules, kNow).empty());
  const Policy good =
      policy("{'allow':[" +
             record("'identity':'A','address':'/10\\\\..*/','roles':['r'],'groups':['g'],"
                    "'rpc_method_authorizations':{'m':['c'],'open':[],'none':['']}") +
             "," + record("'capabilities':[{'x':{'p':'/(a|b)/'}}]", kKeyB) + "],'deny':[{'credentials':'" +
             kKeyC + "'}],'roles':{'r':['c'],'s':['d']},'groups':{'g':['s']}}");
  const TopicRules rules = topic_rules(
      "{'write-protect':[{'topic':'foo','capabilities':['c','d']}],"
      "'read-protect':[{'topic':'/(a|b).*/','capabilities':'x'}]}");
  CHECK(found(lint(good, rules, kNow)).empty());
}

TEST_CASE("lint: what is not understood is an error at its place") {
  CHECK(lint_allow("{'credentials':'short'}") == "error bad-key /allow/0/credentials\n");
  CHECK(lint_allow(record("'roles':5")) == "error bad-record /allow/0/roles\n");
  CHECK(lint_allow("5") == "error bad-record /allow/0\n");
  CHECK(lint_deny("{'credentials':'short'}") == "error bad-deny-record /deny/0/credentials\n");
  CHECK(lint_allow(record("'rpc_method_authorizations':[]")) ==
        "error bad-methods /allow/0/rpc_method_authorizations\n");
  const std::string names =
      lint_allow(record("'roles':['r'],'groups':['g']"), ",'roles':{'r':5},'groups':{'g':[5]}");
  CHECK(names == "error bad-group /groups/g/0\nerror bad-role /roles/r\n");
}

TEST_CASE("lint: a message never holds a password") {
  const auto findings = all_of(
      "{'allow':[{'mechanism':'PLAIN','user_id':'u','credentials':'pa55word'},"
      "{'mechanism':'PLAIN','user_id':'u','credentials':'pa55word'}],"
      "'deny':[{'mechanism':'PLAIN','credentials':'pa55word'}]}");
  CHECK(findings.size() >= 4);
  for (const LintFinding& finding : findings) {
    CHECK_THAT(finding.message + finding.remedy, !Contains("pa55word"));
    for (const std::string& word : finding.command) CHECK_THAT(word, !Contains("pa55word"));
  }
}

TEST_CASE("lint: passwords that are not hashed") {
  CHECK(lint_allow("{'mechanism':'PLAIN','user_id':'u','credentials':'p'}") ==
        "warning plain-text-password /allow/0/credentials\n");
  CHECK(lint_allow("{'mechanism':'PLAIN','user_id':'u','credentials':'$argon2id$v=19'}").empty());
}

TEST_CASE("lint: a slash at one end only") {
  CHECK(lint_allow(record("'address':'/10.*'")) == "warning half-slashed-pattern /allow/0/address\n");
  CHECK(lint_allow(record("'domain':['vip','.*/']")) == "warning half-slashed-pattern /allow/0/domain\n");
  CHECK(lint_allow(record("'capabilities':{'c':{'x':'/a.*'}}")) ==
        "warning half-slashed-pattern /allow/0/capabilities\n");
  CHECK(found(lint(Policy(), topic_rules("{'write-protect':[{'topic':'/a.*','capabilities':[]}]}"), kNow)) ==
        "warning half-slashed-pattern /write-protect/0/topic\n"
        "warning no-requirement /write-protect/0/capabilities\n");
  CHECK(lint_allow(record("'address':'/10'")).empty());
  const auto findings = all_of("{'allow':[" + record("'address':'/10.*'") + "]}");
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].command == std::vector<std::string>{"update", "0", "--address", "/10.*/"});
}

TEST_CASE("lint: patterns that VOLTTRON reads differently") {
  CHECK(lint_allow(record("'address':'/10.1|10.2/'")) == "warning anchoring /allow/0/address\n");
  CHECK(lint_allow(record("'address':'/(?i)a/'")) == "warning anchoring /allow/0/address\n");
  for (const char* same : {"/(10.1|10.2)/", "/a[|]b/", "/a[]|]b/", "/a\\\\|b/", "/(?i:a|b)/", "a|b"}) {
    CHECK(lint_allow(record("'address':'" + std::string(same) + "'")).empty());
  }
  const auto findings = all_of("{'allow':[" + record("'address':'/(?is)a|b/'") + "]}");
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].command.back() == "/(?is:a|b)/");
}

TEST_CASE("lint: keys, restrictions and topics that VOLTTRON reads differently") {
  const auto allowed = all_of("{'allow':[{'user_id':'u','credentials':'/A.*|B.*/'}]}");
  REQUIRE(found(allowed) == "warning anchoring /allow/0/credentials\n");
  CHECK(allowed[0].command == std::vector<std::string>{"update", "0", "--credentials", "/(A.*|B.*)/"});
  const auto denied = all_of("{'deny':[{'credentials':'/A.*|B.*/'}]}");
  REQUIRE(found(denied) == "warning anchoring /deny/0/credentials\n");
  CHECK(denied[0].command.empty());
  CHECK_THAT(denied[0].remedy, Contains("/(A.*|B.*)/"));
  CHECK(lint_deny("{'credentials':'/(A.*|B.*)/'}").empty());
  CHECK(lint_allow(record("'capabilities':{'c':{'x':'/a|b/'}}")) ==
        "warning anchoring /allow/0/capabilities\n");
  const auto of_topic = [](const std::string& topic) {
    return found(lint(policy("{'allow':[" + record("'capabilities':'c'") + "]}"),
                      topic_rules("{'write-protect':[{'topic':'" + topic + "','capabilities':'c'}]}"), kNow));
  };
  CHECK(of_topic("/a|b/") == "warning anchoring /write-protect/0/topic\n");
  CHECK(of_topic("/(a|b)/").empty());
}

TEST_CASE("lint: required capabilities that cannot be read, with and without an identity") {
  const auto named = all_of("{'allow':[" + record("'identity':'I','rpc_method_authorizations':5") + "]}");
  REQUIRE(found(named) == "error bad-methods /allow/0/rpc_method_authorizations\n");
  CHECK_THAT(named[0].message, Contains("every call to \"I\" is refused"));
  const auto nameless = all_of("{'allow':[" + record("'rpc_method_authorizations':5") + "]}");
  REQUIRE(found(nameless) == "error bad-methods /allow/0/rpc_method_authorizations\n");
  CHECK_THAT(nameless[0].message, !Contains("refused"));
}

TEST_CASE("lint: restrictions that grant nothing, and templates") {
  CHECK(lint_allow(record("'capabilities':{'c':{'x':'/a(/'}}")) ==
        "error bad-restriction /allow/0/capabilities\n");
  CHECK(lint_allow(record("'identity':'I','capabilities':{'c':{'x':'{identity}'}}")) ==
        "warning template /allow/0/capabilities\n");
  CHECK(lint_allow(record("'capabilities':{'c':{'x':'/{identity}.*/'}}")) ==
        "warning template /allow/0/capabilities\nwarning template-without-identity /allow/0/capabilities\n");
  CHECK(lint_allow(record("'roles':['r']"), ",'roles':{'r':{'c':{'x':1}}}") ==
        "warning restricted-role /roles/r\n");
}

TEST_CASE("lint: roles and groups that do not exist, or that nobody has") {
  CHECK(lint_allow(record("'roles':['r'],'groups':['g']")) ==
        "warning unknown-role /allow/0/roles/0\nwarning unknown-group /allow/0/groups/0\n");
  CHECK(lint_allow("", ",'roles':{'r':['c']},'groups':{'g':['r','s']}") ==
        "warning unused-group /groups/g\nwarning unknown-role /groups/g/1\nwarning unused-role /roles/r\n");
}

TEST_CASE("lint: names with a slash and hyphens are pointers and arguments") {
  const auto findings = all_of("{'roles':{'--a/b~':[]}}");
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].place == "/roles/--a~1b~0");
  CHECK(findings[0].command == std::vector<std::string>{"remove-role", "--", "--a/b~"});
}

TEST_CASE("lint: times") {
  CHECK(lint_allow(record("'not_after':'2026-01-01T00:00:00Z'")) ==
        "warning expired-record /allow/0/not_after\n");
  CHECK(lint_allow(record("'not_before':'2027-01-01T00:00:00Z'")) ==
        "warning not-yet-valid /allow/0/not_before\n");
  CHECK(lint_allow(record("'not_before':'2026-01-01T00:00:00Z','not_after':'2027-01-01T00:00:00Z'")).empty());
}

TEST_CASE("lint: a record behind one that meets the same peers") {
  const auto two = [](const std::string& first, const std::string& second) {
    return lint_allow("{'user_id':'a','credentials':'" + kKeyA + "'" + first +
                      "},{'user_id':'b','credentials':'" + kKeyA + "'" + second + "}");
  };
  const std::string shadowed = "warning shadowed-record /allow/1\n";
  CHECK(two("", "") == shadowed);
  CHECK(two("", ",'address':'10.0.0.1'") == shadowed);
  CHECK(two(",'address':'/10.*/'", ",'address':'10.0.0.1'") == shadowed);
  CHECK(two(",'address':['10.0.0.1','10.0.0.2']", ",'address':'10.0.0.2'") == shadowed);
  const std::string beside = "warning duplicate-credentials /allow/1/credentials\n";
  CHECK(two(",'address':'10.0.0.1'", "") == beside);
  CHECK(two(",'address':'10.0.0.1'", ",'address':'10.0.0.2'") == beside);
  CHECK(two(",'domain':'x'", ",'address':'10.0.0.2'") == beside);
  CHECK(two(",'enabled':false", "").empty());
  CHECK(lint_allow(record("") + "," + record("", kKeyB)).empty());
}

TEST_CASE("lint: patterns that accept every key, and what stands behind them") {
  const std::string open = "{'user_id':'a','credentials':'/.*/'}";
  CHECK(lint_allow(open) == "error open-credentials /allow/0/credentials\n");
  CHECK(lint_allow("{'user_id':'a','credentials':'/[A-Za-z0-9_-]+/','address':'10.0.0.1'}") ==
        "warning open-credentials /allow/0/credentials\n");
  CHECK(lint_allow("{'user_id':'a','credentials':'/A.*/'}").empty());
  CHECK(lint_allow(open + ",{'user_id':'b','credentials':'/A.*/'}," + record("")) ==
        "error open-credentials /allow/0/credentials\nwarning shadowed-record /allow/1\n");
  CHECK(lint_allow("{'user_id':'a','credentials':'/A.*/'},{'user_id':'b','credentials':'/B.*/'}").empty());
}

TEST_CASE("lint: NULL records") {
  CHECK(lint_allow("{'mechanism':'NULL','user_id':'n'}") == "error open-null-record /allow/0\n");
  CHECK(lint_allow("{'mechanism':'NULL','user_id':'n','address':'10.0.0.1'}").empty());
}

TEST_CASE("lint: denied records, and deny records that deny nothing") {
  const auto with_deny = [](const std::string& deny) {
    return found(lint(policy("{'allow':[" + record("") + "],'deny':[" + deny + "]}"), kNoRules, kNow));
  };
  CHECK(with_deny("{'credentials':'" + kKeyA + "'}") == "warning denied-record /allow/0\n");
  CHECK(with_deny("{'credentials':'/A.*/'}") == "warning denied-record /allow/0\n");
  CHECK(with_deny("{'credentials':'" + kKeyA + "','address':'10.0.0.1'}").empty());
  CHECK(lint_deny("{'credentials':'" + kKeyA + "','enabled':false}") ==
        "warning idle-deny-record /deny/0/enabled\n");
  CHECK(lint_deny("{'credentials':'" + kKeyA + "'},{'credentials':'" + kKeyA + "','domain':'x'}") ==
        "warning idle-deny-record /deny/1\n");
  CHECK(lint_deny("{'mechanism':'PLAIN','credentials':'$argon2id$x'}") ==
        "warning idle-deny-record /deny/0\n");
  CHECK(lint_deny("{'credentials':'/.*/'}") == "warning deny-everybody /deny/0/credentials\n");
}

TEST_CASE("lint: NULL and PLAIN records are denied as keys are") {
  const auto with_deny = [](const std::string& record, const std::string& deny) {
    return found(lint(policy("{'allow':[" + record + "],'deny':[" + deny + "]}"), kNoRules, kNow));
  };
  const std::string null = "{'mechanism':'NULL','user_id':'n','address':'10.0.0.1'}";
  CHECK(with_deny(null, "{'mechanism':'NULL'}") == "warning denied-record /allow/0\n");
  CHECK(with_deny(null, "{'credentials':'" + kKeyA + "'}").empty());
  const auto plain = [](const std::string& name, const std::string& hash) {
    return "{'mechanism':'PLAIN','user_id':'" + name + "','credentials':'$argon2id$" + hash + "'}";
  };
  CHECK(with_deny(plain("p", "x"), plain("p", "x")) == "warning denied-record /allow/0\n");
  CHECK(with_deny(plain("p", "x"), plain("q", "x")).empty());
  CHECK(with_deny(plain("p", "x"), plain("p", "y")).empty());
  CHECK(with_deny(record(""), "{'credentials':'/B.*/'}").empty());
}

TEST_CASE("lint: a deny record outside of its time denies nothing") {
  CHECK(lint_deny("{'credentials':'" + kKeyA + "','not_after':'2026-11-20T00:00:00Z'}") ==
        "warning idle-deny-record /deny/0/not_after\n");
  CHECK(lint_deny("{'credentials':'" + kKeyA + "','not_before':'2026-11-22T00:00:00Z'}") ==
        "warning idle-deny-record /deny/0/not_before\n");
  CHECK(lint_deny("{'credentials':'" + kKeyA +
                  "','not_before':'2026-11-20T00:00:00Z','not_after':'2026-11-22T00:00:00Z'}")
            .empty());
}

TEST_CASE("lint: behind very many records of one key, one that is open still shadows all that follow") {
  const auto rival = [](const std::string& address) {
    return "{'credentials':'" + kKeyA + "'" + (address.empty() ? "" : ",'address':'" + address + "'") + "}";
  };
  std::string records;
  for (int i = 0; i < 40; ++i) records += rival("10.0.0." + std::to_string(i)) + ",";
  CHECK(lint_deny(records + rival("") + "," + rival("192.168.0.1")) == "warning idle-deny-record /deny/41\n");
  CHECK(lint_deny(records + rival("192.168.0.1")).empty());
}

TEST_CASE("lint: user ids and identities that are shared or the platform's") {
  CHECK(lint_allow(record("") + ",{'user_id':'userA','credentials':'" + kKeyB + "'}") ==
        "warning shared-user-id /allow/1/user_id\n");
  CHECK(lint_allow(record("'identity':'I'") + "," + record("'identity':'I'", kKeyB)) ==
        "error shared-identity /allow/1/identity\n");
  CHECK(lint_allow(record("'identity':'userB'") + "," + record("", kKeyB)) ==
        "error shared-identity /allow/1/user_id\n");
  CHECK(lint_allow(record("'identity':'control'")) == "warning platform-name /allow/0/identity\n");
}

TEST_CASE("lint: grants that widen, and requirements that nobody meets") {
  CHECK(lint_allow(record("'capabilities':{'c':{'x':1}},'roles':['r']"), ",'roles':{'r':['c']}") ==
        "warning widened-grant /allow/0\n");
  CHECK(lint_allow(record("'capabilities':[{'c':{'x':1}},{'c':{'x':2}}]")).empty());
  CHECK(
      lint_allow(record("'identity':'I','rpc_method_authorizations':{'a/b':['c','d']},'capabilities':'c'")) ==
      "warning unheld-requirement /allow/0/rpc_method_authorizations/a~1b\n");
  CHECK(lint_allow(record("'rpc_method_authorizations':{'m':['c']}")) ==
        "warning methods-without-identity /allow/0/rpc_method_authorizations\n");
}

TEST_CASE("lint: topics that nobody may use") {
  const auto with_rules = [](const std::string& rules) {
    return found(lint(policy("{'allow':[" + record("'capabilities':['a','b']") + "," +
                             record("'capabilities':'c'", kKeyB) + "]}"),
                      topic_rules(rules), kNow));
  };
  CHECK(with_rules("{'write-protect':[{'topic':'t','capabilities':['a','c']}]}") ==
        "warning unpublishable-topic /write-protect/0/capabilities\n");
  CHECK(with_rules("{'write-protect':[{'topic':'t','capabilities':['a','b']}]}").empty());
  // Every rule that covers the longer topic counts.
  CHECK(with_rules(
            "{'read-protect':[{'topic':'t','capabilities':['a']},{'topic':'t/u','capabilities':['c']}]}") ==
        "warning unreceivable-topic /read-protect/1/capabilities\n");
  CHECK(with_rules("{'read-protect':[{'topic':'/t.*/','capabilities':['']}]}") ==
        "warning unreceivable-topic /read-protect/0/capabilities\n");
}

TEST_CASE("lint: very many patterns of topics that no plain text tells apart are reported") {
  const auto with_rules = [](const std::string& rules) {
    return found(
        lint(policy("{'allow':[" + record("'capabilities':['a']") + "]}"), topic_rules(rules), kNow));
  };
  const auto rules = [](int count, const std::string& topic, bool is_numbered) {
    std::string out = "{'write-protect':[";
    for (int i = 0; i < count; ++i) {
      out += (i == 0 ? "" : ",") + std::string("{'topic':'/") + topic +
             (is_numbered ? std::to_string(1000 + i) : "") + "/','capabilities':['a']}";
    }
    return out + "]}";
  };
  CHECK(with_rules(rules(100, "[a-z]+[0-9]", false)).empty());
  const std::string reported = with_rules(rules(101, "[a-z]+[0-9]", false));
  CHECK(reported.starts_with("warning slow-pattern /write-protect/0/topic\n"));
  CHECK(std::count(reported.begin(), reported.end(), '\n') == 101);
  CHECK_FALSE(with_rules(rules(101, "same[a-z]+", false)).empty());
  CHECK(with_rules(rules(500, ".*x", true)).empty());
  CHECK(with_rules(rules(500, "same[a-z]+", true)).empty());
}

TEST_CASE("lint: too many grants are an error, and the rest is looked at all the same") {
  std::string names;
  for (int i = 0; i < 5000; ++i) names += (i == 0 ? "'c" : ",'c") + std::to_string(i) + "'";
  const std::string out = lint_allow(record("'capabilities':[" + names + "],'roles':['none']"));
  CHECK(out == "warning unknown-role /allow/0/roles/0\nerror too-many-grants /allow/0\n");
}

TEST_CASE("lint: findings are in the order of the files, and each has its check in the list") {
  const auto findings = lint(
      policy("{'roles':{'r':5},'deny':[5],'allow':[5," + record("'roles':['x']") + "],'groups':{'g':[]}}"),
      topic_rules("{'write-protect':[{'topic':'t','capabilities':[]}]}"), kNow);
  CHECK(found(findings) ==
        "error bad-record /allow/0\nwarning unknown-role /allow/1/roles/0\nerror bad-deny-record /deny/0\n"
        "warning unused-group /groups/g\nerror bad-role /roles/r\nwarning unused-role /roles/r\n"
        "warning no-requirement /write-protect/0/capabilities\n");
  const std::vector<LintCheck> checks = lint_checks();
  CHECK(std::is_sorted(checks.begin(), checks.end(),
                       [](const LintCheck& a, const LintCheck& b) { return a.name < b.name; }));
  for (const LintFinding& finding : findings) {
    CHECK(std::any_of(checks.begin(), checks.end(),
                      [&](const LintCheck& check) { return check.name == finding.check; }));
  }
}
