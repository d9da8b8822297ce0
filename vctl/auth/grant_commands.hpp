#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/json.hpp>

#include "auth/checker.hpp"
#include "auth/explanation.hpp"

namespace vipauth::vctl::auth {

// Which commands give a user what is missing.

/// The arguments of a `vctl auth` command.
using Command = std::vector<std::string>;

/// The index in "/allow/3" and in "/allow/3/capabilities"; nothing for a place elsewhere.
std::optional<std::size_t> index_in(std::string_view list, std::string_view place);

/// The active records of a user, in file order.
std::vector<std::size_t> records_of(const Checker& checker, std::string_view user_id);

/// Names as --roles and --capabilities take them: with commas between, or JSON where that would be misread.
std::string names_text(const Json::Array& names);

/// Updates the field to what it has already, and more: an update changes a field as a whole.
Command update_list(const Checker& checker, std::size_t index, const std::string& field, Json::Array more);

/// What a user would need beyond what is held.
struct Needs {
  std::vector<std::string> missing;  // capabilities not held at all
  Json::Array restricted;            // grants for what is held too narrowly
  bool can_be_met = true;

  bool nothing() const { return missing.empty() && restricted.empty(); }
  Json::Array grants() const {
    Json::Array out;
    for (const std::string& name : missing) out.emplace_back(name);
    out.insert(out.end(), restricted.begin(), restricted.end());
    return out;
  }
};

/// \param is_met    whether what the user holds of a capability is enough
/// \param value_of  what a parameter of the question has for a value; nothing where it has none
Needs needs_of(const std::vector<std::string>& required, const CapabilityResolver& capabilities,
               const std::string& user_id, const std::function<bool(const std::string&)>& is_met,
               const std::function<std::optional<Json>(const std::string&)>& value_of);

/// Adds the commands that meet the needs: for the user's first record, then for a role.
void add_grant_commands(const Checker& checker, const std::string& user_id, const Needs& needs,
                        Explanation& out);

}  // namespace vipauth::vctl::auth
