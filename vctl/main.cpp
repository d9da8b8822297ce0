#include <array>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <span>
#include <string>
#include <unistd.h>
#include <vector>

#include <termios.h>

#include "run.hpp"

namespace {

std::optional<std::string> environment_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nobody sets any
  if (value == nullptr) return std::nullopt;
  return value;
}

// What ends or stops a program at the terminal must not leave that without echo.
constexpr std::array<int, 5> kEnding{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

termios shown_settings{};  // of the terminal while it shows what is typed; for the signal handler

/// Shows again what is typed, and lets the signal do what it would have done. Calls only what a signal
/// handler may.
void restore_and_end(int signal_number) {
  tcsetattr(STDIN_FILENO, TCSANOW, &shown_settings);
  static_cast<void>(std::signal(signal_number, SIG_DFL));
  static_cast<void>(std::raise(signal_number));
}

void set_terminal_echo(bool is_on) {
  if (is_on) {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown_settings);
    for (const int number : kEnding) static_cast<void>(std::signal(number, SIG_DFL));
    return;
  }
  if (tcgetattr(STDIN_FILENO, &shown_settings) != 0) return;
  for (const int number : kEnding) static_cast<void>(std::signal(number, restore_and_end));
  termios hidden = shown_settings;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  const std::span<char*> words(argv, static_cast<std::size_t>(argc));
  const std::vector<std::string> arguments(words.empty() ? words.begin() : words.begin() + 1, words.end());
  vipauth::vctl::Env env{std::cin, std::cout, std::cerr, environment_variable};
  env.is_terminal = isatty(STDIN_FILENO) == 1;
  env.is_watched = isatty(STDERR_FILENO) == 1;
  env.set_echo = set_terminal_echo;
  return vipauth::vctl::run(arguments, env);
}
