#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

namespace demo {

/// A program that runs beside this one, and is ended with this object.
class Subprocess {
 public:
  /// Starts `arguments[0]`. What it writes to stdout is for read_line(); its stderr goes to the file `log`.
  /// \throws std::system_error
  Subprocess(const std::vector<std::string>& arguments, const std::string& log);
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;
  ~Subprocess();

  /// The next line of its output, without its end; empty at the end of all.
  std::string read_line();

  /// True where it still runs.
  bool is_running();

 private:
  pid_t pid_ = -1;
  int output_ = -1;
};

/// What a program that has ended left.
struct Outcome {
  int exit_code = -1;
  std::string output;  ///< stdout and stderr
};

/// Runs a program to its end.
/// \throws std::system_error
Outcome run_program(const std::vector<std::string>& arguments);

}  // namespace demo
