#include <vipauth/known_hosts.hpp>

#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <vector>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/temp_home.hpp"
#include "support/vectors.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

KnownHosts hosts_of(const TempHome& home) { return KnownHosts(home / "known_hosts"); }

CurveKey some_key() { return CurveKeyPair::generate().public_key; }

Json document_of(const TempHome& home) {
  auto document = Json::parse(home.read("known_hosts"));
  REQUIRE(document);
  return *document;
}

/// What stands in the file, whether it is a key or not, under that host.
Json value_of(const TempHome& home, const std::string& host) { return at(document_of(home), host); }

}  // namespace

TEST_CASE("KnownHosts: hosts have the names that VOLTTRON gives them") {
  for (const Json& recorded : recorded_cases("known_hosts_parse.json")) {
    const std::string& address = text_at(recorded, "address");
    INFO(text_at(recorded, "name"));
    const auto host = KnownHosts::host_key(address);
    const Json* upstream = at(recorded, "upstream").find("result");
    // No name, or one that a person cannot tell from another, is refused here.
    const bool is_refused_here = address.empty() || address.starts_with(' ') || address.ends_with(' ') ||
                                 address.find('\n') != std::string::npos;
    if (upstream == nullptr || is_refused_here) {
      CHECK_FALSE(host);
    } else {
      REQUIRE(host);
      if (recorded.find("upstream_bug") == nullptr) CHECK(*host == upstream->as_string());
    }
  }
}

TEST_CASE("KnownHosts: a password is never stored") {
  const TempHome home;
  CHECK(*KnownHosts::host_key("tcp://user:pw@host:1") == "user@host:1");
  // What begins in a parameter is no scheme.
  CHECK(*KnownHosts::host_key("host:1?username=http://u&password=s3cret") == "host:1");
  CHECK(*KnownHosts::host_key("host:1#http://s3cret") == "host:1");
  REQUIRE(hosts_of(home).add("tcp://user:s3cret@host:1?password=s3cret#s3cret", some_key()));
  CHECK(home.read("known_hosts").find("s3cret") == std::string::npos);
  CHECK(*hosts_of(home).find("tcp://user:other@host:1"));
}

TEST_CASE("KnownHosts: a key is added, found and removed") {
  const TempHome home;
  const KnownHosts hosts = hosts_of(home);
  const CurveKey key = some_key();
  CHECK(hosts.load()->empty());
  CHECK_FALSE(home.has("known_hosts"));
  CHECK_FALSE(*hosts.find("tcp://127.0.0.1:22916"));

  const auto added = hosts.add("tcp://127.0.0.1:22916?ipv6=1", key);
  REQUIRE(added);
  CHECK(added->written);
  CHECK(added->hosts == std::vector<std::string>{"127.0.0.1:22916"});
  CHECK_FALSE(added->replaced);
  CHECK(document_of(home) == Json(Json::Object{{"127.0.0.1:22916", key.to_base64url()}}));
  CHECK(**hosts.find("127.0.0.1:22916") == key);
  CHECK(**hosts.find("tcp://127.0.0.1:22916#me") == key);
  CHECK_FALSE(*hosts.find("127.0.0.1:22917"));
  CHECK_FALSE(hosts.add("127.0.0.1:22916", key)->written);

  CHECK(hosts.remove("127.0.0.1:22917").error().code == ErrorCode::kNotFound);
  REQUIRE(hosts.remove("tcp://127.0.0.1:22916"));
  CHECK_FALSE(*hosts.find("127.0.0.1:22916"));
  CHECK(document_of(home) == Json(Json::Object{}));
}

TEST_CASE("KnownHosts: the file is readable for everybody, writable for the owner") {
  const TempHome home;
  const mode_t before = ::umask(077);
  REQUIRE(hosts_of(home).add("h:1", some_key()));
  ::umask(before);
  struct stat status{};
  REQUIRE(::stat((home / "known_hosts").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0644);
}

TEST_CASE("KnownHosts: another key takes the place of the first, and that is reported") {
  const TempHome home;
  const CurveKey first = some_key();
  const CurveKey second = some_key();
  REQUIRE(hosts_of(home).add("h:1", first));
  const auto report = hosts_of(home).add("h:1", second);
  REQUIRE(report);
  CHECK(report->replaced_key == first);
  CHECK(**hosts_of(home).find("h:1") == second);
}

TEST_CASE("KnownHosts: platforms on abstract sockets do not take each other's key") {
  const TempHome home;
  const KnownHosts hosts = hosts_of(home);
  const std::string one = "ipc://@/home/one/.volttron/run/vip.socket";
  const std::string two = "ipc://@/home/two/.volttron/run/vip.socket";
  const CurveKey first = some_key();
  const CurveKey second = some_key();
  CHECK(hosts.add(one, first)->hosts.front() == "@");
  REQUIRE(hosts.add(two, second));
  CHECK(**hosts.find(one) == first);
  CHECK(**hosts.find(two) == second);
  CHECK(value_of(home, "@") == Json(second.to_base64url()));  // as VOLTTRON would have it

  REQUIRE(hosts.remove(one));
  CHECK(document_of(home).as_object().size() == 2);
  CHECK(**hosts.find(two) == second);
  REQUIRE(hosts.remove(two));
  CHECK(document_of(home).as_object().empty());
}

TEST_CASE("KnownHosts: what VOLTTRON wrote under @ counts for every abstract socket") {
  const TempHome home;
  const CurveKey key = some_key();
  home.write("known_hosts", R"({"@": ")" + key.to_base64url() + "\"}");
  CHECK(**hosts_of(home).find("ipc://@/home/one/.volttron/run/vip.socket") == key);
  CHECK_FALSE(*hosts_of(home).find("ipc:///run/vip.socket"));
}

TEST_CASE("KnownHosts: entries that are not understood stay") {
  const TempHome home;
  const CurveKey key = some_key();
  home.write("known_hosts", R"({"a:1": "not-a-key", "b:1": {"x": [1]}, "c:1": null})");
  const auto entries = hosts_of(home).load();
  REQUIRE(entries);
  REQUIRE(entries->size() == 3);
  for (const auto& entry : *entries) CHECK_FALSE(entry.key);
  CHECK((*entries)[0].key.error().location == "/a:1");
  // No key is not the same as none known.
  CHECK(hosts_of(home).find("a:1").error().location == "known_hosts: /a:1");
  REQUIRE(hosts_of(home).add("d:1", key));
  CHECK(value_of(home, "a:1") == Json("not-a-key"));
  CHECK(value_of(home, "b:1").find("x") != nullptr);
  CHECK(value_of(home, "c:1").is_null());
  const auto replaced = hosts_of(home).add("a:1", key);
  REQUIRE(replaced);
  CHECK(replaced->replaced == Json("not-a-key"));
  CHECK_FALSE(replaced->replaced_key);
  REQUIRE(hosts_of(home).remove("b:1"));
}

TEST_CASE("KnownHosts: a file that cannot be read is left as it is") {
  const TempHome home;
  for (const std::string bad : {"{", "[]", "null", R"({"a": "x", "a": "y"})", "{} // comment"}) {
    home.write("known_hosts", bad);
    CHECK_FALSE(hosts_of(home).load());
    CHECK_FALSE(hosts_of(home).find("h:1"));
    CHECK_FALSE(hosts_of(home).add("h:1", some_key()));
    CHECK_FALSE(hosts_of(home).remove("h:1"));
    CHECK(home.read("known_hosts") == bad);
  }
  home.write("known_hosts", "");  // VOLTTRON makes it so before it writes the first time
  CHECK(hosts_of(home).add("h:1", some_key()));
}

TEST_CASE("KnownHosts: a symbolic link is not followed") {
  const TempHome home;
  home.write("elsewhere", "{}");
  std::filesystem::create_symlink(home / "elsewhere", home / "known_hosts");
  CHECK_FALSE(hosts_of(home).add("h:1", some_key()));
  CHECK(home.read("elsewhere") == "{}");
}

TEST_CASE("KnownHosts: replace_key changes the hosts of that key alone") {
  const TempHome home;
  const CurveKey from = some_key();
  const CurveKey to = some_key();
  const CurveKey other = some_key();
  REQUIRE(hosts_of(home).add("a:1", from));
  REQUIRE(hosts_of(home).add("b:1", other));
  REQUIRE(hosts_of(home).add("c:1", from));
  const auto report = hosts_of(home).replace_key(from, to);
  REQUIRE(report);
  CHECK(report->hosts == std::vector<std::string>{"a:1", "c:1"});
  CHECK(**hosts_of(home).find("a:1") == to);
  CHECK(**hosts_of(home).find("b:1") == other);
  CHECK_FALSE(hosts_of(home).replace_key(from, to)->written);
}

TEST_CASE("KnownHosts: of many who add at once nobody is lost") {
  const TempHome home;
  constexpr int kProcesses = 8;
  std::vector<ChildProcess> processes;
  processes.reserve(kProcesses);
  for (int i = 0; i < kProcesses; ++i) {
    processes.emplace_back(
        [&, i] { return hosts_of(home).add("h:" + std::to_string(i), some_key()) ? 0 : 1; });
  }
  for (ChildProcess& process : processes) CHECK(process.wait() == 0);
  CHECK(hosts_of(home).load()->size() == kProcesses);
}
