#include "auth/record_view.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <ostream>
#include <utility>

#include <vipauth/record_secrets.hpp>

namespace vipauth::vctl::auth {
namespace {

/// The order of VOLTTRON's documentation; what else a record has comes behind, in the order of the file.
constexpr std::array<std::string_view, 12> kOrder{
    "domain", "user_id", "roles",       "enabled",  "mechanism", "capabilities",
    "groups", "address", "credentials", "comments", "identity",  "rpc_method_authorizations"};
constexpr std::size_t kAlwaysShown = 10;  // of kOrder

Json default_value(std::string_view name, const AuthRecord& record) {
  if (name == "user_id") return record.user_id;
  if (name == "enabled") return true;
  if (name == "mechanism") return to_string(record.mechanism);
  if (name == "roles" || name == "groups" || name == "capabilities") return Json::Array();
  return {};
}

bool is_empty(const Json& json) {
  return json.is_null() || (json.is_string() && json.as_string().empty()) ||
         (json.is_array() && json.as_array().empty()) || (json.is_object() && json.as_object().empty());
}

Json shown_field(std::string_view name, const Json& value, std::optional<std::string_view> credentials) {
  if (name == "credentials" && credentials) return *credentials;
  if (name == "capabilities" && is_empty(value)) return Json::Array();
  return value;
}

}  // namespace

Json shown_record(const Policy::Entry& entry) {
  if (!entry.source.is_object()) return entry.source;
  const auto credentials = password_stand_in(entry);
  Json::Object shown;
  for (std::size_t i = 0; i < kOrder.size(); ++i) {
    const std::string name(kOrder[i]);
    const Json* value = entry.source.find(name);
    const bool says_nothing = value == nullptr || (name == "user_id" && is_empty(*value));
    if (!says_nothing) {
      shown.push_back({name, shown_field(name, *value, credentials)});
    } else if (entry.record && i < kAlwaysShown) {
      shown.push_back({name, default_value(name, *entry.record)});
    } else if (value != nullptr) {
      shown.push_back({name, *value});
    }
  }
  for (const Json::Member& member : entry.source.as_object()) {
    if (std::find(kOrder.begin(), kOrder.end(), member.name) == kOrder.end()) shown.push_back(member);
  }
  return shown;
}

void print_record(std::ostream& out, std::size_t index, const Policy::Entry& entry) {
  out << "\nINDEX: " << index << '\n' << shown_record(entry).dump_pretty() << '\n';
}

}  // namespace vipauth::vctl::auth
