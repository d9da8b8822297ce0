#include <vipauth/topics_file.hpp>

#include <string>

#include "support/catch.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

Result<TopicRules> load(const TempHome& home, std::string_view text) {
  home.write("protected_topics.json", text);
  return TopicsFile(home / "protected_topics.json").load();
}

}  // namespace

TEST_CASE("TopicsFile: loads rules of both lists, and comments do not matter") {
  const TempHome home;
  const auto rules = load(home, R"(// topics
    {"write-protect": [{"topic": "foo", "capabilities": ["can_publish_to_foo"]},
                       {"topic": "/bar.*/", "capabilities": "x"}], # and
     "read-protect": [{"topic": "secret", "capabilities": []}]})");
  REQUIRE(rules);
  REQUIRE(rules->write_protect.size() == 2);
  CHECK(rules->write_protect[0].topic.text() == "foo");
  CHECK(rules->write_protect[1].capabilities == std::vector<std::string>{"x"});
  CHECK(rules->write_protect[1].location == "/write-protect/1");
  REQUIRE(rules->read_protect.size() == 1);
  CHECK(rules->read_protect[0].capabilities.empty());
}

TEST_CASE("TopicsFile: a missing file and an empty one are told, an empty object holds no rules") {
  const TempHome home;
  CHECK(TopicsFile(home / "protected_topics.json").load().error().code == ErrorCode::kNotFound);
  for (const std::string_view cut_off : {"", " \n\t\r\n"}) {
    CHECK(load(home, cut_off).error().code == ErrorCode::kParseError);
    CHECK(load(home, cut_off).error().location == "protected_topics.json");
  }
  for (const std::string_view text : {"{}", R"({"write-protect": []})"}) {
    INFO(text);
    const auto rules = load(home, text);
    REQUIRE(rules);
    CHECK(rules->write_protect.empty());
    CHECK(rules->read_protect.empty());
  }
}

TEST_CASE("TopicsFile: what cannot be read is told with file, line and column") {
  const TempHome home;
  const auto broken = load(home, "{\n \"write-protect\": [}\n");
  REQUIRE_FALSE(broken);
  CHECK(broken.error().code == ErrorCode::kParseError);
  CHECK(broken.error().location == "protected_topics.json:2:20");
}

TEST_CASE("TopicsFile: one bad rule fails the whole with its place") {
  const TempHome home;
  const auto location = [&](std::string_view text) {
    const auto rules = load(home, text);
    INFO(text);
    REQUIRE_FALSE(rules);
    return rules.error().location;
  };
  CHECK(
      location(
          R"({"write-protect": [{"topic": "ok", "capabilities": []}, {"topic": "/(/", "capabilities": []}]})") ==
      "protected_topics.json: /write-protect/1/topic");
  CHECK(location(R"({"read-protect": [{"topic": "x", "capabilities": [1]}]})") ==
        "protected_topics.json: /read-protect/0/capabilities/0");
  CHECK(location(R"({"write-protect": [{"topic": "x"}]})") == "protected_topics.json: /write-protect/0");
  CHECK(location(R"({"write-protect": [{"topic": 5, "capabilities": []}]})") ==
        "protected_topics.json: /write-protect/0/topic");
  CHECK(location(R"({"write-protect": {}})") == "protected_topics.json: /write-protect");
  CHECK(location(R"({"write-protect": null})") == "protected_topics.json: /write-protect");
  CHECK(location(R"({"write-protect": ["foo"]})") == "protected_topics.json: /write-protect/0");
  CHECK(location("[]") == "protected_topics.json");
}

TEST_CASE("TopicsFile: loading writes nothing") {
  const TempHome home;
  REQUIRE(load(home, "# none\n{}"));
  CHECK(home.read("protected_topics.json") == "# none\n{}");
  CHECK_FALSE(home.has("protected_topics.json.lock"));
}

TEST_CASE("TopicsFile: an edit is a transaction with backup and history") {
  const TempHome home;
  const TopicsFile file(home / "protected_topics.json");
  const auto adding = [](const std::string& topic) {
    return [topic](TopicDocument& topics) { return topics.add(TopicList::kWriteProtect, topic, {"c"}); };
  };
  REQUIRE(file.edit(adding("one")));
  CHECK_FALSE(home.has("protected_topics.json.bak"));
  const std::string one = home.read("protected_topics.json");
  REQUIRE(file.edit(adding("two")));
  CHECK(home.read("protected_topics.json.bak") == one);
  CHECK(file.load()->write_protect.size() == 2);

  const std::string two = home.read("protected_topics.json");
  CHECK_FALSE(file.edit(adding("two")));
  CHECK_FALSE(file.edit([](TopicDocument&) { return Result<void>(); })->written);
  CHECK(home.read("protected_topics.json") == two);

  CHECK(file.load_generation(2)->rules().write_protect.size() == 1);
  REQUIRE(file.restore(2));
  CHECK(home.read("protected_topics.json") == one);
  REQUIRE(file.restore(1));  // before the first edit there was no file
  CHECK(file.load()->write_protect.empty());
  CHECK(file.restore(99).error().code == ErrorCode::kNotFound);
  const auto refused =
      file.restore(2, [](const TopicDocument& present, const TopicDocument& former) -> Result<void> {
        CHECK(present.rules().write_protect.empty());
        CHECK(former.rules().write_protect.size() == 1);
        return Error{ErrorCode::kConflict, "no", ""};
      });
  CHECK(refused.error().code == ErrorCode::kConflict);
}

TEST_CASE("TopicsFile: comments are kept once in a file of their own") {
  const TempHome home;
  const TopicsFile file(home / "protected_topics.json");
  home.write("protected_topics.json", "# mine\n{}");
  const auto report =
      file.edit([](TopicDocument& topics) { return topics.add(TopicList::kReadProtect, "t", {"c"}); });
  REQUIRE(report);
  REQUIRE(report->warnings.size() == 1);
  CHECK(home.read("protected_topics.json.commented.bak") == "# mine\n{}");
}

TEST_CASE("TopicsFile: what is not understood is not edited") {
  const TempHome home;
  const TopicsFile file(home / "protected_topics.json");
  for (const std::string_view bad : {"", "{", "[]", R"({"write-protect": [{"topic": "x"}]})",
                                     R"({"read-protect": [{"topic": "/(/", "capabilities": []}]})"}) {
    home.write("protected_topics.json", bad);
    CHECK_FALSE(
        file.edit([](TopicDocument& topics) { return topics.add(TopicList::kWriteProtect, "t", {"c"}); }));
    CHECK(home.read("protected_topics.json") == bad);
    CHECK_FALSE(home.has("history"));
  }
}

TEST_CASE("TopicsFile: what could not be read again is not written") {
  const TempHome home;
  home.write("protected_topics.json", "{}");
  const TopicsFile file(home / "protected_topics.json");
  const auto add = [&](const std::string& capability) {
    return file.edit(
        [&](TopicDocument& topics) { return topics.add(TopicList::kWriteProtect, "t", {capability}); });
  };
  for (const char* not_utf8 : {"\xff", "a\xed\xb0\x80"}) {
    const auto edited = add(not_utf8);
    REQUIRE_FALSE(edited);
    CHECK(edited.error().code == ErrorCode::kInvalidArgument);
    CHECK(home.read("protected_topics.json") == "{}");
  }
  CHECK(add("c"));
}

TEST_CASE("TopicsFile: what comes with a policy protects before it is there, and lets go after") {
  const TempHome home;
  const TopicsFile file(home / "protected_topics.json");
  home.write("protected_topics.json", R"({"write-protect": [{"topic": "old", "capabilities": ["c"]}]})");
  TopicDocument next;
  REQUIRE(next.add(TopicList::kWriteProtect, "new", {"c"}));
  const auto topics = [&] {
    std::vector<std::string> out;
    const auto rules = file.load();
    for (const TopicRule& rule : rules->write_protect) out.push_back(rule.topic.text());
    return out;
  };
  std::vector<std::string> meanwhile;
  const auto replaced = file.replace_with(next, [&]() -> Result<EditReport> {
    meanwhile = topics();
    return EditReport{true, {"of the policy"}};
  });
  REQUIRE(replaced);
  CHECK(replaced->written);
  CHECK(replaced->warnings == std::vector<std::string>{"of the policy"});
  CHECK(meanwhile == std::vector<std::string>{"old", "new"});
  CHECK(topics() == std::vector<std::string>{"new"});

  // Nothing is let go for a policy that does not come.
  const auto failed = file.replace_with(
      TopicDocument(), []() -> Result<EditReport> { return Error{ErrorCode::kIoError, "no room", ""}; });
  CHECK(failed.error().code == ErrorCode::kIoError);
  CHECK(topics() == std::vector<std::string>{"new"});
  CHECK_FALSE(file.replace_with(next, [] { return Result<EditReport>(EditReport()); })->written);

  // Rules that cannot be read are replaced once the policy is there.
  home.write("protected_topics.json", "");
  CHECK_FALSE(file.replace_with(TopicDocument(), [&]() -> Result<EditReport> {
    CHECK(home.read("protected_topics.json").empty());
    return Error{ErrorCode::kIoError, "no room", ""};
  }));
}
