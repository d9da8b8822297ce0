#include "store/strict_modes.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <vector>

#include <grp.h>
#include <pwd.h>

namespace vipauth {
namespace {

constexpr mode_t kMayWrite = S_IWGRP | S_IWOTH;
constexpr mode_t kMayRead = S_IRGRP | S_IROTH;
constexpr uid_t kRoot = 0;

/// The path as a word of a shell's command line.
std::string quoted(const std::filesystem::path& path) {
  std::string out = "\"";
  for (const char c : path.string()) {
    if (c == '"' || c == '$' || c == '`' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string octal(mode_t mode) {
  char text[8];
  const int length = std::snprintf(text, sizeof text, "%04o", mode & 07777U);
  return {text, static_cast<std::size_t>(length)};
}

Error refusal(std::string message) { return Error{ErrorCode::kPermissionDenied, std::move(message), ""}; }

Error foreign(const std::filesystem::path& path, uid_t owner, uid_t caller) {
  return refusal(quoted(path) + " belongs to another user (uid " + std::to_string(owner) + "): chown " +
                 std::to_string(caller) + " " + quoted(path));
}

/// What others than the owner may do.
mode_t permissions_of_others(const struct stat& status, bool is_group_private) {
  const mode_t asked = is_group_private ? S_IWOTH | S_IROTH : kMayWrite | kMayRead;
  return status.st_mode & asked;
}

/// Calls one of getpwuid_r and getgrgid_r with as much memory as it needs; false where it finds nothing.
template <typename Entry, typename Id>
bool look_up(int (*get)(Id, Entry*, char*, std::size_t, Entry**), Id id, Entry& entry,
             std::vector<char>& memory) {
  constexpr std::size_t kMost = std::size_t{1} << 20;
  memory.resize(1024);
  for (;;) {
    Entry* found = nullptr;
    const int error = get(id, &entry, memory.data(), memory.size(), &found);
    if (error != ERANGE || memory.size() >= kMost) return error == 0 && found != nullptr;
    memory.resize(memory.size() * 2);
  }
}

bool is_group_of_one(uid_t owner, gid_t group_id) {
  passwd user{};
  group group{};
  std::vector<char> user_memory;
  std::vector<char> group_memory;
  if (!look_up(getpwuid_r, owner, user, user_memory) || user.pw_gid != group_id) return false;
  if (!look_up(getgrgid_r, group_id, group, group_memory)) return false;
  const std::string_view name = user.pw_name;
  if (group.gr_name != name) return false;
  for (char** member = group.gr_mem; *member != nullptr; ++member) {
    if (*member != name) return false;
  }
  return true;
}

}  // namespace

bool has_private_group(const struct stat& status) {
  constexpr mode_t kGroupMay = S_IRGRP | S_IWGRP;
  return (status.st_mode & kGroupMay) != 0 && is_group_of_one(status.st_uid, status.st_gid);
}

Result<void> check_file_modes(const struct stat& status, const std::filesystem::path& file,
                              Sensitivity sensitivity, uid_t folder_owner, uid_t caller,
                              bool is_group_private) {
  const mode_t others = permissions_of_others(status, is_group_private);
  const bool is_of_folder = caller == kRoot && status.st_uid == folder_owner;
  if (status.st_uid != caller && status.st_uid != kRoot && !is_of_folder) {
    return foreign(file, status.st_uid, caller);
  }
  if (sensitivity == Sensitivity::kSecret && others != 0) {
    return refusal("others than its owner may read the secret in " + quoted(file) + " (mode " +
                   octal(status.st_mode) + "): chmod 600 " + quoted(file));
  }
  if ((others & kMayWrite) != 0) {
    return refusal("others than its owner may change " + quoted(file) + " (mode " + octal(status.st_mode) +
                   "): chmod go-w " + quoted(file));
  }
  return {};
}

Result<void> check_folder_at(const std::filesystem::path& folder, StrictModes strict_modes) {
  if (strict_modes == StrictModes::kOff) return {};
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    return Error{ErrorCode::kIoError,
                 "cannot read " + quoted(folder) + ": " + std::generic_category().message(errno), ""};
  }
  return check_folder_modes(status, folder, ::geteuid(), has_private_group(status));
}

Result<void> check_folder_modes(const struct stat& status, const std::filesystem::path& folder, uid_t caller,
                                bool is_group_private) {
  const mode_t others = permissions_of_others(status, is_group_private);
  if (status.st_uid != caller && status.st_uid != kRoot && caller != kRoot) {
    return foreign(folder, status.st_uid, caller);
  }
  if ((others & kMayWrite) != 0) {
    return refusal("others than its owner may change the files in " + quoted(folder) + " (mode " +
                   octal(status.st_mode) + "): chmod go-w " + quoted(folder));
  }
  return {};
}

}  // namespace vipauth
