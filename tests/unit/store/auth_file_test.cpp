#include <vipauth/auth_file.hpp>

#include <atomic>
#include <filesystem>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "store/atomic_file.hpp"
#include "store/audit_line.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;
using namespace std::chrono_literals;

namespace {

const std::string kVersion = R"("version": {"major": 1, "minor": 4})";
const std::string kEmpty = "{" + kVersion + "}";

AuthFile file_of(const TempHome& home) { return AuthFile(home / "auth.json"); }

/// A key of its own for each number.
std::string numbered_key(int number) {
  CurveKey::Bytes bytes{};
  bytes[0] = static_cast<std::uint8_t>(number & 0xff);
  bytes[1] = static_cast<std::uint8_t>(number >> 8);
  bytes[2] = 1;
  return CurveKey(bytes).to_base64url();
}

AuthFile::Change adding(int number) {
  return [number](Policy& policy) -> Result<void> {
    auto added = policy.add_allow(Json(Json::Object{{"user_id", Json("user-" + std::to_string(number))},
                                                    {"credentials", Json(numbered_key(number))}}));
    if (!added) return added.error();
    return {};
  };
}

std::set<std::string> users_in(const AuthFile& file) {
  const auto policy = file.load();
  REQUIRE(policy);
  std::set<std::string> users;
  for (const Policy::Entry& entry : policy->allow()) users.insert(entry.record->user_id);
  return users;
}

Json document_in(const TempHome& home) {
  auto parsed = Json::parse(home.read("auth.json"));
  REQUIRE(parsed);
  return *parsed;
}

const AuthFile::Change kNoChange = [](Policy&) { return Result<void>(); };

}  // namespace

TEST_CASE("AuthFile: loads records, and comments do not matter") {
  const TempHome home;
  home.write("auth.json",
             "// who may come in\n{\"allow\": [ # first\n {\"user_id\": \"alice\", \"credentials\": \"" +
                 kKeyA + "\"} /* last */ ], " + kVersion + "}");
  const auto policy = file_of(home).load();
  REQUIRE(policy);
  REQUIRE(policy->allow().size() == 1);
  CHECK(policy->allow()[0].record->user_id == "alice");
}

TEST_CASE("AuthFile: loading writes nothing") {
  const TempHome home;
  CHECK(file_of(home).load().error().code == ErrorCode::kNotFound);
  CHECK(std::filesystem::is_empty(home.path()));
  home.write("auth.json", "// comment\n" + kEmpty);
  REQUIRE(file_of(home).load());
  CHECK(home.read("auth.json") == "// comment\n" + kEmpty);
  CHECK_FALSE(home.has("auth.json.lock"));
}

TEST_CASE("AuthFile: what cannot be read is told with file, line and column") {
  const TempHome home;
  home.write("auth.json", "{\n  \"allow\": [,]\n}");
  const auto broken = file_of(home).load();
  REQUIRE_FALSE(broken);
  CHECK(broken.error().code == ErrorCode::kParseError);
  CHECK(broken.error().location == "auth.json:2:13");
  home.write("auth.json", "{\"allow\": {}}");
  CHECK(file_of(home).load().error().location == "auth.json: /allow");
  for (const std::string_view bad :
       {"", "[]", "null", "{\"allow\": [], \"allow\": []}", "{\"deny\": 1}", "{\"roles\": []}",
        "{\"groups\": []}", "{} trailing", "{}\n/* not closed"}) {
    INFO(bad);
    home.write("auth.json", bad);
    CHECK_FALSE(file_of(home).load());
    CHECK_FALSE(file_of(home).edit(adding(1)));
    CHECK(home.read("auth.json") == bad);
    CHECK_FALSE(home.has("auth.json.bak"));
  }
}

TEST_CASE("AuthFile: a missing file is empty when edited, and made private") {
  const TempHome home;
  const auto report = file_of(home).edit(adding(1));
  REQUIRE(report);
  CHECK(report->written);
  CHECK(report->warnings.empty());
  CHECK(users_in(file_of(home)) == std::set<std::string>{"user-1"});
  CHECK(document_in(home).find("version")->dump() == R"({"major":1,"minor":4})");
  CHECK_FALSE(home.has("auth.json.bak"));
  CHECK_FALSE(home.has("auth.json.tmp"));
  struct stat status{};
  REQUIRE(::stat((home / "auth.json").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("AuthFile: an edit that changes nothing does not write") {
  const TempHome home;
  CHECK_FALSE(file_of(home).edit(kNoChange)->written);
  CHECK_FALSE(home.has("auth.json"));
  const std::string text = "{ \"allow\": [],\n\n\n" + kVersion + " } // as I like it";
  home.write("auth.json", text);
  const auto report = file_of(home).edit(kNoChange);
  REQUIRE(report);
  CHECK_FALSE(report->written);
  CHECK(report->warnings.empty());
  CHECK(home.read("auth.json") == text);
  CHECK_FALSE(home.has("auth.json.bak"));
  CHECK_FALSE(home.has("auth.json.commented.bak"));
}

TEST_CASE("AuthFile: a change that fails writes nothing") {
  const TempHome home;
  home.write("auth.json", kEmpty);
  const auto report = file_of(home).edit([](Policy& policy) -> Result<void> {
    REQUIRE(adding(1)(policy));
    return Error{ErrorCode::kConflict, "changed my mind", "here"};
  });
  REQUIRE_FALSE(report);
  CHECK(report.error().code == ErrorCode::kConflict);
  CHECK(report.error().location == "here");
  CHECK(home.read("auth.json") == kEmpty);
  CHECK_FALSE(home.has("auth.json.bak"));
  CHECK(file_of(home).edit(adding(1)));  // and lets go of the lock
}

TEST_CASE("AuthFile: a change that throws writes nothing and lets go of the lock") {
  const TempHome home;
  home.write("auth.json", kEmpty);
  CHECK_THROWS(file_of(home).edit([](Policy&) -> Result<void> { throw std::runtime_error("x"); }));
  CHECK(home.read("auth.json") == kEmpty);
  CHECK(file_of(home).edit(adding(1), {.patience = 0ms}));
}

TEST_CASE("AuthFile: what it does not understand survives an edit, in place and order") {
  const TempHome home;
  const std::string text = R"({
    "made by": ["hand", 1.50, 1e3, -0, {"z": null, "a": "\u00e9"}],
    "allow": [
      {"zeta": 1, "user_id": "alice", "credentials": ")" +
                           kKeyA + R"(", "alpha": {"b": [], "a": {}}, "enabled": true},
      "not a record", 5, null,
      {"user_id": "gssapi", "mechanism": "GSSAPI", "credentials": 7}
    ],
    "deny": [{"credentials": ")" +
                           kKeyB + R"(", "why": "lost laptop"}],
    "roles": {"z-role": ["cap"], "a-role": 5},
    "groups": {"z-group": ["z-role"], "a-group": [1]},
    "version": {"major": 1, "minor": 9, "patch": "x"},
    "last": 123456789012345678901234567890
  })";
  home.write("auth.json", text);
  Json expected = *Json::parse(text);
  REQUIRE(file_of(home).edit(adding(1)));
  Json after = document_in(home);
  // The order of members is part of dump(), not of equality.
  REQUIRE(after.find("allow")->as_array().size() == 6);
  CHECK(after.find("allow")->as_array().back().find("user_id")->as_string() == "user-1");
  after.find("allow")->as_array().pop_back();
  CHECK(after.dump() == expected.dump());
}

TEST_CASE("AuthFile: capabilities keep the form in which they were written") {
  const TempHome home;
  home.write("auth.json", R"({"allow": [
      {"user_id": "a", "credentials": ")" +
                              kKeyA + R"(", "capabilities": "single"},
      {"user_id": "b", "credentials": ")" +
                              kKeyB + R"(", "capabilities": ["x", {"y": {"p": "/.*/"}}, {"z": null}]},
      {"user_id": "c", "credentials": ")" +
                              kKeyC + R"(", "capabilities": {"m": null, "n": {"p": 1.0}}, "roles": ["r"]}],
      "roles": {"r": "one", "s": {"t": null}}, )" +
                              kVersion + "}");
  REQUIRE(file_of(home).edit(adding(1)));
  const Json after = document_in(home);
  const Json::Array& allow = after.find("allow")->as_array();
  CHECK(allow[0].find("capabilities")->dump() == R"("single")");
  CHECK(allow[1].find("capabilities")->dump() == R"(["x",{"y":{"p":"/.*/"}},{"z":null}])");
  CHECK(allow[2].find("capabilities")->dump() == R"({"m":null,"n":{"p":1.0}})");  // and no grant of the role
  CHECK(after.find("roles")->dump() == R"({"r":"one","s":{"t":null}})");
}

TEST_CASE("AuthFile: the backup is the version before") {
  const TempHome home;
  REQUIRE(file_of(home).edit(adding(1)));
  const std::string one = home.read("auth.json");
  REQUIRE(file_of(home).edit(adding(2)));
  const std::string two = home.read("auth.json");
  CHECK(home.read("auth.json.bak") == one);
  REQUIRE_FALSE(file_of(home).edit(adding(2)));  // is there already
  REQUIRE_FALSE(file_of(home).edit(kNoChange)->written);
  CHECK(home.read("auth.json.bak") == one);
  REQUIRE(file_of(home).edit(adding(3)));
  CHECK(home.read("auth.json.bak") == two);
}

TEST_CASE("AuthFile: comments are kept once in a file of their own") {
  const TempHome home;
  const std::string commented = "# mine\n" + kEmpty;
  home.write("auth.json", commented);
  const auto first = file_of(home).edit(adding(1));
  REQUIRE(first);
  REQUIRE(first->warnings.size() == 1);
  CHECK(first->warnings[0].find("auth.json.commented.bak") != std::string::npos);
  CHECK(home.read("auth.json.commented.bak") == commented);
  CHECK(home.read("auth.json").find('#') == std::string::npos);
  CHECK(file_of(home).edit(adding(2))->warnings.empty());
  // Comments that come later do not replace the first ones.
  home.write("auth.json", "# newer\n" + kEmpty);
  CHECK(file_of(home).edit(adding(3))->warnings.empty());
  CHECK(home.read("auth.json.commented.bak") == commented);
}

TEST_CASE("AuthFile: a record with a time warns that VOLTTRON ignores it") {
  const TempHome home;
  const auto timed = [](std::string_view field) {
    return [field](Policy& policy) -> Result<void> {
      auto added = policy.add_allow(Json(
          Json::Object{{"credentials", Json(kKeyA)}, {std::string(field), Json("2030-01-01T00:00:00Z")}}));
      if (!added) return added.error();
      return {};
    };
  };
  for (const std::string_view field : {"not_before", "not_after"}) {
    home.write("auth.json", kEmpty);
    const auto report = file_of(home).edit(timed(field));
    REQUIRE(report);
    REQUIRE(report->warnings.size() == 1);
    CHECK(report->warnings[0].find("VOLTTRON") != std::string::npos);
    CHECK(file_of(home).edit(adding(1))->warnings.empty());  // said once, where it is written
  }
}

TEST_CASE("AuthFile: a newer major version is refused and left untouched") {
  const TempHome home;
  for (const std::string_view version : {R"({"major": 2, "minor": 0})", R"({"major": 2})",
                                         R"({"major": 2.0})", R"({"major": 999999})", R"({"major": 1e30})"}) {
    INFO(version);
    const std::string text = R"({"allow": [], "version": )" + std::string(version) + "}";
    home.write("auth.json", text);
    const auto loaded = file_of(home).load();
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().code == ErrorCode::kUnsupported);
    CHECK(loaded.error().location == "auth.json: /version");
    CHECK(file_of(home).edit(adding(1)).error().code == ErrorCode::kUnsupported);
    CHECK(home.read("auth.json") == text);
  }
}

TEST_CASE("AuthFile: a newer minor version is read and edited, and kept") {
  const TempHome home;
  home.write("auth.json", R"({"version": {"major": 1, "minor": 7}})");
  REQUIRE(file_of(home).edit(adding(1)));
  CHECK(document_in(home).find("version")->dump() == R"({"major":1,"minor":7})");
}

TEST_CASE("AuthFile: a version that cannot be read is refused and left untouched") {
  const TempHome home;
  for (const std::string_view version : {R"("1.4")", R"({"minor": 4})", R"({"major": -1})", "null"}) {
    INFO(version);
    const std::string text = R"({"allow": [], "version": )" + std::string(version) + "}";
    home.write("auth.json", text);
    CHECK(file_of(home).load().error().location == "auth.json: /version");
    CHECK(file_of(home).edit(adding(1)).error().location == "auth.json: /version");
    CHECK(home.read("auth.json") == text);
  }
}

TEST_CASE("AuthFile: the first edit of an older version keeps the original, byte for byte") {
  const TempHome home;
  const std::string text =
      "{ \"allow\": [{\"credentials\": \"CURVE:" + kKeyA + "\", \"user_id\": \"alice\"}] }\n\n";
  home.write("auth.json", text);
  CHECK(users_in(file_of(home)) == std::set<std::string>{"alice"});
  CHECK_FALSE(file_of(home).edit(kNoChange)->written);
  CHECK(home.read("auth.json") == text);
  CHECK_FALSE(home.has("auth.json.0.0.bak"));

  const auto report = file_of(home).edit(adding(1));
  REQUIRE(report);
  REQUIRE(report->warnings.size() == 1);
  CHECK(report->warnings[0].find("auth.json.0.0.bak") != std::string::npos);
  CHECK(home.read("auth.json.0.0.bak") == text);
  CHECK(users_in(file_of(home)) == std::set<std::string>{"alice", "user-1"});
  CHECK(document_in(home).find("version")->dump() == R"({"major":1,"minor":4})");
  CHECK(file_of(home).edit(adding(2))->warnings.empty());
  CHECK(home.read("auth.json.0.0.bak") == text);
}

TEST_CASE("AuthFile: the original of an older version never replaces another one") {
  const TempHome home;
  const std::string text = R"({"version": {"major": 1, "minor": 2}})";
  home.write("auth.json.1.2.bak", "mine");
  home.write("target", "not to be written");
  std::filesystem::create_symlink(home / "target", home / "auth.json.1.2.2.bak");
  home.write("auth.json", text);
  REQUIRE(file_of(home).edit(adding(1)));
  CHECK(home.read("auth.json.1.2.bak") == "mine");
  CHECK(home.read("target") == "not to be written");
  CHECK(home.read("auth.json.1.2.3.bak") == text);
  home.write("auth.json", text);  // the same again is there already
  REQUIRE(file_of(home).edit(adding(1)));
  CHECK_FALSE(home.has("auth.json.1.2.4.bak"));
}

TEST_CASE("AuthFile: an older version is not edited where its original cannot be kept") {
  const TempHome home;
  const std::string text = R"({"version": {"major": 1, "minor": 2}})";
  home.write("auth.json", text);
  const std::string in_the_way = "auth.json.1.2.bak.tmp";
  home.make_folder(in_the_way);
  CHECK(file_of(home).edit(adding(1)).error().code == ErrorCode::kIoError);
  CHECK(home.read("auth.json") == text);
  std::filesystem::remove(home / in_the_way);

  // Each of the names that it would have is taken by another file.
  constexpr int kNames = 100;
  for (int i = 1; i <= kNames; ++i)
    home.write("auth.json.1.2" + (i == 1 ? std::string() : "." + std::to_string(i)) + ".bak", "mine");
  const auto refused = file_of(home).edit(adding(1));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kAlreadyExists);
  CHECK(refused.error().message.find("auth.json.1.2.bak\" and 99 more") != std::string::npos);
  CHECK(home.read("auth.json") == text);
  std::filesystem::remove(home / "auth.json.1.2.100.bak");
  REQUIRE(file_of(home).edit(adding(1)));
  CHECK(home.read("auth.json.1.2.100.bak") == text);
}

TEST_CASE("AuthFile: of many warnings about an older version the first are told, and how many follow") {
  const TempHome home;
  const auto warnings_of = [&](int records) {
    Json::Array allow;
    for (int i = 0; i < records; ++i) allow.push_back(Json::Object{{"credentials", "a word"}});
    home.write("auth.json", Json(Json::Object{{"allow", std::move(allow)}}).dump());
    const auto report = file_of(home).edit(adding(1));
    REQUIRE(report);
    return report->warnings;
  };
  CHECK(warnings_of(20).size() == 21);  // with the one that tells of the version
  CHECK(warnings_of(20).back().find("/allow/19/credentials") == 0);
  const auto warnings = warnings_of(23);
  REQUIRE(warnings.size() == 22);
  CHECK(warnings[20].find("/allow/19/credentials") == 0);
  CHECK(warnings[21] == "and 3 more of these");
}

TEST_CASE("AuthFile: an edit of a file with comments is audited as one without") {
  std::vector<std::string> lines;
  for (const std::string comment : {"", "# mine\n"}) {
    const TempHome home;
    home.make_folder("audit");
    home.write("auth.json", comment + kEmpty);
    REQUIRE(file_of(home).edit(adding(1), {.clock = [] { return kNow; }}));
    const std::string line = home.read("audit/" + audit_file_name(1));
    CHECK(line.find("\"user-1\"") != std::string::npos);
    lines.push_back(line);
  }
  CHECK(lines[0] == lines[1]);
}

TEST_CASE("AuthFile: a VOLTTRON that runs on the same home is warned of") {
  const TempHome home;
  const auto warnings = [&](const std::string& pid_file, int number) {
    home.write("VOLTTRON_PID", pid_file);
    const auto report = file_of(home).edit(adding(number));
    REQUIRE(report);
    return report->warnings;
  };
  const auto own = std::to_string(::getpid());
  REQUIRE(warnings(own, 1).size() == 1);
  CHECK(warnings(own + "\n", 2)[0].find("process " + own) != std::string::npos);
  CHECK(warnings(own, 3)[0].find("restart it") != std::string::npos);
  const pid_t ended = ::fork();
  if (ended == 0) ::_exit(0);
  REQUIRE(::waitpid(ended, nullptr, 0) == ended);
  const std::string gone = std::to_string(ended);
  int number = 4;
  for (const std::string& nobody : {gone, std::string(), std::string("x"), std::string("-1"),
                                    std::string("0"), std::string("99999999999999999999"), own + " x"}) {
    INFO(nobody);
    CHECK(warnings(nobody, number++).empty());
  }
  home.write("VOLTTRON_PID", own);
  CHECK(file_of(home).edit(kNoChange)->warnings.empty());
}

TEST_CASE("AuthFile: what could not be read again is not written") {
  const TempHome home;
  home.write("auth.json", kEmpty);
  Json deep(1);
  for (std::size_t i = 0; i < Json::kMaxDepth; ++i) deep = Json(Json::Array{std::move(deep)});
  for (const Json& comments :
       {Json("\xff"), Json(Json::Array{"a\xed\xb0\x80"}), deep, Json(Json::Number{"1}"})}) {
    const auto edited = file_of(home).edit([&](Policy& policy) -> Result<void> {
      auto added = policy.add_allow(Json(Json::Object{{"credentials", Json(kKeyA)}, {"comments", comments}}));
      if (!added) return added.error();
      return {};
    });
    REQUIRE_FALSE(edited);
    CHECK(edited.error().code == ErrorCode::kInvalidArgument);
    CHECK(home.read("auth.json") == kEmpty);
  }
}

namespace {

/// A text of more than one MiB, compact, with a member that is not understood.
std::string large_text(int records = 8000) {
  Json::Array allow;
  for (int i = 0; i < records; ++i) {
    allow.push_back(Json::Object{{"user_id", "user-" + std::to_string(i)},
                                 {"credentials", numbered_key(i)},
                                 {"more", std::string(100, 'x')}});
  }
  const Json version(Json::Object{{"major", 1}, {"minor", 4}});
  return Json(Json::Object{{"allow", std::move(allow)}, {"other", Json::Array{true}}, {"version", version}})
      .dump();
}

}  // namespace

TEST_CASE("AuthFile: a large file is edited as a small one is") {
  const TempHome home;
  const std::string text = large_text();
  REQUIRE(text.size() > std::size_t{1} << 20);
  home.write("auth.json", text);
  const auto nothing = file_of(home).edit([](Policy&) { return Result<void>(); });
  REQUIRE(nothing);
  CHECK_FALSE(nothing->written);
  CHECK(home.read("auth.json") == text);

  const auto edited = file_of(home).edit(adding(9000));
  REQUIRE(edited);
  CHECK(edited->written);
  CHECK(edited->warnings.empty());
  auto expected = Policy::parse(*Json::parse(text));
  REQUIRE(adding(9000)(*expected));
  CHECK(home.read("auth.json") == expected->to_json().dump_pretty() + "\n");
  CHECK(home.read("auth.json.bak") == text);
  CHECK(home.read("history/auth.json/1.json") == text);
  CHECK_FALSE(std::filesystem::exists(home / "auth.json.tmp"));

  SECTION("restored") {
    REQUIRE(file_of(home).restore(1));
    CHECK(home.read("auth.json") == text);
    CHECK_FALSE(file_of(home).restore(1)->written);
  }
  SECTION("undone by hand, and edited again: the history holds it once") {
    home.replace("auth.json", text);
    REQUIRE(file_of(home).edit(adding(9001)));
    CHECK_FALSE(std::filesystem::exists(home / "history/auth.json/1.json"));
    CHECK(home.read("history/auth.json/2.json") == text);
  }
}

TEST_CASE("AuthFile: of a large file with comments, or of an older version, the original is kept") {
  const TempHome home;
  const std::string commented = "# mine\n" + large_text();
  home.write("auth.json", commented);
  REQUIRE(file_of(home).edit(adding(9000)));
  CHECK(home.read("auth.json.commented.bak") == commented);
  CHECK(home.read("auth.json.bak") == commented);

  const std::string old = "{\"allow\": [], \"pad\": \"" + std::string(std::size_t{2} << 20, 'x') +
                          "\", \"version\": {\"major\": 1, \"minor\": 2}}";
  home.replace("auth.json", old);
  REQUIRE(file_of(home).edit(adding(1)));
  CHECK(home.read("auth.json.1.2.bak") == old);
  CHECK(users_in(file_of(home)).contains("user-1"));
}

TEST_CASE("AuthFile: a large file that somebody writes into meanwhile stays as they wrote it") {
  const TempHome home;
  const std::string text = large_text();
  home.write("auth.json", text);
  REQUIRE(file_of(home).edit(adding(9000)));
  home.replace("auth.json", text);
  const auto edited = file_of(home).edit([&](Policy& policy) {
    home.write("auth.json", text + " ");
    return adding(9001)(policy);
  });
  REQUIRE_FALSE(edited);
  CHECK(edited.error().code == ErrorCode::kBusy);
  CHECK(home.read("auth.json") == text + " ");
  CHECK(home.read("history/auth.json/1.json") == text);
  CHECK_FALSE(std::filesystem::exists(home / "history/auth.json/2.json"));
  CHECK_FALSE(std::filesystem::exists(home / "auth.json.tmp"));
  REQUIRE(file_of(home).edit(adding(9001)));
  CHECK(home.read("auth.json.bak") == text + " ");
}

TEST_CASE("AuthFile: what is not ASCII survives") {
  const TempHome home;
  const std::string name = "J\xc3\xb6rg \xe6\xbc\xa2 \xf0\x9f\x98\x80";
  home.write("auth.json", R"({"allow": [{"user_id": ")" + name + R"(", "credentials": ")" + kKeyA + "\"}], " +
                              kVersion + "}");
  REQUIRE(file_of(home).edit(adding(1)));
  CHECK(users_in(file_of(home)) == std::set<std::string>{name, "user-1"});
}

TEST_CASE("AuthFile: another editor's lock is waited for, and then given up") {
  const TempHome home;
  const auto lock = FileLock::acquire(home / "auth.json", 0ms);
  REQUIRE(lock);
  CHECK(file_of(home).edit(adding(1), {.patience = 10ms}).error().code == ErrorCode::kBusy);
  CHECK_FALSE(home.has("auth.json"));
}

TEST_CASE("AuthFile: a symbolic link is refused and stays") {
  const TempHome home;
  home.write("real.json", kEmpty);
  std::filesystem::create_symlink(home / "real.json", home / "auth.json");
  CHECK(file_of(home).load().error().code == ErrorCode::kPermissionDenied);
  CHECK(file_of(home).edit(adding(1)).error().code == ErrorCode::kPermissionDenied);
  CHECK(home.read("real.json") == kEmpty);
}

TEST_CASE("AuthFile: forty threads that edit at once lose nothing") {
  const TempHome home;
  constexpr int kThreads = 40;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  std::vector<int> succeeded(kThreads, 0);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      succeeded[static_cast<std::size_t>(i)] = file_of(home).edit(adding(i), {.patience = 300s}) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(succeeded == std::vector<int>(kThreads, 1));
  CHECK(users_in(file_of(home)).size() == kThreads);
}

TEST_CASE("AuthFile: forty processes that edit at once lose nothing") {
  const TempHome home;
  home.write("auth.json", kEmpty);
  constexpr int kProcesses = 40;
  std::vector<ChildProcess> processes;
  processes.reserve(kProcesses);
  for (int i = 0; i < kProcesses; ++i) {
    processes.emplace_back([&, i] { return file_of(home).edit(adding(i), {.patience = 300s}) ? 0 : 1; });
  }
  for (ChildProcess& process : processes) CHECK(process.wait() == 0);
  const auto users = users_in(file_of(home));
  for (int i = 0; i < kProcesses; ++i) CHECK(users.contains("user-" + std::to_string(i)));
}

TEST_CASE("AuthFile: who reads while others edit finds a whole file at every moment") {
  const TempHome home;
  home.write("auth.json", kEmpty);
  std::atomic<bool> done = false;
  std::thread editor([&] {
    for (int i = 0; i < 60; ++i) static_cast<void>(file_of(home).edit(adding(i)));
    done = true;
  });
  std::optional<Error> problem;
  std::size_t most = 0;
  bool shrank = false;
  while (!done && !problem) {
    const auto policy = file_of(home).load();
    if (!policy) {
      problem = policy.error();
    } else {
      shrank = shrank || policy->allow().size() < most;
      most = policy->allow().size();
    }
  }
  editor.join();
  INFO((problem ? problem->to_string() : ""));
  CHECK_FALSE(problem);
  CHECK_FALSE(shrank);
  CHECK(users_in(file_of(home)).size() == 60);
}

TEST_CASE("AuthFile: of an editor that is killed at any moment every acknowledged record is there") {
  const TempHome home;
  home.write("auth.json", kEmpty);
  constexpr int kRounds = 12;
  int next = 0;
  for (int round = 0; round < kRounds; ++round) {
    int acknowledged[2];
    REQUIRE(::pipe(acknowledged) == 0);
    ChildProcess editor([&, next] {
      for (int i = next;; ++i) {
        if (!file_of(home).edit(adding(i), {.patience = 0ms})) return 1;
        if (::write(acknowledged[1], "x", 1) != 1) return 2;
      }
    });
    ::close(acknowledged[1]);
    char byte = 0;
    for (int i = 0; i < 3; ++i) REQUIRE(::read(acknowledged[0], &byte, 1) == 1);
    std::this_thread::sleep_for(round *
                                250us);  // to another moment of an edit each time; any of them will do
    editor.kill();
    int count = 3;
    while (::read(acknowledged[0], &byte, 1) == 1) ++count;
    ::close(acknowledged[0]);

    const auto users = users_in(file_of(home));
    for (int i = 0; i < next + count; ++i) {
      INFO("round " << round << " user " << i);
      CHECK(users.contains("user-" + std::to_string(i)));
    }
    next = static_cast<int>(users.size());  // the last one may have been written and not acknowledged
    if (home.has("auth.json.bak")) CHECK(Json::parse(home.read("auth.json.bak")));
    for (const auto& entry : std::filesystem::directory_iterator(home.path())) {
      CHECK(std::set<std::string>{"auth.json", "auth.json.lock", "auth.json.bak", "auth.json.tmp", "history"}
                .contains(entry.path().filename()));
    }
  }
}
