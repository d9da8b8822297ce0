#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "cli.hpp"
#include "support/catch.hpp"
#include "support/paths.hpp"

namespace vipauth::test {

using Catch::Contains;

namespace {

struct Mistake {
  std::vector<std::string> arguments;
  std::vector<std::string> file;  ///< name and content of a file that is wrong, or name and mode; empty: none
  int exit_code;
  std::string message;  ///< the home stands in it as "<home>"
};

const std::vector<Mistake> kMistakes = {
    {{"add", "--credentials", kAgentB, "--user_id", "alice"},
     {},
     1,
     R"(error: user_id alice is already in use at index [0])"},
    {{"add", "--credentials", kAgentA, "--user_id", "bob"},
     {},
     1,
     R"(error: entry matches domain, address and credentials at index [0])"},
    {{"add", "--credentials", "short", "--user_id", "bob"},
     {},
     1,
     R"(error: --credentials: not a CURVE key: expected 43 characters of base64url or 40 of Z85, found 5)"},
    {{"add", "--credentials", "/(/", "--user_id", "bob"},
     {},
     1,
     R"(error: --credentials: bad pattern "/(/": missing ): ()"},
    {{"add", "--credentials", "/(?=x)/", "--user_id", "bob"},
     {},
     1,
     R"(error: --credentials: bad pattern "/(?=x)/": look-around such as '(?=' is not supported: it needs more than linear time, at position 1)"},
    {{"add", "--user_id", "bob"},
     {},
     1,
     R"(error: --credentials: credentials are required for mechanism CURVE)"},
    {{"add", "--mechanism", "curve", "--credentials", kAgentB},
     {},
     1,
     R"(error: --mechanism: mechanism must be either "NULL", "PLAIN" or "CURVE")"},
    {{"add", "--credentials", kAgentB, "--capabilities", "{'a'"},
     {},
     1,
     R"(error: --capabilities:1:5: not JSON: missing a colon after a name of object member)"},
    {{"add", "--credentials", kAgentB, "--address", ""},
     {},
     1,
     R"(error: --address: is empty: leave the option out for none)"},
    {{"add"}, {}, 1, R"(error: the input ended before the last answer: nothing is written)"},
    {{"remove", "9"}, {}, 1, R"(ERROR: invalid index 9)"},
    {{"remove", "x"}, {}, 64, R"(error: argument indices: invalid int value: 'x')"},
    {{"remove", "0"}, {}, 1, R"(error: not confirmed: nothing is removed)"},
    {{"update", "9"}, {}, 1, R"(ERROR: invalid index 9)"},
    {{"update-role", "none", "c"}, {}, 1, R"(error: role "none" does not exist)"},
    {{"add-group", "g", "r"}, {}, 1, R"(error: group "g" already exists)"},
    {{"remove-group", "none"}, {}, 1, R"(error: group "none" does not exist)"},
    {{"rpc", "add", "nodot", "c"}, {}, 64, R"(error: "nodot" is not of the form IDENTITY.METHOD)"},
    {{"rpc", "add", "nobody.m", "c"}, {}, 1, R"(error: no record has the identity "nobody": none has any)"},
    {{"rpc", "add", "nobody.m"},
     {},
     64,
     R"(error: Missing authorizations for method. Should be in the format agent_id.method authorized_capability1 authorized_capability2 ...)"},
    {{"add-known-host", "--host", "h:1", "--serverkey", "bad"},
     {},
     1,
     R"(error: --serverkey: not a CURVE key: expected 43 characters of base64url or 40 of Z85, found 3)"},
    {{"remove-known-host", "h:1"}, {}, 1, R"(error: there is no host "h:1" in "<home>/known_hosts")"},
    {{"remote", "approve", "nobody"},
     {},
     1,
     R"(error: no remote peer has the user_id 'nobody': see 'vctl auth remote list')"},
    {{"remote", "list", "--status", "bogus"},
     {},
     64,
     R"(error: Invalid parameter. Please use 'approved', 'denied', 'pending', or leave blank to list all.)"},
    {{"topics", "remove", "foo"}, {}, 1, R"(error: topic "foo" is not in the list "write-protect")"},
    {{"topics", "add", "foo"},
     {},
     64,
     R"(error: give the capabilities that the topic requires; a rule that requires none is added by --requires-nothing)"},
    {{"undo", "--to", "99"}, {}, 1, R"(error: there is no generation 99: vctl auth history lists them)"},
    {{"create", "../x"}, {}, 1, R"(error: "../x" cannot be the identity of an agent: it holds a slash)"},
    {{"create", "server"},
     {},
     1,
     R"(error: "server" cannot be the identity of an agent: it means the bus in `vctl auth rotate server`; choose another)"},
    {{"rotate", "nobody"},
     {},
     1,
     R"(error: agent "nobody" has no key store: make one by `vctl auth create`)"},
    {{"diff", "/nowhere"}, {}, 1, R"(error: cannot read "/nowhere": No such file or directory)"},
    {{"nonsense"}, {}, 64, R"(error: there is no command "nonsense")"},
    {{"list", "--nonsense"}, {}, 64, R"(error: unexpected argument "--nonsense")"},
    {{"list", "--home", "/nowhere"},
     {},
     1,
     R"(error: there is no home folder "/nowhere": make it (mkdir -m 700), or name another by --home DIR or VOLTTRON_HOME)"},
    {{"list"}, {"auth.json", "{ \"allow\": [,"}, 1, R"(error: auth.json:1:13: not JSON: invalid value)"},
    {{"add", "--credentials", kAgentB},
     {"auth.json", ""},
     1,
     R"(error: auth.json:1:1: not JSON: the document is empty)"},
    {{"add", "--credentials", kAgentB},
     {"auth.json", "{\"version\": {\"major\": 2}}"},
     1,
     R"(error: auth.json: /version: version 2.0 of this file is newer than what this program knows (1.4): upgrade the program)"},
    {{"add", "--credentials", kAgentB},
     {"auth.json", "{\"allow\": 5}"},
     1,
     R"(error: auth.json: /allow: must be a list, not a number)"},
    {{"add", "--credentials", kAgentB},
     {"auth.json", "{\"allow\": [], \"allow\": []}"},
     1,
     R"(error: auth.json:1:22: the member "allow" is there twice)"},
    {{"serverkey"},
     {"keystore", "{\"public\": \"x\"}"},
     1,
     R"(error: keystore: not a key store: expected {"public": "...", "secret": "..."}; it is left as it is, restore it from a backup)"},
    {{"check", "publish", "alice", "x"},
     {"protected_topics.json", "{\"write-protect\": 5}"},
     1,
     R"(error: protected_topics.json: /write-protect: must be a list of rules, not a number)"},
    {{"remote", "list"}, {"pending.json", "["}, 1, R"(error: pending.json:1:2: not JSON: invalid value)"},
    {{"list-known-hosts"}, {"known_hosts", "["}, 1, R"(error: known_hosts:1:2: not JSON: invalid value)"},
};

/// Modes that let others in, by the name of the file: "." is the home.
struct LooseMode {
  std::vector<std::string> arguments;
  std::string name;
  std::filesystem::perms mode;
  std::string message;
};

const std::vector<LooseMode> kLooseModes = {
    {{"list"},
     "auth.json",
     std::filesystem::perms(0666),
     R"(error: others than its owner may change "<home>/auth.json" (mode 0666): chmod go-w "<home>/auth.json")"},
    {{"serverkey"},
     "keystore",
     std::filesystem::perms(0644),
     R"(error: others than its owner may read the secret in "<home>/keystore" (mode 0644): chmod 600 "<home>/keystore")"},
    {{"list"},
     ".",
     std::filesystem::perms(0777),
     R"(error: others than its owner may change the files in "<home>" (mode 0777): chmod go-w "<home>")"},
};

/// Everything in the home but the locks, by name.
std::map<std::string, std::string> content(const Cli& cli) {
  std::map<std::string, std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(cli.home.path())) {
    const std::string name = std::filesystem::relative(entry.path(), cli.home.path()).string();
    if (entry.is_regular_file() && !name.ends_with(".lock")) out[name] = cli.home.read(name);
  }
  return out;
}

std::string with_home(const Cli& cli, std::string text) {
  const std::string mark = "<home>";
  const std::string home = cli.home.path().string();
  for (std::size_t i = text.find(mark); i != std::string::npos; i = text.find(mark, i)) {
    text.replace(i, mark.size(), home);
  }
  return text;
}

void prepare(Cli& cli) {
  REQUIRE(cli.auth({"add", "--credentials", kAgentA, "--user_id", "alice"}).exit_code == 0);
  REQUIRE(cli.auth({"add-group", "g", "r"}).exit_code == 0);
  REQUIRE(cli.auth({"serverkey"}).exit_code == 0);
}

std::string documented() {
  std::ifstream stream(std::string(VIPAUTH_SOURCE_DIR) + "/docs/errors.md");
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("errors: each that the documentation lists says so, and changes no file") {
  const std::string page = documented();
  for (const Mistake& mistake : kMistakes) {
    Cli cli;
    prepare(cli);
    if (!mistake.file.empty()) cli.home.write(mistake.file[0], mistake.file[1]);
    const auto before = content(cli);
    const Outcome outcome = cli.auth(mistake.arguments);
    INFO(mistake.message);
    CHECK(outcome.exit_code == mistake.exit_code);
    CHECK_THAT(outcome.err, Contains(with_home(cli, mistake.message) + "\n"));
    CHECK(content(cli) == before);
    CHECK_THAT(page, Contains("`" + mistake.message + "` | " + std::to_string(mistake.exit_code) + " |"));
  }
}

TEST_CASE("errors: files that others could change or read are named, with the command that mends it") {
  const std::string page = documented();
  for (const LooseMode& loose : kLooseModes) {
    Cli cli;
    prepare(cli);
    const auto before = content(cli);
    std::filesystem::permissions(cli.home / loose.name, loose.mode);
    const Outcome outcome = cli.auth(loose.arguments);
    INFO(loose.message);
    CHECK(outcome.exit_code == 1);
    std::string err = outcome.err;
    if (const std::size_t dot = err.find("/.\""); dot != std::string::npos) err.erase(dot, 2);
    CHECK_THAT(err, Contains(with_home(cli, loose.message)));
    CHECK(content(cli) == before);
    CHECK_THAT(page, Contains("`" + loose.message + "` | 1 |"));
    auto lenient = loose.arguments;
    lenient.emplace_back("--no-strict-modes");
    CHECK(cli.auth(lenient).exit_code == 0);
  }
}

}  // namespace vipauth::test
