#include <vipauth/declared_method.hpp>

#include "support/catch.hpp"

using namespace vipauth;

namespace {

using Limits = DeclarationLimits;

Json names(std::size_t count) {
  Json::Array out;
  for (std::size_t i = 0; i < count; ++i) out.emplace_back("c" + std::to_string(i));
  return Json(std::move(out));
}

/// An object of so many members.
Json members(std::size_t count, const Json& value) {
  Json::Object out;
  for (std::size_t i = 0; i < count; ++i) out.push_back({"m" + std::to_string(i), value});
  return Json(std::move(out));
}

Json with_parameters(std::size_t count) {
  return Json(Json::Object{{"set", Json(Json::Object{{"params", members(count, Json(Json::Object()))}})}});
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
