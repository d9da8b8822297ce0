#pragma once

#include <string>
#include <string_view>

#include <vipauth/result.hpp>

namespace vipauth {

/// An Argon2id string of a password.
/// \return kLimitExceeded  not enough memory for the hash
Result<std::string> hash_of_password(std::string_view password);

/// True where `password` is the one that `stored` stands for: an Argon2id string, or (old files) the password
/// itself. Takes the time of one Argon2id hash whatever is stored. Source: semantics 2.
bool verify_password(const std::string& stored, std::string_view password);

/// Takes the same time for a user who does not exist.
void waste_password_time(std::string_view password);

}  // namespace vipauth
