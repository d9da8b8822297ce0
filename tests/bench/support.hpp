#pragma once

// What the benchmarks share: giving up, folders, memory, statistics, and results for report.py.

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <spawn.h>

#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

namespace bench {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

/// Folders that this process has made, to be removed however it ends.
inline std::vector<std::pair<pid_t, fs::path>>& folders_of_processes() {
  static std::vector<std::pair<pid_t, fs::path>> folders;
  return folders;
}

[[noreturn]] inline void give_up(const std::string& why) {
  std::cerr << program_invocation_short_name << ": " << why << '\n';
  std::error_code ignored;
  for (const auto& [process, folder] : folders_of_processes()) {
    if (process == getpid()) fs::remove_all(folder, ignored);
  }
  std::_Exit(1);
}

template <typename T>
T must(vipauth::Result<T>&& result) {
  if (!result) give_up(result.error().to_string());
  return *std::move(result);
}
inline void must(vipauth::Result<void>&& result) {
  if (!result) give_up(result.error().to_string());
}

/// How long a bench may take: all that the page shows, a look, or a moment, to see that it works.
enum class Effort { kFull, kQuick, kMoment };

/// What every bench understands: `[--quick | --moment] [--out FILE]`, and words of its own.
struct Arguments {
  Effort effort = Effort::kFull;
  fs::path out;  ///< empty: results are only printed
  std::vector<std::string> words;

  Arguments(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string_view word = argv[i];
      if (word == "--quick") {
        effort = Effort::kQuick;
      } else if (word == "--moment") {
        effort = Effort::kMoment;
      } else if (word == "--out" && i + 1 < argc) {
        out = argv[++i];
      } else {
        words.emplace_back(word);
      }
    }
  }

  template <typename T>
  T pick(const T& full, const T& quick, const T& moment) const {
    return effort == Effort::kFull ? full : effort == Effort::kQuick ? quick : moment;
  }
};

/// A folder that is removed at the end.
class TempFolder {
 public:
  TempFolder() {
    std::string name =
        (fs::temp_directory_path() / (std::string(program_invocation_short_name) + ".XXXXXX")).string();
    if (mkdtemp(name.data()) == nullptr) give_up("cannot make a folder");
    path_ = name;
    folders_of_processes().emplace_back(getpid(), path_);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// \param name  "VmRSS:", now, or "VmHWM:", at most until now
inline std::size_t resident_kilobytes(std::string_view name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return std::stoul(line.substr(name.size()));
  }
  give_up("cannot read /proc/self/status");
}

inline double seconds_of(const std::function<void()>& work) {
  const auto begin = SteadyClock::now();
  work();
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

/// \param share  0.5 is the median
inline double quantile(std::vector<double> values, double share) {
  if (values.empty()) give_up("nothing was measured");
  std::sort(values.begin(), values.end());
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - std::floor(place)) * (values[above] - values[below]);
}
inline double median(std::vector<double> values) { return quantile(std::move(values), 0.5); }

/// Runs `work` in a process of its own, so that memory is its own, and returns the numbers that it returns.
inline std::vector<double> in_a_process(const std::function<std::vector<double>()>& work) {
  int ends[2];
  if (pipe(ends) != 0) give_up("cannot make a pipe");
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid < 0) give_up("cannot fork");
  if (pid == 0) {
    close(ends[0]);
    const std::vector<double> numbers = work();
    const auto bytes = static_cast<ssize_t>(numbers.size() * sizeof(double));
    std::_Exit(write(ends[1], numbers.data(), numbers.size() * sizeof(double)) == bytes ? 0 : 1);
  }
  close(ends[1]);
  std::vector<double> numbers;
  double number = 0;
  while (read(ends[0], &number, sizeof number) == sizeof number) numbers.push_back(number);
  close(ends[0]);
  int status = 0;
  if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    give_up("a process of it failed");
  return numbers;
}

/// Runs a program with its output thrown away; it must end with one of these codes.
inline void run(const std::vector<std::string>& words, const std::vector<int>& codes = {0}) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) give_up("cannot run " + words.front());
  int status = 0;
  if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) give_up(words.front() + " was killed");
  if (std::find(codes.begin(), codes.end(), WEXITSTATUS(status)) == codes.end()) {
    std::string command;
    for (const std::string& word : words) command += word + " ";
    give_up(command + "exited with " + std::to_string(WEXITSTATUS(status)));
  }
}

/// Collects what was measured, and writes it for report.py: `{"benchmarks": [{"name": "zap/ours/1000",
/// "median": 1.5, "low": 1.4, "high": 1.6, "unit": "s", "ratio": 0.9}]}`. A name is WHAT/WHO/SIZE, low and
/// high are the quartiles, and the ratio is to the yardstick of the same run.
class Results {
 public:
  void note(const std::string& name, const std::vector<double>& values, const std::string& unit,
            std::optional<double> ratio = std::nullopt) {
    vipauth::Json::Object entry{{"name", name},
                                {"median", number(median(values))},
                                {"low", number(quantile(values, 0.25))},
                                {"high", number(quantile(values, 0.75))},
                                {"unit", unit}};
    if (ratio) entry.push_back({"ratio", number(*ratio)});
    entries_.emplace_back(std::move(entry));
  }

  /// The same, and prints it.
  void add(const std::string& name, const std::vector<double>& values, const std::string& unit,
           std::optional<double> ratio = std::nullopt) {
    note(name, values, unit, ratio);
    std::printf("%-44s %14.4g %-12s", name.c_str(), median(values), unit.c_str());
    std::printf(ratio ? " x %.3g\n" : "\n", ratio.value_or(0));
    std::fflush(stdout);
  }

  void write(const fs::path& file) const {
    if (file.empty()) return;
    std::ofstream out(file);
    out << vipauth::Json(vipauth::Json::Object{{"benchmarks", entries_}}).dump_pretty() << '\n';
    if (!out.flush()) give_up("cannot write " + file.string());
  }

 private:
  static vipauth::Json number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", value);
    return vipauth::Json::Number{text};
  }

  vipauth::Json::Array entries_;
};

}  // namespace bench
