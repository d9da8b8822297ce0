#include "shell_text.hpp"

#include "support/catch.hpp"

namespace vipauth::test {

TEST_CASE("shell_quote: a shell reads each word as it was") {
  CHECK(vctl::shell_quote("plain_1.2/3:@") == "plain_1.2/3:@");
  CHECK(vctl::shell_quote("") == "''");
  CHECK(vctl::shell_quote("a b") == "'a b'");
  CHECK(vctl::shell_quote("$(x)`y`\"z\"") == "'$(x)`y`\"z\"'");
  CHECK(vctl::shell_quote("o'brien") == R"('o'\''brien')");
  CHECK(vctl::shell_quote("~root") == "'~root'");
  CHECK(vctl::shell_quote("=ls") == "'=ls'");
  CHECK(vctl::shell_quote("a\nb'c\\") == R"($'a\x0a'$'b\'c\\')");
  CHECK(vctl::shell_quote("\xff") == R"($'\xff'$'')");
}

TEST_CASE("shell_command: no value is taken for an option") {
  CHECK(vctl::shell_command({"update", "3", "--roles", "a,b"}) == "vctl auth update 3 --roles a,b");
  CHECK(vctl::shell_command({"add", "--credentials", "-key", "--user_id", "--json"}) ==
        "vctl auth add --credentials=-key --user_id=--json");
  CHECK(vctl::shell_command({"update-role", "--", "r", "c"}) == "vctl auth update-role r c");
  CHECK(vctl::shell_command({"update-role", "--", "r", "--remove"}) == "vctl auth update-role -- r --remove");
  CHECK(vctl::shell_command({"update", "3", "--enabled"}) == "vctl auth update 3 --enabled");
}

}  // namespace vipauth::test
