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

void set_terminal_echo(bool is_on) {
  termios settings{};
  if (tcgetattr(STDIN_FILENO, &settings) != 0) return;
  const tcflag_t echo = ECHO;
  settings.c_lflag = is_on ? settings.c_lflag | echo : settings.c_lflag & ~echo;
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings);
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
