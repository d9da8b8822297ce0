#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include <vipauth/result.hpp>

#include "base/unique_fd.hpp"

namespace vipauth {

/// The exclusive right to edit a file, among all processes that ask for it: a lock on `<file>.lock`, which
/// stays. It ends with this object, or with the process however that ends.
class FileLock {
 public:
  /// \return kBusy  somebody else held the lock for all of `patience`
  /// \return kNotFound  the folder does not exist; kPermissionDenied, kIoError
  static Result<FileLock> acquire(const std::filesystem::path& file, std::chrono::milliseconds patience);

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

/// Largest file that read_file takes: about three million records.
inline constexpr std::size_t kMaxFileBytes = std::size_t{1} << 30;

/// The whole content of a regular file. A symbolic link is refused: replacing it would cut it off.
/// \return kNotFound, kPermissionDenied, kLimitExceeded, kIoError
Result<std::string> read_file(const std::filesystem::path& file);

/// Mode of a file that only its owner may read.
inline constexpr unsigned kPrivateMode = 0600;

/// Replaces a file by `content`, or leaves it as it was: temporary file (`<file>.tmp`), fsync, rename, fsync
/// of the folder. Success means that it is on the disk. The caller holds the file's lock.
/// \param backup  where the version before is kept; empty: nowhere
/// \param mode    of the file, less the process's umask
Result<void> replace_file(const std::filesystem::path& file, std::string_view content,
                          const std::filesystem::path& backup = {}, unsigned mode = kPrivateMode);

/// Puts `next`, a file of the same folder that is on the disk already, in the place of `file`. There is a
/// `file` at every moment. The caller holds the lock of `file`.
/// \param backup  where the version before is kept
Result<void> promote_file(const std::filesystem::path& next, const std::filesystem::path& file,
                          const std::filesystem::path& backup);

/// Makes a folder that only its owner may enter (0700), or finds it there. Its parent must exist.
/// \return kPermissionDenied  it is a symbolic link; kIoError  it is no folder
Result<void> make_private_folder(const std::filesystem::path& folder);

}  // namespace vipauth
