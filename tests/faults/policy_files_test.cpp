#include <fstream>

#include <vipauth/auth_file.hpp>
#include <vipauth/curve_key.hpp>
#include <vipauth/file_history.hpp>
#include <vipauth/topics_file.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "writer.hpp"

namespace vipauth::test {

namespace {

namespace fs = std::filesystem;

const std::string kAuth = "auth.json";
const std::string kTopics = "protected_topics.json";

Result<void> without_report(const Result<EditReport>& report) {
  return report ? Result<void>() : report.error();
}

/// A key of its own for each number.
std::string numbered_key(int number) {
  CurveKey::Bytes bytes{};
  bytes[0] = static_cast<std::uint8_t>(number & 0xff);
  bytes[1] = static_cast<std::uint8_t>(number >> 8);
  bytes[2] = 1;
  return CurveKey(bytes).to_base64url();
}

Result<void> add_user(const fs::path& home, int number, const EditNote& note = {}) {
  EditOptions options;
  options.note = note;
  return without_report(AuthFile(home / kAuth)
                            .edit(
                                [&](Policy& policy) -> Result<void> {
                                  const auto added = policy.add_allow(
                                      Json::Object{{"user_id", "user-" + std::to_string(number)},
                                                   {"credentials", numbered_key(number)}});
                                  if (!added) return added.error();
                                  return {};
                                },
                                options));
}

void put(const fs::path& file, const std::string& text) {
  std::ofstream(file) << text;
  fs::permissions(file, static_cast<fs::perms>(0600));
}

void must(const Result<void>& result) {
  INFO((result ? std::string() : result.error().to_string()));
  REQUIRE(result);
}

/// What is wrong with the history of a file; empty: nothing.
std::string history_problem(const fs::path& file) {
  const FileHistory history(file);
  std::vector<std::string> warnings;
  const auto generations = history.list(&warnings);
  if (!generations) return generations.error().to_string();
  if (!warnings.empty()) return warnings.front();
  for (const Generation& generation : *generations) {
    const auto text = history.read(generation.number);
    if (!text) return text.error().to_string();
    if (!Json::parse(*text, Json::Comments::kAccept))
      return "generation " + std::to_string(generation.number) + " is torn";
  }
  return {};
}

std::string policy_state(const fs::path& home) {
  if (auto problem = history_problem(home / kAuth); !problem.empty()) return problem;
  const auto policy = AuthFile(home / kAuth).load();
  if (!policy) return policy.error().to_string();
  std::string users;
  for (const Policy::Entry& entry : policy->allow()) users += entry.record->user_id + " ";
  return policy->problems().empty() ? users : policy->problems().front().to_string();
}

std::string topics_state(const fs::path& home) {
  if (auto problem = history_problem(home / kTopics); !problem.empty()) return problem;
  const auto topics = TopicsFile(home / kTopics).load_document();
  return topics ? topics->to_json().dump() : topics.error().to_string();
}

Result<void> add_topic(const fs::path& home, const std::string& topic) {
  return without_report(TopicsFile(home / kTopics).edit([&](TopicDocument& topics) {
    return topics.add(TopicList::kWriteProtect, topic, {"can_publish"});
  }));
}

Writer adding_a_record() {
  Writer out;
  out.name = "a record is added";
  out.prepare = [](const fs::path& home) { must(add_user(home, 1)); };
  out.write = [](const fs::path& home) { return add_user(home, 2); };
  out.state = policy_state;
  out.next = [](const fs::path& home) { return add_user(home, 3); };
  out.files = {kAuth};
  return out;
}

}  // namespace

TEST_CASE("faults: a record is added") { check_faults(adding_a_record()); }

TEST_CASE("faults: the first record is added") {
  Writer writer = adding_a_record();
  writer.prepare = [](const fs::path&) {};
  check_faults(writer);
}

TEST_CASE("faults: a record is added where edits are audited") {
  Writer writer = adding_a_record();
  writer.prepare = [](const fs::path& home) {
    fs::create_directory(home / "audit");
    fs::permissions(home / "audit", static_cast<fs::perms>(0700));
    must(add_user(home, 1));
  };
  check_faults(writer);
}

TEST_CASE("faults: a record is added automatically") {
  Writer writer = adding_a_record();
  writer.is_slow = true;
  const EditNote automatic{.is_automatic = true};
  writer.prepare = [=](const fs::path& home) {
    must(add_user(home, 0));
    must(add_user(home, 1, automatic));
  };
  writer.write = [=](const fs::path& home) { return add_user(home, 2, automatic); };
  check_faults(writer);
}

TEST_CASE("faults: the history is full") {
  Writer writer = adding_a_record();
  writer.is_slow = true;
  writer.prepare = [](const fs::path& home) {
    for (int i = 100; i <= 100 + static_cast<int>(FileHistory::kMaxGenerations); ++i) must(add_user(home, i));
  };
  check_faults(writer);
}

TEST_CASE("faults: a file with comments is edited") {
  Writer writer = adding_a_record();
  writer.is_slow = true;
  writer.prepare = [](const fs::path& home) {
    put(home / kAuth, "/* by hand */ {\"allow\": [], \"version\": {\"major\": 1, \"minor\": 4}}");
  };
  check_faults(writer);
}

TEST_CASE("faults: a file of an older version is edited") {
  Writer writer = adding_a_record();
  writer.is_slow = true;
  writer.prepare = [](const fs::path& home) {
    put(home / kAuth, "{\"allow\": [], \"version\": {\"major\": 1, \"minor\": 2}}");
  };
  check_faults(writer);
}

TEST_CASE("faults: a large file is edited by parts") {
  Writer writer = adding_a_record();
  writer.is_slow = true;
  writer.prepare = [](const fs::path& home) {
    Json::Array allow;
    for (int i = 1000; i < 2000; ++i) {
      allow.push_back(Json::Object{{"user_id", "user-" + std::to_string(i)},
                                   {"credentials", numbered_key(i)},
                                   {"more", std::string(1000, 'x')}});
    }
    const Json version(Json::Object{{"major", 1}, {"minor", 4}});
    const std::string text = Json(Json::Object{{"allow", std::move(allow)}, {"version", version}}).dump();
    REQUIRE(text.size() > std::size_t{1} << 20);
    put(home / kAuth, text);
  };
  check_faults(writer);
}

TEST_CASE("faults: an edit is undone") {
  Writer writer = adding_a_record();
  writer.is_slow = true;
  writer.prepare = [](const fs::path& home) {
    must(add_user(home, 1));
    must(add_user(home, 9));
  };
  writer.write = [](const fs::path& home) {
    const auto generations = FileHistory(home / kAuth).list();
    if (!generations) return Result<void>(generations.error());
    return without_report(AuthFile(home / kAuth).restore(generations->front().number));
  };
  check_faults(writer);
}

TEST_CASE("faults: topic rules are edited and undone") {
  Writer writer;
  writer.name = "a topic rule is added";
  writer.prepare = [](const fs::path& home) {
    must(add_topic(home, "a"));
    must(add_topic(home, "b"));
  };
  writer.write = [](const fs::path& home) { return add_topic(home, "c"); };
  writer.state = topics_state;
  writer.next = [](const fs::path& home) { return add_topic(home, "d"); };
  writer.files = {kTopics};
  check_faults(writer);

  writer.name = "topic rules are put back";
  writer.is_slow = true;
  writer.write = [](const fs::path& home) { return without_report(TopicsFile(home / kTopics).restore(2)); };
  check_faults(writer);
}

}  // namespace vipauth::test
