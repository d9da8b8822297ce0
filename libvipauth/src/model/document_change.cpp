#include "model/document_change.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <vipauth/curve_key.hpp>
#include <vipauth/pattern.hpp>

#include "base/sha256.hpp"
#include "model/document_change_parts.hpp"

namespace vipauth {
namespace {

template <std::size_t Size>
bool is_one_of(const std::array<std::string_view, Size>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_record_field(std::string_view name) {
  constexpr std::array<std::string_view, 14> kFields{
      "domain",     "address",  "mechanism",    "credentials", "user_id", "identity",
      "roles",      "groups",   "capabilities", "comments",    "enabled", "rpc_method_authorizations",
      "not_before", "not_after"};
  return is_one_of(kFields, name);
}

/// A record names its credentials only where they are no secret: also where its mechanism is not understood.
Json shown_credentials(const Json& record, Json credentials) {
  const Json* mechanism = record.find("mechanism");
  const bool is_curve = mechanism == nullptr || mechanism->is_null() || *mechanism == Json("CURVE");
  if (credentials.is_null()) return credentials;
  if (!is_curve || !credentials.is_string()) return kNotShown;
  const std::string& text = credentials.as_string();
  return Pattern::looks_like_regex(text) || CurveKey::parse(text) ? credentials : Json(kNotShown);
}

Json shown_record(Json record) {
  if (!record.is_object()) return kNotShown;
  if (Json* credentials = record.find("credentials")) {
    *credentials = shown_credentials(record, std::move(*credentials));
  }
  for (Json::Member& member : record.as_object()) {
    if (!is_record_field(member.name)) member.value = kNotShown;
  }
  return record;
}

}  // namespace

bool is_record_list(std::string_view member) { return member == "allow" || member == "deny"; }

Json shown_entry(std::string_view member, Json entry) {
  return is_record_list(member) ? shown_record(std::move(entry)) : entry;
}

bool is_known_member(std::string_view name) {
  constexpr std::array<std::string_view, 7> kMembers{"allow",   "deny",          "roles",       "groups",
                                                     "version", "write-protect", "read-protect"};
  return is_one_of(kMembers, name);
}

namespace {

Json shown_member(const Json::Member& member) {
  if (!is_known_member(member.name)) return kNotShown;
  if (!is_record_list(member.name)) return member.value;
  if (!member.value.is_array()) return kNotShown;
  Json::Array out;
  for (const Json& entry : member.value.as_array()) out.push_back(shown_record(entry));
  return out;
}

/// Takes away what two records of one user have in common.
void keep_differing_fields(const Json& raw_before, const Json& raw_after, Json& before, Json& after) {
  const auto field = [](const Json& record, const std::string& name) {
    const Json* value = record.find(name);
    return value == nullptr ? Json() : *value;
  };
  std::set<std::string> names;
  for (const Json* record : {&raw_before, &raw_after}) {
    for (const Json::Member& member : record->as_object()) names.insert(member.name);
  }
  for (const std::string& name : names) {
    if (name == "user_id" || field(raw_before, name) != field(raw_after, name)) continue;
    before.erase(name);
    after.erase(name);
  }
}

struct ListChange {
  Json::Array before;
  Json::Array after;
};

/// The entries of each list that the other does not have, in their order.
ListChange entries_apart(const Json::Array& before, const Json::Array& after) {
  std::unordered_map<std::string, std::size_t> left;
  const auto key = [](const Json& entry) { return entry.canonical().dump(); };
  std::vector<std::string> keys;
  keys.reserve(after.size());
  for (const Json& entry : after) ++left[keys.emplace_back(key(entry))];
  ListChange out;
  std::unordered_map<std::string, std::size_t> common;
  for (const Json& entry : before) {
    std::string text = key(entry);
    if (const auto found = left.find(text); found != left.end() && found->second > 0) {
      --found->second;
      ++common[std::move(text)];
    } else {
      out.before.push_back(entry);
    }
  }
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (const auto found = common.find(keys[i]); found != common.end() && found->second > 0) {
      --found->second;
    } else {
      out.after.push_back(after[i]);
    }
  }
  return out;
}

ListChange change_of_list(std::string_view member, const Json::Array& before, const Json::Array& after) {
  const ListChange raw = entries_apart(before, after);
  ListChange out;
  for (const Json& entry : raw.before) out.before.push_back(shown_entry(member, entry));
  for (const Json& entry : raw.after) out.after.push_back(shown_entry(member, entry));
  if (!is_record_list(member)) return out;
  std::unordered_map<std::string, std::vector<std::size_t>> by_user;
  for (std::size_t i = raw.after.size(); i > 0; --i)
    by_user[raw.after[i - 1].text_at("user_id")].push_back(i - 1);
  for (std::size_t i = 0; i < raw.before.size(); ++i) {
    const std::string user = raw.before[i].text_at("user_id");
    const auto same = by_user.find(user);
    if (user.empty() || same == by_user.end() || same->second.empty()) continue;
    const std::size_t j = same->second.back();
    same->second.pop_back();
    keep_differing_fields(raw.before[i], raw.after[j], out.before[i], out.after[j]);
  }
  return out;
}

/// Roles or groups by name.
void change_of_object(const Json& before, const Json& after, Json& out_before, Json& out_after) {
  const auto add_other = [](const Json& object, const Json& other, Json& out) {
    for (const Json::Member& member : object.as_object()) {
      const Json* same = other.find(member.name);
      if (same == nullptr || *same != member.value) out.set(member.name, member.value);
    }
  };
  add_other(before, after, out_before);
  add_other(after, before, out_after);
}

const Json* find_member(const Json& document, std::string_view name) {
  return document.is_object() ? document.find(name) : nullptr;
}

void add_change(const std::string& name, const Json* before, const Json* after, DocumentChange& out) {
  if (before != nullptr && after != nullptr && *before == *after) return;
  const Json nothing_in_list{Json::Array()};
  const bool is_list = (before == nullptr || before->is_array()) && (after == nullptr || after->is_array());
  if (is_list && is_known_member(name)) {
    const ListChange change = change_of_list(name, (before == nullptr ? nothing_in_list : *before).as_array(),
                                             (after == nullptr ? nothing_in_list : *after).as_array());
    if (change.before.empty() && change.after.empty()) {
      if (before != nullptr && after != nullptr) out.after.set(name, "(another order)");
      return;
    }
    if (!change.before.empty()) out.before.set(name, change.before);
    if (!change.after.empty()) out.after.set(name, change.after);
    return;
  }
  const bool are_objects = before != nullptr && after != nullptr && before->is_object() && after->is_object();
  if (are_objects && (name == "roles" || name == "groups")) {
    Json from;
    Json to;
    change_of_object(*before, *after, from, to);
    if (!from.is_null()) out.before.set(name, std::move(from));
    if (!to.is_null()) out.after.set(name, std::move(to));
    return;
  }
  if (before != nullptr) out.before.set(name, shown_member({name, *before}));
  if (after != nullptr) out.after.set(name, shown_member({name, *after}));
}

}  // namespace

DocumentChange change_between(const Json& before, const Json& after) {
  std::set<std::string> names;
  for (const Json* document : {&before, &after}) {
    if (!document->is_object()) continue;
    for (const Json::Member& member : document->as_object()) names.insert(member.name);
  }
  DocumentChange out;
  for (const std::string& name : names) {
    add_change(name, find_member(before, name), find_member(after, name), out);
  }
  return out;
}

std::string content_digest(const Json& document) {
  if (!document.is_object()) return sha256_hex("");
  Json::Object shown;
  for (const Json::Member& member : document.as_object()) {
    shown.push_back({member.name, shown_member(member)});
  }
  return sha256_hex(Json(std::move(shown)).canonical().dump());
}

AuditedChange audited_change(const Json& before, const Json& after) {
  DocumentChange change = change_between(before, after);
  return {std::move(change.before), std::move(change.after), content_digest(after)};
}

}  // namespace vipauth
