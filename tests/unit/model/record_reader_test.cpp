#include "model/record_reader.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <vipauth/policy_sink.hpp>

#include "model/policy_stream.hpp"
#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

std::string texts(const std::vector<Pattern>& patterns) {
  std::string out;
  for (const Pattern& pattern : patterns) out += pattern.text() + ' ';
  return out;
}

/// All that a record means, as text.
std::string meaning(const AuthRecord& record) {
  Json::Array capabilities;
  for (const Capability& capability : record.capabilities) {
    Json::Array item{Json(capability.name)};
    for (const Restriction& restriction : capability.restrictions) {
      item.emplace_back(restriction.parameter);
      item.push_back(restriction.constraint);
    }
    capabilities.emplace_back(std::move(item));
  }
  const auto* key = std::get_if<CurveKey>(&record.credentials);
  const auto* pattern = std::get_if<Pattern>(&record.credentials);
  const auto* password = std::get_if<StoredPassword>(&record.credentials);
  return Json(Json::Array{record.user_id, record.identity, texts(record.domain), texts(record.address),
                          to_string(record.mechanism), key == nullptr ? Json() : Json(key->to_base64url()),
                          pattern == nullptr ? Json() : Json(pattern->text()),
                          password == nullptr ? Json() : Json(password->text), std::move(capabilities),
                          Json::strings(record.roles), Json::strings(record.groups), record.enabled,
                          record.not_before.has_value(), record.not_after.has_value(),
                          record.rpc_method_authorizations.ill_typed,
                          static_cast<std::int64_t>(record.rpc_method_authorizations.methods.size())})
      .dump();
}

struct Meanings : PolicySink {
  void on_allow(const AuthRecord& record) override { all.push_back(meaning(record)); }
  void on_deny(const AuthRecord& record) override { all.push_back("deny " + meaning(record)); }
  void on_unreadable_allow(const Json& source, const Error& problem) override {
    all.push_back(source.dump() + problem.to_string());
  }
  void on_unreadable_deny(const Json& source, const Error& problem) override {
    all.push_back("deny " + source.dump() + problem.to_string());
  }
  void on_role(const Policy::Role& /*role*/) override {}
  void on_group(const Policy::Group& /*group*/) override {}
  std::vector<std::string> all;
};

bool stream(const std::string& text, Meanings& out, std::size_t block) {
  std::size_t at = 0;
  return stream_policy(
      [&](char* buffer, std::size_t size) -> std::ptrdiff_t {
        const std::size_t count = text.copy(buffer, std::min(size, block), std::min(at, text.size()));
        at += count;
        return static_cast<std::ptrdiff_t>(count);
      },
      out);
}

/// A pattern that is a key in Z85 as well.
const std::string kZ85Pattern = "/" + [] {
  std::string out;
  for (int i = 0; i < 19; ++i) out += ".*";
  return out;
}() + "/";

/// What each field may hold; the first of them are usual.
const std::vector<std::pair<std::string, std::vector<std::string>>>& fields() {
  static const std::vector<std::pair<std::string, std::vector<std::string>>> kFields{
      {"domain", {"null", "''", "[]", "'vip'", "['a','/b/']", "[null]", "5", "{}"}},
      {"address", {"null", "[]", "'127.0.0.1'", "['::ffff:1.2.3.4']", "true"}},
      {"mechanism", {"'CURVE'", "'NULL'", "'PLAIN'", "null", "'curve'", "5"}},
      {"credentials",
       {"'" + kKeyA + "'", "'" + kKeyB + "'", "'/.*/'", "'" + kZ85Pattern + "'", "'short'", "null", "''",
        "[]"}},
      {"user_id",
       {"'alice'", "'b\\u00e9'", "''", "null", "'x\\u0001'", "7", "'" + std::string(256, 'x') + "'"}},
      {"identity", {"null", "'agent'", "''", "[]", "'" + std::string(255, 'y') + "'"}},
      {"groups", {"[]", "['g','h']", "null", "''", "'g'", "[1]", "{}"}},
      {"roles", {"['r']", "[]", "['r','r','']", "[null]", "[['r']]"}},
      {"capabilities",
       {"{}", "{'c':null}", "{'c':{'p':'v','q':1.50,'r':true,'s':null}}", "['c','d']", "null", "''", "'c'",
        "{'c':{}}", "{'c':5}", "{'c':{'p':[1]}}", "{'c':{'p':{'q':1}}}", "['c',{'d':{'p':'/x/'}}]", "[5]",
        "{'c':[]}", "{'c':null,'d':{'p':'{user_id}'}}", "7"}},
      {"rpc_method_authorizations", {"{}", "null", "{'m':['c']}", "{'m':5}", "''", "[]"}},
      {"comments", {"null", "'c'", "5", "false", "{}", "['a']"}},
      {"enabled", {"true", "false", "null", "1", "'yes'"}},
      {"not_before", {"null", "'2026-01-01T00:00:00Z'", "5"}},
      {"not_after", {"null", "'2027-01-01T00:00:00Z'", "'never'"}},
      {"unknown", {"1", "{'a':[{'b':null}]}", "[]"}}};
  return kFields;
}

std::string quoted(std::string text) {
  std::replace(text.begin(), text.end(), '\'', '"');
  return text;
}

}  // namespace

TEST_CASE("RecordReader: records mean what they mean as a whole") {
  std::mt19937 random(20261122);
  const auto below = [&](std::size_t count) { return random() % count; };
  for (int round = 0; round < 300; ++round) {
    std::string list;
    for (int i = 0; i < 20; ++i) {
      std::vector<std::string> members;
      for (const auto& [name, values] : fields()) {
        const bool is_usual = below(4) != 0;
        if (below(8) == 0 || (name == "unknown" && is_usual)) continue;
        members.push_back("'" + name + "':" + values[is_usual ? below(2) : below(values.size())]);
      }
      if (below(4) == 0) std::shuffle(members.begin(), members.end(), random);
      std::string record = "{";
      for (const std::string& member : members) record += (record.size() > 1 ? "," : "") + member;
      list += (list.empty() ? "" : ",") + (below(40) == 0 ? std::string("5") : record + "}");
    }
    const std::string text =
        quoted("{'allow':[" + list + "],'deny':[" + list + "],'version':{'major':1,'minor':4}}");
    const auto document = Json::parse(text);
    REQUIRE(document);
    Meanings whole;
    read_parts(*Policy::parse(*document), whole);
    for (const std::size_t block : {std::size_t{7}, std::size_t{100'000}}) {
      Meanings streamed;
      REQUIRE(stream(text, streamed, block));
      REQUIRE(streamed.all.size() == whole.all.size());
      for (std::size_t i = 0; i < whole.all.size(); ++i) REQUIRE(streamed.all[i] == whole.all[i]);
    }
  }
}

TEST_CASE("RecordReader: what is there twice is refused, wherever it is") {
  for (const std::string& record :
       {std::string("{'user_id':'a','user_id':'a'}"), std::string("{'x':1,'x':1}"),
        std::string("{'capabilities':{'c':null,'c':null}}"),
        std::string("{'capabilities':{'c':{'p':1,'p':1}}}"), std::string("{'x':{'y':1,'y':1}}"),
        std::string("{'comments':{'y':1,'y':1}}"), std::string("{'x':'\\udc00'}"),
        std::string("{'comments':'\\udc00'}")}) {
    CAPTURE(record);
    Meanings out;
    CHECK_FALSE(stream(quoted("{'allow':[" + record + "],'version':{'major':1,'minor':4}}"), out, 1000));
  }
}

TEST_CASE("RecordReader: a record that is longer than a block") {
  std::string record =
      "{'user_id':'a','credentials':'" + kKeyA + "','comments':'" + std::string(300'000, 'c') + "'";
  for (const std::string& more : {std::string(), std::string(",'x':1")}) {
    Meanings out;
    REQUIRE(
        stream(quoted("{'allow':[5," + record + more + "},5],'version':{'major':1,'minor':4}}"), out, 5000));
    CHECK(out.all.size() == 3);
    CHECK(out.all[1].find("\"a\"") != std::string::npos);
  }
}

TEST_CASE("RecordReader: many names in one record") {
  for (const std::string& before : {std::string("{"), std::string("{'c':{")}) {
    std::string capabilities = before;
    for (int i = 0; i < 100; ++i) capabilities += (i > 0 ? ",'" : "'") + std::to_string(i) + "':null";
    capabilities += before.size() > 1 ? "}}" : "}";
    const std::string record =
        "{'user_id':'a','credentials':'" + kKeyA + "','capabilities':" + capabilities + "}";
    const std::string text = quoted("{'allow':[" + record + "],'version':{'major':1,'minor':4}}");
    Meanings streamed;
    REQUIRE(stream(text, streamed, 1000));
    Meanings whole;
    read_parts(*Policy::parse(*Json::parse(text)), whole);
    CHECK(streamed.all == whole.all);
  }
}
