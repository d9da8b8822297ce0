#include <vipauth/topic_protector.hpp>

#include <thread>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

CapabilityResolver users() {
  auto created = CapabilityResolver::create(policy("{'allow':[{'user_id':'plain','credentials':'" + kKeyA +
                                                   "'},{'user_id':'pub','credentials':'" + kKeyB +
                                                   "','capabilities':['can_publish_to_foo',{'own':{'topic':'/"
                                                   "devices\\\\/{user_id}\\\\/.*/'}},{'odd':{'x':1}}]},"
                                                   "{'user_id':'read','credentials':'" +
                                                   kKeyC + "','capabilities':'can_read'}]}"),
                                            kNow);
  REQUIRE(created);
  return *created;
}

Decision publish(const TopicProtector& protector, std::string_view user, std::string_view topic) {
  return protector.authorize_publish(users(), user, topic);
}

}  // namespace

TEST_CASE("TopicProtector: a protected topic needs its capability, another topic nothing") {
  const TopicProtector p(
      topic_rules("{'write-protect':[{'topic':'foo','capabilities':['can_publish_to_foo']}]}"));
  CHECK(publish(p, "pub", "foo").reason() == Reason::kAllowed);
  CHECK(publish(p, "plain", "bar").reason() == Reason::kUnprotected);
  const Decision refused = publish(p, "plain", "foo");
  CHECK(refused.message() ==
        "to publish to topic \"foo\" requires capabilities ['can_publish_to_foo'], but capability list [] "
        "was provided");
  CHECK(refused.source() == std::vector<std::string>{"/write-protect/0", "/allow/0"});
}

TEST_CASE("TopicProtector: unknown users publish nowhere") {
  CHECK(publish(TopicProtector(), "plain", "bar").allowed());
  CHECK(publish(TopicProtector(), "nobody", "bar").reason() == Reason::kUnknown);
}

TEST_CASE("TopicProtector: unknown users are told the same of a topic that others have asked about") {
  const TopicProtector p(topic_rules("{'write-protect':[{'topic':'foo','capabilities':['c']}]}"));
  const Decision before = publish(p, "nobody", "foo");
  CHECK(publish(p, "plain", "foo").reason() == Reason::kMissingCapability);
  const Decision after = publish(p, "nobody", "foo");
  for (const Decision& refused : {before, after}) {
    CHECK(refused.reason() == Reason::kUnknown);
    CHECK(refused.source().empty());
  }
}

TEST_CASE("TopicProtector: a literal covers what it is a prefix of, a pattern what it matches as a whole") {
  const TopicProtector p(
      topic_rules("{'write-protect':[{'topic':'foo','capabilities':'c'},{'topic':'/bar|baz\\\\/.*/"
                  "','capabilities':'c'}]}"));
  for (const std::string_view covered : {"foo", "foo/bar", "foobar", "bar", "baz/x"})
    CHECK_FALSE(publish(p, "plain", covered).allowed());
  for (const std::string_view open : {"fo", "xfoo", "bar/x", "baz", ""})
    CHECK(publish(p, "plain", open).allowed());
}

TEST_CASE("TopicProtector: every rule that covers a topic must be satisfied") {
  const TopicProtector p(
      topic_rules("{'write-protect':[{'topic':'foo','capabilities':[]},{'topic':'foo/bar',"
                  "'capabilities':'can_publish_to_foo'},{'topic':'/.*secret/','capabilities':'nobody'}]}"));
  CHECK(publish(p, "plain", "foo/x").allowed());
  CHECK_FALSE(publish(p, "plain", "foo/bar").allowed());
  CHECK(publish(p, "pub", "foo/bar").allowed());
  CHECK_FALSE(publish(p, "pub", "foo/bar/secret").allowed());
}

TEST_CASE("TopicProtector: a grant restricted on topic counts only there, other restrictions are ignored") {
  const TopicProtector p(topic_rules(
      "{'write-protect':[{'topic':'devices/','capabilities':'own'},{'topic':'odd','capabilities':'odd'}]}"));
  CHECK(publish(p, "pub", "devices/pub/1").allowed());
  const Decision other = publish(p, "pub", "devices/plain/1");
  CHECK(other.reason() == Reason::kRestricted);
  CHECK(other.message().find("devices/plain/1") != std::string::npos);
  CHECK(publish(p, "pub", "odd").allowed());
  CHECK_FALSE(publish(p, "plain", "odd").allowed());
}

TEST_CASE("TopicProtector: a topic with a control character, or not UTF-8, is refused everywhere") {
  for (const std::string_view bad :
       {std::string_view("a\n"), std::string_view("a\0b", 3), std::string_view("\x7f"),
        std::string_view("\xff"), std::string_view("\t")}) {
    CHECK(publish(TopicProtector(), "plain", bad).reason() == Reason::kMalformed);
  }
  CHECK(publish(TopicProtector(), "plain", "\xc3\xa9").allowed());
}

TEST_CASE("TopicProtector: receiving follows read-protect alone") {
  const TopicProtector p(topic_rules("{'read-protect':[{'topic':'private','capabilities':'can_read'}]}"));
  CHECK(p.authorize_receive(users(), "read", "private/x").allowed());
  const Decision refused = p.authorize_receive(users(), "plain", "private/x");
  CHECK(refused.message() ==
        "to receive topic \"private/x\" requires capabilities ['can_read'], but capability list [] was "
        "provided");
  CHECK(p.authorize_receive(users(), "plain", "public").allowed());
  CHECK(publish(p, "plain", "private/x").allowed());
}

TEST_CASE("TopicProtector: where rules cannot be read, nothing may be published") {
  CHECK(publish(TopicProtector::refuse_all(), "pub", "anything").reason() == Reason::kNoPolicy);
}

TEST_CASE("TopicRules: one bad rule fails the whole, with its place") {
  const auto error = [](std::string_view text) { return TopicRules::parse(json(text)).error().location; };
  CHECK(TopicRules::parse(json("{'write-protect':[{'topic':'a','capabilities':'c','note':1}],'other':1}")));
  CHECK(error("{'write-protect':null}") == "/write-protect");
  CHECK(error("{'write-protect':[{'topic':'a','capabilities':[]},{'topic':'/(/','capabilities':[]}]}") ==
        "/write-protect/1/topic");
  CHECK(error("{'write-protect':[{'topic':'a'}]}") == "/write-protect/0");
  CHECK(error("{'write-protect':[{'topic':'a','capabilities':{'c':null}}]}") ==
        "/write-protect/0/capabilities");
  CHECK(error("{'write-protect':[{'topic':'a','capabilities':['c',5]}]}") ==
        "/write-protect/0/capabilities/1");
  CHECK(error("{'read-protect':[7]}") == "/read-protect/0");
  CHECK_FALSE(TopicRules::parse(json("[]")));
}

TEST_CASE("TopicProtector: a topic is protected where any of the rules that cover it requires something") {
  const std::string open = "{'topic':'foo','capabilities':[]}";
  const std::string closed = "{'topic':'/foo/','capabilities':'can_publish_to_foo'}";
  for (const auto& [first, second] : {std::pair(open, closed), std::pair(closed, open)}) {
    const TopicProtector p(topic_rules("{'write-protect':[" + first + "," + second + "]}"));
    CHECK(publish(p, "pub", "foo").reason() == Reason::kAllowed);
    CHECK(publish(p, "plain", "foo").reason() == Reason::kMissingCapability);
    CHECK(publish(p, "plain", "foobar").reason() == Reason::kUnprotected);
  }
}

TEST_CASE("TopicProtector: a thread that is ending gets the same answers") {
  static const CapabilityResolver known = users();
  static const TopicProtector p(
      topic_rules("{'write-protect':[{'topic':'foo','capabilities':['can_publish_to_foo']}]}"));
  struct Answers {
    bool pub = false;
    bool plain = true;
  };
  struct AsksAtTheEnd {
    Answers* answers = nullptr;
    ~AsksAtTheEnd() {
      answers->pub = p.authorize_publish(known, "pub", "foo").allowed();
      answers->plain = p.authorize_publish(known, "plain", "foo").allowed();
    }
  };
  Answers answers;
  std::thread([&] {
    static thread_local AsksAtTheEnd last;  // made first, it ends last
    last.answers = &answers;
    static_cast<void>(p.authorize_publish(known, "pub", "foo"));
  }).join();
  CHECK(answers.pub);
  CHECK_FALSE(answers.plain);
}

TEST_CASE("TopicProtector: a grant for one topic is none for another") {
  const auto r = CapabilityResolver::create(policy("{'allow':[{'user_id':'u','credentials':'" + kKeyA +
                                                   "','capabilities':{'c':{'topic':'foo'}}},{'user_id':'v','"
                                                   "credentials':'" +
                                                   kKeyB + "','capabilities':{'c':{'topic':5}}}]}"),
                                            kNow);
  REQUIRE(r);
  const TopicProtector p(topic_rules("{'write-protect':[{'topic':'/.*/','capabilities':['c']}]}"));
  CHECK(p.authorize_publish(*r, "u", "foo").allowed());
  CHECK(p.authorize_publish(*r, "u", "bar").reason() == Reason::kRestricted);
  CHECK(p.authorize_publish(*r, "v", "5").reason() == Reason::kRestricted);
}
