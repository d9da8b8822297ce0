#include <vipauth/web_users.hpp>

#include <string>
#include <sys/stat.h>
#include <vector>

#include <vipauth/audit_trail.hpp>
#include <vipauth/json.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

const std::vector<std::string> kAdmins{"admin"};
const std::string kPassword = "a good password";

WebUsers users_of(const TempHome& home) { return WebUsers(home / "web-users.json"); }

/// As VOLTTRON writes it.
std::string upstream_file(const std::string& hash) {
  return "{\n  \"bob\": {\n    \"hashed_password\": \"" + hash +
         "\",\n    \"groups\": [\"admin\", \"vui\"]\n  }\n}";
}

}  // namespace

TEST_CASE("WebUsers: a user is added, verified and removed") {
  const TempHome home;
  const WebUsers users = users_of(home);
  CHECK(users.list()->empty());
  REQUIRE(users.add("alice", kPassword, kAdmins, WebUsers::Existing::kRefuse));

  struct stat status{};
  REQUIRE(::stat((home / "web-users.json").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600);
  CHECK(home.read("web-users.json").find(kPassword) == std::string::npos);

  const auto user = users.verify("alice", kPassword);
  REQUIRE(user);
  CHECK(user->name == "alice");
  CHECK(user->is_admin());
  for (const auto& [name, password] :
       std::vector<std::pair<std::string, std::string>>{{"alice", "a bad password"},
                                                        {"alice", ""},
                                                        {"Alice", kPassword},
                                                        {"nobody", kPassword},
                                                        {"", kPassword}}) {
    const auto refused = users.verify(name, password);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kPermissionDenied);
    CHECK(refused.error().message == "the user name or the password is wrong");
  }

  REQUIRE(users.remove("alice"));
  CHECK_FALSE(users.verify("alice", kPassword));
  CHECK(users.remove("alice").error().code == ErrorCode::kNotFound);
}

TEST_CASE("WebUsers: who is there is replaced only where that is wanted, and other members stay") {
  const TempHome home;
  const WebUsers users = users_of(home);
  REQUIRE(users.add("alice", kPassword, kAdmins, WebUsers::Existing::kRefuse));
  Json document = *Json::parse(home.read("web-users.json"));
  document.find("alice")->set("note", "kept");
  document.set("odd", Json(Json::Array()));
  home.write("web-users.json", document.dump_pretty());
  const std::string before = home.read("web-users.json");
  const std::string stamp = users.get("alice")->stamp;

  CHECK(users.add("alice", "another password", {}, WebUsers::Existing::kRefuse).error().code ==
        ErrorCode::kAlreadyExists);
  CHECK(home.read("web-users.json") == before);

  REQUIRE(users.add("alice", "another password", {}, WebUsers::Existing::kReplace));
  document = *Json::parse(home.read("web-users.json"));
  CHECK(document.find("alice")->find("note")->as_string() == "kept");
  CHECK(document.find("odd") != nullptr);
  CHECK_FALSE(users.get("alice")->is_admin());
  CHECK(users.get("alice")->stamp != stamp);
  CHECK(users.verify("alice", "another password"));
  CHECK_FALSE(users.verify("alice", kPassword));
}

TEST_CASE("WebUsers: names, passwords and groups are bounded") {
  const TempHome home;
  const WebUsers users = users_of(home);
  const auto add = [&](const std::string& name, const std::string& password,
                       const std::vector<std::string>& groups) {
    return users.add(name, password, groups, WebUsers::Existing::kRefuse);
  };
  for (const std::string& name : {std::string(), std::string(65, 'a'), std::string("a b"),
                                  std::string("../a"), std::string("a\x1b"), std::string("a:b")}) {
    INFO(name);
    CHECK(add(name, kPassword, kAdmins).error().code == ErrorCode::kInvalidArgument);
  }
  CHECK_FALSE(add("alice", "7 bytes", kAdmins));
  CHECK_FALSE(add("alice", std::string(1025, 'x'), kAdmins));
  CHECK_FALSE(add("alice", kPassword, {"bad group"}));
  CHECK_FALSE(home.has("web-users.json"));
  CHECK(add("alice", "8 bytes!", kAdmins));
}

TEST_CASE("WebUsers: hashes that VOLTTRON wrote are good, and those that cost too much are not tried") {
  const TempHome home;
  const WebUsers users = users_of(home);
  // Made by the reference implementation, with the cost and the lengths that passlib has.
  for (const char* hash :
       {"$argon2id$v=19$m=8192,t=2,p=4$c29tZXNhbHRzb21lc2FsdA$gakFgMw1iKlj9ZjjSler/vrzOVcmP77zv6gsqoXiHVI",
        "$argon2id$v=19$m=102400,t=2,p=8$c29tZXNhbHRzb21lc2FsdA$zNT64F3lrL5NnbDj5CpTZQ"}) {
    home.write("web-users.json", upstream_file(hash));
    REQUIRE(users.verify("bob", kPassword));
    CHECK(users.verify("bob", kPassword)->groups == std::vector<std::string>{"admin", "vui"});
    CHECK_FALSE(users.verify("bob", "a bad password"));
  }

  for (const char* hash :
       {"$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAA",
        "$argon2id$v=19$m=8192,t=99999,p=1$YWFh$AA", "$argon2id$v=19$m=8192,t=2,p=99999$YWFh$AA",
        "$argon2i$v=19$m=8192,t=2,p=1$YWFh$AA", "a good password", "",
        "$argon2id$v=19$m=99999999999999999999,t=1,p=1$YWFh$AA"}) {
    INFO(hash);
    home.write("web-users.json", upstream_file(hash));
    std::vector<std::string> warnings;
    CHECK(users.list(&warnings)->empty());
    CHECK(warnings.size() == 1);
    CHECK(users.verify("bob", kPassword).error().code == ErrorCode::kPermissionDenied);
  }
}

TEST_CASE("WebUsers: a file that cannot be read is left alone") {
  const TempHome home;
  const WebUsers users = users_of(home);
  for (const char* text : {"{", "[]", "{\"a\": {}, \"a\": {}}"}) {
    home.write("web-users.json", text);
    CHECK_FALSE(users.list());
    CHECK_FALSE(users.add("alice", kPassword, kAdmins, WebUsers::Existing::kReplace));
    CHECK_FALSE(users.remove("alice"));
    CHECK(users.verify("alice", kPassword).error().code == ErrorCode::kUnavailable);
    CHECK(home.read("web-users.json") == text);
  }
  home.write("web-users.json", "{}");
  home.set_mode("web-users.json", 0644);
  CHECK(users.list().error().code == ErrorCode::kPermissionDenied);
}

TEST_CASE("WebUsers: an edit is audited without the hash") {
  const TempHome home;
  home.make_folder("audit");
  REQUIRE(users_of(home).add("alice", kPassword, kAdmins, WebUsers::Existing::kRefuse,
                             {.note = {"carol", "auth web-user add"}}));
  std::string lines;
  for (const auto& file : std::filesystem::directory_iterator(home / "audit")) {
    if (file.path().extension() == ".jsonl") lines += home.read("audit/" + file.path().filename().string());
  }
  CHECK(lines.find("web-users.json") != std::string::npos);
  CHECK(lines.find("carol") != std::string::npos);
  CHECK(lines.find("alice") != std::string::npos);
  CHECK(lines.find("argon2") == std::string::npos);
}

TEST_CASE("WebUsers: an edit stands where its audit cannot be written, with a warning") {
  const TempHome home;
  const WebUsers users = users_of(home);
  const auto quiet = users.add("alice", kPassword, kAdmins, WebUsers::Existing::kRefuse);
  REQUIRE(quiet);
  CHECK(quiet->written);
  CHECK(quiet->warnings.empty());

  home.write("audit", "a file");
  const auto added = users.add("bob", kPassword, kAdmins, WebUsers::Existing::kRefuse);
  REQUIRE(added);
  REQUIRE(added->warnings.size() == 1);
  CHECK_THAT(added->warnings[0], Catch::Contains("this change is not in the audit log"));
  const auto removed = users.remove("alice");
  REQUIRE(removed);
  CHECK(removed->warnings.size() == 1);
  CHECK(users.get("bob"));
  CHECK(users.get("alice").error().code == ErrorCode::kNotFound);
}

TEST_CASE("WebUsers: one entry that is not understood hides no other") {
  const TempHome home;
  const WebUsers users = users_of(home);
  REQUIRE(users.add("alice", kPassword, kAdmins, WebUsers::Existing::kRefuse));
  std::string text = home.read("web-users.json");
  home.write("web-users.json", text.insert(text.find('{') + 1, "\"bob\": {\"hashed_password\": 1},"));
  CHECK(users.get("alice")->name == "alice");
  CHECK(users.get("bob").error().code == ErrorCode::kNotFound);
}

TEST_CASE("WebUsers: a user whose groups are no list is told, and hides no other") {
  const TempHome home;
  const WebUsers users = users_of(home);
  REQUIRE(users.add("bob", kPassword, kAdmins, WebUsers::Existing::kRefuse));
  Json document = *Json::parse(home.read("web-users.json"));
  Json odd = *document.find("bob");
  odd.set("groups", Json("admin"));
  document.set("odd", std::move(odd));
  home.write("web-users.json", document.dump());
  std::vector<std::string> warnings;
  const auto listed = users.list(&warnings);
  REQUIRE(listed);
  REQUIRE(listed->size() == 1);
  CHECK(listed->front().name == "bob");
  REQUIRE(warnings.size() == 1);
  CHECK(warnings.front().find("groups must be a list") != std::string::npos);
  CHECK_FALSE(users.verify("odd", kPassword));
  CHECK(users.verify("bob", kPassword));
}

TEST_CASE("WebUsers: there are no more than a thousand") {
  const TempHome home;
  const WebUsers users = users_of(home);
  const auto put = [&](int count) {
    Json document{Json::Object()};
    for (int i = 0; i < count; ++i) document.set("user-" + std::to_string(i), Json(Json::Object()));
    home.write("web-users.json", document.dump());
  };
  const auto add = [&](const std::string& name) {
    return users.add(name, kPassword, kAdmins, WebUsers::Existing::kReplace);
  };
  put(1000);
  const std::string before = home.read("web-users.json");
  CHECK(add("alice").error().code == ErrorCode::kLimitExceeded);
  CHECK(home.read("web-users.json") == before);
  CHECK(add("user-999"));
  put(999);
  CHECK(add("alice"));
  CHECK(add("bob").error().code == ErrorCode::kLimitExceeded);
}
