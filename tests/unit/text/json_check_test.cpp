#include "text/json_check.hpp"

#include <vector>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

TEST_CASE("digest_of: the same exactly where the text is the same") {
  const std::vector<const char*> texts{"null",
                                       "true",
                                       "false",
                                       "0",
                                       "0.0",
                                       "-0",
                                       "'0'",
                                       "''",
                                       "[]",
                                       "{}",
                                       "[[]]",
                                       "[[],[]]",
                                       "['a','b']",
                                       "['ab']",
                                       "['a',['b']]",
                                       "{'a':'b'}",
                                       "{'a':null,'b':null}",
                                       "{'b':null,'a':null}",
                                       "['a',null]",
                                       "{'ab':null}"};
  for (const char* left : texts) {
    for (const char* right : texts) {
      INFO(left << ' ' << right);
      CHECK((digest_of(json(left)) == digest_of(json(right))) == (left == right));
    }
  }
  const std::string large(300'000, 'x');
  CHECK(digest_of(Json(Json::Array{large, "y"})) == digest_of(Json(Json::Array{large, "y"})));
  CHECK(digest_of(Json(Json::Array{large, "y"})) != digest_of(Json(Json::Array{large, "z"})));
}

TEST_CASE("survives_writing: what is read again is the same") {
  for (const char* text :
       {"null", "[1, -0.5, 1e30, 123456789012345678901234567890]", "{'a': {'a': [true]}}"}) {
    CHECK(survives_writing(json(text)));
    CHECK(*Json::parse(json(text).dump()) == json(text));
  }
  Json many((Json::Object()));
  for (int i = 0; i < 40; ++i) many.as_object().push_back({std::to_string(i), Json(i)});
  CHECK(survives_writing(many));
  CHECK(survives_writing(Json("J\xc3\xb6rg \xf0\x9f\x98\x80 \x7f \x01")));
}

TEST_CASE("survives_writing: what is read again as something else, or not at all") {
  for (const char* digits : {"", "1}", "01", "+1", "1 ", " 1", "nan", "1e999", "0x1", "'1'"}) {
    INFO(digits);
    CHECK_FALSE(survives_writing(Json(Json::Number{digits})));
  }
  CHECK_FALSE(survives_writing(Json("\xff")));
  CHECK_FALSE(survives_writing(Json(Json::Object{{"\xed\xb0\x80", Json()}})));
  CHECK_FALSE(survives_writing(Json(Json::Array{Json(Json::Object{{"a", Json(1)}, {"a", Json(1)}})})));
  Json many((Json::Object()));
  for (int i = 0; i < 40; ++i) many.as_object().push_back({std::to_string(i % 39), Json(i)});
  CHECK_FALSE(survives_writing(many));
}

TEST_CASE("survives_writing: agrees with the parser about depth") {
  Json deep(1);
  for (std::size_t levels = 1; levels <= Json::kMaxDepth + 1; ++levels) {
    deep = levels % 2 == 0 ? Json(Json::Array{std::move(deep)}) : Json(Json::Object{{"a", std::move(deep)}});
    CHECK(survives_writing(deep) == (levels <= Json::kMaxDepth));
    CHECK(survives_writing(deep) == Json::parse(deep.dump()).has_value());
  }
}
