#pragma once

#include <optional>
#include <string_view>

#include <vipauth/json.hpp>
#include <vipauth/policy.hpp>

namespace vipauth {

/// What is shown in the place of a record's credentials, where they are, or may be, a password; nothing where
/// they are surely a public key, a pattern, or not there.
VIPAUTH_EXPORT std::optional<std::string_view> password_stand_in(const Policy::Entry& entry);

/// The record as it was written, with what stands for a password in its place.
VIPAUTH_EXPORT Json without_passwords(const Policy::Entry& entry);

/// True for a text that without_passwords() puts in the place of credentials: nobody's password.
VIPAUTH_EXPORT bool is_password_stand_in(const Json& credentials);

}  // namespace vipauth
