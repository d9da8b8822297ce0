#pragma once

#include <filesystem>
#include <sys/stat.h>
#include <sys/types.h>

#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// Whether others may read a file.
enum class Sensitivity { kPublic, kSecret };

/// True where the group of a file is its owner's alone: it has the owner's name, is the owner's own group,
/// and lists nobody else. Systems that give each user such a group let it write by default. False, without
/// asking, where the group has no permissions anyway. Source: Debian's OpenSSH, secure_permissions.
bool has_private_group(const struct stat& status);

/// Refuses a file that others than its owner may change, or, a secret, read; and one of another owner than
/// `caller` and root. Root may also use what belongs to the owner of the folder.
/// \param status            of the open file
/// \param is_group_private  the group is nobody but the owner
/// \return kPermissionDenied  with the command that mends it
Result<void> check_file_modes(const struct stat& status, const std::filesystem::path& file,
                              Sensitivity sensitivity, uid_t folder_owner, uid_t caller,
                              bool is_group_private);

/// Refuses a folder in which others than its owner may put files in place of those there (a sticky one, such
/// as /tmp, too); and one of another owner than `caller` and root, who may use any.
Result<void> check_folder_modes(const struct stat& status, const std::filesystem::path& folder, uid_t caller,
                                bool is_group_private);

/// The same of the folder at a path, where there is one.
/// \return kIoError  it cannot be asked
Result<void> check_folder_at(const std::filesystem::path& folder, StrictModes strict_modes);

}  // namespace vipauth
