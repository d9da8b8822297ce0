#include "fleet/fleet_content.hpp"

#include <vipauth/auth_file.hpp>
#include <vipauth/policy_snapshot.hpp>

#include "fleet_contents.hpp"
#include "support/catch.hpp"
#include "support/temp_home.hpp"

namespace vipauth::test {
namespace {

std::vector<std::string> users(const std::vector<Policy::Entry>& entries) {
  std::vector<std::string> out;
  out.reserve(entries.size());
  for (const Policy::Entry& entry : entries) out.push_back(entry.source.text_at("user_id"));
  return out;
}

std::vector<std::string> names(const Json& object) {
  std::vector<std::string> out;
  for (const Json::Member& member : object.as_object()) out.push_back(member.name);
  return out;
}

/// Why a policy may not be put in force; empty where it may.
std::string refusal(const FleetContent& content) {
  const auto policy = content.policy();
  if (!policy) return policy.error().to_string();
  const auto snapshot = PolicySnapshot::compile(*policy, TopicProtector(TopicRules()), kNow);
  return snapshot ? std::string() : snapshot.error().to_string();
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("FleetContent: nothing is an empty policy, and no rules") {
  const FleetContent content(true);
  const auto policy = content.policy();
  REQUIRE(policy);
  CHECK(policy->to_json() == Policy().to_json());
  CHECK(policy->version()->minor == 4);
  const auto topics = content.topics();
  REQUIRE(topics);
  CHECK(topics->to_json() == TopicDocument().to_json());
  CHECK(content.size() == 0);
  CHECK(content.problems().empty());
}

TEST_CASE("FleetContent: the fleet's records come before the site's, each in the order of ranks") {
  FleetContent content(true);
  content.apply(at_rank(Scope::kSite, Kind::kAllow, 1), record("s1"));
  content.apply(at_rank(Scope::kFleet, Kind::kAllow, 20), record("f2"));
  content.apply(at_rank(Scope::kFleet, Kind::kAllow, 3), record("f1"));
  content.apply(at_rank(Scope::kSite, Kind::kDeny, 1), record("sd"));
  content.apply(at_rank(Scope::kFleet, Kind::kDeny, 2), record("fd"));
  const auto policy = content.policy();
  REQUIRE(policy);
  CHECK(users(policy->allow()) == std::vector<std::string>{"f1", "f2", "s1"});
  CHECK(users(policy->deny()) == std::vector<std::string>{"fd", "sd"});
  CHECK(content.size() == 5);

  content.apply(at_rank(Scope::kFleet, Kind::kAllow, 3), std::nullopt);
  content.apply(at_rank(Scope::kFleet, Kind::kAllow, 20), record("f3"));
  content.apply(at_rank(Scope::kFleet, Kind::kAllow, 99), std::nullopt);
  CHECK(users(content.policy()->allow()) == std::vector<std::string>{"f3", "s1"});
}

TEST_CASE("FleetContent: is what AuthFile loads of a file with the same records") {
  const std::string document =
      "{'allow': [{'user_id': 'a', 'x': [1.50, null]}, 7, {'credentials': 5}], 'deny': ['text'], 'groups': "
      "{'g': ['r'], "
      "'h': 3}, 'roles': {'q': {'c': null}, 'r': 'c', 'z': [[1]]}, 'version': {'major': 1, 'minor': 4}, "
      "'other': [1]}";
  TempHome home;
  home.write("auth.json", text(document));
  const auto loaded = AuthFile(home.path() / "auth.json").load();
  REQUIRE(loaded);

  FleetContent content(false);
  const Json parsed = json(document);
  std::uint64_t rank = 0;
  for (const Json& item : parsed.find("allow")->as_array())
    content.apply(at_rank(Scope::kFleet, Kind::kAllow, ++rank), item.dump_pretty());
  for (const Json& item : parsed.find("deny")->as_array())
    content.apply(at_rank(Scope::kFleet, Kind::kDeny, ++rank), item.dump());
  for (const auto& member : parsed.find("roles")->as_object())
    content.apply(of_name(Scope::kFleet, Kind::kRole, member.name), member.value.dump());
  for (const auto& member : parsed.find("groups")->as_object())
    content.apply(of_name(Scope::kFleet, Kind::kGroup, member.name), member.value.dump());
  content.apply(of_name(Scope::kFleet, Kind::kPolicyMembers, ""), text("{'other': [1]}"));

  const auto policy = content.policy();
  REQUIRE(policy);
  CHECK(policy->to_json().dump() == loaded->to_json().dump());
  REQUIRE(policy->problems().size() == loaded->problems().size());
  for (std::size_t i = 0; i < policy->problems().size(); ++i)
    CHECK(policy->problems()[i].to_string() == loaded->problems()[i].to_string());
}

TEST_CASE(
    "FleetContent: roles and groups are sorted by name, the fleet's first and in the place of a site's") {
  for (const Kind kind : {Kind::kRole, Kind::kGroup}) {
    FleetContent content(true);
    content.apply(of_name(Scope::kSite, kind, "a"), text("['of site']"));
    content.apply(of_name(Scope::kSite, kind, "m"), text("['of site']"));
    content.apply(of_name(Scope::kFleet, kind, "z"), text("['of fleet']"));
    content.apply(of_name(Scope::kFleet, kind, "m"), text("['of fleet']"));
    const Json document = content.policy()->to_json();
    const Json& named = *document.find(to_string(kind));
    CHECK(names(named) == std::vector<std::string>{"m", "z", "a"});
    CHECK(*named.find("m") == json("['of fleet']"));
    CHECK(content.size() == 4);
    const auto problems = content.problems();
    REQUIRE(problems.size() == 1);
    CHECK(problems.front().location == "site/" + std::string(to_string(kind)) + "/m");

    content.apply(of_name(Scope::kFleet, kind, "m"), std::nullopt);
    CHECK(*content.policy()->to_json().find(to_string(kind))->find("m") == json("['of site']"));
  }
}

TEST_CASE("FleetContent: an allow record that is not understood matches nobody and is reported") {
  for (const std::string value : {"", "{", "{'user_id': 'a'}", "\xff", "{\"a\": 1, \"a\": 2}", "null", "7",
                                  "\"text\"", "[]", "{\"credentials\": 5}"}) {
    CAPTURE(value);
    FleetContent content(false);
    content.apply(at_rank(Scope::kFleet, Kind::kAllow, 1), record("first"));
    content.apply(at_rank(Scope::kFleet, Kind::kAllow, 2), value);
    const auto policy = content.policy();
    REQUIRE(policy);
    REQUIRE(policy->allow().size() == 2);
    CHECK_FALSE(policy->allow()[1].record);
    REQUIRE(policy->problems().size() == 1);
    CHECK(policy->problems()[0].location.starts_with("/allow/1"));
    CHECK(refusal(content).empty());
  }
}

TEST_CASE("FleetContent: a deny record that is not understood keeps the policy from being put in force") {
  for (const Scope scope : {Scope::kFleet, Scope::kSite}) {
    for (const std::string value : {"", "{", "null", "\"text\"", "[[\"x\"]]", "{\"credentials\": 5}"}) {
      CAPTURE(value);
      FleetContent content(true);
      content.apply(at_rank(scope, Kind::kDeny, 1), record("good"));
      CHECK(refusal(content).empty());
      content.apply(at_rank(scope, Kind::kDeny, 2), value);
      CHECK_FALSE(refusal(content).empty());
      CHECK(refusal(content).find("/deny/1") != std::string::npos);
      content.apply(at_rank(scope, Kind::kDeny, 2), std::nullopt);
      CHECK(refusal(content).empty());
    }
  }
}

TEST_CASE("FleetContent: a role or group that is not understood grants nothing, in no form") {
  for (const std::string value : {"", "not json", "{", "\xff"}) {
    CAPTURE(value);
    FleetContent content(false);
    content.apply(of_name(Scope::kFleet, Kind::kRole, "r"), value);
    content.apply(of_name(Scope::kFleet, Kind::kGroup, "g"), value);
    const auto policy = content.policy();
    REQUIRE(policy);
    REQUIRE(policy->find_role("r") != nullptr);
    CHECK_FALSE(policy->find_role("r")->capabilities);
    REQUIRE(policy->find_group("g") != nullptr);
    CHECK_FALSE(policy->find_group("g")->roles);
    CHECK(policy->problems().size() == 2);
  }
}

TEST_CASE("FleetContent: a topic rule that is not understood keeps all rules from being put in force") {
  for (const Kind kind : {Kind::kWriteProtect, Kind::kReadProtect}) {
    for (const std::string value : {"", "{", "null", "{\"topic\": \"/(/\", \"capabilities\": []}", "{}"}) {
      CAPTURE(value);
      FleetContent content(true);
      content.apply(at_rank(Scope::kFleet, kind, 1), text("{'topic': 'a', 'capabilities': []}"));
      REQUIRE(content.topics());
      CHECK(content.topics()
                ->rules(kind == Kind::kWriteProtect ? TopicList::kWriteProtect : TopicList::kReadProtect)
                .size() == 1);
      content.apply(at_rank(Scope::kSite, kind, 0x2a), value);
      const auto topics = content.topics();
      REQUIRE_FALSE(topics);
      CHECK(topics.error().location.starts_with("site/" + std::string(to_string(kind)) +
                                                "/000000000000002a: /"));
      content.apply(at_rank(Scope::kSite, kind, 0x2a), std::nullopt);
      CHECK(content.topics());
    }
  }
}

TEST_CASE("FleetContent: a key of a list without a rank is not understood, whatever its value") {
  for (const Scope scope : {Scope::kFleet, Scope::kSite}) {
    FleetContent content(true);
    content.apply(at_rank(scope, Kind::kAllow, 1), record("good"));
    content.apply(malformed(scope, Kind::kAllow, "\xff"), record("bad"));
    const auto policy = content.policy();
    REQUIRE(policy);
    CHECK(users(policy->allow()) == std::vector<std::string>{"", "good"});
    CHECK_FALSE(policy->allow()[0].record);
    CHECK(refusal(content).empty());
    CHECK(content.key_at(Kind::kAllow, 0) == malformed(scope, Kind::kAllow, "\xff"));
    CHECK(content.key_at(Kind::kAllow, 1) == at_rank(scope, Kind::kAllow, 1));
    CHECK_FALSE(content.key_at(Kind::kAllow, 2));

    content.apply(malformed(scope, Kind::kDeny, ""), record("bad"));
    CHECK_FALSE(refusal(content).empty());
    content.apply(malformed(scope, Kind::kDeny, ""), std::nullopt);
    CHECK(refusal(content).empty());

    CHECK(content.topics());
    content.apply(malformed(scope, Kind::kWriteProtect, "x"), text("{'topic': 'a', 'capabilities': []}"));
    CHECK_FALSE(content.topics());
  }
}

TEST_CASE("FleetContent: what stands for a value that is not JSON tells nothing of it") {
  FleetContent content(false);
  content.apply(at_rank(Scope::kFleet, Kind::kAllow, 1), "{\"credentials\": \"secret\",}");
  CHECK(content.policy()->to_json().dump().find("secret") == std::string::npos);
  for (const Error& problem : content.policy()->problems())
    CHECK(problem.to_string().find("secret") == std::string::npos);
}

TEST_CASE("FleetContent: whatever is stored, the documents can be written and read") {
  for (std::size_t depth = 95; depth <= 101; ++depth) {
    CAPTURE(depth);
    FleetContent content(true);
    for (const Kind kind : {Kind::kAllow, Kind::kDeny})
      content.apply(at_rank(Scope::kSite, kind, 1), "{\"x\": " + nested(depth - 1) + "}");
    content.apply(of_name(Scope::kSite, Kind::kRole, "r"), nested(depth));
    content.apply(of_name(Scope::kSite, Kind::kPolicyMembers, ""), "{\"x\": " + nested(depth - 1) + "}");
    content.apply(malformed(Scope::kSite, Kind::kDeny, "\xff\x1b"), "");
    const auto policy = content.policy();
    REQUIRE(policy);
    const auto read = Json::parse(policy->to_json().dump());
    REQUIRE(read);
    CHECK(read->dump() == policy->to_json().dump());
    // Only what is too deep is not understood.
    CHECK((policy->allow()[0].source.find("x") != nullptr) == (depth <= Json::kMaxDepth - 2));
  }
}

TEST_CASE("FleetContent: other members are kept, the fleet's first, and none stands for a list") {
  FleetContent content(true);
  content.apply(of_name(Scope::kFleet, Kind::kPolicyMembers, ""), text("{'b': 1, 'a': 'fleet'}"));
  content.apply(
      of_name(Scope::kSite, Kind::kPolicyMembers, ""),
      text("{'a': 'site', 'c': 2, 'deny': [], 'allow': [{}], 'version': {'major': 9}, 'roles': 5}"));
  const auto policy = content.policy();
  REQUIRE(policy);
  CHECK(
      policy->to_json().dump() ==
      text(
          "{'allow': [], 'deny': [], 'groups': {}, 'roles': {}, 'version': {'major': 1, 'minor': 4}, 'b': 1, "
          "'a': 'fleet', 'c': 2}"));
  CHECK(content.problems().size() == 5);

  content.apply(of_name(Scope::kFleet, Kind::kTopicsMembers, ""), text("{'b': 1}"));
  content.apply(of_name(Scope::kSite, Kind::kTopicsMembers, ""), text("{'write-protect': 7, 'c': 2}"));
  const auto topics = content.topics();
  REQUIRE(topics);
  CHECK(topics->to_json().dump() == text("{'b': 1, 'c': 2}"));
}

TEST_CASE("FleetContent: members that are no object are reported, and keep nothing from working") {
  FleetContent content(true);
  content.apply(of_name(Scope::kFleet, Kind::kPolicyMembers, ""), "{");
  content.apply(of_name(Scope::kSite, Kind::kTopicsMembers, ""), "[]");
  CHECK(content.policy()->to_json() == Policy().to_json());
  CHECK(content.topics());
  const auto problems = content.problems();
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].location == "fleet/policy");
  CHECK(problems[1].location == "site/topics");
}

TEST_CASE("FleetContent: a fleet of another version is refused, and a site cannot say so") {
  FleetContent content(true);
  content.apply(of_name(Scope::kFleet, Kind::kPolicyMembers, ""),
                text("{'version': {'major': 1, 'minor': 4}}"));
  content.apply(of_name(Scope::kSite, Kind::kPolicyMembers, ""),
                text("{'version': {'major': 2, 'minor': 0}}"));
  CHECK(content.policy());
  content.apply(of_name(Scope::kFleet, Kind::kPolicyMembers, ""),
                text("{'version': {'major': 2, 'minor': 0}}"));
  REQUIRE_FALSE(content.policy());
  CHECK(content.policy().error().code == ErrorCode::kUnsupported);
}

TEST_CASE("FleetContent: the text of its policy says what the policy says") {
  FleetContent content(true);
  const auto written = [&] {
    std::string out;
    content.write_policy([&](std::string_view text) {
      out += text;
      return true;
    });
    return out;
  };
  CHECK(*Json::parse(written()) == content.policy()->to_json());
  content.apply(at_rank(Scope::kFleet, Kind::kAllow, kStep), "{ \"user_id\" : \"spaced\" }");
  content.apply(at_rank(Scope::kFleet, Kind::kAllow, 2 * kStep), "no json");
  content.apply(malformed(Scope::kFleet, Kind::kDeny, "\xff/"), record("x"));
  content.apply(at_rank(Scope::kSite, Kind::kAllow, 7), record("s"));
  content.apply(of_name(Scope::kFleet, Kind::kRole, "both \" \n"), "[]");
  content.apply(of_name(Scope::kSite, Kind::kRole, "both \" \n"), "[ \"hidden\" ]");
  content.apply(of_name(Scope::kSite, Kind::kGroup, "mine"), "null");
  content.apply(of_name(Scope::kFleet, Kind::kPolicyMembers, ""), text("{'x': [1, {'y': 2}]}"));
  CHECK(Json::parse(written())->dump() == content.policy()->to_json().dump());
  CHECK(content.policy_problem()->location == "/deny/0");
  std::string first;
  content.write_policy([&](std::string_view text) {
    first += text;
    return false;
  });
  CHECK(first == written());  // one block: more are not handed over
}

TEST_CASE("FleetContent: guards are no content, nor is a site where there is none") {
  FleetContent content(false);
  content.apply(at_rank(Scope::kFleet, Kind::kGuard, 0), "{}");
  content.apply(at_rank(Scope::kSite, Kind::kAllow, 1), record("s"));
  content.apply(malformed(Scope::kSite, Kind::kDeny, "x"), "");
  content.apply(of_name(Scope::kSite, Kind::kRole, "x"), "[]");
  CHECK(content.size() == 0);
  CHECK(content.policy()->to_json() == Policy().to_json());
}

}  // namespace vipauth::test
