#include "store/auth_file_revision.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <vipauth/audit_event.hpp>
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
  void on_allow(const AuthRecord& record) override { parts.push_back("allow " + record.user_id); }
  void on_deny(const AuthRecord& record) override { parts.push_back("deny " + record.user_id); }
  void on_unreadable_allow(const Json& source, const Error& problem) override {
    parts.push_back("allow? " + source.dump() + problem.to_string());
  }
  void on_unreadable_deny(const Json& source, const Error& problem) override {
    parts.push_back("deny? " + source.dump() + problem.to_string());
  }
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

namespace {

AuthFileRevision revision_of(const TempHome& home, const std::string& text) {
  home.replace("auth.json", quoted(text));
  auto revision = AuthFileRevision::open(home.path() / "auth.json", StrictModes::kOn);
  REQUIRE(revision);
  return *std::move(revision);
}

void check_as_whole(const AuditedChange& change, const Json& before, const Json& after) {
  const AuditedChange whole = audited_change(before, after);
  CHECK(change.before.dump() == whole.before.dump());
  CHECK(change.after.dump() == whole.after.dump());
  CHECK(change.digest == whole.digest);
}

}  // namespace

TEST_CASE(
    "AuthFileRevision: the change between two is that of their policies, whatever their version and form") {
  const std::string head = "{'allow':[{'user_id':'a','credentials':'" + kKeyA + "','comments':'";
  const std::vector<std::string> ends{"'}],'version':{'major':1,'minor':4}}",
                                      "'}],'version':{'major':1,'minor':4}} // mine",
                                      "'}],'version':{'major':1,'minor':2}}", "'}],'deny':[]}"};
  const TempHome home;
  for (const std::string& left : ends) {
    for (const std::string& right : ends) {
      CAPTURE(left, right);
      const AuthFileRevision before = revision_of(home, head + "x" + left);
      const AuthFileRevision after = revision_of(home, head + "y" + right);
      const AuditedChange change = audited_change(&before, &after).value();
      check_as_whole(change, before.load()->to_json(), after.load()->to_json());
      CHECK(change.before.find("allow")->as_array().at(0).text_at("comments") == "x");
      check_as_whole(audited_change(nullptr, &after).value(), Json(), after.load()->to_json());
      check_as_whole(audited_change(&before, nullptr).value(), before.load()->to_json(), Json());
      CHECK(audited_change(&after, &after)->after.is_null());
    }
  }
  check_as_whole(audited_change(nullptr, nullptr).value(), Json(), Json());
}

TEST_CASE("AuthFileRevision: of one that was written into, nothing is told") {
  const TempHome home;
  const std::string pad(AuthFileRevision::kSmallBytes, 'x');
  const AuthFileRevision before =
      revision_of(home, "{'allow':[{'user_id':'a'}],'version':{'major':1,'minor':4},'pad':'" + pad + "'}");
  std::ofstream(home.path() / "auth.json", std::ios::app) << "\n";
  const AuthFileRevision after =
      revision_of(home, "{'allow':[{'user_id':'b'}],'version':{'major':1,'minor':4}}");
  check_as_whole(audited_change(&before, &after).value(), Json(), after.load()->to_json());
  CHECK_FALSE(audited_change(nullptr, &before));
  CHECK_FALSE(audited_change(&after, &before));
}

TEST_CASE("AuthFileRevision: of a large first one an audit line holds what it holds of the whole") {
  const TempHome home;
  std::string records;
  for (int i = 0; i < 500; ++i) {
    records += std::string(i == 0 ? "" : ",") + "{'comments':'x','user_id':'user-" + std::to_string(i) + "'}";
  }
  const AuthFileRevision first =
      revision_of(home, "{'version':{'major':1,'minor':4},'allow':[" + records + "],'roles':{'b':1,'a':2}}");
  AuditEvent event;
  event.after = audited_change(nullptr, &first)->after;
  AuditEvent whole;
  whole.after = audited_change(Json(), first.load()->to_json()).after;
  CHECK(event.after.dump().size() <= AuditEvent::kMaxChangeBytes);
  CHECK(to_json(event).dump() == to_json(whole).dump());
  CHECK(whole.after.dump().size() > AuditEvent::kMaxChangeBytes);
}

TEST_CASE("AuthFileRevision: a large file that is written into while it is read is not taken") {
  const TempHome home;
  const std::string text =
      R"({"version": {"major": 1, "minor": 4}, "allow": [{"user_id": "a", "comments": ")" +
      std::string(AuthFileRevision::kSmallBytes, 'c') + R"(", "credentials": ")" + kKeyA + R"("}]})";
  home.write("auth.json", text);
  const auto load = [&](bool is_written_into) {
    const auto revision = AuthFileRevision::open(home / "auth.json", StrictModes::kOff);
    REQUIRE(revision);
    Recorder recorder;
    return revision->load_parts([&]() -> PolicySink& {
      if (is_written_into) std::ofstream(home / "auth.json", std::ios::app) << "\n";
      return recorder;
    });
  };
  CHECK(load(false));
  const auto mixed = load(true);
  REQUIRE_FALSE(mixed);
  CHECK(mixed.error().code == ErrorCode::kBusy);
  CHECK(load(false));
}
