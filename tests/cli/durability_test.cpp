#include <algorithm>
#include <random>
#include <set>
#include <sys/mount.h>
#include <thread>
#include <unistd.h>

#include <vipauth/auth_file.hpp>
#include <vipauth/curve_key.hpp>
#include <vipauth/file_history.hpp>

#include "cli.hpp"
#include "process.hpp"
#include "support/catch.hpp"
#include "support/paths.hpp"

namespace vipauth::test {

using Catch::Contains;

namespace {

std::string new_key() { return CurveKeyPair::generate().public_key.to_base64url(); }

/// The real program, on a home of its own.
class Program {
 public:
  TempHome home;
  TempHome outputs;

  Process start_add(const std::string& user_id, const Process::Limits& limits = {}) const {
    return {{VCTL_PATH, "--home", home.path().string(), "auth", "add", "--user_id", user_id, "--credentials",
             new_key()},
            (outputs / (user_id + ".out")).string(),
            (outputs / (user_id + ".err")).string(),
            limits};
  }

  /// True where the program said that the record is added.
  bool acknowledged(const std::string& user_id) const {
    return outputs.has(user_id + ".out") && outputs.read(user_id + ".out").starts_with("added entry ");
  }

  /// The users in the file, which must be whole.
  std::set<std::string> users() const {
    const auto policy = AuthFile(home / "auth.json").load();
    if (!policy && policy.error().code == ErrorCode::kNotFound) return {};
    REQUIRE(policy);
    REQUIRE(policy->problems().empty());
    std::set<std::string> out;
    for (const Policy::Entry& entry : policy->allow()) out.insert(entry.record->user_id);
    return out;
  }

  std::size_t count_files() const {
    const std::filesystem::directory_iterator files(home.path());
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
  }
};

/// A disk of 64 KiB, where the system lets us have one.
class SmallDisk {
 public:
  explicit SmallDisk(const std::filesystem::path& folder)
      : folder_(folder.string()),
        is_mounted_(mount("tmpfs", folder_.c_str(), "tmpfs", 0, "size=64k,mode=700") == 0) {}
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (is_mounted_) umount2(folder_.c_str(), MNT_DETACH);
  }

  const std::string& folder() const { return folder_; }
  bool is_mounted() const { return is_mounted_; }

 private:
  std::string folder_;
  bool is_mounted_;
};

}  // namespace

TEST_CASE("vctl: forty add at once, and every acknowledged record is there") {
  const Program program;
  std::vector<Process> processes;
  processes.reserve(40);
  for (int i = 0; i < 40; ++i) processes.push_back(program.start_add("user" + std::to_string(i)));
  for (Process& process : processes) CHECK(process.wait() == 0);
  const std::set<std::string> users = program.users();
  CHECK(users.size() == 40);
  for (int i = 0; i < 40; ++i) {
    const std::string user = "user" + std::to_string(i);
    CHECK(program.acknowledged(user));
    CHECK(users.count(user) == 1);
  }
}

TEST_CASE("vctl: an add that is killed at any moment loses nothing") {
  const Program program;
  std::mt19937 random(42);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same moments each time
  REQUIRE(program.start_add("first").wait() == 0);
  const std::size_t files_of_one = program.count_files();

  // How long a whole run takes here, so that the kills fall into it.
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(program.start_add("second").wait() == 0);
  const auto whole =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  std::uniform_int_distribution<std::int64_t> moment(0, whole.count() * 3 / 2);

  int killed = 0;
  std::set<std::string> acknowledged{"first", "second"};
  for (int i = 0; i < 200; ++i) {
    const std::string user = "user" + std::to_string(i);
    Process process = program.start_add(user);
    std::this_thread::sleep_for(std::chrono::microseconds(moment(random)));
    process.kill();
    if (process.wait() != 0) ++killed;
    if (program.acknowledged(user)) acknowledged.insert(user);
    const std::set<std::string> users = program.users();
    CHECK(std::includes(users.begin(), users.end(), acknowledged.begin(), acknowledged.end()));
    // Beside the files of two edits (auth.json, its .bak, the lock), one temporary file at most.
    REQUIRE(program.count_files() <= files_of_one + 2);
  }
  CHECK(killed > 0);
  REQUIRE(program.start_add("last").wait() == 0);
  CHECK(program.users().count("last") == 1);
  // One for each edit that is in force, however many came to that here.
  const std::size_t kept = std::min(program.users().size(), FileHistory::kMaxGenerations);
  const auto generations = FileHistory(program.home / "auth.json").list();
  REQUIRE(generations);
  CHECK(generations->size() == kept);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& file :
       std::filesystem::directory_iterator(program.home / "history/auth.json"))
    ++files;
  CHECK(files == 2 * kept);
}

TEST_CASE("vctl: a file that may not grow is left as it is") {
  const Program program;
  for (int i = 0; i < 10; ++i) REQUIRE(program.start_add("user" + std::to_string(i)).wait() == 0);
  const std::string before = program.home.read("auth.json");
  for (const unsigned long limit : {0UL, 1UL, 1000UL, static_cast<unsigned long>(before.size())}) {
    CHECK(program.start_add("refused", {limit}).wait() == 1);
    CHECK(program.home.read("auth.json") == before);
    CHECK_FALSE(program.acknowledged("refused"));
  }
  CHECK(program.start_add("accepted", {static_cast<unsigned long>(before.size() * 2)}).wait() == 0);
}

TEST_CASE("vctl: a full disk leaves the file as it is, and says so") {
  const Program program;
  std::filesystem::create_directory(program.home / "disk");
  const SmallDisk disk(program.home / "disk");
  if (!disk.is_mounted()) {
    WARN("no right to mount a small disk: not tested");
    return;
  }
  const auto add = [&](const std::string& user) {
    return Process({VCTL_PATH, "--home", disk.folder(), "auth", "add", "--user_id", user, "--credentials",
                    new_key()},
                   (program.outputs / "out").string(), (program.outputs / "err").string())
        .wait();
  };
  int added = 0;
  while (added < 1000 && add("user" + std::to_string(added)) == 0) ++added;
  CHECK(added > 0);
  CHECK(added < 1000);
  CHECK_THAT(program.outputs.read("err"), Contains("auth.json") && Contains("No space left on device"));

  const AuthFile file(disk.folder() + "/auth.json");
  const auto policy = file.load();
  REQUIRE(policy);
  CHECK(policy->allow().size() == static_cast<std::size_t>(added));
  CHECK(add("again") == 1);
  const auto after = file.load();
  REQUIRE(after);
  CHECK(after->to_json() == policy->to_json());
}

TEST_CASE("vctl: a corrupt file is left as it is") {
  const Program program;
  program.home.write("auth.json", "{\"allow\": [\n  {]");
  CHECK(program.start_add("user").wait() == 1);
  CHECK(program.home.read("auth.json") == "{\"allow\": [\n  {]");
  CHECK_THAT(program.outputs.read("user.err"), Contains("auth.json:2:"));
}

TEST_CASE("vctl: output that nobody can write is a failure") {
  const Program program;
  CHECK(Process({VCTL_PATH, "auth", "keypair"}, "/dev/full", "").wait() == 1);
  CHECK(Process({VCTL_PATH, "auth", "keypair"}, "", "").wait() == 0);
}

}  // namespace vipauth::test
