#pragma once

#include <cstddef>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>
#include <unistd.h>

namespace demo {

/// The story as it is printed: steps, and what happens in each.
class Page {
 public:
  void title(const std::string& text) const { std::cout << bold(text) << "\n"; }

  void step(const std::string& text) {
    std::ostringstream number;
    number << std::setw(2) << ++steps_;
    std::cout << "\n" << bold(number.str() + "  " + text) << "\n";
  }

  int steps() const { return steps_; }

  void tell(const std::string& text) const { write("    ", text, ""); }
  void command(const std::string& text) const { write("    $ ", text, "36"); }
  void output(const std::string& text) const { write("      ", text, "2"); }
  void allowed(const std::string& text) const { write("    allowed: ", text, "32"); }
  void refused(const std::string& text) const { write("    refused: ", text, "33"); }
  void good(const std::string& text) const { std::cout << "\n" << coloured(text, "32") << "\n"; }

 private:
  static constexpr std::size_t kWidth = 108;

  std::string coloured(const std::string& text, const std::string& colour) const {
    return has_colour_ && !colour.empty() ? "\x1b[" + colour + "m" + text + "\x1b[0m" : text;
  }
  std::string bold(const std::string& text) const { return coloured(text, "1"); }

  /// Writes lines behind `lead`, broken between words.
  void write(const std::string& lead, const std::string& text, const std::string& colour) const {
    std::istringstream lines(text);
    std::string margin = lead;
    for (std::string line; std::getline(lines, line);) {
      while (margin.size() + line.size() > kWidth) {
        const std::size_t space = line.rfind(' ', kWidth - margin.size());
        if (space == std::string::npos || space == 0) break;
        std::cout << margin << coloured(line.substr(0, space), colour) << "\n";
        line.erase(0, space + 1);
        margin.assign(lead.size(), ' ');
      }
      std::cout << (line.empty() ? "" : margin + coloured(line, colour)) + "\n";
      margin.assign(lead.size(), ' ');
    }
  }

  const bool has_colour_ = isatty(STDOUT_FILENO) != 0;
  int steps_ = 0;
};

}  // namespace demo
