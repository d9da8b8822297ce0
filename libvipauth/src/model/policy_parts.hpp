#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <vipauth/policy.hpp>
#include <vipauth/policy_sink.hpp>

namespace vipauth {

inline constexpr std::string_view kAllow = "allow";
inline constexpr std::string_view kDeny = "deny";
inline constexpr std::string_view kGroups = "groups";
inline constexpr std::string_view kRoles = "roles";

// The parts of a policy, from what the file holds. Errors in them name their place in the file.

/// \param list  kAllow or kDeny, where it stands at `index`
Policy::Entry make_entry(Json source, std::string_view list, std::size_t index);
Policy::Role make_role(std::string name, Json source);
Policy::Group make_group(std::string name, Json source);

void hand_over_allow(const Policy::Entry& entry, PolicySink& sink);
void hand_over_deny(const Policy::Entry& entry, PolicySink& sink);

}  // namespace vipauth
