#include "model/policy_document.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "text/json_check.hpp"
#include "text/json_writer.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

std::string written(const Policy& policy) {
  std::string text;
  const WriteBytes write = [&](std::string_view block) {
    text += block;
    return true;
  };
  JsonWriter writer(write);
  PolicyDocument::hand_over(policy, writer);
  return text;
}

std::optional<Policy> read(const std::string& text) {
  std::size_t at = 0;
  return PolicyDocument::read([&](char* buffer, std::size_t size) -> std::ptrdiff_t {
    const std::size_t count = text.copy(buffer, size, at);
    at += count;
    return static_cast<std::ptrdiff_t>(count);
  });
}

std::vector<std::string> problems_of(const Policy& policy) {
  std::vector<std::string> out;
  for (const Error& problem : policy.problems()) out.push_back(problem.to_string());
  return out;
}

const std::string kPresent = "'version':{'major':1,'minor':4}";

/// Documents of the present version, as they may be written.
const std::vector<std::string> kDocuments{
    "{" + kPresent + "}", "{'allow':[],'deny':[],'groups':{},'roles':{}," + kPresent + "}",
    "{'roles':{'r':['c'],'bad':7},'more':{'y':[1,{}]},'allow':[{'user_id':'a','x':[1]},5,{'credentials':'k'}]"
    "," +
        kPresent + ",'list':[[],{}],'deny':[null],'n':-1.50,'groups':{'g':['r'],'h':1}}",
    "{'version':{'major':1,'minor':4,'extra':[true]},'deny':[{'credentials':'/.*/'}]}"};

}  // namespace

TEST_CASE("PolicyDocument: hands over what to_json returns") {
  CHECK(written(Policy()) == Policy().to_json().dump_pretty() + "\n");
  for (const std::string& text : kDocuments) {
    CAPTURE(text);
    const auto policy = Policy::parse(json(text));
    REQUIRE(policy);
    CHECK(written(*policy) == policy->to_json().dump_pretty() + "\n");
  }
}

TEST_CASE("PolicyDocument: reads what parse makes of the document") {
  for (const std::string& text : kDocuments) {
    CAPTURE(text);
    const auto whole = Policy::parse(json(text));
    const auto policy = read(json(text).dump());
    REQUIRE(policy);
    CHECK(policy->to_json().dump() == whole->to_json().dump());
    CHECK(problems_of(*policy) == problems_of(*whole));
    CHECK(policy->allow().size() == whole->allow().size());
    CHECK(policy->roles().size() == whole->roles().size());
  }
}

TEST_CASE("PolicyDocument: leaves to others what is not of the present version, or not as it should be") {
  for (const std::string& text :
       {std::string("{}"), std::string("{'version':{'major':1,'minor':3}}"),
        std::string("{'version':{'major':1,'minor':5}}"), std::string("{'version':{'major':2,'minor':4}}"),
        std::string("{'version':'1.4'}"), "{'allow':{}," + kPresent + "}", "{'deny':1," + kPresent + "}",
        "{'roles':[]," + kPresent + "}", "{'groups':null," + kPresent + "}",
        "{'allow':[],'allow':[]," + kPresent + "}", "[{" + kPresent + "}]"}) {
    CAPTURE(text);
    std::string quoted = text;
    for (char& c : quoted) c = c == '\'' ? '"' : c;
    CHECK_FALSE(read(quoted));
  }
  CHECK_FALSE(read("{\"version\":{\"major\":1,\"minor\":4}} // mine"));
}

TEST_CASE("JsonPartCheck: the same exactly where what is written is the same") {
  const auto digest = [](const std::string& text) {
    JsonPartCheck check;
    PolicyDocument::hand_over(*Policy::parse(json(text)), check);
    CHECK(check.survives_writing());
    return check.digest();
  };
  for (const std::string& left : kDocuments) {
    for (const std::string& right : kDocuments) {
      const bool is_same =
          Policy::parse(json(left))->to_json().dump() == Policy::parse(json(right))->to_json().dump();
      CHECK((digest(left) == digest(right)) == is_same);
    }
  }
  CHECK(digest("{'allow':[1],'deny':[]}") != digest("{'allow':[],'deny':[1]}"));
  CHECK(digest("{'allow':[1,2]}") != digest("{'allow':[2,1]}"));
  CHECK(digest("{'roles':{'a':1}}") != digest("{'groups':{'a':1}}"));
}

TEST_CASE("JsonPartCheck: tells what would not be read again") {
  const auto survives = [](const Json& document) {
    JsonPartCheck check;
    PolicyDocument::hand_over(*Policy::parse(document), check);
    CHECK(check.survives_writing() == survives_writing(Policy::parse(document)->to_json()));
    return check.survives_writing();
  };
  const auto nested = [](std::size_t levels) {
    Json value{Json::Array()};
    for (std::size_t i = 1; i < levels; ++i) value = Json(Json::Array{std::move(value)});
    return value;
  };
  const auto document = [](const char* name, Json value) {
    return Json(Json::Object{{name, std::move(value)}});
  };
  CHECK(survives(document("allow", Json::Array{nested(Json::kMaxDepth - 2)})));
  CHECK_FALSE(survives(document("allow", Json::Array{nested(Json::kMaxDepth - 1)})));
  CHECK(survives(document("roles", Json::Object{{"r", nested(Json::kMaxDepth - 2)}})));
  CHECK_FALSE(survives(document("roles", Json::Object{{"r", nested(Json::kMaxDepth - 1)}})));
  CHECK(survives(document("more", nested(Json::kMaxDepth - 1))));
  CHECK_FALSE(survives(document("more", nested(Json::kMaxDepth))));
  CHECK_FALSE(survives(document("allow", Json::Array{"\xff"})));
  CHECK_FALSE(survives(document("\xff", 1)));
  CHECK_FALSE(survives(document("roles", Json::Object{{"\xff", 1}})));
  CHECK_FALSE(survives(document("roles", Json::Object{{"r", 1}, {"r", 1}})));
  CHECK(survives(document("roles", Json::Object{{"r", 1}, {"s", 1}})));
}
