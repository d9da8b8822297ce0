#include <vipauth/declared_method.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

using Limits = DeclarationLimits;

std::vector<std::string> names_of(std::size_t count) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back("c" + std::to_string(i));
  return out;
}

Json names(std::size_t count) { return Json::strings(names_of(count)); }

/// An object of so many members.
Json members(std::size_t count, const Json& value) {
  Json::Object out;
  for (std::size_t i = 0; i < count; ++i) out.push_back({"m" + std::to_string(i), value});
  return Json(std::move(out));
}

Json with_parameters(std::size_t count) {
  return Json(Json::Object{{"set", Json(Json::Object{{"params", members(count, Json(Json::Object()))}})}});
}

/// Of what a declaration in JSON is refused with, its place; "" where it is taken.
std::string refused_at(std::string_view text) {
  const auto parsed = parse_declaration(json(text));
  return parsed ? std::string() : parsed.error().location;
}

Error refusal(std::vector<DeclaredMethod> methods) {
  const auto checked = check_declaration(std::move(methods));
  return checked ? Error{ErrorCode::kConflict, "taken", ""} : checked.error();
}

std::vector<Parameter> parameters_of(std::size_t count) {
  std::vector<Parameter> out;
  for (const std::string& name : names_of(count)) out.push_back({name, Parameter::Kind::kPositional, {}});
  return out;
}

}  // namespace

TEST_CASE("parse_declaration: takes as many of each thing as the limits say, and not one more") {
  CHECK(parse_declaration(with_parameters(Limits::kMaxParameters)));
  CHECK_FALSE(parse_declaration(with_parameters(Limits::kMaxParameters + 1)));
  CHECK(parse_declaration(Json(Json::Object{{"set", names(Limits::kMaxCapabilities)}})));
  CHECK_FALSE(parse_declaration(Json(Json::Object{{"set", names(Limits::kMaxCapabilities + 1)}})));
  CHECK(parse_declaration(members(Limits::kMaxMethods, Json(Json::Array()))));
  CHECK_FALSE(parse_declaration(members(Limits::kMaxMethods + 1, Json(Json::Array()))));
  const auto named = [](std::size_t size) {
    return parse_declaration(Json(Json::Object{{std::string(size, 'm'), Json(Json::Array())}}));
  };
  CHECK(named(Limits::kMaxNameBytes));
  CHECK_FALSE(named(Limits::kMaxNameBytes + 1));
  CHECK(parse_declaration(with_parameters(1))->front().parameters->front().kind ==
        Parameter::Kind::kPositional);
}

TEST_CASE("parse_declaration: what is too much is refused before it is read") {
  const auto code = [](const Json& declaration) { return parse_declaration(declaration).error().code; };
  const auto one = [](const Json& method) { return Json(Json::Object{{"m", method}}); };
  CHECK(code(members(Limits::kMaxMethods + 1, Json(5))) == ErrorCode::kLimitExceeded);
  CHECK(code(one(Json(Json::Array(Limits::kMaxCapabilities + 1, Json(5))))) == ErrorCode::kLimitExceeded);
  const Json parameters = members(Limits::kMaxParameters + 1, Json(5));
  CHECK(code(one(Json(Json::Object{{"params", parameters}}))) == ErrorCode::kLimitExceeded);
  CHECK(code(members(Limits::kMaxMethods, Json(5))) == ErrorCode::kInvalidArgument);
}

TEST_CASE("parse_declaration: knows each kind of parameter by the name that Python's inspect has for it") {
  using Kind = Parameter::Kind;
  const auto kind_of = [](const Json& kind) {
    const Json parameter(Json::Object{{"kind", kind}});
    return parse_declaration(
        Json(Json::Object{{"set", Json(Json::Object{{"params", Json(Json::Object{{"x", parameter}})}})}}));
  };
  for (const auto& [name, kind] :
       {std::pair("POSITIONAL_OR_KEYWORD", Kind::kPositional),
        std::pair("POSITIONAL_ONLY", Kind::kPositional), std::pair("KEYWORD_ONLY", Kind::kKeywordOnly),
        std::pair("VAR_POSITIONAL", Kind::kVarPositional), std::pair("VAR_KEYWORD", Kind::kVarKeyword)}) {
    CAPTURE(name);
    const auto declared = kind_of(Json(name));
    REQUIRE(declared);
    CHECK(declared->front().parameters->front().kind == kind);
  }
  for (const Json& bad : {Json(5), Json(nullptr), Json("positional"), Json("")}) {
    const auto refused = kind_of(bad);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().location == "/set/params/x/kind");
  }
}

TEST_CASE("check_declaration: a method that is declared twice is held to the limits of one") {
  const auto halves = [](std::size_t first, std::size_t second) {
    std::vector<DeclaredMethod> out{{"m", std::nullopt, {}}, {"m", std::nullopt, {}}};
    for (std::size_t i = 0; i < first + second; ++i) {
      out[i < first ? 0 : 1].capabilities.push_back("c" + std::to_string(i));
    }
    return check_declaration(std::move(out));
  };
  CHECK(halves(Limits::kMaxCapabilities, 0));
  CHECK(halves(1, Limits::kMaxCapabilities - 1));
  const auto refused = halves(1, Limits::kMaxCapabilities);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLimitExceeded);

  const std::vector<Parameter> x{{"x", Parameter::Kind::kPositional, std::nullopt}};
  const auto once = check_declaration({{"m", std::nullopt, {"a"}}, {"m", x, {"b"}}});
  REQUIRE(once);
  CHECK(*once == std::vector<DeclaredMethod>{{"m", x, {"a", "b"}}});
  CHECK(check_declaration({{"m", x, {}}, {"m", std::nullopt, {}}})->front().parameters == x);
  CHECK_FALSE(check_declaration({{"m", x, {}}, {"m", x, {}}}));
}

TEST_CASE("check_declaration: all names and default values together have as many bytes as the limit says") {
  const auto with_default = [](std::size_t size) {
    // The name of the method, of the parameter, and the quotes.
    const Json value(std::string(size - 4, 'v'));
    return check_declaration({{"m", std::vector<Parameter>{{"x", Parameter::Kind::kPositional, value}}, {}}});
  };
  CHECK(with_default(Limits::kMaxBytes));
  const auto refused = with_default(Limits::kMaxBytes + 1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLimitExceeded);
}

TEST_CASE("parse_declaration: what is no declaration is refused at its place") {
  CHECK(
      refused_at("{'m':{'params':{'p':{'kind':'KEYWORD_ONLY','default':1}},'capabilities':['c']}}").empty());
  CHECK_FALSE(parse_declaration(json("[]")));
  CHECK(refused_at("{'m':5}") == "/m");
  CHECK(refused_at("{'m':[5]}") == "/m");
  CHECK(refused_at("{'m':{'capabilities':'c'}}") == "/m");
  CHECK(refused_at("{'m':['']}") == "/m");
  CHECK(refused_at("{'':[]}") == "/");
  CHECK(refused_at("{'m':{'params':[]}}") == "/m/params");
  CHECK(refused_at("{'m':{'params':{'p':5}}}") == "/m/params/p");
  CHECK(refused_at("{'m':{'params':{'p':{'kind':'SIDEWAYS'}}}}") == "/m/params/p/kind");
  CHECK(refused_at("{'m':{'params':{'p':{'kind':1}}}}") == "/m/params/p/kind");
  CHECK(refused_at("{'m':{'params':{'a':{'kind':'VAR_KEYWORD'},'b':{'kind':'VAR_KEYWORD'}}}}") == "/m");
  CHECK(refused_at("{'m':{'params':{'a':{'kind':'VAR_KEYWORD'},'b':{'kind':'VAR_POSITIONAL'}}}}").empty());
}

TEST_CASE("parse_declaration: what a declaration makes us keep is bounded in all") {
  const auto with_default = [](std::size_t size) {
    const Json parameter(Json::Object{{"default", Json(std::string(size, 'x'))}});
    return parse_declaration(
        Json(Json::Object{{"m", Json(Json::Object{{"params", Json(Json::Object{{"p", parameter}})}})}}));
  };
  CHECK(with_default(1000));
  const auto refused = with_default(Limits::kMaxBytes);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLimitExceeded);
}

TEST_CASE("check_declaration: surplus arguments are taken once of each kind") {
  using Kind = Parameter::Kind;
  const auto with = [](Kind first, Kind second) {
    return check_declaration(
        {{"m", std::vector<Parameter>{{"x", first, std::nullopt}, {"y", second, std::nullopt}}, {}}});
  };
  CHECK(with(Kind::kVarPositional, Kind::kVarKeyword));
  CHECK_FALSE(with(Kind::kVarPositional, Kind::kVarPositional));
  CHECK_FALSE(with(Kind::kVarKeyword, Kind::kVarKeyword));
}

TEST_CASE("check_declaration: a method that is named twice is one, of all that was said of it") {
  const std::vector<Parameter> one{{"p", Parameter::Kind::kPositional, std::nullopt}};
  const auto joined = check_declaration({{"m", std::nullopt, {"c"}}, {"n"}, {"m", one, {"d", "c"}}});
  REQUIRE(joined);
  REQUIRE(joined->size() == 2);
  CHECK(joined->front() == DeclaredMethod{"m", one, {"c", "d"}});
  CHECK(refusal({{"m", one}, {"m", one}}).message == "a method has one list of parameters");
  CHECK(refusal({{"m", std::vector<Parameter>{one.front(), one.front()}}}).message ==
        "a parameter is declared twice");
  const std::vector<std::string> most = names_of(Limits::kMaxCapabilities);
  CHECK(check_declaration({{"m", std::nullopt, most}, {"m", std::nullopt, {"c0"}}}));
  CHECK(refusal({{"m", std::nullopt, most}, {"m", std::nullopt, {"more"}}}).code ==
        ErrorCode::kLimitExceeded);
  CHECK(refusal({{"m", std::nullopt, names_of(Limits::kMaxCapabilities + 1)}}).code ==
        ErrorCode::kLimitExceeded);
  CHECK(refusal({{"m", parameters_of(Limits::kMaxParameters + 1)}}).code == ErrorCode::kLimitExceeded);
}

TEST_CASE("check_declaration: each thing has a name that can be shown") {
  const auto refused = [](const DeclaredMethod& method) {
    const Error error = refusal({method});
    return error.code == ErrorCode::kInvalidArgument &&
           error.message.find("must have a name") != std::string::npos;
  };
  for (const std::string bad : {"", "a\n", "\x7f", "\xff", "\xed\xa0\x80"}) {
    CAPTURE(bad);
    CHECK(refused({bad}));
    CHECK(refused({"m", std::nullopt, {"c", bad}}));
    CHECK(refused({"m", std::vector<Parameter>{{"x", Parameter::Kind::kPositional, {}},
                                               {bad, Parameter::Kind::kPositional, {}}}}));
  }
  CHECK(check_declaration({{"\xc3\xa9", parameters_of(1), {"\xc3\xa9"}}}));
}
