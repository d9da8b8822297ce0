#pragma once

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace vipauth::test {

/// A child process. Killed and waited for when destroyed.
class Process {
 public:
  struct Limits {
    std::optional<unsigned long> file_bytes;  ///< RLIMIT_FSIZE, and SIGXFSZ ignored
  };

  /// Starts a program with its standard output and error in files (empty: thrown away).
  Process(const std::vector<std::string>& command, const std::string& out_file, const std::string& err_file,
          const Limits& limits);
  Process(const std::vector<std::string>& command, const std::string& out_file, const std::string& err_file)
      : Process(command, out_file, err_file, Limits()) {}
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;
  ~Process();

  void kill() const;

  /// Waits for the end.
  /// \return the exit code, or -1 after a signal
  int wait();

 private:
  pid_t pid_ = -1;
};

}  // namespace vipauth::test
