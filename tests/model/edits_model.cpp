#include "edits_model.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "plain_pattern.hpp"

namespace vipauth::test::model {
namespace {

bool is_absent(const Json* json) {
  return json == nullptr || json->is_null() || (json->is_string() && json->as_string().empty());
}

/// What a new record has where nothing was entered, in the fields that VOLTTRON knows.
const Json& new_fields() {
  static const Json fields(Json::Object{{"domain", Json()},
                                        {"address", Json()},
                                        {"mechanism", "CURVE"},
                                        {"credentials", Json()},
                                        {"groups", Json::Array()},
                                        {"roles", Json::Array()},
                                        {"capabilities", Json::Object()},
                                        {"rpc_method_authorizations", Json::Object()},
                                        {"comments", Json()},
                                        {"user_id", Json()},
                                        {"identity", Json()},
                                        {"enabled", true}});
  return fields;
}

std::string mechanism_of(const Json& record) {
  return record.find("mechanism") == nullptr ? "CURVE" : record.text_at("mechanism");
}

bool has_own_key(const std::optional<PlainRecord>& record) {
  return record && record->mechanism == "CURVE" && !is_expression(record->credentials);
}

/// Keys are written in their base64url form.
void write_key_plainly(Json& record) {
  const auto understood = understand(record);
  if (has_own_key(understood)) record.set("credentials", understood->credentials);
}

bool is_same_field(const Json& a, const Json& b, const char* name) {
  const Json* left = a.find(name);
  const Json* right = b.find(name);
  if (is_absent(left) || is_absent(right)) return is_absent(left) == is_absent(right);
  return *left == *right;
}

/// What may be a password is equal to nothing.
bool may_be_password(const Json& record) {
  const Json* credentials = record.find("credentials");
  const auto understood = understand(record);
  if ((understood && understood->mechanism == "CURVE") || credentials == nullptr || credentials->is_null()) {
    return false;
  }
  if (mechanism_of(record) != "CURVE" || !credentials->is_string()) return true;
  return !read_key(credentials->as_string()) && !is_expression(credentials->as_string());
}

bool is_same_peer(const Json& a, const Json& b) {
  const auto left = understand(a);
  const auto right = understand(b);
  if (left && right && left->mechanism != right->mechanism) return false;
  if (!is_same_field(a, b, "domain") || !is_same_field(a, b, "address")) return false;
  if (has_own_key(left) && has_own_key(right)) return left->credentials == right->credentials;
  return !may_be_password(a) && !may_be_password(b) && is_same_field(a, b, "credentials");
}

/// The record as it is added; nothing of one that is not understood.
std::optional<Json> complete(const Json& record) {
  Json out = new_fields();
  for (const Json::Member& member : record.as_object()) out.set(member.name, member.value);
  if (!understand(out)) return std::nullopt;
  write_key_plainly(out);
  return out;
}

template <typename Names>
bool has(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The names with those added that were not among them.
std::vector<std::string> with_new(std::vector<std::string> names, const std::vector<std::string>& added) {
  for (const std::string& name : added) {
    if (!has(names, name)) names.push_back(name);
  }
  return names;
}

Json& member_of(Json& document, const char* name) {
  if (document.find(name) == nullptr) document.set(name, Json::Object());
  return *document.find(name);
}

bool means_the_same(const PlainGrant& a, const PlainGrant& b) {
  return a.first == b.first && Json(a.second) == Json(b.second);
}

/// Nothing twice, in any order.
std::vector<PlainGrant> each_once(const std::vector<PlainGrant>& grants) {
  std::vector<PlainGrant> out;
  for (const PlainGrant& grant : grants) {
    if (std::none_of(out.begin(), out.end(),
                     [&](const auto& other) { return means_the_same(grant, other); })) {
      out.push_back(grant);
    }
  }
  return out;
}

bool hold_the_same(const std::vector<PlainGrant>& a, const std::vector<PlainGrant>& b) {
  const auto left = each_once(a);
  const auto right = each_once(b);
  return left.size() == right.size() && each_once([&] {
                                          auto both = left;
                                          both.insert(both.end(), right.begin(), right.end());
                                          return both;
                                        }())
                                                .size() == left.size();
}

}  // namespace

Json::Array& DocumentEdits::list(const char* name) {
  if (document_.find(name) == nullptr) document_.set(name, Json::Array());
  return document_.find(name)->as_array();
}

// ---- Records ----

/// No other record may have the user_id, or accept the same peer.
bool DocumentEdits::is_new(const Json& record, std::optional<std::size_t> but) {
  const Json::Array& records = list("allow");
  const bool is_change = but && understand(records[*but]).has_value();
  const bool is_same_user = is_change && understand(records[*but])->user_id == understand(record)->user_id;
  const bool is_still_same_peer = is_change && is_same_peer(records[*but], record);
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (i == but) continue;
    const auto other = understand(records[i]);
    if (!is_same_user && other && other->user_id == understand(record)->user_id) return false;
    if (!is_still_same_peer && is_same_peer(records[i], record)) return false;
  }
  return true;
}

bool DocumentEdits::add_allow(const Json& record) {
  const auto added = complete(record);
  if (!added || !is_new(*added, std::nullopt)) return false;
  list("allow").push_back(*added);
  return true;
}

bool DocumentEdits::add_deny(const Json& record) {
  const auto added = complete(record);
  if (added) list("deny").push_back(*added);
  return added.has_value();
}

bool DocumentEdits::update(const char* name, std::size_t index, const Json& fields) {
  if (index >= list(name).size()) return false;
  const Json before = list(name)[index];
  Json after = before;
  for (const Json::Member& field : fields.as_object()) {
    const Json* empty = new_fields().find(field.name);
    if (!field.value.is_null()) {
      after.set(field.name, field.value);
    } else if (empty == nullptr) {
      after.erase(field.name);
    } else if (after.find(field.name) != nullptr) {
      after.set(field.name, *empty);
    }
  }
  // Credentials of one mechanism mean nothing in another.
  const bool has_credentials = fields.find("credentials") != nullptr;
  const bool was_text = before.find("mechanism") == nullptr || before.find("mechanism")->is_string();
  if ((!was_text || mechanism_of(before) != mechanism_of(after)) && !has_credentials) {
    if (mechanism_of(after) != "NULL") return false;
    if (after.find("credentials") != nullptr) after.set("credentials", Json());
  }
  if (!understand(after)) return false;
  if (has_credentials) write_key_plainly(after);
  if (std::string_view(name) == "allow" && !is_new(after, index)) return false;
  list(name)[index] = after;
  return true;
}

bool DocumentEdits::remove(const char* name, const std::vector<std::size_t>& indices) {
  const std::set<std::size_t, std::greater<>> last_first(indices.begin(), indices.end());
  if (!last_first.empty() && *last_first.begin() >= list(name).size()) return false;
  for (const std::size_t index : last_first) {
    list(name).erase(list(name).begin() + static_cast<std::ptrdiff_t>(index));
  }
  return true;
}

bool DocumentEdits::add_second_key(std::size_t index, const std::string& key,
                                   const std::string& old_valid_until) {
  if (index >= list("allow").size()) return false;
  Json& old = list("allow")[index];
  const auto record = understand(old);
  if (!has_own_key(record)) return false;
  for (const Json& other : list("allow")) {
    const auto understood = understand(other);
    if (!has_own_key(understood) || understood->credentials != key) continue;
    const auto is_same = [&](const char* name) {
      return (old.find(name) == nullptr ? Json() : *old.find(name)) ==
             (other.find(name) == nullptr ? Json() : *other.find(name));
    };
    if (understood->user_id != record->user_id || (is_same("domain") && is_same("address"))) return false;
  }
  old.set("user_id", record->user_id);
  Json added = old;
  added.set("credentials", key);
  if (!record->not_after || *record->not_after > *parse_timestamp(old_valid_until)) {
    old.set("not_after", old_valid_until);
  }
  list("allow").push_back(added);
  return true;
}

// ---- Roles and groups ----

bool DocumentEdits::add_role(const std::string& name, const Json& capabilities) {
  Json& roles = member_of(document_, "roles");
  if (roles.find(name) != nullptr || !read_capabilities(capabilities)) return false;
  roles.set(name, capabilities);
  return true;
}

bool DocumentEdits::remove_role(const std::string& name) { return member_of(document_, "roles").erase(name); }

bool DocumentEdits::rewrite_role(const std::string& name, const Json* written,
                                 const std::vector<PlainGrant>& meant) {
  const auto means = written == nullptr ? std::nullopt : read_capabilities(*written);
  if (!means || !hold_the_same(*means, meant)) return false;
  member_of(document_, "roles").set(name, *written);
  return true;
}

bool DocumentEdits::add_to_role(const std::string& name, const Json& capabilities, const Json* written) {
  const Json* role = member_of(document_, "roles").find(name);
  auto present = role == nullptr ? std::nullopt : read_capabilities(*role);
  const auto added = read_capabilities(capabilities);
  if (!present || !added) return false;
  present->insert(present->end(), added->begin(), added->end());
  return rewrite_role(name, written, *present);
}

bool DocumentEdits::remove_from_role(const std::string& name, const std::vector<std::string>& names,
                                     const Json* written) {
  const Json* role = member_of(document_, "roles").find(name);
  auto present = role == nullptr ? std::nullopt : read_capabilities(*role);
  if (!present) return false;
  std::erase_if(*present, [&](const PlainGrant& grant) { return has(names, grant.first); });
  return rewrite_role(name, written, *present);
}

bool DocumentEdits::add_group(const std::string& name, const std::vector<std::string>& roles) {
  Json& groups = member_of(document_, "groups");
  if (groups.find(name) != nullptr) return false;
  groups.set(name, Json::strings(with_new({}, roles)));
  return true;
}

bool DocumentEdits::add_to_group(const std::string& name, const std::vector<std::string>& roles) {
  Json* group = member_of(document_, "groups").find(name);
  const auto present = group == nullptr ? std::nullopt : read_names(*group);
  if (!present) return false;
  const auto after = with_new(*present, roles);
  if (after != *present) *group = Json::strings(after);
  return true;
}

bool DocumentEdits::remove_from_group(const std::string& name, const std::vector<std::string>& roles) {
  Json* group = member_of(document_, "groups").find(name);
  const auto present = group == nullptr ? std::nullopt : read_names(*group);
  if (!present) return false;
  auto after = *present;
  std::erase_if(after, [&](const std::string& role) { return has(roles, role); });
  if (after != *present) *group = Json::strings(after);
  return true;
}

bool DocumentEdits::remove_group(const std::string& name) {
  return member_of(document_, "groups").erase(name);
}

// ---- What methods require ----

std::optional<std::vector<std::size_t>> DocumentEdits::records_of(const std::string& identity) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < list("allow").size(); ++i) {
    const Json& source = list("allow")[i];
    const auto record = understand(source);
    if (!record || record->identity.empty() || record->identity != identity) continue;
    const Json* methods = source.find("rpc_method_authorizations");
    if (methods != nullptr && !methods->is_null()) {
      if (!methods->is_object()) return std::nullopt;
      for (const Json::Member& member : methods->as_object()) {
        if (!member.value.is_array() || !read_names(member.value)) return std::nullopt;
      }
    }
    out.push_back(i);
  }
  return out;
}

bool DocumentEdits::add_requirement(const std::string& identity, const std::string& method,
                                    const std::string& capability) {
  const auto records = records_of(identity);
  if (!records || records->empty() || capability.empty()) return false;
  std::size_t target = records->front();
  bool is_listed = false;
  for (const std::size_t index : *records) {
    const Json* methods = list("allow")[index].find("rpc_method_authorizations");
    const Json* names = methods == nullptr ? nullptr : methods->find(method);
    if (names == nullptr) continue;
    if (has(*read_names(*names), capability)) return true;  // required already
    if (!is_listed) target = index;
    is_listed = true;
  }
  Json& record = list("allow")[target];
  Json methods = record.find("rpc_method_authorizations") == nullptr
                     ? Json()
                     : *record.find("rpc_method_authorizations");
  const Json* present = methods.find(method);
  std::vector<std::string> names = present == nullptr ? std::vector<std::string>() : *read_names(*present);
  if (names == std::vector<std::string>{""}) names.clear();
  names.push_back(capability);
  methods.set(method, Json::strings(names));
  record.set("rpc_method_authorizations", methods);
  return true;
}

bool DocumentEdits::remove_requirement(const std::string& identity, const std::string& method,
                                       const std::string& capability) {
  const auto records = records_of(identity);
  if (!records) return false;
  bool is_done = false;
  for (const std::size_t index : *records) {
    Json* methods = list("allow")[index].find("rpc_method_authorizations");
    Json* present = methods == nullptr ? nullptr : methods->find(method);
    if (present == nullptr) continue;
    auto names = *read_names(*present);
    if (names == std::vector<std::string>{""} || !has(names, capability)) continue;
    std::erase(names, capability);
    if (names.empty()) names.emplace_back();  // so that a registration does not fill it again
    *present = Json::strings(names);
    is_done = true;
  }
  return is_done;
}

}  // namespace vipauth::test::model
