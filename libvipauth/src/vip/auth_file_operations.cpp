#include "vip/auth_file_operations.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

#include <vipauth/auth_record.hpp>
#include <vipauth/curve_key.hpp>
#include <vipauth/record_secrets.hpp>

#include "base/hash.hpp"
#include "vip/rpc_arguments.hpp"

namespace vipauth {
namespace {

/// The fields that VOLTTRON sends of a record, always all of them: one that is not there is to be as of a new
/// record.
constexpr std::array<std::string_view, 12> kFields{
    "domain",   "address", "mechanism",    "credentials",
    "groups",   "roles",   "capabilities", "rpc_method_authorizations",
    "comments", "user_id", "identity",     "enabled"};

constexpr std::size_t kMaxOperations = 1000;

Result<std::size_t> index_of(std::string_view name, const Json& value) {
  std::size_t index = 0;
  if (!value.is_number()) return invalid_argument(name, "must be an index");
  const std::string& digits = value.as_number().digits;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (problem != std::errc{} || end != digits.data() + digits.size())
    return invalid_argument(name, "must be an index");
  return index;
}

Result<void> add(Policy& policy, const CallArguments& arguments) {
  const Json& entry = *arguments.find("entry");
  const auto is_allow = flag_of(arguments, "is_allow");
  if (!is_allow) return is_allow.error();
  const Json* credentials = entry.find("credentials");
  if (credentials != nullptr && is_password_stand_in(*credentials)) {
    return invalid_argument("credentials", "a password that was not shown cannot be given to a new record");
  }
  const auto added = *is_allow ? policy.add_allow(entry) : policy.add_deny(entry);
  if (!added) return added.error();
  return {};
}

Result<void> update_by_index(Policy& policy, const CallArguments& arguments) {
  const auto index = index_of("index", *arguments.find("index"));
  if (!index) return index.error();
  const auto is_allow = flag_of(arguments, "is_allow");
  if (!is_allow) return is_allow.error();
  const auto keeps_rest = flag_of(arguments, "keep_rest");
  if (!keeps_rest) return keeps_rest.error();
  Json fields = *arguments.find("auth_entry");
  if (!fields.is_object()) return invalid_argument("auth_entry", "must be an object");
  for (const std::string_view name : kFields) {
    if (!*keeps_rest && fields.find(name) == nullptr) fields.set(name, {});
  }
  const auto& list = *is_allow ? policy.allow() : policy.deny();
  const Json* credentials = fields.find("credentials");
  if (credentials != nullptr && is_password_stand_in(*credentials)) {
    const bool is_shown_so =
        *index < list.size() && password_stand_in(list[*index]) == credentials->as_string();
    if (!is_shown_so)
      return invalid_argument("credentials", "that record's password is not one that is not shown");
    fields.erase("credentials");
  }
  return *is_allow ? policy.update_allow(*index, fields) : policy.update_deny(*index, fields);
}

Result<void> remove(Policy& policy, std::vector<std::size_t> indices, bool is_allow) {
  return is_allow ? policy.remove_allow(std::move(indices)) : policy.remove_deny(std::move(indices));
}

Result<void> remove_by_indices(Policy& policy, const CallArguments& arguments) {
  const auto is_allow = flag_of(arguments, "is_allow");
  if (!is_allow) return is_allow.error();
  const Json& given = *arguments.find("indices");
  if (!given.is_array()) return invalid_argument("indices", "must be a list of indices");
  std::vector<std::size_t> indices;
  for (const Json& item : given.as_array()) {
    const auto index = index_of("indices", item);
    if (!index) return index.error();
    indices.push_back(*index);
  }
  return remove(policy, std::move(indices), *is_allow);
}

Result<void> remove_by_index(Policy& policy, const CallArguments& arguments) {
  const auto is_allow = flag_of(arguments, "is_allow");
  if (!is_allow) return is_allow.error();
  const auto index = index_of("index", *arguments.find("index"));
  if (!index) return index.error();
  return remove(policy, {*index}, *is_allow);
}

Result<void> remove_by_credentials(Policy& policy, const CallArguments& arguments) {
  const auto is_allow = flag_of(arguments, "is_allow");
  if (!is_allow) return is_allow.error();
  const auto credentials = text_of(arguments, "credentials");
  if (!credentials) return credentials.error();
  auto indices = records_with(*is_allow ? policy.allow() : policy.deny(), *credentials);
  if (indices.empty()) {
    return Error{ErrorCode::kNotFound, "no record has such a public key, or that pattern", "credentials"};
  }
  return remove(policy, std::move(indices), *is_allow);
}

/// Puts other roles or groups in the place of all. What the file holds beside them stays.
Result<void> replace_map(Policy& policy, std::string_view member, const Json& map) {
  if (!map.is_object()) return invalid_argument(member, "must be an object");
  Json document = policy.to_json();
  document.set(member, map);
  auto changed = Policy::parse(std::move(document));
  if (!changed) return changed.error();
  for (const Policy::Role& role : changed->roles()) {
    if (member == "roles" && !role.capabilities) return role.capabilities.error();
  }
  for (const Policy::Group& group : changed->groups()) {
    if (member == "groups" && !group.roles) return group.roles.error();
  }
  policy = *std::move(changed);
  return {};
}

Result<void> set_roles(Policy& policy, const CallArguments& arguments) {
  return replace_map(policy, "roles", *arguments.find("roles"));
}

Result<void> set_groups(Policy& policy, const CallArguments& arguments) {
  return replace_map(policy, "groups", *arguments.find("groups"));
}

Json shown(const std::vector<Policy::Entry>& entries) {
  Json::Array out;
  out.reserve(entries.size());
  for (const Policy::Entry& entry : entries) out.push_back(without_passwords(entry));
  return out;
}

std::string fingerprint(const Json& document) { return secret_fingerprint(document.dump()); }

}  // namespace

const std::vector<AuthFileOperation>& auth_file_operations() {
  static const std::vector<AuthFileOperation> all = {
      {"auth_file.add",
       {required("entry"), with_default("is_allow", true)},
       "Adds a record to the end of the allow list, or of the deny list.",
       &add},
      {"auth_file.update_by_index",
       {required("auth_entry"), required("index"), with_default("is_allow", true),
        with_default("keep_rest", false)},
       "Changes a record. Of VOLTTRON's fields, those that are not given become as of a new record, or stay: "
       "keep_rest.",
       &update_by_index},
      {"auth_file.remove_by_index",
       {required("index"), with_default("is_allow", true)},
       "Removes a record.",
       &remove_by_index},
      {"auth_file.remove_by_indices",
       {required("indices"), with_default("is_allow", true)},
       "Removes records: all of them, or none.",
       &remove_by_indices},
      {"auth_file.remove_by_credentials",
       {required("credentials"), with_default("is_allow", true)},
       "Removes the records with this public key, or this very pattern.",
       &remove_by_credentials},
      {"auth_file.set_roles", {required("roles")}, "Puts these roles in the place of all.", &set_roles},
      {"auth_file.set_groups", {required("groups")}, "Puts these groups in the place of all.", &set_groups}};
  return all;
}

Result<void> apply_operations(Policy& policy, const Json& operations) {
  if (!operations.is_array() || operations.as_array().empty() ||
      operations.as_array().size() > kMaxOperations) {
    return invalid_argument("operations",
                            "must be a list of 1 to " + std::to_string(kMaxOperations) + " operations");
  }
  for (std::size_t i = 0; i < operations.as_array().size(); ++i) {
    const Json& given = operations.as_array()[i];
    const std::string place = json_pointer("", i);
    const Json* params = given.find("params");
    const auto& all = auth_file_operations();
    const auto operation = std::find_if(all.begin(), all.end(), [&](const AuthFileOperation& known) {
      return known.name == given.text_at("method");
    });
    if (operation == all.end() || params == nullptr) {
      return invalid_argument(
          place, R"(must be {"method": "auth_file.add", "params": {...}}, or of another operation)");
    }
    const auto split = split_params(*params);
    if (!split) return split.error().at(place);
    const auto bound = bind_arguments(operation->parameters, split->positional, split->named);
    if (!bound) return bound.error().at(place);
    if (auto done = operation->apply(policy, *bound); !done) return done.error().at(place);
  }
  return {};
}

Json auth_file_content(const Policy& policy) {
  const Policy::Version version = policy.version().value_or(Policy::kVersion);
  const Json document = policy.to_json();
  const auto member = [&](std::string_view name) {
    const Json* found = document.find(name);
    return found != nullptr ? *found : Json(Json::Object());
  };
  return Json::Object{{"allow_list", shown(policy.allow())},
                      {"deny_list", shown(policy.deny())},
                      {"groups", member("groups")},
                      {"roles", member("roles")},
                      {"version", Json::Object{{"major", version.major}, {"minor", version.minor}}},
                      {"digest", fingerprint(document)}};
}

std::vector<std::size_t> records_with(const std::vector<Policy::Entry>& entries,
                                      std::string_view credentials) {
  const auto key = CurveKey::parse(credentials);
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (password_stand_in(entries[i])) continue;
    const auto& record = entries[i].record;
    const auto* own = record ? std::get_if<CurveKey>(&record->credentials) : nullptr;
    const Json* written = entries[i].source.find("credentials");
    const bool is_same_key = own != nullptr && key && *own == *key;
    if (is_same_key || (written != nullptr && *written == Json(credentials))) found.push_back(i);
  }
  return found;
}

std::string policy_fingerprint(const Policy& policy) { return fingerprint(policy.to_json()); }

}  // namespace vipauth
