#include <vipauth/local_copy.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

constexpr const char* kStore = "etcd://localhost:2379/vipauth/acme?site=berlin";

LocalCopy::Mark must(const Result<std::optional<LocalCopy::Mark>>& mark) {
  if (!mark) throw std::runtime_error(mark.error().to_string());
  REQUIRE(mark->has_value());
  return **mark;
}

}  // namespace

TEST_CASE("LocalCopy: a home without a mark is no copy") {
  const TempHome home;
  const LocalCopy copy(home.path());
  REQUIRE(copy.load());
  CHECK_FALSE(copy.load()->has_value());
  CHECK_FALSE(*copy.remove());
  CHECK_FALSE(copy.note_synced(kNow));
}

TEST_CASE("LocalCopy: the mark says which store, how far, and since when") {
  const TempHome home;
  home.write("auth.json", "{}");
  const LocalCopy copy(home.path());
  const Json details(Json::Object{{"revision", Json(7)}});
  REQUIRE(copy.save(kStore, details, kNow));
  const LocalCopy::Mark mark = must(copy.load());
  CHECK(mark.store == kStore);
  CHECK(mark.details == details);
  CHECK(mark.is_unchanged);
  CHECK(mark.synced_at == kNow);
  REQUIRE(copy.note_synced(kNow + std::chrono::hours(1)));
  CHECK(must(copy.load()).synced_at == kNow + std::chrono::hours(1));
  CHECK(must(copy.load()).is_unchanged);

  CHECK(*copy.remove());
  CHECK_FALSE(copy.load()->has_value());
  CHECK(home.read("auth.json") == "{}");
}

TEST_CASE("LocalCopy: files that are others now are told") {
  const TempHome home;
  home.write("auth.json", "{}");
  const LocalCopy copy(home.path());
  REQUIRE(copy.save(kStore, Json::Object(), kNow));
  SECTION("replaced") { home.replace("auth.json", "{}"); }
  SECTION("gone") { std::filesystem::remove(home / "auth.json"); }
  SECTION("a second one") { home.write("protected_topics.json", "{}"); }
  CHECK_FALSE(must(copy.load()).is_unchanged);
  REQUIRE(copy.save(kStore, Json::Object(), kNow));
  CHECK(must(copy.load()).is_unchanged);
}

TEST_CASE("LocalCopy: a mark that is not understood is an error, and stays") {
  const TempHome home;
  struct Case {
    const char* text;
    ErrorCode code;
  };
  const auto [text, code] =
      GENERATE(Case{"{", ErrorCode::kParseError}, Case{"[]", ErrorCode::kUnsupported},
               Case{R"({"version": 2, "store": "x"})", ErrorCode::kUnsupported},
               Case{R"({"version": 1, "store": 7, "files": {}, "details": {}})", ErrorCode::kInvalidArgument},
               Case{R"({"version": 1, "store": "x", "files": {}})", ErrorCode::kInvalidArgument});
  home.write("fleet.json", text);
  const auto mark = LocalCopy(home.path()).load();
  REQUIRE_FALSE(mark);
  CHECK(mark.error().code == code);
  CHECK(home.read("fleet.json") == text);
}

TEST_CASE("LocalCopy: strict modes are those of other files") {
  const TempHome home;
  REQUIRE(LocalCopy(home.path()).save(kStore, Json::Object(), kNow));
  home.set_mode("fleet.json", 0666);
  CHECK(LocalCopy(home.path()).load().error().code == ErrorCode::kPermissionDenied);
  CHECK(LocalCopy(home.path(), StrictModes::kOff).load().has_value());
}

TEST_CASE("LocalCopy: the files of a home are for editing there, unless they are a copy") {
  const TempHome home;
  const LocalCopy copy(home.path());
  CHECK(copy.check_edited_here());
  for (const char* text :
       {"", "{", R"({"store": 7})", R"({"store": "etcd://root:swordfish@10.0.0.5/fleet"})"}) {
    home.write("fleet.json", text);
    const auto refused = copy.check_edited_here();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kConflict);
    CHECK_THAT(refused.error().message,
               Catch::Contains("this home follows a store:") && !Catch::Contains("swordfish"));
  }
  REQUIRE(copy.save(kStore, Json::Object(), kNow));
  CHECK_THAT(copy.check_edited_here().error().message, Catch::Contains(kStore));
  REQUIRE(copy.remove());
  CHECK(copy.check_edited_here());
}
