#include "fleet/fleet_content.hpp"
#include "fleet_contents.hpp"
#include "support/catch.hpp"
#include "support/policy_documents.hpp"

namespace vipauth::test {
namespace {

FleetContent sample() {
  FleetContent content(true);
  content.apply(at_rank(Scope::kFleet, Kind::kAllow, 0), record("f0"));
  content.apply(at_rank(Scope::kFleet, Kind::kAllow, kStep), record("f1"));
  content.apply(at_rank(Scope::kFleet, Kind::kAllow, 2 * kStep), "{ \"user_id\": \"spaced\" }");
  content.apply(at_rank(Scope::kFleet, Kind::kAllow, ~std::uint64_t{0}), "no json");
  content.apply(malformed(Scope::kFleet, Kind::kAllow, "\xff/"), record("x"));
  content.apply(at_rank(Scope::kSite, Kind::kAllow, 7), record("s"));
  content.apply(at_rank(Scope::kSite, Kind::kDeny, 8), record("d"));
  content.apply(at_rank(Scope::kSite, Kind::kWriteProtect, 9), text("{'topic': 'a', 'capabilities': 'c'}"));
  content.apply(at_rank(Scope::kFleet, Kind::kReadProtect, 10), text("{'topic': 'b', 'capabilities': 'c'}"));
  content.apply(of_name(Scope::kFleet, Kind::kRole, "both"), "[]");
  content.apply(of_name(Scope::kSite, Kind::kRole, "both"), "[ \"hidden\" ]");
  content.apply(of_name(Scope::kSite, Kind::kRole, "mine"), "null");
  content.apply(of_name(Scope::kFleet, Kind::kGroup, ""), "[]");
  content.apply(of_name(Scope::kFleet, Kind::kPolicyMembers, ""), text("{'x': 1}"));
  content.apply(of_name(Scope::kSite, Kind::kPolicyMembers, ""), text("{'x': 2, 'y': 3}"));
  content.apply(of_name(Scope::kSite, Kind::kTopicsMembers, ""), "broken");
  return content;
}

/// As it is after both documents and the index were written and read.
Result<FleetContent> restored(const FleetContent& content, const Json& index) {
  const Json policy = *Json::parse(content.policy()->to_json().dump_pretty());
  return FleetContent::restore([&](PolicyDocumentSink& sink) { return hand_over(policy, sink); },
                               *TopicDocument::parse(*Json::parse(content.topics()->to_json().dump_pretty())),
                               *Json::parse(index.dump()));
}

/// The index with another value in the place of one.
Json with(Json index, const std::vector<std::string>& path, const Json& value) {
  Json* at = &index;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) at = at->find(path[i]);
  at->set(path.back(), value);
  return index;
}

}  // namespace

TEST_CASE("FleetContent: the documents and the index are the whole content") {
  const FleetContent content = sample();
  auto again = restored(content, content.index());
  REQUIRE(again);
  CHECK(again->size() == content.size());
  CHECK(again->index().dump() == content.index().dump());
  CHECK(again->policy()->to_json().dump() == content.policy()->to_json().dump());
  CHECK(again->topics()->to_json().dump() == content.topics()->to_json().dump());
  CHECK(again->difference(*content.policy(), Scope::kSite)->empty());
  CHECK(again->difference(*content.topics(), Scope::kSite)->empty());

  // What happens next happens to both alike.
  FleetContent next = content;
  for (FleetContent* one : {&next, &*again}) {
    one->apply(of_name(Scope::kFleet, Kind::kRole, "both"), std::nullopt);
    one->apply(of_name(Scope::kFleet, Kind::kPolicyMembers, ""), std::nullopt);
    one->apply(malformed(Scope::kFleet, Kind::kAllow, "\xff/"), std::nullopt);
    one->apply(at_rank(Scope::kFleet, Kind::kAllow, kStep), std::nullopt);
    one->apply(at_rank(Scope::kSite, Kind::kTopicsMembers, 0), text("{'z': 1}"));
  }
  CHECK(again->policy()->to_json().dump() == next.policy()->to_json().dump());
  CHECK(again->topics()->to_json().dump() == next.topics()->to_json().dump());
  CHECK(again->policy()->find_role("both")->source == json("['hidden']"));
}

TEST_CASE("FleetContent: an empty content has an index, too") {
  for (const bool has_site : {true, false}) {
    const FleetContent empty(has_site);
    const auto again = restored(empty, empty.index());
    REQUIRE(again);
    CHECK(again->size() == 0);
    CHECK(again->index() == empty.index());
  }
}

TEST_CASE("FleetContent: ranks are written in runs") {
  FleetContent content(false);
  for (std::uint64_t i = 1; i <= 1000; ++i)
    content.apply(at_rank(Scope::kFleet, Kind::kAllow, i * kStep), "{}");
  content.apply(at_rank(Scope::kFleet, Kind::kAllow, 500 * kStep + 5), "{}");
  const Json index = content.index();
  CHECK(index.find("fleet")->find("allow")->find("ranks")->as_string() == "100000x500,5,ffffb,100000x499");
  const auto again = restored(content, index);
  REQUIRE(again);
  CHECK(again->list(Scope::kFleet, Kind::kAllow) == content.list(Scope::kFleet, Kind::kAllow));
}

TEST_CASE("FleetContent: an index of another policy is refused") {
  const FleetContent content = sample();
  const auto code = [](const Result<FleetContent>& result) {
    REQUIRE_FALSE(result);
    return result.error().code;
  };
  const FleetKey others[] = {at_rank(Scope::kFleet, Kind::kAllow, 3), at_rank(Scope::kSite, Kind::kDeny, 3),
                             malformed(Scope::kSite, Kind::kDeny, "x"),
                             of_name(Scope::kSite, Kind::kRole, "more"),
                             of_name(Scope::kSite, Kind::kGroup, "more")};
  for (const FleetKey& key : others) {
    FleetContent changed = content;
    changed.apply(key, record("more"));
    CHECK(code(restored(content, changed.index())) == ErrorCode::kConflict);
  }
  for (const FleetKey& key : {others[0], others[1], others[2]}) {
    FleetContent changed = content;
    changed.apply(key, record("more"));
    CHECK(code(restored(changed, content.index())) == ErrorCode::kConflict);
  }
  FleetContent rules = content;
  rules.apply(at_rank(Scope::kSite, Kind::kReadProtect, 9), text("{'topic': 'a', 'capabilities': 'c'}"));
  CHECK(code(restored(content, rules.index())) == ErrorCode::kConflict);
  CHECK(code(restored(rules, content.index())) == ErrorCode::kConflict);
  FleetContent gone = content;
  gone.apply(of_name(Scope::kSite, Kind::kRole, "mine"), std::nullopt);
  CHECK(code(restored(gone, content.index())) == ErrorCode::kConflict);
  gone = content;  // the fleet's is gone that is said to hide the site's
  for (const Scope scope : {Scope::kFleet, Scope::kSite})
    gone.apply(of_name(scope, Kind::kRole, "both"), std::nullopt);
  CHECK(code(restored(gone, content.index())) == ErrorCode::kConflict);
  gone = content;
  gone.apply(of_name(Scope::kSite, Kind::kPolicyMembers, ""), std::nullopt);
  CHECK(code(restored(gone, content.index())) == ErrorCode::kConflict);
  CHECK(code(restored(content, gone.index())) == ErrorCode::kConflict);
}

TEST_CASE("FleetContent: what is no index is refused") {
  const FleetContent content = sample();
  const Json index = content.index();
  for (const Json& bad :
       {Json(), Json(7), Json(Json::Array()), Json(Json::Object()), with(index, {"has_site"}, 1),
        with(index, {"version"}, 2), with(index, {"version"}, "1"), with(index, {"fleet"}, 1),
        with(index, {"site"}, Json()), with(index, {"fleet", "allow"}, "1"),
        with(index, {"fleet", "allow", "ranks"}, 1), with(index, {"fleet", "allow", "malformed"}, "x"),
        with(index, {"fleet", "allow", "malformed"}, Json::Array{"%"}),
        with(index, {"fleet", "allow", "malformed"}, Json::Array{1}),
        with(index, {"site", "roles"}, Json::Array()), with(index, {"site", "groups"}, Json()),
        with(index, {"fleet", "policy"}, 1), with(index, {"has_site"}, false)}) {
    CAPTURE(bad.dump());
    CHECK_FALSE(restored(content, bad));
  }
}

TEST_CASE("FleetContent: an index without a site has nothing of one") {
  FleetContent content(false);
  content.apply(at_rank(Scope::kFleet, Kind::kAllow, kStep), record("a"));
  REQUIRE(restored(content, content.index()));
  Json of_site = with(content.index(), {"fleet", "allow", "ranks"}, "");
  of_site = with(of_site, {"site", "allow", "ranks"}, "100000");
  const auto without_site = restored(content, of_site);
  REQUIRE_FALSE(without_site);
  CHECK(without_site.error().code == ErrorCode::kInvalidArgument);
  CHECK(restored(content, with(of_site, {"has_site"}, true)));

  content.apply(of_name(Scope::kFleet, Kind::kGroup, "g"), "[]");
  const Json named = with(content.index(), {"site", "groups"}, Json::Object{{"g", true}});
  CHECK_FALSE(restored(content, named));
  CHECK(restored(content, with(named, {"has_site"}, true)));
}

TEST_CASE("FleetContent: an index does not take for malformed what is a rank") {
  // The same key as of the record that has this rank: taken away, it would take that one.
  FleetContent rankless(false);
  rankless.apply(malformed(Scope::kFleet, Kind::kAllow, "0000000000100000"), "");
  const auto with_rank = restored(rankless, rankless.index());
  REQUIRE_FALSE(with_rank);
  CHECK(with_rank.error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("FleetContent: ranks that do not grow, or are too many, are refused") {
  FleetContent content(false);
  for (std::uint64_t i = 1; i <= 3; ++i) content.apply(at_rank(Scope::kFleet, Kind::kDeny, i), "{}");
  const auto with_ranks = [&](const std::string& ranks) {
    return restored(content, with(content.index(), {"fleet", "deny", "ranks"}, Json(ranks)));
  };
  for (const std::string good : {"1x3", "1,1,1", "0,1,1", "0,1x2", "5,ffff,1", "fffffffffffffffd,1x2"}) {
    CAPTURE(good);
    CHECK(with_ranks(good));
  }
  for (const std::string bad : {"",
                                "1",
                                "1x2",
                                "1x4",
                                "1x99999999999999999999",
                                "1x18446744073709551615",
                                "1,1,1,",
                                ",1,1,1",
                                "1,0,1",
                                "0x3",
                                "1x0,1x3",
                                "1x",
                                "x3",
                                "1,,1,1",
                                "g,1,1",
                                "-1,1,1",
                                "1 ,1,1",
                                "fffffffffffffffe,1x2",
                                "ffffffffffffffff,1,1",
                                "10000000000000000,1,1",
                                "1x3;",
                                "1x3x1"}) {
    CAPTURE(bad);
    CHECK_FALSE(with_ranks(bad));
  }
}

}  // namespace vipauth::test
