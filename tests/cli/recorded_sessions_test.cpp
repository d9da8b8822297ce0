// What users typed into VOLTTRON's own vctl auth, typed into this one.
//
// Each step starts from the files as they were recorded. It must leave the same files, print the same, and
// exit alike; every step that does not is in kDifferences, with the reason. A step there that agrees fails as
// well, so that the table stays true.
//
// Compared by what they mean, and so not listed one by one:
// - exit codes: VOLTTRON's 2 (usage) is 64 here, its 1, 10 and 20 are 1;
// - records: fields in any order, those left out as their defaults, each form of capabilities as a map, new
//   user_ids alike; values of roles and groups in any order, for VOLTTRON takes them from sets;
// - the line "added entry ...", for which the documentation has another form than the recording;
// - columns of tables, which are two spaces apart there, and values in them; keys that are drawn at random;
// the question of remove,
//   which is [y/N] here (decision 32).

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <regex>
#include <set>
#include <stdexcept>

#include <vipauth/capability.hpp>
#include <vipauth/pending_store.hpp>

#include "cli.hpp"
#include "support/catch.hpp"
#include "support/paths.hpp"
#include "value_text.hpp"

namespace vipauth::test {
namespace {

// ---- The table ----

struct Difference {
  std::string what;  ///< of "exit", "out", "auth" (auth.json) and "hosts" (known_hosts) those that differ
  const char* why;
  std::vector<std::size_t> steps;
};

constexpr const char* kOnFiles = "vctl works on the files, whether a platform runs or not (decision 34)";
constexpr const char* kIsRefused = "what was not done is no success";
constexpr const char* kNeedsVerb = "without a verb the command line makes no sense";
constexpr const char* kCrashes = "VOLTTRON crashes where there is something to show";

const std::vector<Difference> kDifferences = {
    {"exit out hosts", "what is no key is not stored", {124}},
    {"exit out hosts", "an address names its entry in full, too", {130}},

    {"auth",
     "the identity is not taken from the user_id (decision 31)",
     {36, 37, 38, 39, 40, 41, 51, 53, 54, 55, 141, 154, 175}},
    {"auth", "a password is stored as its hash (decision 23), and the identity is not the user_id", {42}},
    {"out", "with any option for a field it does not ask: these lack credentials", {50, 57}},
    {"exit out auth", "a number is a name as any other; VOLTTRON crashes", {52}},
    {"out", "a password is not shown", {58, 84}},
    {"auth", "between two commas there is no capability", {63}},
    {"exit out auth", "the user_id of another record is refused in an update too (decision 47)", {76}},
    {"exit", "what was not confirmed is no success", {81, 82}},
    {"exit out auth", "the question of remove takes no answer for a no (decision 32)", {83}},
    {"out", "an index given twice counts once", {86}},
    {"auth",
     "what roles and groups grant is not written into records (decision 10)",
     {91, 97, 108, 109, 111, 113, 114, 116, 117}},

    {"exit", kIsRefused, {72, 73, 77, 78, 88, 90, 98, 102, 107, 115, 119, 142, 143, 145, 146, 148, 149}},
    {"exit", kIsRefused, {158, 159, 160, 161, 164, 166, 167, 168, 186, 187, 193}},
    {"exit", "a missing argument is wrong usage; VOLTTRON crashes", {56, 162}},
    {"exit out", kCrashes, {134, 136, 137, 139, 176, 179, 184, 185}},
    {"exit out", "a status that there is not is wrong usage, told on the standard error", {140, 180}},
    {"out auth", "it is told, and no comment says that setup mode (which is off) added the record", {181}},
    {"out auth",
     "a deny record names neither domain nor address, so that the key stays out (decision 26); told",
     {182, 189}},
    {"out", "what was done is told", {183, 190, 191, 192}},
    {"out", "rpc says what the method requires now (decision 49)", {155, 156, 157, 163, 165}},
    {"exit out", kNeedsVerb, {153, 169, 171, 223}},
    {"exit out", "there are no other commands than auth", {173}},
    {"exit", "there are no other commands than auth", {224}},

    {"exit", kOnFiles, {197, 198, 201, 202, 205, 206, 211, 212, 213, 214, 215}},
    {"out", kOnFiles, {194, 199, 203, 210}},
    {"exit out", kOnFiles, {196, 207}},
    {"out auth", kOnFiles, {195, 200, 204}},
    {"exit", "no capability is wrong usage", {216}},
};

// ---- The recording ----

struct Step {
  std::size_t number = 0;
  std::string session;
  std::vector<std::string> command;
  std::string input;
  std::string out;
  int exit_code = 0;
  std::optional<Json> auth;   ///< auth.json, where the step changed it
  std::optional<Json> hosts;  ///< known_hosts, where the step changed it
};

std::string text_of(const Json& step, std::string_view name) { return at(step, name).as_string(); }

std::optional<Json> file_of(const Json& step, std::string_view name) {
  const Json* file = step.find(name);
  return file == nullptr ? std::nullopt : std::optional(*file);
}

int exit_code_of(const Json& step) {
  const std::string& digits = at(step, "rc").as_number().digits;
  if (digits == "0") return 0;
  return digits == "2" ? 64 : 1;
}

std::vector<Step> recorded_steps() {
  std::ifstream stream(std::string(VIPAUTH_TEST_DATA) + "/volttron/cli_sessions.json");
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  const auto document = Json::parse(text);
  if (!document) throw std::runtime_error(document.error().to_string());
  std::vector<Step> out;
  for (const Json& recorded : document->as_array()) {
    Step step{out.size(),
              text_of(recorded, "session"),
              {},
              text_of(recorded, "stdin"),
              text_of(recorded, "stdout"),
              exit_code_of(recorded),
              file_of(recorded, "auth.json"),
              file_of(recorded, "known_hosts")};
    for (const Json& word : at(recorded, "cmd").as_array()) step.command.push_back(word.as_string());
    out.push_back(std::move(step));
  }
  return out;
}

std::vector<Step> session(const std::string& name) {
  std::vector<Step> steps = recorded_steps();
  std::erase_if(steps, [&](const Step& step) { return step.session != name; });
  return steps;
}

// ---- Files by what they mean ----

bool is_uuid(const std::string& text) {
  static const std::regex kUuid("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
  return std::regex_match(text, kUuid);
}

Json as_map(const Json& capabilities) {
  Json out{Json::Object()};
  for (const Capability& capability : parse_capabilities(capabilities).value_or(std::vector<Capability>())) {
    Json restrictions;
    for (const Restriction& r : capability.restrictions) restrictions.set(r.parameter, r.constraint);
    out.set(capability.name, std::move(restrictions));
  }
  return out;
}

Json normal_record(const Json& record) {
  Json out(Json::Object{{"mechanism", "CURVE"}, {"enabled", true}});
  for (const char* name : {"domain", "address", "credentials", "comments", "user_id", "identity"}) {
    out.set(name, Json());
  }
  for (const char* name : {"groups", "roles"}) out.set(name, Json::Array());
  for (const char* name : {"capabilities", "rpc_method_authorizations"}) out.set(name, Json::Object());
  for (const Json::Member& member : record.as_object()) out.set(member.name, member.value);
  out.set("capabilities", as_map(at(out, "capabilities")));
  if (at(out, "user_id").is_string() && is_uuid(at(out, "user_id").as_string())) out.set("user_id", "(new)");
  return out;
}

/// An object of lists, each sorted.
Json normal_lists(const Json& lists) {
  Json out{Json::Object()};
  for (const Json::Member& member : lists.as_object()) {
    std::vector<std::string> values;
    for (const Json& value : member.value.as_array()) values.push_back(value.dump());
    std::sort(values.begin(), values.end());
    out.set(member.name, Json::strings(values));
  }
  return out;
}

Json normal_policy(const Json& document) {
  Json out{Json::Object()};
  for (const char* list : {"allow", "deny"}) {
    Json::Array records;
    for (const Json& record : at(document, list).as_array()) records.push_back(normal_record(record));
    out.set(list, std::move(records));
  }
  for (const char* lists : {"groups", "roles"}) out.set(lists, normal_lists(at(document, lists)));
  return out;
}

std::optional<Json> file_in(const Cli& cli, std::string_view name) {
  if (!cli.home.has(name)) return std::nullopt;
  return json(cli.home.read(name));
}

bool same_policy(const std::optional<Json>& ours, const std::optional<Json>& theirs) {
  if (!ours || !theirs) return !ours && !theirs;
  return normal_policy(*ours) == normal_policy(*theirs);
}

bool same_hosts(const std::optional<Json>& ours, const std::optional<Json>& theirs) {
  const Json none{Json::Object()};
  return ours.value_or(none) == theirs.value_or(none);
}

// ---- Output by what it means ----

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t i = text.find(from); i != std::string::npos; i = text.find(from, i + to.size())) {
    text.replace(i, from.size(), to);
  }
}

/// Records in their normal form, each in one line.
std::string with_normal_records(const std::string& text) {
  std::string out;
  std::size_t next = 0;
  for (;;) {
    const std::size_t begin = text.find("\n{\n", next);
    const std::size_t end = begin == std::string::npos ? begin : text.find("\n}", begin);
    if (end == std::string::npos) return out + text.substr(next);
    out +=
        text.substr(next, begin + 1 - next) + normal_record(json(text.substr(begin, end + 2 - begin))).dump();
    next = end + 2;
  }
}

/// A row of a table: one space between columns, and the values at its end sorted.
std::string normal_row(const std::string& line) {
  std::string row = std::regex_replace(line, std::regex(" +"), " ");
  const std::size_t begin = row.find(" [");
  if (begin == std::string::npos) return row;
  const auto list = vctl::parse_loose_json(row.substr(begin));
  if (!list) return row;
  return row.substr(0, begin) + " " + normal_lists(Json::Object{{"", *list}}).dump();
}

std::string normal_table(const std::string& text) {
  std::istringstream lines(text);
  std::string out;
  for (std::string line; std::getline(lines, line);) out += normal_row(line) + "\n";
  return out;
}

std::string normal_output(const Step& step, const Cli& cli, std::string text) {
  const std::string verb = step.command.size() > 1 ? step.command[1] : "";
  replace_all(text, cli.home.path().string(), "$VOLTTRON_HOME");
  replace_all(text, "Do you wish to delete? [Y/n]", "Do you wish to delete? [y/N]");
  text = std::regex_replace(text, std::regex("added entry [^\n]*"), "added entry");
  if (verb.starts_with("list-")) text = normal_table(text);
  if (verb == "serverkey" || verb == "keypair") {
    text = std::regex_replace(text, std::regex("[-_A-Za-z0-9]{43}"), "(key)");
  } else {
    text = with_normal_records(text);
  }
  text.erase(text.find_last_not_of(" \n") + 1);
  return text;
}

// ---- The replay ----

/// The files as they were recorded, at some step.
struct Files {
  std::optional<Json> auth;
  std::optional<Json> hosts;

  void put_into(const Cli& cli) const {
    put(cli, "auth.json", auth);
    put(cli, "known_hosts", hosts);
  }

 private:
  static void put(const Cli& cli, const char* name, const std::optional<Json>& content) {
    if (content) {
      cli.home.replace(name, content->dump_pretty() + "\n");
    } else {
      std::filesystem::remove(cli.home / name);
    }
  }
};

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

const Difference* expected_difference(std::size_t step) {
  for (const Difference& difference : kDifferences) {
    const auto& steps = difference.steps;
    if (std::find(steps.begin(), steps.end(), step) != steps.end()) return &difference;
  }
  return nullptr;
}

using Before = std::function<void(const Cli&, const Step&)>;

void replay(const std::vector<Step>& steps, Files files, const Before& before = {}) {
  Cli cli;
  files.put_into(cli);
  for (const Step& step : steps) {
    if (before) before(cli, step);
    const Outcome outcome = cli.run(step.command, step.input);
    if (step.auth) files.auth = step.auth;
    if (step.hosts) files.hosts = step.hosts;

    const std::string ours = normal_output(step, cli, outcome.out);
    const std::string theirs = normal_output(step, cli, step.out);
    const bool same_auth = same_policy(file_in(cli, "auth.json"), files.auth);
    const bool same_known_hosts = same_hosts(file_in(cli, "known_hosts"), files.hosts);
    std::vector<std::string> differs;
    if (outcome.exit_code != step.exit_code) differs.emplace_back("exit");
    if (ours != theirs) differs.emplace_back("out");
    if (!same_auth) differs.emplace_back("auth");
    if (!same_known_hosts) differs.emplace_back("hosts");

    const Difference* expected = expected_difference(step.number);
    INFO("step " << step.number << ": " << joined(step.command));
    INFO("exit: " << outcome.exit_code << " for " << step.exit_code << "; standard error: " << outcome.err);
    INFO("prints: " << ours << "\nfor:    " << theirs);
    INFO("listed because: " << (expected == nullptr ? "(it is not)" : expected->why));
    CHECK(joined(differs) == (expected == nullptr ? "" : expected->what));
    if (!same_auth || !same_known_hosts) files.put_into(cli);
  }
}

/// The files that the platform has made for itself when the first record is added.
Files platform_files(const std::vector<Step>& steps) {
  Files files;
  for (const Step& step : steps) {
    if (step.auth && !files.auth) files.auth = step.auth;
    if (step.hosts && !files.hosts) files.hosts = step.hosts;
  }
  files.auth->find("allow")->as_array().pop_back();
  if (files.hosts) files.hosts->erase("127.0.0.1:22999");
  return files;
}

// ---- Remote peers ----

/// The three peers who asked between steps 175 and 176. VOLTTRON kept them in memory; of the third, which was
/// deleted, the recording has no key.
PendingRequest pending_request(const char* user_id, const char* credentials, Timestamp seen) {
  return {.credentials = credentials,
          .domain = "vip",
          .address = "127.0.0.1",
          .user_id = user_id,
          .first_seen = seen,
          .last_seen = seen,
          .retries = 1};
}

void let_three_peers_ask(const Cli& cli) {
  const auto asked =
      PendingStore(cli.home / "pending.json", {}).edit([&](PendingState& state) -> Result<void> {
        state.pending = {pending_request("6f243922-7584-403e-83f1-f8bbd53647ea",
                                         "T7uEy-qfRQSsD_KiA18U4LDq_mHHVIh2_b-3YwX87ww", cli.now),
                         pending_request("125bb181-ac23-4c41-88f4-35fe84fe9717",
                                         "BctL7pT-h3TeuWQyYT63r4_X0453AW6YmDL5TWartGs", cli.now),
                         pending_request("9aa0e36d-f6a9-4028-a5ef-79ce078ff0bf", kAgentB, cli.now)};
        return {};
      });
  REQUIRE(asked);
}

}  // namespace

TEST_CASE("recorded sessions: with the platform running") {
  const std::vector<Step> steps = session("up");
  REQUIRE(steps.size() == 145);
  replay(steps, platform_files(steps));
}

TEST_CASE("recorded sessions: with the platform down") {
  const std::vector<Step> steps = session("down");
  REQUIRE(steps.size() == 31);
  replay(steps, {});
}

TEST_CASE("recorded sessions: remote peers") {
  const std::vector<Step> steps = session("remote");
  REQUIRE(steps.size() == 20);
  replay(steps, platform_files(steps), [](const Cli& cli, const Step& step) {
    if (step.number == 176) let_three_peers_ask(cli);
  });
}

TEST_CASE("recorded sessions: every verb and option of the help texts") {
  // They choose among installed agents, of which vctl knows nothing but the identities of their key stores.
  const std::set<std::string> of_installed_agents = {"--name", "--tag", "--all-tagged", "--uuid"};
  const std::regex word("--[a-z_-]+");
  const std::regex verb_line("\n    ([a-z]+(-[a-z]+)*) ");
  std::size_t compared = 0;
  for (const Step& step : session("help")) {
    INFO("step " << step.number << ": " << joined(step.command));
    if (step.command.size() < 2) continue;  // of all of VOLTTRON, not of its auth
    const Outcome outcome = Cli().run(step.command);
    CHECK((outcome.out.find("Usage: vctl auth " + step.command[1]) == std::string::npos) ==
          (step.command[1] == "--help"));
    CHECK(outcome.exit_code == step.exit_code);
    for (auto found = std::sregex_iterator(step.out.begin(), step.out.end(), word);
         found != std::sregex_iterator(); ++found) {
      CAPTURE(found->str());
      const bool is_expected = step.command[1] != "publickey" || !of_installed_agents.contains(found->str());
      CHECK((outcome.out.find(found->str()) != std::string::npos) == is_expected);
    }
    for (auto found = std::sregex_iterator(step.out.begin(), step.out.end(), verb_line);
         found != std::sregex_iterator(); ++found) {
      const std::string name = found->str(1);
      CAPTURE(name);
      CHECK(outcome.out.find("\n  " + name) != std::string::npos);
    }
    ++compared;
  }
  CHECK(compared >= 20);
}

TEST_CASE("recorded sessions: each difference is listed once") {
  std::set<std::size_t> seen;
  for (const Difference& difference : kDifferences) {
    for (const std::size_t step : difference.steps) {
      CAPTURE(step);
      CHECK(seen.insert(step).second);
      CHECK(step < recorded_steps().size());
    }
  }
}

}  // namespace vipauth::test
