// auth.json read and written without being in memory as a whole.

#include <string>

#include <vipauth/auth_file.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

AuthFile file_of(const TempHome& home) { return AuthFile(home / "auth.json"); }

AuthFile::Text text_of(std::string text) {
  return [text = std::move(text)](const std::function<bool(std::string_view)>& write) -> Result<void> {
    const std::size_t half = text.size() / 2;
    static_cast<void>(write(std::string_view(text).substr(0, half)));
    static_cast<void>(write(std::string_view(text).substr(half)));
    return {};
  };
}

std::string document(const std::string& user_id) {
  return R"({"allow": [{"user_id": ")" + user_id + R"(", "credentials": ")" + kKeyA +
         R"("}], "deny": [], "version": {"major": 1, "minor": 4}})";
}

/// Puts the document together again.
class Collector final : public PolicyDocumentSink {
 public:
  void on_allow(Json record) override { allow.push_back(std::move(record)); }
  void on_deny(Json record) override { deny.push_back(std::move(record)); }
  void on_role(std::string name, Json value) override {
    roles.push_back({std::move(name), std::move(value)});
  }
  void on_group(std::string name, Json value) override {
    groups.push_back({std::move(name), std::move(value)});
  }
  void on_other(std::string name, Json value) override {
    other.push_back({std::move(name), std::move(value)});
  }

  Json::Array allow, deny;
  Json::Object roles, groups, other;
};

}  // namespace

TEST_CASE("AuthFile: a document is handed over piece by piece, as it was written") {
  const TempHome home;
  home.write("auth.json", R"({"x": [1, {"y": null}], "allow": [{"user_id": "a"}, 7], "roles": {"r": ["c"]},
    "z": {"a": {}, "b": 2}, "version": {"major": 1, "minor": 4}, "deny": [{}], "groups": {"g": "r"}, "n": 1.50})");
  Collector got;
  REQUIRE(file_of(home).load_document(got));
  CHECK(Json(got.allow).dump() == R"([{"user_id":"a"},7])");
  CHECK(Json(got.deny).dump() == "[{}]");
  CHECK(Json(got.roles).dump() == R"({"r":["c"]})");
  CHECK(Json(got.groups).dump() == R"({"g":"r"})");
  CHECK(Json(got.other).dump() ==
        R"({"x":[1,{"y":null}],"z":{"a":{},"b":2},"version":{"major":1,"minor":4},"n":1.50})");
}

TEST_CASE("AuthFile: what is not read piece by piece is refused") {
  const TempHome home;
  Collector got;
  CHECK(file_of(home).load_document(got).error().code == ErrorCode::kNotFound);
  home.write("auth.json", "{\"allow\": [}");
  CHECK(file_of(home).load_document(got).error().code == ErrorCode::kParseError);
  home.write("auth.json", R"({"allow": {}, "version": {"major": 1, "minor": 4}})");
  CHECK(file_of(home).load_document(got).error().code == ErrorCode::kInvalidArgument);
  home.write("auth.json", R"({"allow": [], "version": {"major": 1, "minor": 3}})");
  CHECK(file_of(home).load_document(got).error().code == ErrorCode::kUnsupported);
  home.write("auth.json", "# comment\n" + document("a"));
  CHECK(file_of(home).load_document(got).error().code == ErrorCode::kUnsupported);
}

TEST_CASE("AuthFile: a text takes the place of the file, which the history keeps") {
  const TempHome home;
  REQUIRE(file_of(home).replace(text_of(document("first")), true));
  CHECK(home.read("auth.json") == document("first"));
  const auto second = file_of(home).replace(text_of(document("second")), true);
  REQUIRE(second);
  CHECK(second->written);
  CHECK(file_of(home).load()->allow()[0].record->user_id == "second");
  CHECK(file_of(home).load_generation(2)->allow()[0].record->user_id == "first");
}

TEST_CASE("AuthFile: a text may hold all that a policy may, understood or not") {
  const TempHome home;
  const std::string text = R"({"allow": [{"user_id": "a", "credentials": "x", "mechanism": "NULL"}, 7],
    "deny": [{"user_id": "b", "mechanism": "NULL"}, 8], "roles": {"r": ["c"]}, "groups": {"g": ["r"]},
    "version": {"major": 1, "minor": 4}})";
  REQUIRE(file_of(home).replace(text_of(text), true));
  CHECK(home.read("auth.json") == text);
  CHECK(file_of(home).load()->problems().size() >= 2);
}

TEST_CASE("AuthFile: what is no policy does not take the place of the file") {
  const TempHome home;
  home.write("auth.json", document("alice"));
  const std::string text =
      GENERATE(as<std::string>(), "", "{}", "{\"allow\": [}", "[]",
               R"({"allow": [], "version": {"major": 2, "minor": 0}})", "{\"allow\": [], \"allow\": []}");
  const auto replaced = file_of(home).replace(text_of(text), true);
  REQUIRE_FALSE(replaced);
  CHECK(replaced.error().code == ErrorCode::kInvalidArgument);
  CHECK(home.read("auth.json") == document("alice"));
  CHECK_FALSE(std::filesystem::exists(home / "auth.json.bak"));
}

TEST_CASE("AuthFile: nor does what a check refuses") {
  const TempHome home;
  home.write("auth.json", document("alice"));
  const auto check = [](const AuthFile::LoadParts& load) -> Result<void> {
    struct Names final : PolicySink {
      void on_allow(const AuthRecord& record) override { all += record.user_id; }
      void on_deny(const AuthRecord&) override {}
      void on_unreadable_allow(const Json&, const Error&) override {}
      void on_unreadable_deny(const Json&, const Error&) override {}
      void on_role(const Policy::Role&) override {}
      void on_group(const Policy::Group&) override {}
      std::string all;
    } names;
    if (auto loaded = load([&]() -> PolicySink& { return names; }); !loaded) return loaded;
    if (names.all == "bob") return {};
    return Error{ErrorCode::kPermissionDenied, "only bob", ""};
  };
  const auto refused = file_of(home).replace(text_of(document("mallory")), true, check);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "only bob");
  CHECK(home.read("auth.json") == document("alice"));
  CHECK(file_of(home).replace(text_of(document("bob")), true, check));
  CHECK(home.read("auth.json") == document("bob"));
}

TEST_CASE("AuthFile: comments and an older version are kept where the file was not known") {
  const TempHome home;
  SECTION("comments") {
    home.write("auth.json", "# who is who\n" + document("alice"));
    REQUIRE(file_of(home).replace(text_of(document("bob")), false));
    CHECK(home.read("auth.json.commented.bak").starts_with("# who is who"));
  }
  SECTION("an older version") {
    const std::string old = R"({"allow": [], "version": {"major": 1, "minor": 2}})";
    home.write("auth.json", old);
    REQUIRE(file_of(home).replace(text_of(document("bob")), false));
    CHECK(home.read("auth.json.1.2.bak") == old);
  }
  SECTION("an older version that cannot be kept is not replaced") {
    const std::string old = R"({"allow": [], "version": {"major": 1, "minor": 2}})";
    home.write("auth.json", old);
    home.make_folder("auth.json.1.2.bak.tmp");
    CHECK(file_of(home).replace(text_of(document("bob")), false).error().code == ErrorCode::kIoError);
    CHECK(home.read("auth.json") == old);
  }
  SECTION("what cannot be read is not replaced") {
    home.write("auth.json", "{");
    CHECK(file_of(home).replace(text_of(document("bob")), false).error().code == ErrorCode::kParseError);
    CHECK(home.read("auth.json") == "{");
  }
}
