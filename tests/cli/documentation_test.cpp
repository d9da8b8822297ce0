#include <cstdlib>
#include <fstream>
#include <functional>

#include "cli.hpp"
#include "commands/commands.hpp"
#include "completion.hpp"
#include "manual.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

using Catch::Contains;

namespace {

/// Calls `visit` with each command of the program and the words that lead to it.
void each_command(const vctl::Command& command, const std::vector<std::string>& words,
                  const std::function<void(const vctl::Command&, const std::vector<std::string>&)>& visit) {
  visit(command, words);
  for (const vctl::Command& below : command.commands) {
    auto further = words;
    further.push_back(below.name);
    each_command(below, further, visit);
  }
}

/// What bash offers for the last of the words, by the completion that the program prints.
std::string completed(Cli& cli, const std::string& words) {
  cli.home.write("completion.bash", cli.run({"completion", "bash"}).out);
  cli.home.write("ask.bash", "source " + (cli.home / "completion.bash").string() + "\nCOMP_WORDS=(" + words +
                                 ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_vctl\nprintf '%s\\n' "
                                 "\"${COMPREPLY[@]}\" > " +
                                 (cli.home / "answer").string() + "\n");
  const std::string command = "bash " + (cli.home / "ask.bash").string();
  REQUIRE(std::system(command.c_str()) == 0);  // NOLINT(concurrency-mt-unsafe,cert-env33-c)
  return cli.home.read("answer");
}

}  // namespace

TEST_CASE("documentation: each command and option is in its help, in the manual and in the completions") {
  Cli cli;
  vctl::CommonOptions options;
  const vctl::Command root = vctl::root_command(options);
  std::string manual = vctl::manual_page(root);
  std::erase(manual, '\\');
  const std::string bash = vctl::bash_completion(root);
  const std::string zsh = vctl::zsh_completion(root);
  each_command(root, {}, [&](const vctl::Command& command, const std::vector<std::string>& words) {
    auto arguments = words;
    arguments.emplace_back("--help");
    const Outcome help = cli.run(arguments);
    CHECK(help.exit_code == 0);
    std::string path = "vctl";
    for (const std::string& word : words) path += " " + word;
    INFO(path);
    if (command.run) {
      CHECK_THAT(manual, Contains(".SS " + path + "\n"));
      CHECK_THAT(bash, Contains("'" + path + "')"));
      CHECK_THAT(zsh, Contains("'" + path + "')"));
    }
    CHECK_FALSE(command.description.empty());
    for (const vctl::Argument& argument : command.arguments) {
      for (const std::string& name : argument.names) {
        CHECK_THAT(help.out, Contains(name));
        CHECK_THAT(manual,
                   Contains(argument.kind == vctl::Argument::Kind::kPositional ? argument.value_name : name));
        if (argument.kind == vctl::Argument::Kind::kPositional) continue;
        CHECK_THAT(bash, Contains(name));
        CHECK_THAT(zsh, Contains(name));
      }
    }
  });
}

TEST_CASE("completion: bash is offered what may stand there") {
  Cli cli;
  CHECK_THAT(completed(cli, "vctl ''"), Contains("auth\n"));
  CHECK(completed(cli, "vctl auth serv") == "serverkey\nserve\n");
  CHECK(completed(cli, "vctl auth check ''") == "connect\ncall\npublish\nreceive\n");
  CHECK(completed(cli, "volttron-ctl auth remote list --status ''") == "approved\ndenied\npending\n");
  CHECK(completed(cli, "vctl auth add --user_i") == "--user_id\n");
  CHECK(completed(cli, "vctl completion z") == "zsh\n");
  // The value of an option is no command, and an argument of a verb none either.
  CHECK(completed(cli, "vctl --home auth a") == "auth\n");
  CHECK(completed(cli, "vctl auth nonsense x") == "\n");
}

TEST_CASE("completion: a file name keeps its spaces") {
  Cli cli;
  cli.home.write("a file", "");
  CHECK(completed(cli, "vctl auth check --batch '" + (cli.home / "a f").string() + "'") ==
        (cli.home / "a file").string() + "\n");
}

TEST_CASE("completion: another shell is wrong usage") {
  Cli cli;
  const Outcome outcome = cli.run({"completion", "tcsh"});
  CHECK(outcome.exit_code == 64);
  CHECK_THAT(outcome.err, Contains("must be bash or zsh"));
  CHECK(cli.run({"completion"}).exit_code == 64);
}

TEST_CASE("manual: troff takes nothing in it for a request of its own") {
  Cli cli;
  const Outcome outcome = cli.run({"manual"});
  CHECK(outcome.exit_code == 0);
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    if (!line.starts_with('.')) continue;
    const std::string request = line.substr(0, 3);
    CHECK((request == ".TH" || request == ".SH" || request == ".SS" || request == ".TP" || request == ".PP"));
  }
}

}  // namespace vipauth::test
