#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// Longest secret that a file may hold.
inline constexpr std::size_t kMaxSecretBytes = 4096;

/// The first line of a file that only its owner may read: a password for another service. Whoever gets it
/// wipes it.
/// \return kInvalidArgument   the line is empty, or there is more than one
/// \return kLimitExceeded     longer than kMaxSecretBytes
/// \return kNotFound; kPermissionDenied  others may read the file, too; kIoError
VIPAUTH_EXPORT Result<std::string> read_secret_file(const std::filesystem::path& path,
                                                    StrictModes strict_modes = StrictModes::kOn);

}  // namespace vipauth
