// How long a run of `vctl auth list` takes in a small home, beside a program that does nothing but is linked
// to the same libraries, and beside Python. usage: startup_bench VCTL SAME_LIBRARIES [--quick | --moment]
// [--out FILE]

#include <string>
#include <vector>

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
