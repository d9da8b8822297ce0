#include <vipauth/topic_document.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

TopicDocument topics(std::string_view text) {
  auto parsed = TopicDocument::parse(json(text));
  if (!parsed) throw std::runtime_error(parsed.error().to_string());
  return std::move(*parsed);
}

}  // namespace

TEST_CASE("TopicDocument: a rule is added to the end of its list, and the rest stays") {
  TopicDocument document = topics(
      "{'note': 1, 'write-protect': [{'why': 'x', 'topic': 'a', 'capabilities': 'c'}], 'more': {'z': 1, 'b': "
      "2}}");
  REQUIRE(document.add(TopicList::kWriteProtect, "foo", {"c1", "c2"}));
  REQUIRE(document.add(TopicList::kReadProtect, "/foo.*/", {}));
  CHECK(
      document.to_json().dump() ==
      json("{'note': 1, 'write-protect': [{'why': 'x', 'topic': 'a', 'capabilities': 'c'}, {'topic': 'foo', "
           "'capabilities': ['c1', 'c2']}], 'more': {'z': 1, 'b': 2}, 'read-protect': [{'topic': '/foo.*/', "
           "'capabilities': []}]}")
          .dump());
  REQUIRE(document.rules(TopicList::kWriteProtect).size() == 2);
  CHECK(document.rules(TopicList::kWriteProtect)[1].covers("foo/bar"));
  CHECK(document.rules().read_protect.size() == 1);
}

TEST_CASE("TopicDocument: a topic is in a list once, in the other one too") {
  TopicDocument document = topics("{'write-protect': [{'topic': 'foo', 'capabilities': ['a']}]}");
  const auto again = document.add(TopicList::kWriteProtect, "foo", {"b"});
  REQUIRE_FALSE(again);
  CHECK(again.error().code == ErrorCode::kAlreadyExists);
  CHECK(again.error().message == "topic \"foo\" is already protected by [\"a\"]");
  CHECK(document.add(TopicList::kReadProtect, "foo", {"b"}));
  CHECK(document.add(TopicList::kWriteProtect, "foobar", {"b"}));
}

TEST_CASE("TopicDocument: what is no rule is not added") {
  const std::string long_pattern = "/" + std::string(2000, 'a') + "/";
  for (const std::string& topic : {std::string(), std::string("a\nb"), std::string("\x7f"),
                                   std::string("/(/"), std::string("\xff"), long_pattern}) {
    TopicDocument document;
    const auto refused = document.add(TopicList::kWriteProtect, topic, {"c"});
    CHECK_FALSE(refused);
    CHECK(refused.error().location.empty());
    CHECK(document.to_json().dump() == "{}");
  }
  TopicDocument document;
  CHECK_FALSE(document.add(TopicList::kWriteProtect, "t", {"c", ""}));
  CHECK(document.rules().write_protect.empty());
}

TEST_CASE("TopicDocument: removing takes the rules of one list for exactly this topic") {
  TopicDocument document = topics(
      "{'write-protect': [{'topic': 'foo', 'capabilities': 'a'}, {'topic': 'foo/bar', 'capabilities': []}, "
      "{'topic': 'foo', 'capabilities': ['b']}], 'read-protect': [{'topic': 'foo', 'capabilities': []}], "
      "'x': 1}");
  const auto removed = document.remove(TopicList::kWriteProtect, "foo");
  REQUIRE(removed);
  REQUIRE(removed->size() == 2);
  CHECK((*removed)[1].capabilities == std::vector<std::string>{"b"});
  CHECK(
      document.to_json().dump() ==
      json("{'write-protect': [{'topic': 'foo/bar', 'capabilities': []}], 'read-protect': [{'topic': 'foo', "
           "'capabilities': []}], 'x': 1}")
          .dump());
  CHECK(document.remove(TopicList::kWriteProtect, "foo").error().code == ErrorCode::kNotFound);
  CHECK(document.remove(TopicList::kWriteProtect, "foo/b").error().code == ErrorCode::kNotFound);
  TopicDocument empty;
  CHECK_FALSE(empty.remove(TopicList::kReadProtect, "foo"));
}

TEST_CASE("TopicDocument: one bad rule fails the whole") {
  CHECK(TopicDocument::parse(json("{'write-protect': [{'topic': '/(/', 'capabilities': []}]}"))
            .error()
            .location == "/write-protect/0/topic");
}
