#include "service/folder_watcher.hpp"

#include <atomic>
#include <mutex>
#include <new>
#include <set>
#include <string>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;
using namespace std::chrono_literals;

namespace {

/// Collects what a FolderWatcher tells.
struct Watched {
  std::mutex mutex;
  std::set<std::string> names;
  std::atomic<int> lost = 0;
  std::atomic<int> wakes = 0;
  std::atomic<std::chrono::milliseconds::rep> sleep = -1;
  FolderWatcher watcher;  // last: its thread uses the others

  Result<void> start(const std::filesystem::path& folder) {
    return watcher.start(folder, {[this](const std::set<std::string>& changed) {
                                    const std::lock_guard lock(mutex);
                                    if (changed.empty()) ++lost;
                                    names.insert(changed.begin(), changed.end());
                                  },
                                  [this] {
                                    ++wakes;
                                    return std::chrono::milliseconds(sleep);
                                  }});
  }
  bool told(const std::string& name) {
    return eventually([&] {
      const std::lock_guard lock(mutex);
      return names.contains(name);
    });
  }
};

}  // namespace

TEST_CASE("FolderWatcher: tells which files were written, replaced, moved and removed") {
  const TempHome home;
  home.write("removed", "x");
  home.write("moved", "x");
  Watched watched;
  REQUIRE(watched.start(home.path()));
  home.write("written", "x");
  CHECK(watched.told("written"));
  home.replace("replaced", "x");
  CHECK(watched.told("replaced"));
  std::filesystem::remove(home / "removed");
  CHECK(watched.told("removed"));
  std::filesystem::rename(home / "moved", home / "to");
  CHECK(watched.told("moved"));
  CHECK(watched.told("to"));
  CHECK(watched.lost == 0);
}

TEST_CASE("FolderWatcher: watches a folder that is there") {
  const TempHome home;
  home.write("file", "x");
  Watched missing;
  CHECK(missing.start(home / "missing").error().code == ErrorCode::kNotFound);
  Watched file;
  CHECK(file.start(home / "file").error().code == ErrorCode::kNotFound);
}

TEST_CASE("FolderWatcher: wakes when it is asked to, and by itself when the time has come") {
  const TempHome home;
  Watched watched;
  watched.watcher.wake();  // nobody there: no harm
  REQUIRE(watched.start(home.path()));
  CHECK(eventually([&] { return watched.wakes >= 1; }));
  const int before = watched.wakes;
  watched.sleep = 1;
  watched.watcher.wake();
  CHECK(eventually([&] { return watched.wakes > before + 5; }));
}

TEST_CASE("FolderWatcher: a folder that goes is watched again when it is back") {
  const TempHome home;
  std::filesystem::create_directory(home / "folder");
  Watched watched;
  REQUIRE(watched.start(home / "folder"));
  std::filesystem::remove(home / "folder");
  CHECK(eventually([&] { return watched.lost >= 1; }));
  std::filesystem::create_directory(home / "folder");
  CHECK(eventually([&] { return watched.lost >= 2; }));
  home.write("folder/file", "x");
  CHECK(watched.told("file"));
}

TEST_CASE("FolderWatcher: a handler that has no memory is told again") {
  const TempHome home;
  std::atomic<int> failures = 0;
  std::atomic<int> told = 0;
  FolderWatcher watcher;
  const auto fail = [&](int most) {
    if (failures < most) {
      ++failures;
      throw std::bad_alloc();
    }
  };
  REQUIRE(watcher.start(home.path(), {[&](const std::set<std::string>&) {
                                        fail(2);
                                        ++told;
                                      },
                                      [&] {
                                        fail(1);
                                        return std::chrono::milliseconds(-1);
                                      }}));
  CHECK(eventually([&] { return failures == 1; }));
  home.write("file", "x");
  CHECK(eventually([&] { return told >= 1; }));
  CHECK(failures == 2);
}

TEST_CASE("FolderWatcher: stops once and for all, and when it goes") {
  const TempHome home;
  Watched watched;
  watched.watcher.stop();
  REQUIRE(watched.start(home.path()));
  watched.watcher.stop();
  watched.watcher.stop();
  const int wakes = watched.wakes;
  watched.watcher.wake();
  home.write("file", "x");
  CHECK(watched.wakes == wakes);
}
