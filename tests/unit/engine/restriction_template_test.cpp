#include "engine/restriction_template.hpp"

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

const TemplateSubject kAlice{"alice", "agent.a"};
const TemplateSubject kNameless{"alice", ""};

std::string expanded(std::string_view constraint, const TemplateSubject& subject = kAlice) {
  const auto out = expand_template(json(constraint), subject);
  return out ? out->dump() : "nothing";
}

}  // namespace

TEST_CASE("expand_template: puts the names into texts, lists and objects of any depth") {
  CHECK(expanded("'a/{user_id}/{identity}/{user_id}'") == "\"a/alice/agent.a/alice\"");
  CHECK(expanded("['{user_id}',{'x':['{identity}',1]},null]") == R"(["alice",{"x":["agent.a",1]},null])");
  CHECK(expanded("{'{user_id}':'{user_id}'}") == R"({"{user_id}":"alice"})");
  CHECK(expanded("'{user_i}{other}'") == "\"{user_i}{other}\"");
  CHECK(expanded("''") == "\"\"");
  CHECK(expanded("5") == "5");
}

TEST_CASE("expand_template: a name is never a part of a pattern, and makes none") {
  CHECK(expanded("'/{identity}/'") == R"("/agent\\.a/")");
  CHECK(expanded("'/{user_id}'", {"x/", ""}) == "nothing");
  CHECK(expanded("['{user_id}']", {"/.*/", ""}) == "nothing");
  CHECK(expanded("{'x':'{user_id}'}", {"/.*/", ""}) == "nothing");
  CHECK(expanded("'{user_id}'", {"{identity}", "x"}) == "\"{identity}\"");
}

TEST_CASE("expand_template: who has no identity has nothing that asks for one") {
  CHECK(expanded("'{identity}'", kNameless) == "nothing");
  CHECK(expanded("['a',['{identity}']]", kNameless) == "nothing");
  CHECK(expanded("{'x':{'y':'{identity}'}}", kNameless) == "nothing");
  CHECK(expanded("'{user_id}'", kNameless) == "\"alice\"");
  CHECK(expanded("'plain'", kNameless) == "\"plain\"");
}

TEST_CASE("has_template: finds a name in any text, and not in the names of members") {
  for (const std::string_view with :
       {"'{user_id}'", "'a{identity}b'", "[1,['{user_id}']]", "{'x':['{identity}']}"}) {
    CAPTURE(with);
    CHECK(has_template(json(with)));
  }
  for (const std::string_view without :
       {"'user_id'", "'{user_id'", "[]", "{}", "{'{user_id}':1}", "5", "[1,'x']"}) {
    CAPTURE(without);
    CHECK_FALSE(has_template(json(without)));
  }
}

TEST_CASE("self_name_in: a restriction to the name itself is one to the template for it") {
  CHECK(self_name_in(json("'{user_id}'"), kAlice) == SelfName::kUserId);
  CHECK(self_name_in(json("'{identity}'"), kNameless) == SelfName::kIdentity);
  CHECK(self_name_in(json("'alice'"), kAlice) == SelfName::kUserId);
  CHECK(self_name_in(json("'agent.a'"), kAlice) == SelfName::kIdentity);
  for (const std::string_view other : {"'bob'", "''", "5", "['alice']", "'{user_id}x'", "'alice{user_id}'"}) {
    CAPTURE(other);
    CHECK(self_name_in(json(other), kAlice) == SelfName::kNone);
    CHECK(self_name_in(json(other), kNameless) == SelfName::kNone);
  }
  CHECK(self_name_in(json("'/.*/'"), {"/.*/", ""}) == SelfName::kNone);
  CHECK(self_name_in(json("'x{user_id}'"), {"x{user_id}", ""}) == SelfName::kNone);
  CHECK(name_of({"/.*/", "/x/"}, SelfName::kUserId).empty());
  CHECK(name_of({"/.*/", "/x/"}, SelfName::kIdentity).empty());
  CHECK(name_of(kAlice, SelfName::kIdentity) == "agent.a");
  CHECK(self_name_of(json("'{identity}'")) == SelfName::kIdentity);
  CHECK(self_name_of(json("'alice'")) == SelfName::kNone);
  CHECK(self_name_of(json("['{user_id}']")) == SelfName::kNone);
  CHECK(template_of(SelfName::kUserId) == "{user_id}");
  CHECK(template_of(SelfName::kIdentity) == "{identity}");
}
