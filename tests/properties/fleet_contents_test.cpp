// A fleet's keys and its documents: an edit of a document is an edit of keys, whatever is stored and whatever
// is edited.

#include <algorithm>
#include <string>
#include <vector>

#include "fleet/fleet_content.hpp"
#include "support/catch.hpp"
#include "support/policy_documents.hpp"
#include "worlds.hpp"

namespace vipauth::test {
namespace {

namespace gen = rc::gen;
using fleet::FleetContent;
using fleet::FleetKey;
using fleet::KeyChanges;
using fleet::Scope;
using Kind = FleetKey::Kind;

constexpr Scope kScopes[] = {Scope::kFleet, Scope::kSite};

bool chance(int one_in) { return *gen::inRange(0, one_in) == 0; }

/// Does something a few times, or not at all.
template <typename Action>
void a_few_times(int most, Action action) {
  const int times = *gen::inRange(0, most + 1);
  for (int i = 0; i < times; ++i) action();
}

/// Ranks as edits make them, or with little room between them, at both ends.
std::uint64_t any_rank() {
  const auto small = static_cast<std::uint64_t>(*gen::inRange(0, 12));
  switch (*gen::inRange(0, 4)) {
    case 0: return small;
    case 1: return ~small;
    default: return (small + 1) * FleetContent::kRankStep;
  }
}

/// A value as others may have written it.
std::string any_form(const Json& value) {
  if (chance(12))
    return *gen::elementOf(std::vector<std::string>{"", "{", "7", "null", "[]", "\"x\"", "\xff"});
  return chance(3) ? value.dump_pretty() : value.dump();
}

FleetContent any_content(bool has_site) {
  FleetContent content(has_site);
  for (const Scope scope : kScopes) {
    if (scope == Scope::kSite && !has_site) continue;
    const Json policy = *any_policy();
    const Json topics = *any_topic_rules();
    const auto add = [&](const Json& document, Kind kind) {
      const Json* list = document.find(to_string(kind));
      for (const Json& item : list == nullptr ? Json::Array() : list->as_array()) {
        if (chance(15)) {
          content.apply({scope, kind, 0, *gen::elementOf(std::vector<std::string>{"", "x", "\xff/"}), true},
                        "");
        } else {
          content.apply({scope, kind, any_rank(), {}, false}, any_form(item));
        }
      }
    };
    add(policy, Kind::kAllow);
    add(policy, Kind::kDeny);
    for (const Kind kind : {Kind::kWriteProtect, Kind::kReadProtect}) {
      const Json* list = topics.find(to_string(kind));
      for (const Json& item : list == nullptr ? Json::Array() : list->as_array())
        content.apply({scope, kind, any_rank(), {}, false}, item.dump());
    }
    for (const Kind kind : {Kind::kRole, Kind::kGroup}) {
      const Json* named = policy.find(to_string(kind));
      for (const auto& member : named == nullptr ? Json::Object() : named->as_object())
        content.apply({scope, kind, 0, member.name, false}, any_form(member.value));
    }
    if (chance(2)) {
      const std::vector<std::string> members{"{\"x\":1}", "{\"x\":2,\"y\":[]}", "{ }", "7", "{\"deny\":1}"};
      content.apply({scope, Kind::kPolicyMembers, 0, {}, false}, *gen::elementOf(members));
      content.apply({scope, Kind::kTopicsMembers, 0, {}, false}, *gen::elementOf(members));
    }
  }
  return content;
}

std::size_t any_index(std::size_t size) { return *gen::inRange<std::size_t>(0, size); }

/// What an administrator may do. Much of it is refused, and then changes nothing.
void edit(Policy& policy) {
  const std::string name = *gen::elementOf(std::vector<std::string>{"r", "g", "reader", "new"});
  const std::vector<Json> fields{Json(Json::Object{{"enabled", false}}),
                                 Json(Json::Object{{"user_id", "renamed"}}),
                                 Json(Json::Object{{"comments", "x"}, {"not_after", "2026-11-22T00:00:00Z"}}),
                                 Json(Json::Object{{"credentials", std::string(world::kKeys[0])}})};
  const auto some = [](std::size_t size) {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < size; ++i) {
      if (chance(3)) out.push_back(i);
    }
    return out;
  };
  switch (*gen::inRange(0, 11)) {
    case 0: (void)policy.add_allow(*any_record()); break;
    case 1: (void)policy.add_deny(*any_deny_record()); break;
    case 2:
      if (!policy.allow().empty())
        (void)policy.update_allow(any_index(policy.allow().size()), *gen::elementOf(fields));
      break;
    case 3:
      if (!policy.deny().empty())
        (void)policy.update_deny(any_index(policy.deny().size()), *gen::elementOf(fields));
      break;
    case 4: (void)policy.remove_allow(some(policy.allow().size())); break;
    case 5: (void)policy.remove_deny(some(policy.deny().size())); break;
    case 6: (void)policy.add_role(name, Json("c")); break;
    case 7:
      if (policy.roles().empty()) break;
      if (chance(2)) {
        (void)policy.remove_role(std::string(policy.roles()[any_index(policy.roles().size())].name));
      } else {
        (void)policy.add_to_role(std::string(policy.roles()[any_index(policy.roles().size())].name),
                                 Json("more"));
      }
      break;
    case 8: (void)policy.add_group(name, {"r"}); break;
    case 9:
      if (!policy.groups().empty())
        (void)policy.remove_group(std::string(policy.groups()[any_index(policy.groups().size())].name));
      break;
    default:
      if (policy.allow().empty()) break;
      (void)policy.add_second_key(any_index(policy.allow().size()), *CurveKey::parse(world::kKeys[3]),
                                  std::chrono::sys_days(std::chrono::year(2026) / 11 / 21));
  }
}

void apply_all(FleetContent& content, const KeyChanges& changes) {
  for (const auto& [key, value] : changes) content.apply(key, value);
}

std::vector<std::string> texts(const Json& document, std::string_view list) {
  std::vector<std::string> out;
  if (const Json* items = document.find(list)) {
    for (const Json& item : items->as_array()) out.push_back(item.dump());
  }
  return out;
}

/// What a list holds of one scope.
std::vector<std::string> texts(const FleetContent& content, const Json& document, Kind kind, Scope scope) {
  std::vector<std::string> out;
  const auto all = texts(document, to_string(kind));
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (content.key_at(kind, i)->scope == scope) out.push_back(all[i]);
  }
  return out;
}

std::vector<std::string> sorted(std::vector<std::string> all) {
  std::sort(all.begin(), all.end());
  return all;
}

bool is_part_in_order(const std::vector<std::string>& part, const std::vector<std::string>& whole) {
  auto at = whole.begin();
  for (const std::string& text : part) {
    at = std::find(at, whole.end(), text);
    if (at == whole.end()) return false;
    ++at;
  }
  return true;
}

Json without_lists(Json document) {
  for (const char* list : {"allow", "deny", "write-protect", "read-protect"}) document.erase(list);
  return document;
}

bool has_malformed(const FleetContent& content) {
  for (const Kind kind : {Kind::kAllow, Kind::kDeny}) {
    for (std::size_t i = 0; content.key_at(kind, i); ++i) {
      if (content.key_at(kind, i)->is_malformed) return true;
    }
  }
  return false;
}

/// That a list is what it was to become: the same items, those of each scope in their order.
void check_list(const FleetContent& content, const Json& now, const Json& wanted, Kind kind) {
  RC_ASSERT(sorted(texts(now, to_string(kind))) == sorted(texts(wanted, to_string(kind))));
  for (const Scope scope : kScopes)
    RC_ASSERT(is_part_in_order(texts(content, now, kind, scope), texts(wanted, to_string(kind))));
}

}  // namespace

TEST_CASE("FleetContent: edits of a policy are edits of keys") {
  CHECK(holds([] {
    FleetContent content = any_content(!chance(4));
    const auto before = content.policy();
    RC_ASSERT(before);
    const bool has_site = content.index().find("has_site")->as_bool();
    const Scope edits = has_site && chance(2) ? Scope::kSite : Scope::kFleet;
    Policy after = *before;
    a_few_times(4, [&] { edit(after); });
    const Json wanted = after.to_json();
    const Json present = before->to_json();

    const auto changes = content.difference(after, edits);
    if (!changes) {
      RC_ASSERT(changes.error().code == ErrorCode::kPermissionDenied);
      RC_ASSERT(edits == Scope::kSite);
      return;
    }
    if (wanted.dump() == present.dump()) RC_ASSERT(changes->empty());
    if (edits == Scope::kSite) {
      for (const auto& [key, value] : *changes) RC_ASSERT(key.scope == Scope::kSite);
      // Nothing of the fleet's was touched: it is the beginning of each list.
      for (const Kind kind : {Kind::kAllow, Kind::kDeny}) {
        const auto fleet = texts(content, present, kind, Scope::kFleet);
        const auto all = texts(wanted, to_string(kind));
        RC_ASSERT(fleet.size() <= all.size());
        RC_ASSERT(std::equal(fleet.begin(), fleet.end(), all.begin()));
      }
    }
    apply_all(content, *changes);
    const auto now = content.policy();
    RC_ASSERT(now);
    RC_ASSERT(without_lists(now->to_json()) == without_lists(wanted));
    for (const Kind kind : {Kind::kAllow, Kind::kDeny}) check_list(content, now->to_json(), wanted, kind);
    if (edits == Scope::kSite || !has_site) RC_ASSERT(now->to_json() == wanted);
  }));
}

TEST_CASE("FleetContent: a site that leaves the fleet's as it is is never refused") {
  CHECK(holds([] {
    const FleetContent content = any_content(true);
    Json document = content.policy()->to_json();
    for (const Kind kind : {Kind::kAllow, Kind::kDeny}) {
      Json::Array& list = document.find(to_string(kind))->as_array();
      const std::size_t of_fleet = texts(content, document, kind, Scope::kFleet).size();
      list.resize(of_fleet);
      a_few_times(5, [&] { list.push_back(*any_record()); });
    }
    const Policy after = *Policy::parse(document);
    const auto changes = content.difference(after, Scope::kSite);
    RC_ASSERT(changes);
    FleetContent changed = content;
    apply_all(changed, *changes);
    RC_ASSERT(changed.policy()->to_json() == document);
  }));
}

TEST_CASE("FleetContent: any document can be made of any other") {
  CHECK(holds([] {
    FleetContent content = any_content(false);
    Json document = chance(3) ? *any_policy() : content.policy()->to_json();
    for (const char* list : {"allow", "deny"}) {
      if (document.find(list) == nullptr) continue;
      Json::Array& items = document.find(list)->as_array();
      a_few_times(3, [&] {
        const std::size_t at = any_index(items.size() + 1);
        items.insert(items.begin() + static_cast<std::ptrdiff_t>(at),
                     items.empty() || chance(2) ? *any_record() : Json(items[any_index(items.size())]));
      });
      a_few_times(2, [&] {
        if (!items.empty()) std::swap(items[any_index(items.size())], items[any_index(items.size())]);
      });
    }
    document.set("version", Policy().to_json().find("version")[0]);
    const auto after = Policy::parse(document);
    RC_PRE(after);
    const bool had_malformed = has_malformed(content);
    const auto changes = content.difference(*after, Scope::kFleet);
    RC_ASSERT(changes);
    apply_all(content, *changes);
    const Json now = content.policy()->to_json();
    RC_ASSERT(without_lists(now) == without_lists(after->to_json()));
    for (const Kind kind : {Kind::kAllow, Kind::kDeny}) {
      RC_ASSERT(sorted(texts(now, to_string(kind))) == sorted(texts(after->to_json(), to_string(kind))));
      // What has no rank stays in front of all others.
      if (!had_malformed) RC_ASSERT(texts(now, to_string(kind)) == texts(after->to_json(), to_string(kind)));
    }
  }));
}

TEST_CASE("FleetContent: one edit is few keys") {
  CHECK(holds([] {
    FleetContent content(true);
    for (const Scope scope : kScopes) {
      const Json policy = *any_policy();
      for (const Kind kind : {Kind::kAllow, Kind::kDeny}) {
        std::uint64_t rank = 0;
        for (const Json& item : policy.find(to_string(kind)) == nullptr
                                    ? Json::Array()
                                    : policy.find(to_string(kind))->as_array())
          content.apply({scope, kind, rank += FleetContent::kRankStep, {}, false}, item.dump());
      }
    }
    const Policy before = *content.policy();
    Policy after = before;
    edit(after);
    const auto changes = content.difference(after, Scope::kFleet);
    RC_ASSERT(changes);
    const auto count = [](const Policy& policy) { return policy.allow().size() + policy.deny().size(); };
    const std::size_t removed = count(before) > count(after) ? count(before) - count(after) : 0;
    RC_ASSERT(changes->size() <= std::max<std::size_t>(removed, 2));
  }));
}

TEST_CASE("FleetContent: edits of topic rules are edits of keys") {
  CHECK(holds([] {
    const bool has_site = !chance(3);
    FleetContent content = any_content(has_site);
    const auto before = content.topics();
    RC_PRE(before);
    TopicDocument after = *before;
    a_few_times(3, [&] {
      const TopicList list = chance(2) ? TopicList::kWriteProtect : TopicList::kReadProtect;
      const std::string topic(*gen::elementOf(
          std::vector<std::string_view>(std::begin(world::kTopics), std::end(world::kTopics))));
      if (chance(2)) {
        (void)after.add(list, topic, {"c"});
      } else {
        (void)after.remove(list, topic);
      }
    });
    const Scope edits = has_site && chance(2) ? Scope::kSite : Scope::kFleet;
    const auto changes = content.difference(after, edits);
    if (!changes) {
      RC_ASSERT(changes.error().code == ErrorCode::kPermissionDenied);
      RC_ASSERT(edits == Scope::kSite);
      return;
    }
    if (after.to_json().dump() == before->to_json().dump()) RC_ASSERT(changes->empty());
    apply_all(content, *changes);
    const auto now = content.topics();
    RC_ASSERT(now);
    RC_ASSERT(without_lists(now->to_json()) == without_lists(after.to_json()));
    for (const Kind kind : {Kind::kWriteProtect, Kind::kReadProtect}) {
      check_list(content, now->to_json(), after.to_json(), kind);
      if (edits == Scope::kSite || !has_site) {
        RC_ASSERT(texts(now->to_json(), to_string(kind)) == texts(after.to_json(), to_string(kind)));
      }
    }
  }));
}

TEST_CASE("FleetContent: documents and index are the whole content") {
  CHECK(holds([] {
    FleetContent content = any_content(!chance(4));
    const auto policy = content.policy();
    const auto topics = content.topics();
    RC_PRE(topics);
    const auto index = Json::parse(content.index().dump());
    RC_ASSERT(index);
    std::string text;
    content.write_policy([&](std::string_view piece) {
      text += piece;
      return true;
    });
    const auto written = Json::parse(text);
    RC_ASSERT(written);
    RC_ASSERT(written->dump() == policy->to_json().dump());
    auto again = FleetContent::restore([&](PolicyDocumentSink& sink) { return hand_over(*written, sink); },
                                       *topics, *index);
    RC_ASSERT(again);
    RC_ASSERT(again->size() == content.size());
    RC_ASSERT(again->index().dump() == index->dump());
    RC_ASSERT(again->policy()->to_json().dump() == policy->to_json().dump());
    RC_ASSERT(again->topics()->to_json().dump() == topics->to_json().dump());
    RC_ASSERT(again->difference(*policy, Scope::kFleet)->empty());

    // An edit is the same of both.
    Policy after = *policy;
    edit(after);
    const auto changes = content.difference(after, Scope::kFleet);
    const auto others = again->difference(after, Scope::kFleet);
    RC_ASSERT(changes);
    RC_ASSERT(others);
    RC_ASSERT(*changes == *others);
  }));
}

}  // namespace vipauth::test
