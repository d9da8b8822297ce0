#include <vipauth/file_history.hpp>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <vipauth/auth_file.hpp>

#include "store/history_folder.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace fs = std::filesystem;

namespace {

AuthFile file_of(const TempHome& home) { return AuthFile(home / "auth.json"); }
FileHistory history_of(const TempHome& home) { return FileHistory(home / "auth.json"); }

/// An edit that makes the file say that it is version `number`.
Result<EditReport> edit(const TempHome& home, int number, const EditOptions& options = {}) {
  return file_of(home).edit(
      [&](Policy& policy) { return policy.add_role("r" + std::to_string(number), Json()); }, options);
}

std::vector<std::uint64_t> numbers(const TempHome& home) {
  const auto generations = history_of(home).list();
  REQUIRE(generations);
  std::vector<std::uint64_t> out;
  for (const Generation& generation : *generations) out.push_back(generation.number);
  return out;
}

std::set<std::string> files_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

mode_t mode_of(const fs::path& file) {
  struct stat status{};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("FileHistory: each edit leaves what was there before, with who, when and by what") {
  const TempHome home;
  CHECK(numbers(home).empty());
  CHECK_FALSE(home.has("history"));
  EditOptions options{.note = {"alice", "auth add-role"}, .clock = [] { return kNow; }};
  REQUIRE(edit(home, 1, options));
  const std::string one = home.read("auth.json");
  REQUIRE(edit(home, 2, options));

  const auto generations = history_of(home).list();
  REQUIRE(generations);
  REQUIRE(generations->size() == 2);
  const Generation& last = generations->front();
  CHECK(last.number == 2);
  CHECK(last.time == kNow);
  CHECK(last.who == "alice");
  CHECK(last.command == "auth add-role");
  CHECK(last.bytes == one.size());
  CHECK(*history_of(home).read(2) == one);
  CHECK(*history_of(home).read(1) ==
        Policy().to_json().dump_pretty() + "\n");  // of a file that was not there
  CHECK(history_of(home).read(3).error().code == ErrorCode::kNotFound);
  CHECK(history_of(home).read(0).error().code == ErrorCode::kNotFound);
}

TEST_CASE("FileHistory: what changes nothing, or fails, leaves nothing") {
  const TempHome home;
  REQUIRE(edit(home, 1));
  REQUIRE_FALSE(edit(home, 1));
  CHECK_FALSE(file_of(home).edit([](Policy&) { return Result<void>(); })->written);
  CHECK(numbers(home) == std::vector<std::uint64_t>{1});
}

TEST_CASE("FileHistory: what another program wrote is kept when an edit replaces it") {
  const TempHome home;
  REQUIRE(edit(home, 1));
  const std::string by_hand = "# mine\n{\"version\": {\"major\": 1, \"minor\": 4}}";
  home.write("auth.json", by_hand);
  REQUIRE(edit(home, 2));
  CHECK(*history_of(home).read(2) == by_hand);
  home.write("auth.json",
             "{}");  // in place, as VOLTTRON writes
  CHECK(*history_of(home).read(2) == by_hand);
}

TEST_CASE("FileHistory: is private, also of a file that was not") {
  const TempHome home;
  home.write("auth.json", R"({"version": {"major": 1, "minor": 4}})");
  home.set_mode("auth.json", 0644);
  REQUIRE(edit(home, 1));
  CHECK(mode_of(home / "history") == 0700);
  CHECK(mode_of(home / "history/auth.json") == 0700);
  CHECK(mode_of(home / "history/auth.json/1.json") == 0600);
  CHECK(mode_of(home / "history/auth.json/1.note.json") == 0600);
}

TEST_CASE("FileHistory: keeps the newest generations") {
  const TempHome home;
  constexpr int kEdits = 25;
  for (int i = 1; i <= kEdits; ++i) REQUIRE(edit(home, i));
  const auto kept = numbers(home);
  REQUIRE(kept.size() == FileHistory::kMaxGenerations);
  CHECK(kept.front() == kEdits);
  CHECK(kept.back() == kEdits - FileHistory::kMaxGenerations + 1);
  CHECK(files_in(home / "history/auth.json").size() == 2 * FileHistory::kMaxGenerations);
}

TEST_CASE("FileHistory: automatic edits in a row are one, and push out nothing of a person") {
  const TempHome home;
  const auto automatic = [](const std::string& who) {
    return EditOptions{.note = {who, "register_methods", true}};
  };
  REQUIRE(edit(home, 1));
  REQUIRE(edit(home, 2));
  const std::string before = home.read("auth.json");
  for (int i = 0; i < 30; ++i) REQUIRE(edit(home, 100 + i, automatic("agent")));
  REQUIRE(history_of(home).list()->size() == 3);
  CHECK(history_of(home).list()->front().who == "agent");
  CHECK(*history_of(home).read(numbers(home).front()) == before);

  SECTION("also those of several programs") {
    for (int i = 0; i < 30; ++i) REQUIRE(edit(home, 200 + i, automatic("agent" + std::to_string(i % 3))));
    CHECK(history_of(home).list()->size() == 3);
    CHECK(history_of(home).list()->front().who == "several");
    CHECK(*history_of(home).read(numbers(home).front()) == before);
  }
  SECTION("a person's edit ends the row") {
    const std::string registered = home.read("auth.json");
    REQUIRE(edit(home, 3));
    const std::string later = home.read("auth.json");
    for (int i = 0; i < 30; ++i) REQUIRE(edit(home, 200 + i, automatic("agent")));
    const auto kept = numbers(home);
    REQUIRE(kept.size() == 5);
    CHECK(*history_of(home).read(kept[0]) == later);
    CHECK(*history_of(home).read(kept[1]) == registered);
    CHECK(*history_of(home).read(kept[2]) == before);
  }
  SECTION("so does what another program wrote") {
    const std::string by_hand = "# mine\n{\"version\": {\"major\": 1, \"minor\": 4}}";
    home.write("auth.json", by_hand);
    REQUIRE(edit(home, 300, automatic("agent")));
    REQUIRE(edit(home, 301, automatic("agent")));
    CHECK(history_of(home).list()->size() == 4);
    CHECK(*history_of(home).read(numbers(home).front()) == by_hand);
  }
  SECTION("one that was cut off before it was folded only stays") {
    const auto folder = HistoryFolder::open(home / "auth.json", StrictModes::kOn);
    REQUIRE(folder);
    const std::string present = home.read("auth.json");
    REQUIRE(edit(home, 300, automatic("agent")));
    REQUIRE(folder->keep(FileContent::of(home.read("auth.json")), FileContent::of(present),
                         automatic("agent").note, kNow));
    home.write("auth.json", present);
    REQUIRE(edit(home, 301, automatic("agent")));
    CHECK(history_of(home).list()->size() == 4);
    CHECK(*history_of(home).read(numbers(home)[1]) == before);
  }
}

TEST_CASE("FileHistory: peers push out nothing of a person") {
  const TempHome home;
  const EditOptions peer{.note = {"peer:approver", "deny_authorization"}};
  for (int i = 0; i < 5; ++i) REQUIRE(edit(home, i));
  for (int i = 0; i < 30; ++i) REQUIRE(edit(home, 100 + i, peer));
  const auto kept = history_of(home).list();
  REQUIRE(kept->size() == FileHistory::kMaxGenerations / 2 + 5);
  CHECK(kept->front().number == 35);
  CHECK(kept->back().number == 1);

  SECTION("and leave it the rest") {
    for (int i = 0; i < 30; ++i) REQUIRE(edit(home, 200 + i));
    CHECK(numbers(home).size() == FileHistory::kMaxGenerations);
    CHECK(history_of(home).list()->back().who != "peer:approver");
  }
  SECTION("nor by their size") {
    fs::resize_file(home / "history/auth.json/30.json", FileHistory::kMaxBytes / 2);
    REQUIRE(edit(home, 200, peer));
    CHECK(numbers(home) == std::vector<std::uint64_t>{36, 35, 34, 33, 32, 31, 5, 4, 3, 2, 1});
  }
}

TEST_CASE("FileHistory: is bounded in bytes, and keeps one at least") {
  const TempHome home;
  REQUIRE(edit(home, 1));
  REQUIRE(edit(home, 2));
  REQUIRE(edit(home, 3));
  fs::resize_file(home / "history/auth.json/2.json", FileHistory::kMaxBytes);
  REQUIRE(edit(home, 4));
  CHECK(numbers(home) == std::vector<std::uint64_t>{4, 3});
  fs::resize_file(home / "history/auth.json/4.json", FileHistory::kMaxBytes);
  const auto folder = HistoryFolder::open(home / "auth.json", StrictModes::kOn);
  REQUIRE(folder);
  folder->settle(4);
  CHECK(numbers(home) == std::vector<std::uint64_t>{4});
}

TEST_CASE("FileHistory: half of a generation does not count, and goes with the next edit") {
  const TempHome home;
  REQUIRE(edit(home, 1));
  REQUIRE(edit(home, 2));
  home.write("history/auth.json/7.json", "no note");
  home.write("history/auth.json/8.note.json", R"({"time": "2026-11-21T21:30:00Z"})");
  home.write("history/auth.json/9.json", "half-written note");
  home.write("history/auth.json/9.note.json.tmp", "half");
  home.write("history/auth.json/mine.txt", "of somebody else");
  home.write("history/auth.json/99999999999999999999999.json", "no number");
  CHECK(numbers(home) == std::vector<std::uint64_t>{2, 1});
  for (const std::uint64_t number : {7U, 8U, 9U}) CHECK_FALSE(history_of(home).read(number));
  REQUIRE(edit(home, 3));
  CHECK(numbers(home) == std::vector<std::uint64_t>{10, 2, 1});
  CHECK(files_in(home / "history/auth.json") ==
        std::set<std::string>{"1.json", "1.note.json", "2.json", "2.note.json", "10.json", "10.note.json",
                              "mine.txt", "99999999999999999999999.json"});
}

TEST_CASE("FileHistory: what strict modes refuse is told, and no edit removes anything") {
  const TempHome home;
  for (int i = 1; i <= 6; ++i) REQUIRE(edit(home, i));
  const auto before = files_in(home / "history/auth.json");
  for (const std::string& name : before) home.set_mode("history/auth.json/" + name, 0602);
  const auto refused = history_of(home).list();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kPermissionDenied);
  CHECK(refused.error().message.ends_with("chmod go-w \"" +
                                          (home / "history/auth.json/6.note.json").string() + "\""));
  const auto report = edit(home, 7);
  REQUIRE(report);
  CHECK(report->written);
  REQUIRE(report->warnings.size() == 1);
  CHECK(report->warnings[0].starts_with("old versions in the history cannot be removed: "));
  for (const std::string& name : before) home.set_mode("history/auth.json/" + name, 0600);
  CHECK(numbers(home) == std::vector<std::uint64_t>{7, 6, 5, 4, 3, 2, 1});
}

TEST_CASE("FileHistory: a note that cannot be read for want of descriptors removes nothing") {
  const TempHome home;
  for (int i = 1; i <= 3; ++i) REQUIRE(edit(home, i));
  const auto before = files_in(home / "history/auth.json");
  CHECK(ChildProcess([&] {
          const auto folder = HistoryFolder::open(home / "auth.json", StrictModes::kOn);
          if (!folder) return 1;
          // One for the folder, and none for what is in it.
          const int next = ::dup(0);
          const rlimit limit{static_cast<rlim_t>(next) + 1, static_cast<rlim_t>(next) + 1};
          if (::close(next) != 0 || ::setrlimit(RLIMIT_NOFILE, &limit) != 0) return 2;
          if (folder->list()) return 3;
          return folder->settle(3).size() == 1 ? 0 : 4;
        }).wait() == 0);
  CHECK(files_in(home / "history/auth.json") == before);
}

TEST_CASE("FileHistory: a version with a damaged note is kept, and told") {
  const TempHome home;
  for (int i = 1; i <= 3; ++i) REQUIRE(edit(home, i));
  home.write("history/auth.json/2.note.json", "{");
  home.write("history/auth.json/3.note.json", R"({"time": "yesterday"})");
  std::vector<std::string> warnings;
  const auto generations = history_of(home).list(&warnings);
  REQUIRE(generations);
  REQUIRE(generations->size() == 1);
  CHECK(generations->front().number == 1);
  REQUIRE(warnings.size() == 2);
  CHECK(warnings[0].find("3.note.json") != std::string::npos);
  CHECK(warnings[1].find("2.note.json") != std::string::npos);
  CHECK(history_of(home).read(2).error().code == ErrorCode::kParseError);
  const auto report = edit(home, 4);
  REQUIRE(report);
  CHECK(report->warnings.size() == 2);
  CHECK(numbers(home) == std::vector<std::uint64_t>{4, 1});
  for (const char* name : {"2.json", "2.note.json", "3.json", "3.note.json"}) {
    CHECK(fs::exists(home / "history/auth.json" / name));
  }
}

TEST_CASE("FileHistory: an edit that was cut off before the file was replaced does not count") {
  const TempHome home;
  REQUIRE(edit(home, 1));
  const auto folder = HistoryFolder::open(home / "auth.json", StrictModes::kOn);
  REQUIRE(folder);
  CHECK(*folder->keep(FileContent::of(home.read("auth.json")), FileContent::of(""), {}, kNow) == 2);
  CHECK(numbers(home) == std::vector<std::uint64_t>{1});
  REQUIRE(edit(home, 2));
  CHECK(numbers(home) == std::vector<std::uint64_t>{3, 1});
}

TEST_CASE("FileHistory: the file put back from its backup and written in place changes no version") {
  const TempHome home;
  REQUIRE(edit(home, 1));
  REQUIRE(edit(home, 2));
  const std::string one = home.read("auth.json.bak");
  CHECK(fs::hard_link_count(home / "auth.json.bak") == 1);
  fs::rename(home / "auth.json.bak", home / "auth.json");
  CHECK(numbers(home) == std::vector<std::uint64_t>{1});  // there is nothing to undo of the second
  home.write("auth.json", "{}");
  CHECK(*history_of(home).read(2) == one);
  CHECK(numbers(home) == std::vector<std::uint64_t>{2, 1});
}

TEST_CASE("FileHistory: that cannot be kept keeps no edit back, and is told") {
  const auto warned = [](const TempHome& home) {
    const auto report = edit(home, 1);
    REQUIRE(report);
    CHECK(report->written);
    return report->warnings.size() == 1 &&
           report->warnings[0].starts_with("this change is not in the history");
  };
  SECTION("a symbolic link for the folder") {
    const TempHome home;
    const TempHome other;
    fs::create_directory_symlink(other.path(), home / "history");
    CHECK(warned(home));
    CHECK(fs::is_empty(other.path()));
    CHECK_FALSE(history_of(home).list());
  }
  SECTION("a symbolic link for the folder of the file") {
    const TempHome home;
    const TempHome other;
    home.make_folder("history");
    fs::create_directory_symlink(other.path(), home / "history/auth.json");
    CHECK(warned(home));
    CHECK(fs::is_empty(other.path()));
  }
  SECTION("a file in its place") {
    const TempHome home;
    home.write("history", "mine");
    CHECK(warned(home));
    CHECK(home.read("history") == "mine");
  }
  SECTION("a folder that others may change") {
    const TempHome home;
    home.make_folder("history");
    home.set_mode("history", 0777);
    CHECK(warned(home));
    CHECK(history_of(home).list().error().code == ErrorCode::kPermissionDenied);
    CHECK(FileHistory(home / "auth.json", StrictModes::kOff).list());
  }
}

TEST_CASE("FileHistory: an edit whose folder cannot be synced is in place, and so is its version") {
  const TempHome home;
  for (int i = 1; i <= 2; ++i) REQUIRE(edit(home, i));
  const std::string before = home.read("auth.json");
  if (::geteuid() == 0) {
    constexpr uid_t kNobody = 65534;
    REQUIRE(::chown(home.path().c_str(), kNobody, kNobody) == 0);
    for (const auto& entry : fs::recursive_directory_iterator(home.path())) {
      REQUIRE(::chown(entry.path().c_str(), kNobody, kNobody) == 0);
    }
  }
  home.set_mode(".", 0300);  // files may be replaced, and the folder not opened for fsync
  CHECK(ChildProcess([&] {
          if (!drop_privileges()) return 1;
          const auto report = edit(home, 3);
          if (report) return 2;
          return report.error().message.find("is in place, but may not survive a power cut") !=
                         std::string::npos
                     ? 0
                     : 3;
        }).wait() == 0);
  home.set_mode(".", 0700);
  CHECK(home.read("auth.json") != before);
  CHECK(numbers(home) == std::vector<std::uint64_t>{3, 2, 1});
  CHECK(*history_of(home).read(3) == before);
}

TEST_CASE("FileHistory: a note holds bounded text of UTF-8") {
  const TempHome home;
  REQUIRE(edit(home, 1, {.note = {"\xff", std::string(100'000, 'x')}}));
  const auto generations = history_of(home).list();
  REQUIRE(generations->size() == 1);
  CHECK(generations->front().who == "(not UTF-8)");
  CHECK(generations->front().command == std::string(255, 'x'));
}

TEST_CASE("FileHistory: a name that is too long is cut between two characters") {
  const TempHome home;
  REQUIRE(edit(home, 1, {.note = {std::string(254, 'x') + "\xc3\xa9", "auth add"}}));
  CHECK(history_of(home).list()->front().who == std::string(254, 'x'));
}

TEST_CASE("FileHistory: an administrator leaves it to the owner of the home") {
  if (::geteuid() != 0) return;
  const TempHome home;
  constexpr uid_t kOther = 4711;
  REQUIRE(::chown(home.path().c_str(), kOther, kOther) == 0);
  REQUIRE(edit(home, 1));
  for (const char* name : {"history", "history/auth.json", "history/auth.json/1.json",
                           "history/auth.json/1.note.json", "auth.json"}) {
    struct stat status{};
    REQUIRE(::stat((home / name).c_str(), &status) == 0);
    CHECK(status.st_uid == kOther);
  }
}

TEST_CASE("AuthFile: a generation is restored byte for byte, as an edit that can itself be undone") {
  const TempHome home;
  const std::string by_hand =
      "# mine\n{\"version\": {\"major\": 1, \"minor\": 4}, \"roles\": {\"r0\": null}}";
  home.write("auth.json", by_hand);
  REQUIRE(edit(home, 1));
  const std::string edited = home.read("auth.json");
  const auto restored = file_of(home).restore(1);
  REQUIRE(restored);
  CHECK(restored->written);
  CHECK(home.read("auth.json") == by_hand);
  CHECK(home.read("auth.json.bak") == edited);
  CHECK(mode_of(home / "auth.json") == 0600);
  REQUIRE(file_of(home).restore(2));
  CHECK(home.read("auth.json") == edited);
  CHECK_FALSE(file_of(home).restore(2)->written);  // is so already: the second generation is this text
  CHECK(numbers(home) == std::vector<std::uint64_t>{3, 2, 1});
}

TEST_CASE("AuthFile: a restoration that is refused writes nothing") {
  const TempHome home;
  REQUIRE(edit(home, 1));
  REQUIRE(edit(home, 2));
  const std::string present = home.read("auth.json");
  CHECK(file_of(home).restore(9).error().code == ErrorCode::kNotFound);
  const auto refused = file_of(home).restore(1, [](const Policy& now, const Policy& former) -> Result<void> {
    CHECK(now.roles().size() == 2);
    CHECK(former.roles().empty());
    return Error{ErrorCode::kConflict, "no", ""};
  });
  CHECK(refused.error().code == ErrorCode::kConflict);
  home.write("history/auth.json/2.json", "{ not JSON");
  CHECK(file_of(home).restore(2).error().code == ErrorCode::kParseError);
  CHECK(file_of(home).load_generation(2).error().location.starts_with("generation 2: auth.json:"));
  CHECK(home.read("auth.json") == present);
  home.write("auth.json", "{ broken by hand");  // is not written over
  CHECK_FALSE(file_of(home).restore(1));
  CHECK(home.read("auth.json") == "{ broken by hand");
}

TEST_CASE("AuthFile: undoing the first edit of an older version puts that version back") {
  const TempHome home;
  const std::string old = R"({"allow": [{"credentials": "CURVE:)" + kKeyA + R"("}]})";
  home.write("auth.json", old);
  REQUIRE(edit(home, 1));
  CHECK(file_of(home).load_generation(1)->allow().size() == 1);
  REQUIRE(file_of(home).restore(1));
  CHECK(home.read("auth.json") == old);
}

TEST_CASE("FileHistory: editors that are killed at any moment leave whole generations") {
  const TempHome home;
  REQUIRE(edit(home, 0));
  int next = 1;
  for (int round = 0; round < 10; ++round) {
    int progress[2];
    REQUIRE(::pipe(progress) == 0);
    ChildProcess editor([&, next] {
      for (int i = next;; ++i) {
        if (!edit(home, i)) return 1;
        if (::write(progress[1], "x", 1) != 1) return 2;
      }
    });
    ::close(progress[1]);
    char byte = 0;
    for (int i = 0; i < 2 + round % 3; ++i) REQUIRE(::read(progress[0], &byte, 1) == 1);
    editor.kill();
    ::close(progress[0]);
    next = static_cast<int>(file_of(home).load()->roles().size());
    const auto generations = history_of(home).list();
    REQUIRE(generations);
    REQUIRE_FALSE(generations->empty());
    for (const Generation& generation : *generations) {
      CHECK(file_of(home).load_generation(generation.number).has_value());
    }
    // The newest one is the version before the present one.
    CHECK(file_of(home).load_generation(generations->front().number)->roles().size() + 1 ==
          static_cast<std::size_t>(next));
  }
  REQUIRE(edit(home, next));
  CHECK(files_in(home / "history/auth.json").size() == 2 * numbers(home).size());
}

TEST_CASE("FileHistory: what is no file in the place of a version is told, and stays") {
  const TempHome home;
  for (int i = 1; i <= 2; ++i) REQUIRE(edit(home, i));
  const std::string version = "history/auth.json/1.json";
  const std::string text = home.read(version);
  fs::remove(home / version);
  home.make_folder(version);
  const auto refused = history_of(home).read(1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kIoError);
  CHECK(refused.error().message.find("not a regular file") != std::string::npos);
  CHECK_FALSE(history_of(home).list());
  CHECK_FALSE(edit(home, 3)->warnings.empty());
  CHECK(fs::is_directory(home / version));
  fs::remove(home / version);
  home.write(version, text);
  CHECK(*history_of(home).read(1) == text);
}

TEST_CASE("FileHistory: who has no name is written down by number") {
  if (::geteuid() != 0) return;
  const TempHome home;
  const auto effective = [](uid_t user) { return ::seteuid(user) == 0; };
  constexpr uid_t kNobodysNumber = 987654;
  REQUIRE(effective(kNobodysNumber));
  const std::string who = editor_of({});
  const std::string told = editor_of({.who = "alice"});
  REQUIRE(effective(0));
  CHECK(who == "uid 987654");
  CHECK(told == "alice");
  CHECK(editor_of({}) == "root");
}
