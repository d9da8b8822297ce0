#include <algorithm>
#include <functional>

#include "fleet/fleet_content.hpp"
#include "fleet_contents.hpp"
#include "support/catch.hpp"

namespace vipauth::test {
namespace {

using Keys = std::vector<FleetKey>;

/// Two records of the fleet and two of the site, in the allow list and in the deny list.
FleetContent four() {
  FleetContent content(true);
  for (const Kind kind : {Kind::kAllow, Kind::kDeny}) {
    content.apply(at_rank(Scope::kFleet, kind, kStep), record("f1"));
    content.apply(at_rank(Scope::kFleet, kind, 2 * kStep), record("f2", kKeyB));
    content.apply(at_rank(Scope::kSite, kind, kStep), record("s1"));
    content.apply(at_rank(Scope::kSite, kind, 2 * kStep), record("s2", kKeyB));
  }
  return content;
}

Keys keys(const KeyChanges& changes) {
  Keys out;
  for (const auto& change : changes) out.push_back(change.first);
  return out;
}

template <typename Document>
KeyChanges difference(const FleetContent& content, const Document& after, Scope edits) {
  auto out = content.difference(after, edits);
  INFO((out ? std::string() : out.error().to_string()));
  REQUIRE(out);
  return *std::move(out);
}

/// The policy with these users in its allow list, which are known by four() or new.
Policy with_users(const FleetContent& content, const std::vector<std::string>& users) {
  Json document = content.policy()->to_json();
  Json::Array list;
  for (const std::string& user : users) {
    const Json::Array& present = document.find("allow")->as_array();
    const auto found = std::find_if(present.begin(), present.end(),
                                    [&](const Json& item) { return item.text_at("user_id") == user; });
    list.push_back(found != present.end() ? *found : *Json::parse(record(user)));
  }
  document.set("allow", Json(std::move(list)));
  return *Policy::parse(std::move(document));
}

std::vector<std::string> users(const FleetContent& content, Scope scope) {
  std::vector<std::string> out;
  for (const auto& [rank, value] : content.list(scope, Kind::kAllow))
    out.push_back(Json::parse(value)->text_at("user_id"));
  return out;
}

Policy edited(const FleetContent& content, const std::function<void(Policy&)>& change) {
  Policy policy = *content.policy();
  change(policy);
  return policy;
}

}  // namespace

TEST_CASE("FleetContent: an edit that changes nothing changes no key") {
  FleetContent content = four();
  content.apply(of_name(Scope::kSite, Kind::kRole, "r"), "[ ]");
  content.apply(of_name(Scope::kFleet, Kind::kPolicyMembers, ""), "{ \"x\" : 1 }");
  content.apply(at_rank(Scope::kFleet, Kind::kAllow, 1), "{ \"user_id\":\n\"spaced\" }");
  content.apply(at_rank(Scope::kFleet, Kind::kAllow, 2), "no json");
  content.apply(malformed(Scope::kSite, Kind::kAllow, "zz"), "no json");
  content.apply(at_rank(Scope::kSite, Kind::kReadProtect, 7), text("{'topic': 'a', 'capabilities': 'c'}"));
  for (const Scope scope : {Scope::kFleet, Scope::kSite}) {
    CHECK(difference(content, *content.policy(), scope).empty());
    CHECK(difference(content, *content.topics(), scope).empty());
  }
}

TEST_CASE("FleetContent: what is changed keeps its key") {
  const FleetContent content = four();
  for (const Scope edits : {Scope::kFleet, Scope::kSite}) {
    const auto changes = difference(
        content, edited(content, [](Policy& p) { REQUIRE(p.update_allow(3, json("{'user_id': 'new'}"))); }),
        edits);
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].first == at_rank(Scope::kSite, Kind::kAllow, 2 * kStep));
    CHECK(Json::parse(changes[0].second.value())->text_at("user_id") == "new");
  }
  const auto changes = difference(
      content, edited(content, [](Policy& p) { REQUIRE(p.update_deny(0, json("{'user_id': 'new'}"))); }),
      Scope::kFleet);
  CHECK(keys(changes) == Keys{at_rank(Scope::kFleet, Kind::kDeny, kStep)});
}

TEST_CASE("FleetContent: what denies or protects is new to the fleet, whatever a site has in its place") {
  const std::pair<const char*, const char*> cases[] = {
      {"someone else", "a stranger"},  // by place
      {"mallory", "mallory"}};         // by name: a site may have guessed it
  for (const auto& [of_site, denied] : cases) {
    CAPTURE(of_site);
    FleetContent content(true);
    content.apply(at_rank(Scope::kSite, Kind::kDeny, kStep), record(of_site));
    Json document = Policy().to_json();
    document.set("deny", Json::Array{*Json::parse(record(denied, kKeyB))});
    const auto changes = difference(content, *Policy::parse(document), Scope::kFleet);
    CHECK(keys(changes) ==
          Keys{at_rank(Scope::kFleet, Kind::kDeny, kStep), at_rank(Scope::kSite, Kind::kDeny, kStep)});
    apply_all(content, changes);
    CHECK(Json::parse(content.list(Scope::kFleet, Kind::kDeny).begin()->second)->text_at("user_id") ==
          denied);
    CHECK(content.list(Scope::kSite, Kind::kDeny).empty());
  }

  FleetContent content(true);
  content.apply(at_rank(Scope::kSite, Kind::kWriteProtect, kStep),
                text("{'topic': 'a', 'capabilities': 'nobody'}"));
  TopicDocument topics;
  REQUIRE(topics.add(TopicList::kWriteProtect, "a", {"c"}));
  apply_all(content, difference(content, topics, Scope::kFleet));
  CHECK(content.list(Scope::kFleet, Kind::kWriteProtect).size() == 1);
  CHECK(content.list(Scope::kSite, Kind::kWriteProtect).empty());
}

TEST_CASE("FleetContent: a new record takes no place of a site's, and a site's none of the fleet's") {
  FleetContent content(true);
  content.apply(at_rank(Scope::kSite, Kind::kAllow, kStep), record("s", kKeyA));
  Json document = Policy().to_json();
  document.set("allow", Json::Array{*Json::parse(record("new", kKeyB))});
  const Policy after = *Policy::parse(document);
  CHECK(keys(difference(content, after, Scope::kFleet)) ==
        Keys{at_rank(Scope::kSite, Kind::kAllow, kStep), at_rank(Scope::kFleet, Kind::kAllow, kStep)});
  // Its own place it takes.
  CHECK(keys(difference(content, after, Scope::kSite)) == Keys{at_rank(Scope::kSite, Kind::kAllow, kStep)});

  FleetContent of_fleet(true);
  of_fleet.apply(at_rank(Scope::kFleet, Kind::kAllow, kStep), record("f", kKeyA));
  CHECK(of_fleet.difference(after, Scope::kSite).error().code == ErrorCode::kPermissionDenied);
}

TEST_CASE("FleetContent: a site's record that gets another name, or another key, stays the site's") {
  const FleetContent content = four();
  for (const std::string& fields : {std::string("{'user_id': 'new'}"), "{'credentials': '" + kKeyC + "'}"}) {
    CAPTURE(fields);
    const Policy after = edited(content, [&](Policy& p) { REQUIRE(p.update_allow(3, json(fields))); });
    CHECK(keys(difference(content, after, Scope::kFleet)) ==
          Keys{at_rank(Scope::kSite, Kind::kAllow, 2 * kStep)});
  }
}

TEST_CASE("FleetContent: what is removed takes its key with it") {
  const FleetContent content = four();
  const Policy after = edited(content, [](Policy& p) { REQUIRE(p.remove_allow({2})); });
  for (const Scope edits : {Scope::kFleet, Scope::kSite}) {
    const auto changes = difference(content, after, edits);
    REQUIRE(keys(changes) == Keys{at_rank(Scope::kSite, Kind::kAllow, kStep)});
    CHECK_FALSE(changes[0].second);
  }
}

TEST_CASE("FleetContent: what is new goes to the end of what is edited") {
  const FleetContent content = four();
  const Policy after =
      edited(content, [](Policy& p) { REQUIRE(p.add_allow(json("{'credentials': '" + kKeyC + "'}"))); });
  CHECK(keys(difference(content, after, Scope::kFleet)) ==
        Keys{at_rank(Scope::kFleet, Kind::kAllow, 3 * kStep)});
  CHECK(keys(difference(content, after, Scope::kSite)) ==
        Keys{at_rank(Scope::kSite, Kind::kAllow, 3 * kStep)});

  const FleetContent empty(true);
  const Policy two = with_users(empty, {"a", "b"});
  for (const Scope edits : {Scope::kFleet, Scope::kSite}) {
    CHECK(keys(difference(empty, two, edits)) ==
          Keys{at_rank(edits, Kind::kAllow, kStep), at_rank(edits, Kind::kAllow, 2 * kStep)});
  }
}

TEST_CASE("FleetContent: a second key changes one record and adds one") {
  FleetContent content = four();
  const Policy after = edited(
      content, [](Policy& p) { REQUIRE(p.add_second_key(0, key(kKeyC), kNow + std::chrono::hours(1))); });
  const auto changes = difference(content, after, Scope::kFleet);
  CHECK(keys(changes) ==
        Keys{at_rank(Scope::kFleet, Kind::kAllow, kStep), at_rank(Scope::kFleet, Kind::kAllow, 3 * kStep)});
  CHECK_FALSE(content.difference(after, Scope::kSite));
}

TEST_CASE("FleetContent: what is put between others gets a rank between theirs") {
  FleetContent content = four();
  apply_all(content,
            difference(content, with_users(content, {"f1", "x", "y", "f2", "s1", "s2"}), Scope::kFleet));
  CHECK(users(content, Scope::kFleet) == std::vector<std::string>{"f1", "x", "y", "f2"});
  apply_all(content,
            difference(content, with_users(content, {"f1", "x", "y", "f2", "s1", "z", "s2"}), Scope::kSite));
  CHECK(users(content, Scope::kSite) == std::vector<std::string>{"s1", "z", "s2"});
  apply_all(content, difference(content, with_users(content, {"a", "f1", "x", "y", "f2", "s1", "z", "s2"}),
                                Scope::kFleet));
  CHECK(users(content, Scope::kFleet) == std::vector<std::string>{"a", "f1", "x", "y", "f2"});
}

TEST_CASE("FleetContent: the order between the fleet's and the site's is not an edit's to change") {
  FleetContent content = four();
  apply_all(content,
            difference(content, with_users(content, {"f1", "f2", "x", "s1", "s2", "y"}), Scope::kFleet));
  CHECK(users(content, Scope::kFleet) == std::vector<std::string>{"f1", "f2", "x", "y"});

  content = four();
  apply_all(content,
            difference(content, with_users(content, {"x", "f1", "f2", "y", "s1", "s2"}), Scope::kSite));
  CHECK(users(content, Scope::kFleet) == std::vector<std::string>{"f1", "f2"});
  CHECK(users(content, Scope::kSite) == std::vector<std::string>{"x", "y", "s1", "s2"});
}

TEST_CASE("FleetContent: where there is no room between ranks neighbours move") {
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  const std::vector<std::uint64_t> rooms[] = {
      {0, 1, 2}, {kMost - 2, kMost - 1, kMost}, {5, 6, 8}, {5, 7, 8}, {0, 1, kMost}, {0, kMost - 1, kMost}};
  for (const auto& ranks : rooms) {
    for (std::size_t place = 0; place <= 3; ++place) {
      CAPTURE(ranks, place);
      FleetContent content(false);
      for (std::size_t i = 0; i < 3; ++i) {
        content.apply(at_rank(Scope::kFleet, Kind::kAllow, ranks[i]),
                      record(std::string(1, static_cast<char>('a' + i))));
      }
      std::vector<std::string> wanted{"a", "b", "c"};
      wanted.insert(wanted.begin() + static_cast<std::ptrdiff_t>(place), {"x", "y"});
      apply_all(content, difference(content, with_users(content, wanted), Scope::kFleet));
      CHECK(users(content, Scope::kFleet) == wanted);
    }
  }
}

TEST_CASE("FleetContent: a hundred insertions at one place move few neighbours") {
  FleetContent content(false);
  content.apply(at_rank(Scope::kFleet, Kind::kAllow, kStep), record("first"));
  content.apply(at_rank(Scope::kFleet, Kind::kAllow, 2 * kStep), record("last"));
  std::vector<std::string> wanted{"first", "last"};
  std::size_t most = 0;
  for (int i = 0; i < 100; ++i) {
    wanted.insert(wanted.begin() + 1, "u" + std::to_string(i));
    const auto changes = difference(content, with_users(content, wanted), Scope::kFleet);
    most = std::max(most, changes.size());
    apply_all(content, changes);
    REQUIRE(users(content, Scope::kFleet) == wanted);
  }
  CHECK(most < 16);
}

TEST_CASE("FleetContent: a site changes nothing of the fleet's") {
  FleetContent content = four();
  content.apply(of_name(Scope::kFleet, Kind::kRole, "r"), "[]");
  content.apply(of_name(Scope::kFleet, Kind::kGroup, "g\n"), "[]");
  content.apply(of_name(Scope::kFleet, Kind::kPolicyMembers, ""), "{\"x\":1}");
  content.apply(at_rank(Scope::kFleet, Kind::kWriteProtect, 1), text("{'topic': 'a', 'capabilities': 'c'}"));
  const std::pair<std::string, std::function<void(Policy&)>> edits[] = {
      {"/allow/1", [](Policy& p) { REQUIRE(p.remove_allow({1, 2})); }},
      {"/allow/0", [](Policy& p) { REQUIRE(p.update_allow(0, json("{'enabled': false}"))); }},
      {"/deny/0", [](Policy& p) { REQUIRE(p.remove_deny({0, 1, 2})); }},
      {"/deny/1", [](Policy& p) { REQUIRE(p.update_deny(1, json("{'user_id': 'x'}"))); }},
      {"/roles/r", [](Policy& p) { REQUIRE(p.add_to_role("r", Json("c"))); }},
      {"/roles/r", [](Policy& p) { REQUIRE(p.remove_role("r")); }},
      {"/groups/g\n", [](Policy& p) { REQUIRE(p.remove_group("g\n")); }},
      {"/x", [](Policy& p) {
         Json document = p.to_json();
         document.set("x", 2);
         p = *Policy::parse(document);
       }}};
  for (const auto& [location, edit] : edits) {
    CAPTURE(location);
    const Policy after = edited(content, edit);
    const auto refused = content.difference(after, Scope::kSite);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kPermissionDenied);
    CHECK(refused.error().location == location);
    CHECK(refused.error().message.find("edit=fleet") != std::string::npos);
    CHECK(refused.error().message.find('\n') == std::string::npos);
    FleetContent changed = content;
    apply_all(changed, difference(content, after, Scope::kFleet));
    CHECK(changed.policy()->to_json() == after.to_json());
  }

  TopicDocument topics = *content.topics();
  REQUIRE(topics.remove(TopicList::kWriteProtect, "a"));
  const auto refused = content.difference(topics, Scope::kSite);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kPermissionDenied);
  CHECK(refused.error().location == "/write-protect/0");
  CHECK(difference(content, topics, Scope::kFleet).size() == 1);
}

TEST_CASE("FleetContent: without a site there is none to edit") {
  const FleetContent content(false);
  const auto refused = content.difference(Policy(), Scope::kSite);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kInvalidArgument);
  CHECK_FALSE(content.difference(TopicDocument(), Scope::kSite));
}

TEST_CASE("FleetContent: of twins the one of what is edited goes") {
  FleetContent content(true);
  content.apply(at_rank(Scope::kFleet, Kind::kDeny, 5), record("twin"));
  content.apply(at_rank(Scope::kSite, Kind::kDeny, 6), record("twin"));
  const Policy after = edited(content, [](Policy& p) { REQUIRE(p.remove_deny({0})); });
  CHECK(keys(difference(content, after, Scope::kFleet)) == Keys{at_rank(Scope::kFleet, Kind::kDeny, 5)});
  CHECK(keys(difference(content, after, Scope::kSite)) == Keys{at_rank(Scope::kSite, Kind::kDeny, 6)});
  const Policy more = edited(content, [](Policy& p) {
    Json document = p.to_json();
    document.find("deny")->as_array().push_back(*Json::parse(record("twin")));
    p = *Policy::parse(document);
  });
  for (const Scope edits : {Scope::kFleet, Scope::kSite}) {
    const auto added = difference(content, more, edits);
    REQUIRE(added.size() == 1);
    CHECK(added[0].first.scope == edits);
    CHECK(added[0].second);
  }
}

TEST_CASE("FleetContent: a site's record stays the site's when the fleet's before it goes") {
  const FleetContent content = four();
  Policy after = *content.policy();
  REQUIRE(after.update_allow(2, json("{'enabled': false}")));
  REQUIRE(after.remove_allow({1}));
  const auto changes = difference(content, after, Scope::kFleet);
  CHECK(keys(changes) ==
        Keys{at_rank(Scope::kFleet, Kind::kAllow, 2 * kStep), at_rank(Scope::kSite, Kind::kAllow, kStep)});
  CHECK_FALSE(changes[0].second);
}

TEST_CASE("FleetContent: roles, groups and members go to what is edited, and stay where they are") {
  FleetContent content(true);
  content.apply(of_name(Scope::kSite, Kind::kRole, "mine"), "[]");
  Policy after = *content.policy();
  REQUIRE(after.add_role("new", Json("c")));
  REQUIRE(after.add_to_role("mine", Json("c")));
  REQUIRE(after.add_group("g", {"new"}));
  CHECK(keys(difference(content, after, Scope::kFleet)) == Keys{of_name(Scope::kSite, Kind::kRole, "mine"),
                                                                of_name(Scope::kFleet, Kind::kRole, "new"),
                                                                of_name(Scope::kFleet, Kind::kGroup, "g")});
  CHECK(keys(difference(content, after, Scope::kSite)) == Keys{of_name(Scope::kSite, Kind::kRole, "mine"),
                                                               of_name(Scope::kSite, Kind::kRole, "new"),
                                                               of_name(Scope::kSite, Kind::kGroup, "g")});
}

TEST_CASE("FleetContent: with what the fleet takes away goes what it hid of the site") {
  FleetContent content(true);
  for (const Scope scope : {Scope::kFleet, Scope::kSite}) {
    content.apply(of_name(scope, Kind::kRole, "r"), scope == Scope::kFleet ? "[]" : "[\"more\"]");
    content.apply(of_name(scope, Kind::kPolicyMembers, ""),
                  "{\"x\":1,\"version\":{\"major\":1,\"minor\":4}}");
  }
  Json document = content.policy()->to_json();
  document.set("roles", Json::Object());
  document.erase("x");
  const Policy after = *Policy::parse(document);
  apply_all(content, difference(content, after, Scope::kFleet));
  CHECK(content.policy()->to_json() == after.to_json());
}

TEST_CASE("FleetContent: what cannot be written is refused") {
  const FleetContent content(false);
  const std::string deep = std::string(99, '[') + std::string(99, ']');
  const std::function<void(Policy&)> edits[] = {
      [](Policy& p) {
        REQUIRE(p.add_allow(Json(Json::Object{{"credentials", Json(kKeyA)}, {"comments", Json("\xff")}})));
      },
      [&](Policy& p) {
        REQUIRE(p.add_deny(Json(Json::Object{{"credentials", Json(kKeyA)}, {"x", *Json::parse(deep)}})));
      },
      [](Policy& p) { REQUIRE(p.add_role("\xff", Json("c"))); },
      [](Policy& p) { REQUIRE(p.add_role("r", Json("\xff"))); }};
  for (const auto& edit : edits) {
    const auto refused = content.difference(edited(content, edit), Scope::kFleet);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kInvalidArgument);
  }
  Json old = Policy().to_json();
  old.set("version", json("{'major': 1, 'minor': 3}"));
  const auto refused = content.difference(*Policy::parse(old), Scope::kFleet);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kUnsupported);
}

TEST_CASE("FleetContent: what denies comes first, what allows after what takes away") {
  FleetContent content = four();
  content.apply(of_name(Scope::kFleet, Kind::kRole, "r"), "[]");
  Policy after = *content.policy();
  REQUIRE(after.remove_allow({0}));
  REQUIRE(after.remove_deny({0}));
  REQUIRE(after.remove_role("r"));
  REQUIRE(after.add_allow(json("{'credentials': '" + kKeyC + "'}")));
  REQUIRE(after.add_deny(json("{'credentials': '" + kKeyC + "'}")));
  CHECK(keys(difference(content, after, Scope::kFleet)) ==
        Keys{at_rank(Scope::kFleet, Kind::kDeny, 3 * kStep), at_rank(Scope::kFleet, Kind::kAllow, kStep),
             of_name(Scope::kFleet, Kind::kRole, "r"), at_rank(Scope::kFleet, Kind::kAllow, 3 * kStep),
             at_rank(Scope::kFleet, Kind::kDeny, kStep)});
}

TEST_CASE("FleetContent: what is not understood can be removed, and is moved by nobody") {
  FleetContent content = four();
  content.apply(malformed(Scope::kFleet, Kind::kDeny, "x"), "");
  content.apply(at_rank(Scope::kSite, Kind::kDeny, 3 * kStep), "{");
  Policy after = *content.policy();
  REQUIRE(after.remove_deny({0, 5}));
  const auto changes = difference(content, after, Scope::kFleet);
  CHECK(keys(changes) ==
        Keys{malformed(Scope::kFleet, Kind::kDeny, "x"), at_rank(Scope::kSite, Kind::kDeny, 3 * kStep)});
  CHECK(content.difference(after, Scope::kSite).error().location == "/deny/0");

  FleetContent only(false);
  only.apply(malformed(Scope::kFleet, Kind::kDeny, "x"), "");
  Json document = Policy().to_json();
  document.set("deny", Json::Array{*Json::parse(record("new"))});
  apply_all(only, difference(only, *Policy::parse(document), Scope::kFleet));
  CHECK(only.size() == 1);
  CHECK(only.list(Scope::kFleet, Kind::kDeny).size() == 1);
}

TEST_CASE("FleetContent: a large list with one change is one change") {
  FleetContent content(true);
  constexpr std::size_t kCount = 20'000;
  for (std::size_t i = 1; i <= kCount; ++i) {
    content.apply(at_rank(i <= kCount / 2 ? Scope::kFleet : Scope::kSite, Kind::kAllow, i * kStep),
                  record("u" + std::to_string(i)));
  }
  const Policy before = *content.policy();
  Json document = before.to_json();
  document.find("allow")->as_array()[kCount / 4].set("comments", "x");
  CHECK(difference(content, *Policy::parse(document), Scope::kFleet).size() == 1);
  // One goes at the front, one comes at the end: everything between is found again.
  document = before.to_json();
  document.find("allow")->as_array().erase(document.find("allow")->as_array().begin());
  document.find("allow")->as_array().push_back(*Json::parse(record("new")));
  CHECK(difference(content, *Policy::parse(document), Scope::kFleet).size() == 2);
}

}  // namespace vipauth::test
