#include "store/atomic_file.hpp"

#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <set>
#include <string>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include <sched.h>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;
using namespace std::chrono_literals;

namespace fs = std::filesystem;

namespace {

constexpr auto kNoPatience = 0ms;
constexpr auto kPatience = 60s;

mode_t mode_of(const fs::path& file) {
  struct stat status{};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

std::set<std::string> files_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

}  // namespace

TEST_CASE("FileLock: one holder at a time") {
  const TempHome home;
  auto first = FileLock::acquire(home / "file", kNoPatience);
  REQUIRE(first);
  const auto second = FileLock::acquire(home / "file", 20ms);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::kBusy);
  CHECK(FileLock::acquire(home / "other", kNoPatience));
  first = Error{};  // lets go
  CHECK(FileLock::acquire(home / "file", kNoPatience));
}

TEST_CASE("FileLock: who waits gets it when the holder lets go") {
  const TempHome home;
  auto held = FileLock::acquire(home / "file", kNoPatience);
  REQUIRE(held);
  std::atomic<bool> waits = false;
  bool got = false;
  std::thread waiter([&] {
    waits = true;
    got = FileLock::acquire(home / "file", kPatience).has_value();
  });
  while (!waits) std::this_thread::yield();
  held = Error{};
  waiter.join();
  CHECK(got);
}

TEST_CASE("FileLock: holds among processes, and ends with one that is killed") {
  const TempHome home;
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  ChildProcess holder([&] {
    const auto lock = FileLock::acquire(home / "file", kNoPatience);
    if (!lock || ::write(ready[1], "x", 1) != 1) return 1;
    while (true) ::pause();
    return 0;
  });
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK(FileLock::acquire(home / "file", kNoPatience).error().code == ErrorCode::kBusy);
  holder.kill();
  CHECK(FileLock::acquire(home / "file", kPatience));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("FileLock: needs a folder, and follows no symbolic link") {
  const TempHome home;
  CHECK(FileLock::acquire(home.path() / "missing" / "file", kNoPatience).error().code ==
        ErrorCode::kNotFound);
  fs::create_symlink(home / "elsewhere", home / "file.lock");
  CHECK(FileLock::acquire(home / "file", kNoPatience).error().code == ErrorCode::kPermissionDenied);
  CHECK_FALSE(home.has("elsewhere"));
}

TEST_CASE("FileLock: refuses what is not its own regular file, and waits for none") {
  const TempHome home;
  home.write("precious", "content");
  fs::create_hard_link(home / "precious", home / "file.lock");
  const auto second_name = FileLock::acquire(home / "file", kNoPatience);
  REQUIRE_FALSE(second_name);
  CHECK(second_name.error().code == ErrorCode::kPermissionDenied);
  CHECK(second_name.error().message.find("file.lock") != std::string::npos);
  fs::remove(home / "precious");
  CHECK(FileLock::acquire(home / "file", kNoPatience));

  REQUIRE(::mkfifo((home / "other.lock").c_str(), 0600) == 0);
  CHECK(FileLock::acquire(home / "other", kNoPatience).error().code == ErrorCode::kPermissionDenied);
}

TEST_CASE("FileLock: an administrator gives away no lock that was there before") {
  if (::geteuid() != 0) {
    WARN("skipped: only root can give files away");
    return;
  }
  constexpr uid_t kNobody = 65534;
  const TempHome home;
  REQUIRE(::chown(home.path().c_str(), kNobody, kNobody) == 0);
  const auto owner = [&](const char* name) {
    struct stat status{};
    REQUIRE(::stat((home / name).c_str(), &status) == 0);
    return status.st_uid;
  };
  home.write("precious", "content");
  fs::create_hard_link(home / "precious", home / "file.lock");
  CHECK_FALSE(FileLock::acquire(home / "file", kNoPatience));
  CHECK(owner("precious") == 0);
  fs::remove(home / "precious");
  REQUIRE(FileLock::acquire(home / "file", kNoPatience));
  CHECK(owner("file.lock") == 0);
}

TEST_CASE("FileLock: stays as a private file of its own") {
  const TempHome home;
  REQUIRE(FileLock::acquire(home / "file", kNoPatience));
  CHECK(files_in(home.path()) == std::set<std::string>{"file.lock"});
  CHECK(mode_of(home / "file.lock") == 0600);
}

TEST_CASE("read_file: gives all bytes of a regular file") {
  const TempHome home;
  const std::string content = std::string("a\0b\n", 4) + std::string(300'000, 'x');
  home.write("file", content);
  CHECK(*read_file(home / "file") == content);
  home.write("empty", "");
  CHECK(read_file(home / "empty")->empty());
}

TEST_CASE("read_file: refuses what is no regular file") {
  const TempHome home;
  CHECK(read_file(home / "missing").error().code == ErrorCode::kNotFound);
  CHECK(read_file(home.path()).error().code == ErrorCode::kIoError);
  REQUIRE(::mkfifo((home / "fifo").c_str(), 0600) == 0);
  CHECK(read_file(home / "fifo").error().code == ErrorCode::kIoError);  // and does not wait for a writer
  CHECK(read_file("/dev/zero").error().code == ErrorCode::kIoError);
  home.write("real", "content");
  fs::create_symlink(home / "real", home / "link");
  const auto link = read_file(home / "link");
  REQUIRE_FALSE(link);
  CHECK(link.error().code == ErrorCode::kPermissionDenied);
  CHECK(link.error().message.find("symbolic link") != std::string::npos);
  home.write("file", "content");
  CHECK(read_file(home / "file/below").error().code == ErrorCode::kNotFound);
}

TEST_CASE("read_file: what is larger than 1 GiB is refused unread") {
  const TempHome home;
  home.write("file", "begins");
  fs::resize_file(home / "file", kMaxFileBytes + 1);  // without room on the disk
  const auto refused = read_file(home / "file");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLimitExceeded);
  CHECK(refused.error().message.find((home / "file").string()) != std::string::npos);
  fs::resize_file(home / "file", 6);
  CHECK(*read_file(home / "file") == "begins");
}

TEST_CASE("read_file: what may not be read is refused with the name of the file") {
  const TempHome home;
  home.write("file", "content");
  fs::permissions(home.path(), fs::perms(0755));
  fs::permissions(home / "file", fs::perms(0000));
  CHECK(ChildProcess([&] {
          if (!drop_privileges()) return 1;
          const auto content = read_file(home / "file");
          if (content || content.error().code != ErrorCode::kPermissionDenied) return 2;
          return content.error().message.find("file") != std::string::npos ? 0 : 3;
        }).wait() == 0);
}

TEST_CASE("replace_file: makes a private file with exactly the content") {
  const TempHome home;
  REQUIRE(replace_file(home / "file", std::string("a\0b", 3)));
  CHECK(home.read("file") == std::string("a\0b", 3));
  CHECK(mode_of(home / "file") == 0600);
  REQUIRE(replace_file(home / "file", ""));
  CHECK(home.read("file").empty());
  CHECK(files_in(home.path()) == std::set<std::string>{"file"});
}

TEST_CASE("replace_file: what was open for others before is private after") {
  const TempHome home;
  home.write("file", "old");
  fs::permissions(home / "file", fs::perms(0666));
  REQUIRE(replace_file(home / "file", "new"));
  CHECK(mode_of(home / "file") == 0600);
}

TEST_CASE("replace_file: a reader of the version before keeps it whole") {
  const TempHome home;
  home.write("file", "old content");
  const int fd = ::open((home / "file").c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  REQUIRE(replace_file(home / "file", "new"));
  char buffer[32];
  CHECK(::read(fd, buffer, sizeof buffer) == 11);
  ::close(fd);
}

TEST_CASE("replace_file: keeps the version before as the backup") {
  const TempHome home;
  REQUIRE(replace_file(home / "file", "one", home / "file.bak"));
  CHECK_FALSE(home.has("file.bak"));  // there was nothing before
  REQUIRE(replace_file(home / "file", "two", home / "file.bak"));
  CHECK(home.read("file.bak") == "one");
  REQUIRE(replace_file(home / "file", "three", home / "file.bak"));
  CHECK(home.read("file") == "three");
  CHECK(home.read("file.bak") == "two");
  CHECK(files_in(home.path()) == std::set<std::string>{"file", "file.bak"});
}

TEST_CASE("replace_file: what a killed process left behind does not matter") {
  const TempHome home;
  home.write("file", "one");
  home.write("file.tmp", "half of somethi");
  home.write("file.bak.tmp", "half of somethi");
  REQUIRE(replace_file(home / "file", "two", home / "file.bak"));
  CHECK(home.read("file") == "two");
  CHECK(home.read("file.bak") == "one");
  CHECK_FALSE(home.has("file.tmp"));
}

TEST_CASE("replace_file: writes through no symbolic link") {
  const TempHome home;
  home.write("real", "old");
  fs::create_symlink(home / "real", home / "file");
  const auto replaced = replace_file(home / "file", "new");
  REQUIRE_FALSE(replaced);
  CHECK(replaced.error().code == ErrorCode::kPermissionDenied);
  CHECK(home.read("real") == "old");
  CHECK(fs::is_symlink(home / "file"));
  // Nor through one that waits in the temporary file's place.
  fs::create_symlink(home / "real", home / "other.tmp");
  REQUIRE(replace_file(home / "other", "new"));
  CHECK(home.read("real") == "old");
  CHECK(home.read("other") == "new");
}

TEST_CASE("replace_file: the folder itself may be reached by a symbolic link") {
  const TempHome home;
  home.make_folder("folder");
  fs::create_directory_symlink(home / "folder", home / "link");
  REQUIRE(replace_file(home.path() / "link" / "file", "content", home.path() / "link" / "file.bak"));
  CHECK(home.read("folder/file") == "content");
  CHECK(*read_file(home.path() / "link" / "file") == "content");
}

TEST_CASE("replace_file: takes a name without a folder for one in the working folder") {
  const TempHome home;
  CHECK(ChildProcess([&] {
          if (::chdir(home.path().c_str()) != 0) return 1;
          return replace_file("file", "content") && *read_file("file") == "content" ? 0 : 2;
        }).wait() == 0);
  CHECK(home.read("file") == "content");
}

TEST_CASE("replace_file: a folder that is not there is told") {
  const TempHome home;
  CHECK(replace_file(home.path() / "missing" / "file", "x").error().code == ErrorCode::kNotFound);
}

TEST_CASE("replace_file: where it cannot take the place of the file, that stays as it is") {
  const TempHome home;
  home.write("file", "old");
  fs::create_directory(home / "file.tmp");
  CHECK_FALSE(replace_file(home / "file", "new", home / "file.bak"));
  CHECK(home.read("file") == "old");
  fs::remove(home / "file.tmp");

  fs::create_directories(home / "file.bak/full");
  CHECK_FALSE(replace_file(home / "file", "new", home / "file.bak"));
  CHECK(home.read("file") == "old");
  CHECK_FALSE(home.has("file.tmp"));
}

TEST_CASE("replace_file: a folder that may not be written is refused, and the file stays as it is") {
  const TempHome home;
  home.write("file", "old");
  fs::permissions(home / "file", fs::perms(0644));
  fs::permissions(home.path(), fs::perms(0555));
  CHECK(ChildProcess([&] {
          if (!drop_privileges()) return 1;
          const auto lock = FileLock::acquire(home / "file", kNoPatience);
          if (lock || lock.error().code != ErrorCode::kPermissionDenied) return 2;
          const auto replaced = replace_file(home / "file", "new", home / "file.bak");
          return !replaced && replaced.error().code == ErrorCode::kPermissionDenied ? 0 : 3;
        }).wait() == 0);
  fs::permissions(home.path(), fs::perms(0700));
  CHECK(home.read("file") == "old");
  CHECK(files_in(home.path()) == std::set<std::string>{"file"});
}

TEST_CASE("replace_file: a limit on the size of files leaves the file as it was") {
  const TempHome home;
  home.write("file", "old");
  CHECK(ChildProcess([&] {
          std::signal(SIGXFSZ, SIG_IGN);
          const rlimit limit{4096, 4096};
          if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
          const auto replaced = replace_file(home / "file", std::string(10'000, 'x'), home / "file.bak");
          if (replaced || replaced.error().code != ErrorCode::kIoError) return 2;
          return replace_file(home / "small", "fits") ? 0 : 3;
        }).wait() == 0);
  CHECK(home.read("file") == "old");
  CHECK(files_in(home.path()) == std::set<std::string>{"file", "small"});
}

TEST_CASE("replace_file: writes nothing that could not be read again") {
  const TempHome home;
  home.write("file", "before");
  const std::size_t bytes = kMaxFileBytes + 1;
  void* const untouched =
      ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  REQUIRE(untouched != MAP_FAILED);
  const auto refused = replace_file(home / "file", {static_cast<const char*>(untouched), bytes});
  CHECK(::munmap(untouched, bytes) == 0);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLimitExceeded);
  CHECK(home.read("file") == "before");
  CHECK_FALSE(home.has("file.tmp"));
}

TEST_CASE("replace_file: a full disk leaves the file as it was") {
  const TempHome home;
  constexpr int kNoMount = 77;
  const int code =
      ChildProcess([&] {
        // A file system of 64 KiB that only this process sees.
        if (::unshare(CLONE_NEWNS) != 0 || ::mount("", "/", "", MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("none", home.path().c_str(), "tmpfs", 0, "size=64k") != 0) {
          return kNoMount;
        }
        if (!replace_file(home / "file", "old")) return 1;
        const auto replaced = replace_file(home / "file", std::string(200'000, 'x'), home / "file.bak");
        if (replaced || replaced.error().code != ErrorCode::kIoError) return 2;
        if (home.read("file") != "old" || home.has("file.tmp") || home.has("file.bak")) return 3;
        return replace_file(home / "file", "new", home / "file.bak") ? 0 : 4;
      }).wait();
  if (code == kNoMount) {
    WARN("skipped: mounting a file system is not allowed here");
  } else {
    CHECK(code == 0);
  }
}

TEST_CASE("replace_file: an administrator does not take files from their owner") {
  if (::geteuid() != 0) {
    WARN("skipped: only root can give files away");
    return;
  }
  constexpr uid_t kNobody = 65534;
  const TempHome home;
  REQUIRE(::chown(home.path().c_str(), kNobody, kNobody) == 0);
  const auto owner = [&](const char* name) {
    struct stat status{};
    REQUIRE(::stat((home / name).c_str(), &status) == 0);
    return status.st_uid;
  };
  REQUIRE(FileLock::acquire(home / "file", kNoPatience));
  CHECK(owner("file.lock") == kNobody);
  REQUIRE(replace_file(home / "file", "one"));  // a new one goes to the owner of the folder
  CHECK(owner("file") == kNobody);
  REQUIRE(::chown((home / "file").c_str(), 1, 1) == 0);
  REQUIRE(replace_file(home / "file", "two", home / "file.bak"));
  CHECK(owner("file") == 1);
  CHECK(owner("file.bak") == 1);
  CHECK(mode_of(home / "file") == 0600);
}
