// How long a run of `vctl auth list` takes in a small home, beside a program that does nothing but is linked
// to the same libraries, and beside Python. usage: startup_bench VCTL SAME_LIBRARIES [--quick | --moment]
// [--out FILE]

#include <fcntl.h>
#include <string>
#include <vector>

#include <spawn.h>

#include "homes.hpp"
#include "support.hpp"

namespace {

using namespace bench;

constexpr const char* kPython = "/usr/bin/python3";
constexpr std::size_t kRecords = 10;

struct Program {
  std::string name;
  std::vector<std::string> words;
  std::vector<double> milliseconds = {};
};

void run(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (error != 0 || waitpid(pid, &status, 0) != pid || status != 0) give_up("cannot run " + words.front());
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments(argc, argv);
  if (arguments.words.size() != 2) give_up("usage: startup_bench VCTL SAME_LIBRARIES");
  const TempFolder home;
  write_policy(home.path(), kRecords);
  std::vector<Program> programs{
      {"same_libraries", {arguments.words[1]}},
      {"ours", {arguments.words[0], "--home", home.path().string(), "auth", "list"}}};
  if (access(kPython, X_OK) == 0) programs.push_back({"python", {kPython, "-c", "pass"}});
  const auto rounds = arguments.pick<std::size_t>(200, 50, 1);
  for (std::size_t round = 0; round <= rounds; ++round) {
    for (Program& program : programs) {
      const double seconds = seconds_of([&] { run(program.words); });
      if (round > 0) program.milliseconds.push_back(1000 * seconds);
    }
  }
  const double yardstick = median(programs.front().milliseconds);
  Results results;
  for (const Program& program : programs) {
    results.add("startup/" + program.name + '/' + std::to_string(kRecords), program.milliseconds, "ms",
                median(program.milliseconds) / yardstick);
  }
  results.write(arguments.out);
}
