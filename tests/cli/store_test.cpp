// --store: verbs work on what a fleet shares as they do on files. And homes that follow a store.

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <vipauth/home_store.hpp>
#include <vipauth/local_copy.hpp>

#include "cli.hpp"
#include "commands/commands.hpp"
#include "stores/policy_store_contract.hpp"
#include "support/catch.hpp"
#include "support/memory_store.hpp"
#include "support/policies.hpp"

namespace vipauth::test {

using Catch::Contains;

namespace {

constexpr const char* kStore = "etcd://127.0.0.1:2379/fleet";

PendingRequest request(const std::string& user_id, const std::string& key, const std::string& site) {
  PendingRequest out;
  out.credentials = key;
  out.domain = "vip";
  out.address = "10.0.0.1";
  out.user_id = user_id;
  out.first_seen = out.last_seen = kNow;
  out.retries = 1;
  out.site = site;
  return out;
}

/// Somebody without a home, who works on a store, and a home in whose files the same stands.
class Twins {
 public:
  Twins() {
    remote.policy_store = store;
    remote.environment.clear();
  }

  Outcome on_store(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"auth", "--store", kStore});
    return remote.run(arguments, input);
  }

  /// What it does and says, it does and says on the store.
  void same(const std::vector<std::string>& arguments, const std::string& input = "") {
    INFO("vctl auth " << Json::strings(arguments).dump());
    const Outcome on_files = files.auth(arguments, input);
    const Outcome there = on_store(arguments, input);
    CHECK(there.out == on_files.out);
    CHECK(there.exit_code == on_files.exit_code);
    CHECK(there.err == on_files.err);
    const HomeStore home(files.home.path());
    CHECK(store->load_policy()->to_json() == home.load_policy()->to_json());
    CHECK(store->load_topics()->to_json() == home.load_topics()->to_json());
  }

  std::shared_ptr<MemoryStore> store = std::make_shared<MemoryStore>();
  Cli remote;
  Cli files;
};

/// A home with all that verbs need.
void prepare(const Cli& cli) {
  cli.home.write("auth.json",
                 R"({"version": {"major": 1, "minor": 4}, "allow": [{"user_id": "a", "identity": "a",
      "credentials": ")" +
                     std::string(kAgentA) + R"("}], "roles": {"R": ["x"]}, "groups": {"G": ["R"]}})");
  cli.home.write("protected_topics.json", R"({"write-protect": [{"topic": "t", "capabilities": ["x"]}]})");
  PendingStore pending(cli.home / "pending.json", PendingStore::Limits());
  pending.note(Mechanism::kCurve, kAlice, "vip", "10.0.0.1", cli.now);
  REQUIRE(pending.flush());
}

std::string stranger_of(const Cli& cli) {
  return PendingStore(cli.home / "pending.json", PendingStore::Limits()).load()->pending.at(0).user_id;
}

/// Edits, each of which changes auth.json or protected_topics.json.
std::vector<std::vector<std::string>> edits(const std::string& stranger) {
  return {{"add", "--user_id", "b", "--credentials", kAgentB},
          {"add"},
          {"update", "0", "--comments", "c"},
          {"remove", "0", "--yes"},
          {"add-role", "S", "x"},
          {"update-role", "R", "y"},
          {"remove-role", "R"},
          {"add-group", "H", "R"},
          {"update-group", "G", "S"},
          {"remove-group", "G"},
          {"rpc", "add", "a.m", "x"},
          {"rpc", "remove", "a.m", "x"},
          {"topics", "add", "u", "x"},
          {"topics", "remove", "t"},
          {"remote", "approve", stranger},
          {"remote", "deny", stranger},
          {"create", "new.agent"},
          {"rotate", "a"},
          {"undo", "--yes"},
          {"undo", "--topics", "--yes"}};
}

std::vector<std::string> files_of(const TempHome& home) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(home.path())) {
    if (!entry.path().string().ends_with(".lock")) out.push_back(entry.path().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

TEST_CASE("vctl --store: says and does what it does on files") {
  Twins twins;
  twins.same({"add", "--user_id", "Alice", "--credentials", kAlice, "--capabilities", "x,y"});
  twins.same({"add", "--user_id", "Alice", "--credentials", kAgentA});  // taken
  twins.same({"add", "--user_id", "B", "--identity", "b.agent", "--credentials", kAgentB});
  twins.same({"list"});
  twins.same({"add-role", "R", "x", "z"});
  twins.same({"add-role", "R", "x"});
  twins.same({"update-role", "R", "w"});
  twins.same({"add-group", "G", "R"});
  twins.same({"list-roles"});
  twins.same({"list-groups"});
  twins.same({"update", "0", "--roles", "R", "--comments", "c"});
  twins.same({"update", "99", "--roles", "R"});
  twins.same({"remove-role", "R"});
  twins.same({"rpc", "add", "b.agent.m", "CAP"});
  twins.same({"rpc", "remove", "b.agent.m", "CAP"});
  twins.same({"check", "call", "Alice", "b.agent.m"});
  twins.same({"check", "connect", kAlice});
  twins.same({"topics", "add", "secret", "CAP"});
  twins.same({"topics", "list"});
  twins.same({"check", "publish", "Alice", "secret"});
  twins.same({"who-can", "publish", "secret"});
  twins.same({"what-can", "Alice"});
  twins.same({"check", "--batch", "-"}, R"({"check": "publish", "user_id": "Alice", "topic": "secret"})");
  twins.same({"test", "-"}, R"({"check": "publish", "user_id": "Alice", "topic": "x", "allowed": true})");
  twins.same({"topics", "remove", "secret"});
  twins.same({"lint"});
  twins.same({"graph"});
  twins.same({"remote", "list"});
  twins.same({"remote", "approve", "nobody"});
  twins.same({"list", "--json"});
  twins.same({"remove", "0", "--yes"});
  twins.same({"remove", "55", "--yes"});
  twins.same({"remove-group", "G"});
}

TEST_CASE("vctl --store: an empty one is named where a home would be") {
  Twins twins;
  CHECK(twins.on_store({"list"}).out == "No entries in " + std::string(kStore) + "\n");
  CHECK(twins.on_store({"topics", "list"}).out == "No protected topics in " + std::string(kStore) + "\n");
}

TEST_CASE("vctl --store: a password is checked there, and not shown") {
  Twins twins;
  REQUIRE(twins.on_store({"add", "--user_id", "p", "--mechanism", "PLAIN", "--credentials", "swordfish"})
              .exit_code == 0);
  CHECK_THAT(twins.on_store({"list"}).out, !Contains("swordfish") && !Contains("argon2"));
  CHECK(twins.on_store({"check", "connect", "p", "--mechanism", "PLAIN"}, "swordfish\n").exit_code == 0);
  CHECK(twins.on_store({"check", "connect", "p", "--mechanism", "PLAIN"}, "another\n").exit_code == 2);
}

TEST_CASE("vctl --store: decides on strangers of all sites") {
  Twins twins;
  REQUIRE(twins.store->edit_pending(
      [](PendingState& state) -> Result<void> {
        state.pending = {request("one", kAgentA, "berlin"), request("two", kAgentB, "")};
        return {};
      },
      {}));
  CHECK(twins.on_store({"remote", "list"}).out ==
        "USER_ID ADDRESS  STATUS  CREDENTIALS" + std::string(33, ' ') + "SITE\none     10.0.0.1 PENDING " +
            kAgentA + " berlin\ntwo     10.0.0.1 PENDING " + kAgentB + " -\n");
  const Json listed = json(twins.on_store({"remote", "list", "--json"}).out);
  CHECK(at(listed.find("remote")->as_array().at(0), "site") == Json("berlin"));
  CHECK(listed.find("remote")->as_array().at(1).find("site") == nullptr);
  CHECK_THAT(twins.on_store({"check", "connect", kAgentA}).out, Contains("vctl auth remote approve one"));

  const Outcome another = twins.on_store({"remote", "approve", "one", "--credentials", kAgentB});
  CHECK(another.exit_code == 1);
  CHECK_THAT(another.err, Contains(kAgentA));
  CHECK(twins.on_store({"remote", "approve", "one", "--credentials", "no key"}).exit_code == 1);
  CHECK(twins.on_store({"check", "connect", kAgentA, "--address", "10.0.0.1"}).exit_code == 2);
  const Outcome approved = twins.on_store(
      {"remote", "approve", "one", "--user-id", "Alice", "--roles", "none", "--credentials", kAgentA});
  CHECK(approved.out == "approved one as Alice (address 10.0.0.1, key " + std::string(kAgentA) + ")\n");
  CHECK_THAT(approved.err, Contains("role \"none\" does not exist"));
  CHECK(twins.on_store({"check", "connect", kAgentA, "--address", "10.0.0.1"}).exit_code == 0);
  CHECK(twins.on_store({"remote", "deny", "two"}).out == "denied two (address 10.0.0.1)\n");
  CHECK(twins.on_store({"remote", "deny", "two"}).exit_code == 0);
  CHECK_THAT(twins.on_store({"remote", "list"}).out,
             Contains("APPROVED") && Contains("DENIED") && !Contains("SITE") && !Contains("CREDENTIALS"));
  CHECK(twins.on_store({"remote", "delete", "two"}).exit_code == 0);
  CHECK(twins.on_store({"remote", "delete", "two"}).exit_code == 1);
  CHECK_FALSE(std::filesystem::exists(twins.remote.home / "auth.json"));
}

TEST_CASE("vctl --store: a name under which two wait stands for neither, and both sites are named") {
  Twins twins;
  REQUIRE(twins.store->edit_pending(
      [](PendingState& state) -> Result<void> {
        state.pending = {request("one", kAgentA, "berlin"), request("one", kAgentB, "paris")};
        return {};
      },
      {}));
  for (const char* verb : {"approve", "deny", "delete"}) {
    const Outcome outcome = twins.on_store({"remote", verb, "one"});
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.err, Contains("'berlin'") && Contains("'paris'") && Contains("?site="));
  }
  CHECK(twins.store->load_policy()->allow().empty());
  CHECK(twins.store->load_pending()->pending.size() == 2);
}

TEST_CASE("vctl --store: the store is told who edits, by which verb, and for how long one waits") {
  class Noting final : public PolicyStore {
   public:
    Result<Policy> load_policy() const override { return memory_.load_policy(); }
    Result<TopicDocument> load_topics() const override { return memory_.load_topics(); }
    Result<PendingState> load_pending() const override { return memory_.load_pending(); }
    Result<EditReport> edit_policy(const AuthFile::Change& change, const EditOptions& options) override {
      noted = options;
      auto report = memory_.edit_policy(change, options);
      if (report) report->warnings.emplace_back("the store warns");
      return report;
    }
    Result<EditReport> edit_topics(const TopicsFile::Change& change, const EditOptions& options) override {
      noted = options;
      return memory_.edit_topics(change, options);
    }
    Result<void> edit_pending(const PendingChange& change, std::chrono::milliseconds patience) override {
      return memory_.edit_pending(change, patience);
    }
    Result<std::unique_ptr<StoreWatch>> watch(std::function<void(const StoreChanges&)> on_change) override {
      return memory_.watch(std::move(on_change));
    }
    EditOptions noted;

   private:
    MemoryStore memory_;
  };
  Cli cli;
  const auto store = std::make_shared<Noting>();
  cli.policy_store = store;
  const Outcome added = cli.auth({"--store", kStore, "-t", "7", "add-role", "R", "x"});
  CHECK(added.exit_code == 0);
  CHECK_THAT(added.err, Contains("warning: the store warns"));
  CHECK(store->noted.note.command == "auth add-role");
  CHECK(store->noted.patience == std::chrono::seconds(7));
  REQUIRE(cli.auth({"--store", kStore, "topics", "add", "t", "x"}).exit_code == 0);
  CHECK(store->noted.note.command == "auth topics add");
  REQUIRE(store->edit_pending(
      [](PendingState& state) -> Result<void> {
        state.pending = {request("one", kAgentA, "")};
        return {};
      },
      {}));
  CHECK_THAT(cli.auth({"--store", kStore, "-t", "3", "remote", "approve", "one"}).err,
             Contains("warning: the store warns"));
  CHECK(store->noted.note.command == "auth remote approve");
  CHECK(store->noted.patience == std::chrono::seconds(3));
}

TEST_CASE("vctl --store: what goes wrong there is said, and no file is touched") {
  Twins twins;
  twins.store->place().failure = Error{ErrorCode::kIoError, "nobody answers", ""};
  const Outcome failed = twins.on_store({"add-role", "R", "x"});
  CHECK(failed.exit_code == 1);
  CHECK(failed.err == "error: nobody answers\n");
  CHECK(twins.on_store({"topics", "add", "t", "x"}).exit_code == 1);
  CHECK(std::filesystem::is_empty(twins.remote.home.path()));
}

TEST_CASE("vctl --store: verbs of files say so") {
  Cli cli;
  cli.policy_store = std::make_shared<MemoryStore>();
  prepare(cli);
  const std::vector<std::string> before = files_of(cli.home);
  for (const std::vector<std::string>& verb :
       std::vector<std::vector<std::string>>{{"history"},
                                             {"undo"},
                                             {"audit", "verify"},
                                             {"audit", "show"},
                                             {"create", "x"},
                                             {"rotate", "server"},
                                             {"keypair"},
                                             {"serverkey"},
                                             {"publickey"},
                                             {"list-known-hosts"},
                                             {"probe", "tcp://127.0.0.1:1"},
                                             {"certs", "list"},
                                             {"web-user", "list"},
                                             {"remote", "sync"}}) {
    std::vector<std::string> arguments{"--store", kStore};
    arguments.insert(arguments.end(), verb.begin(), verb.end());
    const Outcome outcome = cli.auth(arguments);
    INFO(verb.front());
    CHECK(outcome.exit_code == 64);
    CHECK_THAT(outcome.err, Contains("--store: this verb works on the files of a home"));
  }
  CHECK(files_of(cli.home) == before);
}

TEST_CASE("serve --store: works on the home, and needs to know which site that is") {
  Cli cli;
  CHECK_THAT(cli.auth({"--store", kStore, "serve"}).err, Contains("instance-name"));
  cli.home.write("config", "[volttron]\ninstance-name = v1\nbind-web-address = https://127.0.0.1:0\n");
  const Outcome no_site = cli.auth({"--store", kStore, "serve"});
  CHECK(no_site.exit_code == 1);
  CHECK_THAT(no_site.err, Contains("--store") && Contains("?site=NAME"));
  CHECK_THAT(cli.auth({"--store", "file:///etc", "serve"}).err, Contains("--store") && Contains("scheme"));
}

TEST_CASE("vctl --store: works on nothing else besides, and stands anywhere") {
  Cli cli;
  cli.policy_store = std::make_shared<MemoryStore>();
  const Outcome both = cli.auth({"--store", kStore, "--vip-address", "tcp://127.0.0.1:1", "list"});
  CHECK(both.exit_code == 64);
  CHECK_THAT(both.err, Contains("--store") && Contains("--vip-address"));
  CHECK(cli.auth({"--store", "", "list"}).exit_code == 64);
  CHECK(cli.auth({"list", "--store"}).exit_code == 64);
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--store", kStore, "auth", "list"},
                                             {"auth", "--store", kStore, "list"},
                                             {"auth", "list", "--store", kStore}}) {
    CHECK(cli.run(arguments).out == "No entries in " + std::string(kStore) + "\n");
  }
}

TEST_CASE("vctl --store: what cannot be opened is no reason to work on files") {
  Cli cli;
  prepare(cli);
  const std::string before = cli.home.read("auth.json");
  const Outcome outcome = cli.auth({"--store", "etcd://127.0.0.1:1/fleet", "add-role", "S", "x"});
  CHECK(outcome.exit_code == 1);
  CHECK_THAT(outcome.err, Contains("etcd"));
  CHECK_THAT(cli.auth({"--store", "file:///etc", "list"}).err, Contains("--store"));
  CHECK(cli.home.read("auth.json") == before);
}

TEST_CASE("a home that follows a store: is edited there, and not here") {
  Cli cli;
  prepare(cli);
  cli.home.write("fleet.json", R"({"store": "etcd://10.0.0.5:2379/fleet?site=berlin"})");
  REQUIRE(cli.auth({"serverkey"}).exit_code == 0);
  const std::string stranger = stranger_of(cli);
  const std::vector<std::string> before = files_of(cli.home);
  const std::string auth = cli.home.read("auth.json");
  const std::string topics = cli.home.read("protected_topics.json");
  for (const std::vector<std::string>& edit : edits(stranger)) {
    INFO(Json::strings(edit).dump());
    const Outcome outcome = cli.auth(edit);
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.err ==
          "error: this home follows etcd://10.0.0.5:2379/fleet?site=berlin: edit there by --store, or end it "
          "by "
          "`vctl auth unfollow`\n");
    CHECK(outcome.out.empty());
  }
  CHECK(cli.home.read("auth.json") == auth);
  CHECK(cli.home.read("protected_topics.json") == topics);
  CHECK(files_of(cli.home) == before);
  CHECK(stranger_of(cli) == stranger);
}

TEST_CASE("a home that follows a store: is read, and keeps what is its own") {
  Cli cli;
  prepare(cli);
  cli.home.write("fleet.json", R"({"store": "etcd://10.0.0.5:2379/fleet"})");
  for (const std::vector<std::string>& verb :
       std::vector<std::vector<std::string>>{{"list"},
                                             {"list-roles"},
                                             {"topics", "list"},
                                             {"remote", "list"},
                                             {"check", "connect", kAgentA},
                                             {"lint"},
                                             {"history"},
                                             {"keypair"},
                                             {"serverkey"},
                                             {"rotate", "server"},
                                             {"list-known-hosts"}}) {
    INFO(Json::strings(verb).dump());
    CHECK(cli.auth(verb).exit_code == 0);
  }
  CHECK(cli.auth({"remote", "delete", stranger_of(cli)}).exit_code == 0);  // who waits here waits here
  cli.policy_store = std::make_shared<MemoryStore>();
  CHECK(cli.auth({"--store", kStore, "add-role", "S", "x"}).exit_code == 0);
}

TEST_CASE("a home that follows a store: whatever the file says of it, and without a password") {
  Cli cli;
  prepare(cli);
  const std::string before = cli.home.read("auth.json");
  const auto refused = [&] {
    const Outcome outcome = cli.auth({"add-role", "S", "x"});
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.err, Contains("this home follows") && !Contains("swordfish"));
    CHECK(cli.home.read("auth.json") == before);
    return outcome.err;
  };
  for (const char* text : {"", "{", "[]", "{}", R"({"store": 7})", R"({"store": ""})",
                           R"({"store": "etcd://root:swordfish@10.0.0.5/fleet"})"}) {
    INFO(text);
    cli.home.write("fleet.json", text);
    CHECK_THAT(refused(), Contains("this home follows a store:"));
  }
  cli.home.write("fleet.json", std::string("{\"store\": \"etcd://h/\x1b[2J\"}"));
  CHECK_THAT(refused(), !Contains("\x1b"));
  std::filesystem::remove(cli.home / "fleet.json");
  std::filesystem::create_symlink("nowhere", cli.home / "fleet.json");
  refused();
  std::filesystem::remove(cli.home / "fleet.json");
  cli.home.make_folder("fleet.json");
  refused();
  std::filesystem::remove(cli.home / "fleet.json");
  CHECK(cli.auth({"add-role", "S", "x"}).exit_code == 0);
}

TEST_CASE("push: the store becomes what the home says, and pull the other way") {
  Cli cli;
  const auto store = std::make_shared<MemoryStore>();
  cli.policy_store = store;
  REQUIRE(cli.auth({"add", "--user_id", "alice", "--credentials", kKeyA}).exit_code == 0);
  REQUIRE(cli.auth({"topics", "add", "foo", "c"}).exit_code == 0);
  const auto pushed = cli.auth({"--store", kStore, "push"});
  CHECK(pushed.err.empty());
  REQUIRE(pushed.exit_code == 0);
  CHECK(pushed.out == "pushed\n");
  CHECK(store->load_policy()->to_json() == HomeStore(cli.home.path()).load_policy()->to_json());
  CHECK(store->load_topics()->rules().write_protect.size() == 1);
  CHECK(cli.auth({"--store", kStore, "push"}).out == "the store says so already\n");
  CHECK(cli.auth({"--store", kStore, "diff", cli.home.path().string(), "--exit_code"}).exit_code == 0);

  REQUIRE(cli.auth({"--store", kStore, "add", "--user_id", "bob", "--credentials", kKeyB}).exit_code == 0);
  const auto difference = cli.auth({"--store", kStore, "diff", cli.home.path().string(), "--exit_code"});
  CHECK(difference.exit_code == 1);
  CHECK_THAT(difference.out, Contains("bob"));
  CHECK(cli.auth({"--store", kStore, "pull"}).out == "pulled 2 records\n");
  CHECK(HomeStore(cli.home.path()).load_policy()->allow().size() == 2);
  CHECK(cli.auth({"--store", kStore, "pull"}).out == "the home says so already: 2 records\n");
}

TEST_CASE("push: a home that follows a store is no source of what all share") {
  Cli cli;
  const auto store = std::make_shared<MemoryStore>();
  cli.policy_store = store;
  REQUIRE(cli.auth({"add", "--user_id", "alice", "--credentials", kKeyA}).exit_code == 0);
  REQUIRE(LocalCopy(cli.home.path()).save("etcd://10.0.0.5/fleet?site=berlin", Json::Object(), kNow));
  const auto pushed = cli.auth({"--store", kStore, "push"});
  CHECK(pushed.exit_code == 1);
  CHECK_THAT(pushed.err, Contains("this home follows etcd://10.0.0.5/fleet?site=berlin") &&
                             Contains("`vctl auth unfollow`"));
  CHECK(store->load_policy()->allow().empty());
  REQUIRE(cli.auth({"unfollow"}).exit_code == 0);
  CHECK(cli.auth({"--store", kStore, "push"}).exit_code == 0);
  CHECK(store->load_policy()->allow().size() == 1);
}

TEST_CASE("pull: reads the store once, and nothing opens between the two files") {
  class OneRead final : public PolicyStore {
   public:
    Result<Policy> load_policy() const override { return unfit_; }
    Result<TopicDocument> load_topics() const override { return unfit_; }
    Result<PendingState> load_pending() const override { return unfit_; }
    Result<Version> load_version() const override {
      ++reads;
      return version;
    }
    Result<EditReport> edit_policy(const AuthFile::Change&, const EditOptions&) override { return unfit_; }
    Result<EditReport> edit_topics(const TopicsFile::Change&, const EditOptions&) override { return unfit_; }
    Result<void> edit_pending(const PendingChange&, std::chrono::milliseconds) override { return unfit_; }
    Result<std::unique_ptr<StoreWatch>> watch(std::function<void(const StoreChanges&)>) override {
      return unfit_;
    }
    Version version;
    mutable int reads = 0;

   private:
    const Error unfit_{ErrorCode::kIoError, "the test wants one read", ""};
  };
  Cli cli;
  const auto store = std::make_shared<OneRead>();
  REQUIRE(store->version.topics.add(TopicList::kWriteProtect, "new", {"c"}));
  cli.policy_store = store;
  cli.home.write("protected_topics.json", R"({"write-protect": [{"topic": "old", "capabilities": ["c"]}]})");
  const auto topics = [&] {
    std::vector<std::string> out;
    const auto rules = TopicsFile(cli.home / "protected_topics.json").load();
    for (const TopicRule& rule : rules->write_protect) out.push_back(rule.topic.text());
    return out;
  };
  cli.home.make_folder("auth.json");  // so that the policy cannot be written
  CHECK(cli.auth({"--store", kStore, "pull"}).exit_code == 1);
  CHECK(topics() == std::vector<std::string>{"old", "new"});
  std::filesystem::remove(cli.home / "auth.json");
  CHECK(cli.auth({"--store", kStore, "pull"}).exit_code == 0);
  CHECK(topics() == std::vector<std::string>{"new"});
  CHECK(store->reads == 2);
}

TEST_CASE("push: what is not understood is not shared, and push and pull need a store") {
  Cli cli;
  const auto store = std::make_shared<MemoryStore>();
  cli.policy_store = store;
  CHECK(cli.auth({"push"}).exit_code == 64);
  CHECK(cli.auth({"pull"}).exit_code == 64);
  cli.home.write("auth.json",
                 R"({"version": {"major": 1, "minor": 4}, "allow": [{"credentials": "no key"}]})");
  const auto pushed = cli.auth({"--store", kStore, "push"});
  CHECK(pushed.exit_code == 1);
  CHECK_THAT(pushed.err, Contains("not understood"));
  CHECK(store->load_policy()->allow().empty());
}

TEST_CASE("unfollow: a home that follows a store is edited again") {
  Cli cli;
  cli.policy_store = std::make_shared<MemoryStore>();
  REQUIRE(LocalCopy(cli.home.path()).save(kStore, Json::Object(), kNow));
  CHECK(cli.auth({"add", "--user_id", "alice", "--credentials", kKeyA}).exit_code == 1);
  const auto pulled = cli.auth({"--store", kStore, "pull"});
  CHECK(pulled.exit_code == 1);
  CHECK_THAT(pulled.err, Contains("unfollow"));
  CHECK(cli.auth({"unfollow"}).out == "this home follows no store any more; its files stay\n");
  CHECK(cli.auth({"add", "--user_id", "alice", "--credentials", kKeyA}).exit_code == 0);
  CHECK(cli.auth({"unfollow"}).out == "this home follows no store\n");
}

}  // namespace vipauth::test
