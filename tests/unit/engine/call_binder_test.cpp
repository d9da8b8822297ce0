#include <vipauth/call_binder.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;
using Kind = Parameter::Kind;

namespace {

Result<CallArguments> bind_to(const std::vector<Parameter>& parameters, std::string_view positional,
                              std::string_view named = "{}") {
  return bind_arguments(parameters, json(positional).as_array(), json(named).as_object());
}

const std::vector<Parameter> kXy = {{"x", Kind::kPositional, std::nullopt},
                                    {"y", Kind::kPositional, Json(7)}};

}  // namespace

TEST_CASE("bind_arguments: binds by position, by name and by default") {
  CHECK(Json(bind_to(kXy, "[1]")->all()) == json("{'x':1,'y':7}"));
  CHECK(Json(bind_to(kXy, "[1,2]")->all()) == json("{'x':1,'y':2}"));
  CHECK(Json(bind_to(kXy, "[]", "{'y':2,'x':1}")->all()) == json("{'x':1,'y':2}"));
  CHECK(bind_to(kXy, "[1]")->find("z") == nullptr);
}

TEST_CASE("bind_arguments: refuses what Python would refuse") {
  CHECK(bind_to(kXy, "[]").error().message == "missing argument \"x\"");
  CHECK(bind_to(kXy, "[1,2,3]").error().message == "takes 2 positional arguments, but 3 were given");
  CHECK(bind_to(kXy, "[1]", "{'x':2}").error().message == "got multiple values for argument \"x\"");
  CHECK(bind_to(kXy, "[1]", "{'z':2}").error().message == "got an unexpected argument \"z\"");
  CHECK_FALSE(bind_to({{"k", Kind::kKeywordOnly, std::nullopt}}, "[1]"));
}

TEST_CASE("bind_arguments: surplus arguments go where the callee collects them") {
  const std::vector<Parameter> all = {{"x", Kind::kPositional, std::nullopt},
                                      {"args", Kind::kVarPositional, std::nullopt},
                                      {"k", Kind::kKeywordOnly, Json(true)},
                                      {"kwargs", Kind::kVarKeyword, std::nullopt}};
  CHECK(Json(bind_to(all, "[1,2,3]", "{'k':false,'z':9}")->all()) ==
        json("{'x':1,'args':[2,3],'k':false,'kwargs':{'z':9}}"));
  CHECK(Json(bind_to(all, "[1]")->all()) == json("{'x':1,'args':[],'kwargs':{},'k':true}"));
}

TEST_CASE("split_params: takes a list, an object, both in VOLTTRON's form, and nothing else") {
  const auto split = [](std::string_view text) {
    const Json params = json(text);
    const auto both = split_params(params);
    return both ? Json(both->positional).dump() + Json(both->named).dump() : both.error().message;
  };
  CHECK(split("null") == "[]{}");
  CHECK(split("[1,2]") == "[1,2]{}");
  CHECK(split("{'x':1}") == R"([]{"x":1})");
  CHECK(split("{}") == "[]{}");
  CHECK(split("{'*args':[1],'**kwargs':{'x':2}}") == R"([1]{"x":2})");
  CHECK(split("{'*args':[1]}") == "[1]{}");
  CHECK(split("{'**kwargs':{'x':2}}") == R"([]{"x":2})");
  for (const std::string_view bad : {"5", "'x'", "true"}) {
    CHECK(split(bad) == "arguments must be a list or an object");
  }
  for (const std::string_view bad :
       {"{'*args':5}", "{'*args':{}}", "{'**kwargs':[]}", "{'*args':[],'**kwargs':5}",
        "{'*args':5,'**kwargs':{}}", "{'*args':[],'x':1}", "{'**kwargs':{},'x':1}",
        "{'*args':[],'**kwargs':{},'x':1}"}) {
    CAPTURE(bad);
    CHECK(split(bad) == R"(must be {"*args": [...], "**kwargs": {...}})");
  }
}

TEST_CASE("bind_arguments: a name for what collects the surplus is itself surplus") {
  const std::vector<Parameter> all = {{"args", Kind::kVarPositional, std::nullopt},
                                      {"kwargs", Kind::kVarKeyword, std::nullopt}};
  CHECK(Json(bind_to(all, "[1]", "{'args':5,'kwargs':6}")->all()) ==
        json("{'args':[1],'kwargs':{'args':5,'kwargs':6}}"));
  CHECK_FALSE(bind_to({{"args", Kind::kVarPositional, std::nullopt}}, "[]", "{'args':5}"));
}
