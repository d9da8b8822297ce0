#include "store/strict_modes.hpp"

#include <cstdio>
#include <string>

namespace vipauth {
namespace {

constexpr mode_t kOthersMayWrite = S_IWGRP | S_IWOTH;
constexpr mode_t kOthersMayRead = S_IRGRP | S_IROTH;
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

}  // namespace

Result<void> check_file_modes(const struct stat& status, const std::filesystem::path& file,
                              Sensitivity sensitivity, uid_t folder_owner, uid_t caller) {
  const bool is_of_folder = caller == kRoot && status.st_uid == folder_owner;
  if (status.st_uid != caller && status.st_uid != kRoot && !is_of_folder) {
    return foreign(file, status.st_uid, caller);
  }
  if (sensitivity == Sensitivity::kSecret && (status.st_mode & (kOthersMayWrite | kOthersMayRead)) != 0) {
    return refusal("others than its owner may read the secret in " + quoted(file) + " (mode " +
                   octal(status.st_mode) + "): chmod 600 " + quoted(file));
  }
  if ((status.st_mode & kOthersMayWrite) != 0) {
    return refusal("others than its owner may change " + quoted(file) + " (mode " + octal(status.st_mode) +
                   "): chmod go-w " + quoted(file));
  }
  return {};
}

Result<void> check_folder_modes(const struct stat& status, const std::filesystem::path& folder,
                                uid_t caller) {
  if (status.st_uid != caller && status.st_uid != kRoot && caller != kRoot) {
    return foreign(folder, status.st_uid, caller);
  }
  if ((status.st_mode & kOthersMayWrite) != 0) {
    return refusal("others than its owner may change the files in " + quoted(folder) + " (mode " +
                   octal(status.st_mode) + "): chmod go-w " + quoted(folder));
  }
  return {};
}

}  // namespace vipauth
