#include <sstream>

#include <vipauth/auth_file.hpp>
#include <vipauth/key_store.hpp>
#include <vipauth/known_hosts.hpp>

#include "run.hpp"
#include "support/catch.hpp"
#include "support/policies.hpp"
#include "writer.hpp"

namespace vipauth::test {

namespace {

namespace fs = std::filesystem;

/// Runs the program in this process. \return success for exit code 0; for 1, what it says on its standard
/// error; any other is told as such
Result<void> vctl_auth(const fs::path& home, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "auth");
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  const auto variable = [&](const std::string& name) {
    return name == "VOLTTRON_HOME" ? std::optional(home.string()) : std::nullopt;
  };
  vctl::Env env{in, out, err, variable};
  env.clock = [] { return kNow; };
  const int code = vctl::run(arguments, env);
  if (code == 0) return {};
  const bool is_failure = code == 1 && !err.str().empty();
  return Error{ErrorCode::kUnavailable,
               is_failure ? err.str() : "exit code " + std::to_string(code) + ": " + err.str(), ""};
}

void must(const Result<void>& result) {
  INFO((result ? std::string() : result.error().to_string()));
  REQUIRE(result);
}

Result<void> add(const fs::path& home, const std::string& user_id, const std::string& text) {
  return vctl_auth(home, {"add", "--user_id", user_id, "--credentials", text});
}

std::string users_state(const fs::path& home) {
  const auto policy = AuthFile(home / "auth.json").load();
  if (!policy) return policy.error().to_string();
  std::string out;
  for (const Policy::Entry& entry : policy->allow()) {
    out += entry.record->user_id + (entry.record->enabled ? " " : "(off) ");
  }
  return out;
}

Writer adding() {
  Writer out;
  out.name = "vctl auth add";
  out.is_slow = true;
  out.prepare = [](const fs::path& home) { must(add(home, "first", kKeyA)); };
  out.write = [](const fs::path& home) { return add(home, "second", kKeyB); };
  out.state = users_state;
  out.next = [](const fs::path& home) { return add(home, "third", kKeyC); };
  out.files = {"auth.json"};
  return out;
}

}  // namespace

TEST_CASE("faults: vctl auth add") { check_faults(adding()); }

TEST_CASE("faults: vctl auth update and remove") {
  Writer writer = adding();
  writer.name = "vctl auth update";
  writer.write = [](const fs::path& home) { return vctl_auth(home, {"update", "0", "--disabled"}); };
  check_faults(writer);

  writer.name = "vctl auth remove";
  writer.write = [](const fs::path& home) { return vctl_auth(home, {"remove", "0", "--yes"}); };
  check_faults(writer);
}

TEST_CASE("faults: vctl auth undo") {
  Writer writer = adding();
  writer.name = "vctl auth undo";
  writer.prepare = [](const fs::path& home) {
    must(add(home, "first", kKeyA));
    must(add(home, "second", kKeyB));
  };
  writer.write = [](const fs::path& home) { return vctl_auth(home, {"undo", "--yes"}); };
  check_faults(writer);
}

TEST_CASE("faults: vctl auth add-known-host") {
  const auto add_host = [](const fs::path& home, const std::string& address, const std::string& text) {
    return vctl_auth(home, {"add-known-host", "--host", address, "--serverkey", text});
  };
  Writer writer = adding();
  writer.name = "vctl auth add-known-host";
  writer.prepare = [=](const fs::path& home) { must(add_host(home, "tcp://10.0.0.1:1", kKeyA)); };
  writer.write = [=](const fs::path& home) { return add_host(home, "tcp://10.0.0.2:1", kKeyB); };
  writer.next = [=](const fs::path& home) { return add_host(home, "tcp://10.0.0.3:1", kKeyC); };
  writer.state = [](const fs::path& home) {
    const auto entries = KnownHosts(home / "known_hosts").load();
    return entries ? std::to_string(entries->size()) : entries.error().to_string();
  };
  writer.files = {"known_hosts"};
  writer.public_files = {"known_hosts"};
  check_faults(writer);
}

}  // namespace vipauth::test
