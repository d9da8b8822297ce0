#include "vip/policy_operations.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <vipauth/record_secrets.hpp>

namespace vipauth {
namespace {

using Entries = std::vector<Policy::Entry>;

Json operation(std::string_view method, Json::Object params) {
  return Json::Object{{"method", method}, {"params", std::move(params)}};
}

Json index_of(std::size_t index) { return static_cast<std::int64_t>(index); }

/// The fields of `after`, and null for those that only `before` has.
Json whole(const Json& before, const Json& after) {
  Json fields = after;
  for (const Json::Member& member : before.as_object()) {
    if (after.find(member.name) == nullptr) fields.set(member.name, {});
  }
  return fields;
}

Json changes(const Json& before, const Json& after) {
  Json fields{Json::Object()};
  for (const Json::Member& member : after.as_object()) {
    const Json* present = before.find(member.name);
    if (present == nullptr || *present != member.value) fields.set(member.name, member.value);
  }
  for (const Json::Member& member : before.as_object()) {
    if (after.find(member.name) == nullptr) fields.set(member.name, {});
  }
  return fields;
}

/// The places of what is missing in `after`, where it holds all others of `before`, in their order.
Result<Json::Array> removed(const Entries& before, const Entries& after) {
  Json::Array indices;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (kept < after.size() && before[i].source == after[kept].source) {
      ++kept;
    } else {
      indices.push_back(index_of(i));
    }
  }
  if (kept == after.size()) return indices;
  return Error{ErrorCode::kUnsupported,
               "records are removed and others changed at once: that cannot be done over a bus", ""};
}

/// True where the record's password, which is not told, would come to belong to another user than it does.
bool moves_password(const Entries& before, std::size_t index, const Json& after) {
  const Json* credentials = after.find("credentials");
  if (credentials == nullptr || !is_password_stand_in(*credentials)) return false;
  const std::string user_id = after.text_at("user_id");
  if (before[index].source.text_at("user_id") == user_id) return false;
  return std::any_of(before.begin(), before.end(),
                     [&](const Policy::Entry& entry) { return entry.source.text_at("user_id") == user_id; });
}

Result<void> add_record_operations(const Entries& before, const Entries& after, bool is_allow,
                                   RecordForm form, Json::Array& operations) {
  if (after.size() < before.size()) {
    auto indices = removed(before, after);
    if (!indices) return indices.error();
    operations.push_back(
        operation("auth_file.remove_by_indices", {{"indices", *std::move(indices)}, {"is_allow", is_allow}}));
    return {};
  }
  for (std::size_t i = 0; i < after.size(); ++i) {
    const Json& source = after[i].source;
    if (i >= before.size()) {
      Json::Object params{{"entry", source}};
      if (!is_allow) params.push_back({"is_allow", false});
      operations.push_back(operation("auth_file.add", std::move(params)));
      continue;
    }
    const Json& present = before[i].source;
    if (present == source) continue;
    if (!present.is_object() || !source.is_object()) {
      return Error{ErrorCode::kUnsupported, "a record that is no object cannot be changed over a bus", ""};
    }
    if (moves_password(before, i, source)) {
      return Error{ErrorCode::kUnsupported,
                   "records with passwords change their places: that cannot be done over a bus", ""};
    }
    const bool sends_all = form == RecordForm::kWhole;
    Json::Object params{{"auth_entry", sends_all ? whole(present, source) : changes(present, source)},
                        {"index", index_of(i)},
                        {"is_allow", is_allow}};
    if (!sends_all) params.push_back({"keep_rest", true});
    operations.push_back(operation("auth_file.update_by_index", std::move(params)));
  }
  return {};
}

bool differ(const Json* a, const Json* b) {
  if (a == nullptr || b == nullptr) return a != b;
  // The order of roles is shown to people: another one is a change, too.
  return a->dump() != b->dump();
}

}  // namespace

Result<Json::Array> policy_operations(const Policy& before, const Policy& after, RecordForm form) {
  Json::Array operations;
  const Json present = before.to_json();
  const Json next = after.to_json();
  for (const std::string_view name : {"roles", "groups"}) {
    if (!differ(present.find(name), next.find(name))) continue;
    const Json* map = next.find(name);
    operations.push_back(operation("auth_file.set_" + std::string(name),
                                   {{std::string(name), map != nullptr ? *map : Json(Json::Object())}}));
  }
  if (auto done = add_record_operations(before.allow(), after.allow(), true, form, operations); !done)
    return done.error();
  if (auto done = add_record_operations(before.deny(), after.deny(), false, form, operations); !done)
    return done.error();
  return operations;
}

}  // namespace vipauth
