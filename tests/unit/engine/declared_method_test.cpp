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
