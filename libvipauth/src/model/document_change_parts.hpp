#pragma once

#include <string_view>

#include <vipauth/json.hpp>

namespace vipauth {

// What of a document an audit shows.

inline constexpr std::string_view kNotShown = "(not shown)";

/// A member of the root of which anything is shown.
bool is_known_member(std::string_view name);
/// One of which the entries are records.
bool is_record_list(std::string_view member);
/// An entry of a list, as it may be shown, which depends on where it stands.
Json shown_entry(std::string_view member, Json entry);

}  // namespace vipauth
