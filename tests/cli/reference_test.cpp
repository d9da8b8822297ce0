#include <fstream>
#include <iterator>

#include <vipauth/lint.hpp>

#include "cli.hpp"
#include "commands/commands.hpp"
#include "support/catch.hpp"
#include "support/paths.hpp"

namespace vipauth::test {

TEST_CASE("documentation: the page on vctl names every verb and every check of lint") {
  std::ifstream stream(std::string(VIPAUTH_SOURCE_DIR) + "/docs/vctl.md");
  const std::string page{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  for (const LintCheck& check : lint_checks()) {
    CHECK_THAT(page, Catch::Contains("| `" + std::string(check.name) + "` | " +
                                     std::string(check.description) + " |"));
  }
  vctl::CommonOptions options;
  const vctl::Command root = vctl::root_command(options);
  for (const vctl::Command& verb : root.commands.front().commands) {
    CHECK_THAT(page, Catch::Contains(verb.name));
    for (const vctl::Command& below : verb.commands) {
      CHECK_THAT(page, Catch::Contains(verb.name + " " + below.name));
    }
  }
}

}  // namespace vipauth::test
