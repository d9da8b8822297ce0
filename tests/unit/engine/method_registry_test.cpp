#include <vipauth/method_registry.hpp>

#include <vipauth/identity_registry.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

TEST_CASE("MethodRegistry: lists what every method requires") {
  const MethodRegistry registry = MethodRegistry::create(
      policy("{'allow':[{'identity':'B','credentials':'" + kKeyA +
             "','rpc_method_authorizations':{'m':['x'],'open':['']}},{'identity':'B','enabled':false,'"
             "credentials':'" +
             kKeyB + "','rpc_method_authorizations':{'m':['y','x']}},{'identity':'A','credentials':'" +
             kKeyC + "','rpc_method_authorizations':5}]}"));
  const auto requirements = registry.requirements();
  REQUIRE(requirements.size() == 2);
  CHECK(requirements[0].identity == "B");
  CHECK(requirements[0].method == "m");
  CHECK(requirements[0].capabilities == std::vector<std::string>{"x", "y"});
  CHECK(requirements[1].capabilities.empty());
  CHECK(registry.unreadable() == std::vector<std::string>{"A"});
  CHECK(registry.knows("A"));
  CHECK_FALSE(registry.knows("C"));
}

TEST_CASE("MethodRegistry: a record that is not understood still protects the methods of its identity") {
  const std::string rest =
      "'identity':'B','user_id':'b','credentials':'" + kKeyA + "','rpc_method_authorizations':{'m':['x']}}]}";
  for (const std::string mistake :
       {"'domain':5,", "'address':'/(/',", "'enabled':'yes',", "'capabilities':7,"}) {
    CAPTURE(mistake);
    const MethodRegistry registry = MethodRegistry::create(policy("{'allow':[{" + mistake + rest));
    const auto required = registry.required("B", "m");
    REQUIRE(required);
    CHECK(std::vector<std::string>(required->begin(), required->end()) == std::vector<std::string>{"x"});
    CHECK(registry.required("B", "other")->empty());
    CHECK(registry.required("A", "m")->empty());
  }
  const MethodRegistry ill_typed = MethodRegistry::create(policy(
      "{'allow':[{'domain':5,'identity':'B','credentials':'" + kKeyA + "','rpc_method_authorizations':5}]}"));
  CHECK_FALSE(ill_typed.required("B", "m"));
  CHECK(ill_typed.unreadable() == std::vector<std::string>{"B"});
}

namespace {

std::vector<DeclaredMethod> one(const std::string& name, std::vector<std::string> capabilities) {
  return {{name, std::nullopt, std::move(capabilities)}};
}

MethodRegistry declared(const MethodRegistry& before, std::string_view identity,
                        std::vector<DeclaredMethod> methods, std::string_view owner = "") {
  auto next = before.declare(identity, std::move(methods), owner);
  REQUIRE(next);
  return *std::move(next);
}

}  // namespace

TEST_CASE("MethodRegistry: what one user declares is bounded, its own agents may declare again") {
  MethodRegistry registry = declared(MethodRegistry::create(policy("{}")), "other", one("m", {"c"}), "v");
  for (std::size_t i = 0; i < MethodRegistry::kMaxAgentsOfOwner; ++i) {
    registry = declared(registry, "agent" + std::to_string(i), one("m", {"c"}), "u");
  }
  const auto refused = registry.declare("another", one("m", {"c"}), "u");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLimitExceeded);
  CHECK(registry.declare("agent7", one("m", {"d"}), "u"));
  CHECK(registry.declare("another", one("m", {"c"}), "v"));
  CHECK(registry.declare("another", one("m", {"c"}), ""));
  CHECK(registry.declare("other", one("m", {"c"}), "u").error().code == ErrorCode::kLimitExceeded);
}

TEST_CASE("MethodRegistry: the same declaration by another user is that user's") {
  const MethodRegistry first = declared(MethodRegistry::create(policy("{}")), "A", one("m", {"c"}), "u");
  CHECK(*first.declared_by("A") == "u");
  CHECK(*declared(first, "A", one("m", {"c"}), "v").declared_by("A") == "v");
  CHECK(declared(first, "A", one("m", {"d"}), "u").required("A", "m")->front() == "d");
  CHECK(first.declared_by("B") == nullptr);
  CHECK(first.declaration("B") == nullptr);
  CHECK(first.declaration("A")->front().name == "m");
}

TEST_CASE("MethodRegistry: who says what is known already, or forgets what is not, changes nothing") {
  const MethodRegistry first = declared(MethodRegistry::create(policy("{}")), "A", one("m", {"c"}), "u");
  CHECK(declared(first, "A", one("m", {"c"}), "u").has_same_declarations(first));
  CHECK_FALSE(declared(first, "A", one("m", {"d"}), "u").has_same_declarations(first));
  CHECK_FALSE(declared(first, "A", one("m", {"c"}), "v").has_same_declarations(first));
  CHECK(first.forget("B").has_same_declarations(first));
  CHECK_FALSE(first.forget("A").has_same_declarations(first));
}

TEST_CASE("MethodRegistry: what records and declarations require is listed together, the records first") {
  const Policy listed = policy("{'allow':[{'identity':'A','credentials':'" + kKeyA +
                               "','rpc_method_authorizations':{'m':['x']}},{'identity':'Z','credentials':'" +
                               kKeyB + "','rpc_method_authorizations':5}]}");
  MethodRegistry registry =
      declared(MethodRegistry::create(listed), "A", {{"m", std::nullopt, {"y"}}, {"n", std::nullopt, {"y"}}});
  registry = declared(registry, "Z", one("m", {"y"}));
  registry = declared(registry, "B", one("b", {}));
  std::vector<std::string> lines;
  for (const MethodRequirement& r : registry.requirements()) {
    lines.push_back(r.identity + "." + r.method +
                    (r.capabilities.empty() ? "" : " " + r.capabilities.front()));
  }
  CHECK(lines == std::vector<std::string>{"A.m x", "A.n y", "B.b"});
  CHECK(registry.requirements("Z").empty());
  CHECK(registry.unreadable() == std::vector<std::string>{"Z"});
}

TEST_CASE("MethodRegistry: knows whose declaration the records lack") {
  const MethodRegistry registry = MethodRegistry::create(
      policy("{'allow':[{'identity':'A','credentials':'" + kKeyA +
             "','rpc_method_authorizations':{'m':['x']}},{'identity':'B','credentials':'" + kKeyB + "'}]}"));
  CHECK_FALSE(registry.lacks_declaration("A"));
  CHECK_FALSE(declared(registry, "A", one("m", {"x"})).lacks_declaration("A"));
  CHECK(declared(registry, "A", one("n", {"x"})).lacks_declaration("A"));
  CHECK(declared(registry, "B", one("m", {})).lacks_declaration("B"));
  CHECK_FALSE(declared(registry, "B", {}).lacks_declaration("B"));
  CHECK_FALSE(declared(registry, "C", one("m", {"x"})).lacks_declaration("C"));  // nobody's name
  const std::vector<DeclaredMethod> both{{"m", std::nullopt, {"x"}}, {"n", std::nullopt, {"x"}}};
  CHECK(declared(registry, "A", both).lacks_declaration("A"));
  const MethodRegistry of_nothing = MethodRegistry::create(policy(
      "{'allow':[{'identity':'A','credentials':'" + kKeyA + "','rpc_method_authorizations':{'m':[]}}]}"));
  CHECK(declared(of_nothing, "A", one("m", {"x"})).lacks_declaration("A"));
  CHECK_FALSE(declared(of_nothing, "A", one("m", {})).lacks_declaration("A"));
}

TEST_CASE("MethodRegistry: tells whose methods require something else than before") {
  const auto of = [](const std::string& methods) {
    return MethodRegistry::create(policy(
        "{'allow':[{'identity':'A','credentials':'" + kKeyA + "','rpc_method_authorizations':" + methods +
        "},{'identity':'B','credentials':'" + kKeyB + "','rpc_method_authorizations':{'m':['b']}}]}"));
  };
  using Names = std::vector<std::string>;
  const MethodRegistry before = of("{'m':['x','y']}");
  CHECK(before.changed_since(before).empty());
  CHECK(of("{'m':['x','y']}").changed_since(before).empty());
  CHECK(of("{'m':['y','x']}").changed_since(before).empty());
  CHECK(of("{'m':['x','y'],'n':[]}").changed_since(before).empty());
  CHECK(of("{'m':['x']}").changed_since(before) == Names{"A"});
  CHECK(of("5").changed_since(before) == Names{"A"});
  CHECK(before.changed_since(of("5")) == Names{"A"});
  CHECK(before.changed_since(of("{}")) == Names{"A"});
  CHECK(of("5").changed_since(of("{}")) == Names{"A"});
  const std::string broken = "{'identity':'A','credentials':'" + kKeyA + "','rpc_method_authorizations':5}";
  const auto first = MethodRegistry::create(policy("{'allow':[" + broken + "]}"));
  const auto behind =
      MethodRegistry::create(policy("{'allow':[{'credentials':'" + kKeyB + "'}," + broken + "]}"));
  CHECK(behind.changed_since(first).empty());
  const MethodRegistry none = MethodRegistry::create(policy("{}"));
  CHECK(none.changed_since(before) == Names{"A", "B"});
  CHECK(before.changed_since(none) == Names{"A", "B"});

  const MethodRegistry declaring = declared(before, "C", one("m", {"c"}));
  CHECK(declaring.changed_since(before) == Names{"C"});
  CHECK(before.changed_since(declaring) == Names{"C"});
  CHECK(declared(before, "C", one("m", {})).changed_since(before).empty());
  CHECK(declared(before, "A", one("m", {"z"})).changed_since(before).empty());  // the record rules
  CHECK(before.with_declarations_of(declaring).required("C", "m")->front() == "c");
}

TEST_CASE("MethodRegistry: declarations are bounded, and who has declared may declare again") {
  MethodRegistry registry = MethodRegistry::create(policy("{}"));
  for (std::size_t i = 0; i < MethodRegistry::kMaxAgents; ++i) {
    auto next = registry.declare("agent" + std::to_string(i), one("m", {"c"}), "");
    if (!next) FAIL(i);
    registry = *std::move(next);
  }
  const auto refused = registry.declare("another", one("m", {"c"}), "");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLimitExceeded);
  const MethodRegistry changed = declared(registry, "agent7", one("m", {"d"}));
  CHECK(changed.required("agent7", "m")->front() == "d");
  CHECK(declared(registry.forget("agent7"), "another", one("m", {"c"})).declaration("agent7") == nullptr);
}

TEST_CASE("MethodRegistry: lists what agents declare, beside what records require") {
  const MethodRegistry records = MethodRegistry::create(policy(
      "{'allow':[{'identity':'B','credentials':'" + kKeyA + "','rpc_method_authorizations':{'m':['x']}}]}"));
  const auto both = records.declare("B", {{"n", std::nullopt, {"y"}}}, "");
  REQUIRE(both);
  const auto all = both->declare("A", {{"o", std::nullopt, {"z"}}}, "");
  REQUIRE(all);
  std::vector<std::string> listed;
  for (const MethodRequirement& one : all->requirements()) {
    listed.push_back(one.identity + "." + one.method + " " + one.capabilities.at(0));
  }
  CHECK(listed == std::vector<std::string>{"A.o z", "B.m x", "B.n y"});
  CHECK(all->forget("A").requirements().size() == 2);
}

TEST_CASE("MethodRegistry: a record without an identity protects the methods of nobody, understood or not") {
  for (const std::string& mistake : {std::string(), std::string("'domain':5,")}) {
    CAPTURE(mistake);
    const Policy nameless = policy("{'allow':[{" + mistake + "'user_id':'u','credentials':'" + kKeyA +
                                   "','rpc_method_authorizations':{'m':['c']}}]}");
    const MethodRegistry registry = MethodRegistry::create(nameless);
    CHECK(registry.requirements().empty());
    CHECK(registry.required("", "m")->empty());
    CHECK_FALSE(registry.knows(""));
    CHECK_FALSE(IdentityRegistry::create(nameless).belongs_to("", "u"));
    CHECK(IdentityRegistry::create(nameless).belongs_to("u", "u"));
  }
}
