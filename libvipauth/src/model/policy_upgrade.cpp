#include "model/policy_upgrade.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include <vipauth/auth_record.hpp>
#include <vipauth/pattern.hpp>
#include <vipauth/policy.hpp>

#include "base/string_hash.hpp"
#include "model/whole_number.hpp"
#include "text/uuid.hpp"

namespace vipauth {
namespace {

constexpr std::string_view kConfigStore = "edit_config_store";

bool is_before(const Policy::Version& version, int major, int minor) {
  return version.major < major || (version.major == major && version.minor < minor);
}

Result<Policy::Version> version_of(const Json& document) {
  const Json* version = document.find("version");
  if (version == nullptr) return Policy::Version{0, 0};
  const auto major = whole_number(version->find("major"));
  const Json* minor_json = version->find("minor");
  const auto minor = minor_json == nullptr ? std::optional<int>(0) : whole_number(minor_json);
  if (major && minor) return Policy::Version{*major, *minor};
  return Error{ErrorCode::kInvalidArgument,
               R"(must be of the form {"major": 1, "minor": 4}; of a file that never had one, leave it out)",
               "/version"};
}

bool is_absent(const Json* json) {
  return json == nullptr || json->is_null() || (json->is_string() && json->as_string().empty());
}

// ---- 0 to 1.0: one field for mechanism and credentials ----

struct SplitCredentials {
  std::string_view mechanism;
  Json credentials;
};

/// Nothing for what upstream refuses, and for a pattern behind "CURVE:", which never matched a key.
std::optional<SplitCredentials> split(const Json* credentials) {
  if (credentials == nullptr || !credentials->is_string()) return std::nullopt;
  const std::string_view text = credentials->as_string();
  if (text == "NULL") return SplitCredentials{"NULL", Json()};
  for (const std::string_view mechanism : {"CURVE", "PLAIN"}) {
    if (!text.starts_with(mechanism) || !text.substr(mechanism.size()).starts_with(':')) continue;
    const std::string_view rest = text.substr(mechanism.size() + 1);
    if (mechanism == "CURVE" && Pattern::looks_like_regex(rest)) return std::nullopt;
    return SplitCredentials{mechanism, Json(rest)};
  }
  return std::nullopt;
}

/// False for a record that cannot be said in the present version; it never matches.
bool split_credentials(Json& record, const std::string& place, std::vector<std::string>& warnings) {
  auto parts = split(record.find("credentials"));
  if (parts) {
    record.set("mechanism", parts->mechanism);
    record.set("credentials", std::move(parts->credentials));
    return true;
  }
  record.set("mechanism", "unknown");
  warnings.push_back(place +
                     "/credentials: must be \"NULL\", or begin with \"CURVE:\" or \"PLAIN:\", in a "
                     "file of this version: the record is kept, and never matches");
  return false;
}

// ---- 1.0 to 1.1: every allow record has a user_id of its own ----

/// Upstream means to give a new user_id to a record whose own is taken, and fails to.
void make_user_ids_unique(Json& record, const std::string& place, StringMap<bool>& taken,
                          std::vector<std::string>& warnings) {
  const std::string user_id = record.text_at("user_id");
  if (user_id.empty() || taken.emplace(user_id, true).second) return;
  std::string derived = derive_user_id(record);
  // Records that are the same in all that a user_id is derived from.
  if (!taken.emplace(derived, true).second) derived = named_uuid(derived + place);
  warnings.push_back(place + "/user_id: \"" + user_id + "\" is taken by a record before it: now \"" +
                     derived + "\"");
  record.set("user_id", std::move(derived));
}

// ---- 1.1 to 1.2: every allow record may edit its own part of the configuration store ----

bool grants_config_store(const Json& capabilities) {
  if (capabilities.is_string()) return capabilities.as_string() == kConfigStore;
  if (capabilities.is_object()) return capabilities.find(kConfigStore) != nullptr;
  return capabilities.is_array() &&
         std::any_of(capabilities.as_array().begin(), capabilities.as_array().end(), grants_config_store);
}

/// What accepts the user_id and nothing else. Where it looks like a pattern or holds a template, it must not
/// become one.
std::string exactly(const std::string& user_id) {
  const bool would_be_read = Pattern::looks_like_regex(user_id) || user_id.find('{') != std::string::npos;
  return would_be_read ? "/" + Pattern::quote(user_id) + "/" : user_id;
}

void grant_config_store(Json& record) {
  const std::string user_id = record.text_at("user_id");
  if (user_id.empty()) return;  // of a wrong type
  // Source: VOLTTRON known_identities.py, CONTROL and VOLTTRON_CENTRAL_PLATFORM.
  const bool may_edit_all = user_id == "control" || user_id == "platform.agent";
  Json restrictions(Json::Object{{"identity", Json(may_edit_all ? "/.*/" : exactly(user_id))}});

  const Json* present = record.find("capabilities");
  if (is_absent(present)) {
    record.set("capabilities", Json(Json::Object{{std::string(kConfigStore), std::move(restrictions)}}));
    return;
  }
  if (grants_config_store(*present)) return;
  Json capabilities = *present;
  if (capabilities.is_string()) capabilities = Json(Json::Array{std::move(capabilities)});
  if (capabilities.is_object()) {
    capabilities.set(kConfigStore, std::move(restrictions));
  } else if (capabilities.is_array()) {
    capabilities.as_array().emplace_back(Json::Object{{std::string(kConfigStore), std::move(restrictions)}});
  }
  record.set("capabilities", std::move(capabilities));
}

// ---- All steps ----

void upgrade_list(Json* list, std::string_view name, const Policy::Version& from,
                  std::vector<std::string>& warnings) {
  if (list == nullptr || !list->is_array()) return;
  const bool is_allow = name == "allow";
  StringMap<bool> taken;
  for (std::size_t i = 0; i < list->as_array().size(); ++i) {
    Json& record = list->as_array()[i];
    if (!record.is_object()) continue;
    const std::string place = json_pointer(json_pointer("", name), i);
    const bool is_known = !is_before(from, 1, 0) || split_credentials(record, place, warnings);
    if (!is_allow || !is_known) continue;
    if (is_before(from, 1, 2) && is_absent(record.find("user_id"))) {
      record.set("user_id", derive_user_id(record));
    }
    if (is_before(from, 1, 1)) make_user_ids_unique(record, place, taken, warnings);
    if (is_before(from, 1, 2)) grant_config_store(record);
  }
}

}  // namespace

Result<UpgradedDocument> upgrade_document(Json document) {
  if (!document.is_object()) return UpgradedDocument{std::move(document), {}, {}};
  const auto from = version_of(document);
  if (!from) return from.error();
  const Policy::Version& to = Policy::kVersion;
  if (!is_before(*from, to.major, to.minor)) return UpgradedDocument{std::move(document), {}, {}};

  UpgradedDocument out{
      std::move(document), std::to_string(from->major) + "." + std::to_string(from->minor), {}};
  upgrade_list(out.document.find("allow"), "allow", *from, out.warnings);
  upgrade_list(out.document.find("deny"), "deny", *from, out.warnings);
  Json version = out.document.find("version") == nullptr ? Json() : *out.document.find("version");
  version.set("major", to.major);
  version.set("minor", to.minor);
  out.document.set("version", std::move(version));
  return out;
}

}  // namespace vipauth
