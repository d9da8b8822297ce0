// What differs between two documents: read by blocks, it is what the whole documents tell.

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <vipauth/audit_event.hpp>

#include "model/document_change.hpp"
#include "support/catch.hpp"
#include "worlds.hpp"

namespace vipauth::test {
namespace {

namespace gen = rc::gen;
using rc::Gen;

Gen<Json> value() {
  return gen::elementOf(std::vector<Json>{
      Json(), Json(0), Json(Json::Number{"1.0"}), Json(1), Json("1"), Json(""), Json(true),
      Json("J\xc3\xb6rg \x7f"), Json(Json::Array()), Json(Json::Object()), Json(Json::Array{1, "x"}),
      Json(Json::Array{"x", 1}), Json(Json::Object{{"a", 1}, {"b", Json::Array()}}),
      Json(Json::Object{{"b", Json::Array()}, {"a", 1}}), Json(Json::Object{{"major", 1}, {"minor", 4}})});
}

/// A record, or what stands in the place of one; of several users, with secrets.
Gen<Json> record() {
  const auto some = [](std::vector<Json> values) { return gen::elementOf(std::move(values)); };
  const auto made = gen::map(
      gen::tuple(some({"a", "b", Json(), 5}), some({"CURVE", "PLAIN", Json()}),
                 some({"secret", std::string(world::kKeys[0]), std::string(world::kKeys[1]), "/.*/", Json()}),
                 value(), gen::arbitrary<bool>()),
      [](std::tuple<Json, Json, Json, Json, bool> parts) {
        auto& [user, mechanism, credentials, other, is_reversed] = parts;
        Json::Object out{{"user_id", std::move(user)},
                         {"mechanism", std::move(mechanism)},
                         {"credentials", std::move(credentials)},
                         {"comments", other},
                         {"of others", std::move(other)}};
        if (is_reversed) std::reverse(out.begin(), out.end());
        return Json(std::move(out));
      });
  return gen::weightedOneOf<Json>({{6, made}, {1, value()}});
}

Gen<Json> list(Gen<Json> item) {
  return gen::map(gen::mapcat(gen::inRange(0, 5),
                              [item = std::move(item)](int count) {
                                return gen::container<std::vector<Json>>(static_cast<std::size_t>(count),
                                                                         item);
                              }),
                  [](std::vector<Json> items) { return Json(Json::Array(items.begin(), items.end())); });
}

/// Members of some of these names, in any order.
Gen<Json> object(std::vector<std::string> names, Gen<Json> member) {
  return gen::exec([names = std::move(names), member = std::move(member)] {
    Json::Object out;
    for (const std::string& name : names) {
      if (*gen::inRange(0, 3) == 0) continue;
      const auto at = static_cast<std::size_t>(*gen::inRange(0, static_cast<int>(out.size()) + 1));
      out.insert(out.begin() + static_cast<std::ptrdiff_t>(at), Json::Member{name, *member});
    }
    return Json(std::move(out));
  });
}

/// What any member of the root may be; records and topic rules more often than others.
Gen<Json> member() {
  return gen::weightedOneOf<Json>({{4, list(record())},
                                   {2, list(value())},
                                   {3, object({"r", "s", "t", "\xc3\xa9"}, value())},
                                   {1, value()}});
}

Gen<Json> document() {
  return object(
      {"allow", "deny", "groups", "roles", "version", "write-protect", "read-protect", "more", "\"x"},
      member());
}

OpenDocument opener(const std::string& text) {
  return [&text]() -> ReadBytes {
    return [&text, at = std::size_t{0}](char* buffer, std::size_t size) mutable {
      const std::size_t count = text.copy(buffer, std::min<std::size_t>(size, 100), at);
      at += count;
      return static_cast<std::ptrdiff_t>(count);
    };
  };
}

void check_same(const AuditedChange& change, const AuditedChange& expected) {
  RC_ASSERT(change.before.dump() == expected.before.dump());
  RC_ASSERT(change.after.dump() == expected.after.dump());
  RC_ASSERT(change.digest == expected.digest);
}

/// A change with the entries of its lists in the order of their texts. Of equal entries any may be the one
/// that is another document's, too.
Json in_order(const Json& change) {
  Json out = change.canonical();
  if (!out.is_object()) return out;
  for (Json::Member& member : out.as_object()) {
    if (!member.value.is_array()) continue;
    Json::Array& entries = member.value.as_array();
    std::sort(entries.begin(), entries.end(),
              [](const Json& one, const Json& two) { return one.dump() < two.dump(); });
  }
  return out;
}

void check_alike(const AuditedChange& change, const AuditedChange& expected) {
  RC_ASSERT(in_order(change.before).dump() == in_order(expected.before).dump());
  RC_ASSERT(in_order(change.after).dump() == in_order(expected.after).dump());
  RC_ASSERT(change.digest == expected.digest);
}

bool has_equal_entries(const Json& document) {
  const auto has_equal = [](const Json::Member& member) {
    if (!member.value.is_array()) return false;
    std::set<std::string> texts;
    for (const Json& entry : member.value.as_array()) texts.insert(entry.canonical().dump());
    return texts.size() < member.value.as_array().size();
  };
  const Json::Object& members = document.as_object();
  return std::any_of(members.begin(), members.end(), has_equal);
}

/// As often as another document comes one with a part of the first in it.
Gen<std::pair<Json, Json>> documents(const Gen<Json>& any) {
  return gen::map(gen::tuple(any, any, gen::inRange(0, 16)), [](std::tuple<Json, Json, int> parts) {
    auto& [before, after, kept] = parts;
    for (const Json::Member& member : before.as_object()) {
      if (kept % 2 == 1) after.set(member.name, member.value);
      kept /= 2;
    }
    return std::pair(std::move(before), std::move(after));
  });
}

/// The list with an item there twice, in another form; taken out; or moved.
Json shuffled(Json list, std::size_t from, std::size_t to, int how) {
  Json::Array& items = list.as_array();
  if (items.empty()) return list;
  Json item = items[from % items.size()];
  if (how == 0 && item.is_object()) std::reverse(item.as_object().begin(), item.as_object().end());
  if (how != 0) items.erase(items.begin() + static_cast<std::ptrdiff_t>(from % items.size()));
  if (how != 1) items.insert(items.begin() + static_cast<std::ptrdiff_t>(to % (items.size() + 1)), item);
  return list;
}

TEST_CASE("audited_change: by blocks it is that of the whole documents") {
  CHECK(rc::check([] {
    const auto [before, after] = *documents(document());
    const std::string from = before.dump();
    const std::string to = after.dump_pretty();
    const auto change = audited_change(opener(from), opener(to), DocumentForm::kAsItIs);
    if (!change) RC_DISCARD();  // members in too great a disorder
    if (has_equal_entries(before) || has_equal_entries(after)) {
      RC_ASSERT(change->digest == audited_change(before, after).digest);
    } else {
      check_same(*change, audited_change(before, after));
    }
  }));
}

TEST_CASE("audited_change: of lists of which the items moved") {
  CHECK(rc::check([] {
    const Json items = *list(record());
    const Json other = shuffled(items, *gen::inRange<std::size_t>(0, 5), *gen::inRange<std::size_t>(0, 5),
                                *gen::inRange(0, 3));
    for (const char* const name : {"allow", "write-protect", "more"}) {
      const Json before(Json::Object{{name, items}});
      const Json after(Json::Object{{name, other}});
      const std::string from = before.dump();
      const std::string to = after.dump();
      const auto change = audited_change(opener(from), opener(to), DocumentForm::kAsItIs);
      RC_ASSERT(change.has_value());
      check_alike(*change, audited_change(before, after));
    }
  }));
}

TEST_CASE("audited_change: of long lists of which some items are others") {
  CHECK(rc::check([] {
    Json::Array items;
    for (int i = 0; i < 400; ++i) items.emplace_back(Json::Object{{"user_id", "u" + std::to_string(i)}});
    Json::Array other = items;
    const auto place = [&] {
      return *gen::inRange<std::ptrdiff_t>(0, static_cast<std::ptrdiff_t>(other.size()));
    };
    const int edits = *gen::inRange(0, 5);
    for (int i = 0; i < edits; ++i) {
      const auto at = other.begin() + place();
      switch (*gen::inRange(0, 3)) {
        case 0: other.erase(at); break;
        case 1: other.insert(at, Json(Json::Object{{"user_id", "v" + std::to_string(i)}})); break;
        default: at->set("comments", "w" + std::to_string(i));
      }
    }
    const Json before(Json::Object{{"allow", items}});
    const Json after(Json::Object{{"allow", other}});
    const std::string from = before.dump();
    const std::string to = after.dump();
    const auto change = audited_change(opener(from), opener(to), DocumentForm::kAsItIs);
    RC_ASSERT(change.has_value());
    check_same(*change, audited_change(before, after));
  }));
}

TEST_CASE("audited_change: of an auth.json by blocks it is that of what its policy writes") {
  CHECK(rc::check([] {
    const auto drop = [](Json policy) {
      for (const char* const name : {"allow", "deny", "groups", "roles"}) {
        if (*gen::inRange(0, 4) == 0) policy.erase(name);
      }
      return policy;
    };
    auto [before, after] = *documents(any_policy());
    before = drop(std::move(before));
    after = drop(std::move(after));
    const std::string from = before.dump();
    const std::string to = after.dump();
    const auto change = audited_change(opener(from), opener(to), DocumentForm::kAuthFile);
    RC_ASSERT(change.has_value());
    const AuditedChange of_whole =
        audited_change(Policy::parse(before)->to_json(), Policy::parse(after)->to_json());
    RC_ASSERT(change->digest == of_whole.digest);
    if (!has_equal_entries(before) && !has_equal_entries(after)) check_same(*change, of_whole);
    const auto first = audited_change(OpenDocument(), opener(to), DocumentForm::kAuthFile);
    RC_ASSERT(first.has_value());
    const AuditedChange whole = audited_change(Json(), Policy::parse(after)->to_json());
    check_same(*first, whole);
    // One that is so large that an audit line cuts it.
    Json large = after;
    Json* records = large.find(*gen::element("allow", "deny"));
    const int added = records == nullptr ? 0 : 100;
    for (int i = 0; i < added; ++i) records->as_array().push_back(*any_record());
    const std::string large_text = large.dump();
    const auto cut = audited_change(OpenDocument(), opener(large_text), DocumentForm::kAuthFile);
    RC_ASSERT(cut.has_value());
    const AuditedChange uncut = audited_change(Json(), Policy::parse(large)->to_json());
    AuditEvent event;
    AuditEvent expected;
    event.after = cut->after;
    expected.after = uncut.after;
    RC_ASSERT(to_json(event).dump() == to_json(expected).dump());
    RC_ASSERT(cut->digest == uncut.digest);
  }));
}

TEST_CASE("audited_change: what only the whole document tells is not read by blocks") {
  const std::string good = R"({"allow":[],"version":{"major":1,"minor":4}})";
  CHECK(audited_change(opener(good), opener(good), DocumentForm::kAuthFile));
  for (const char* const text :
       {"", "[]", "{} // mine", R"({"allow":[],"allow":[],"version":{"major":1,"minor":4}})"}) {
    CAPTURE(text);
    const std::string other = text;
    for (const DocumentForm form : {DocumentForm::kAsItIs, DocumentForm::kAuthFile}) {
      CHECK_FALSE(audited_change(opener(good), opener(other), form));
      CHECK_FALSE(audited_change(opener(other), opener(good), form));
    }
  }
  for (const char* const text :
       {"{}", R"({"version":{"major":1,"minor":2}})", R"({"version":{"major":1,"minor":5}})",
        R"({"allow":{},"version":{"major":1,"minor":4}})",
        R"({"roles":[],"version":{"major":1,"minor":4}})"}) {
    CAPTURE(text);
    const std::string other = text;
    CHECK_FALSE(audited_change(opener(good), opener(other), DocumentForm::kAuthFile));
    CHECK_FALSE(audited_change(opener(other), opener(good), DocumentForm::kAuthFile));
    CHECK(audited_change(opener(good), opener(other), DocumentForm::kAsItIs));
  }
}

}  // namespace
}  // namespace vipauth::test
