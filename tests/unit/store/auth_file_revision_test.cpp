#include "store/auth_file_revision.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <vipauth/auth_file.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

std::string quoted(std::string text) {
  std::replace(text.begin(), text.end(), '\'', '"');
  return text;
}

/// Writes down all that it is given.
struct Recorder : PolicySink {
  void on_allow(const Policy::Entry& entry) override { add("allow", entry.source, entry.record); }
  void on_deny(const Policy::Entry& entry) override { add("deny", entry.source, entry.record); }
  void on_role(const Policy::Role& role) override {
    add("role " + role.name, role.source, role.capabilities);
  }
  void on_group(const Policy::Group& group) override {
    add("group " + group.name, group.source, group.roles);
  }

  template <typename T>
  void add(const std::string& what, const Json& source, const Result<T>& meaning) {
    parts.push_back(what + " " + source.dump() + (meaning ? "" : " " + meaning.error().to_string()));
  }
  std::vector<std::string> parts;
};

std::vector<std::string> sorted(std::vector<std::string> parts) {
  std::sort(parts.begin(), parts.end());
  return parts;
}

/// What load_parts() hands over.
Result<std::vector<std::string>> parts_of(const TempHome& home) {
  auto revision = AuthFileRevision::open(home.path() / "auth.json", StrictModes::kOn);
  if (!revision) return revision.error();
  std::optional<Recorder> sink;
  auto loaded = revision->load_parts([&]() -> PolicySink& { return sink.emplace(); });
  if (!loaded) return loaded.error();
  return sink->parts;
}

std::vector<std::string> parts_of(const Policy& policy) {
  Recorder sink;
  read_parts(policy, sink);
  return sink.parts;
}

const std::string kContent =
    "{'allow':[{'user_id':'a','credentials':'" + kKeyA +
    "','x':[1]},5,{'credentials':'short'}],"
    "'deny':[{'credentials':'/.*/'}],'roles':{'r':['c'],'bad':7},'groups':{'g':['r']},'more':{'y':1}";

}  // namespace

TEST_CASE("AuthFileRevision: parts are those of the whole policy, whatever the version and the form") {
  for (const std::string& rest :
       {std::string(",'version':{'major':1,'minor':4}}"), std::string(",'version':{'major':1,'minor':9}}"),
        std::string(",'version':{'major':1,'minor':2}}"), std::string("}"),
        std::string(",'version':{'major':1,'minor':4}} // a comment")}) {
    CAPTURE(rest);
    const TempHome home;
    home.write("auth.json", quoted(kContent + rest));
    const auto whole = AuthFile(home.path() / "auth.json").load();
    REQUIRE(whole);
    const auto parts = parts_of(home);
    REQUIRE(parts);
    CHECK(sorted(*parts) == sorted(parts_of(*whole)));
    CHECK(parts->size() == 7);
  }
}

TEST_CASE("AuthFileRevision: what load refuses is refused for the same reason") {
  for (const std::string& text :
       {std::string("{'allow':[],'version':{'major':2,'minor':0}}"), std::string("{'allow':{}}"),
        std::string("{'allow':[],'allow':[],'version':{'major':1,'minor':4}}"),
        std::string("{'deny':null,'version':{'major':1,'minor':4}}"),
        std::string("{'roles':[],'version':{'major':1,'minor':4}}"), std::string("{'allow':[1,}"),
        std::string("[]"), std::string(""), std::string("{'version':'1.4'}")}) {
    CAPTURE(text);
    const TempHome home;
    home.write("auth.json", quoted(text));
    const auto whole = AuthFile(home.path() / "auth.json").load();
    const auto parts = parts_of(home);
    REQUIRE_FALSE(whole);
    REQUIRE_FALSE(parts);
    CHECK(parts.error().to_string() == whole.error().to_string());
  }
  const TempHome empty;
  CHECK(parts_of(empty).error().code == ErrorCode::kNotFound);
}

TEST_CASE(
    "AuthFileRevision: can be read when another has taken its name, and tells when it was written into") {
  const TempHome home;
  home.write("auth.json", quoted("{'allow':[{'user_id':'old'}],'version':{'major':1,'minor':4}}"));
  const auto revision = AuthFileRevision::open(home.path() / "auth.json", StrictModes::kOn);
  REQUIRE(revision);
  home.write("next.json", quoted("{'allow':[{'user_id':'new'}],'version':{'major':1,'minor':4}}"));
  std::filesystem::rename(home.path() / "next.json", home.path() / "auth.json");
  CHECK(revision->is_as_opened());
  CHECK(revision->load()->allow().at(0).source.text_at("user_id") == "old");

  const auto small = AuthFileRevision::open(home.path() / "auth.json", StrictModes::kOn);
  REQUIRE(small);
  std::ofstream(home.path() / "auth.json") << std::string(AuthFileRevision::kSmallBytes, ' ') << "{}";
  CHECK(small->is_as_opened());
  CHECK(small->load()->allow().at(0).source.text_at("user_id") == "new");

  const auto large = AuthFileRevision::open(home.path() / "auth.json", StrictModes::kOn);
  REQUIRE(large);
  CHECK(large->load());
  CHECK(large->is_as_opened());
  std::ofstream(home.path() / "auth.json", std::ios::app) << "\n";
  CHECK_FALSE(large->is_as_opened());
}
