#pragma once

#include <chrono>
#include <cstddef>
#include <ctime>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <vipauth/result.hpp>

#include "base/unique_fd.hpp"
#include "store/strict_modes.hpp"
#include "text/json_writer.hpp"

namespace vipauth {

/// The exclusive right to edit a file, among all processes that ask for it: a lock on `<file>.lock`, which
/// stays. It ends with this object, or with the process however that ends.
class FileLock {
 public:
  /// \return kBusy  somebody else held the lock for all of `patience`
  /// \return kNotFound  the folder does not exist; kPermissionDenied  also what is there is no regular file, or
  ///         has another name too; kIoError
  static Result<FileLock> acquire(const std::filesystem::path& file, std::chrono::milliseconds patience);

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

/// Largest file that read_file takes, and that is written: about three million records.
inline constexpr std::size_t kMaxFileBytes = std::size_t{1} << 30;

/// \return kLimitExceeded  `content` could not be read again
Result<void> check_file_size(const std::filesystem::path& file, std::string_view content);

struct OpenedFile {
  UniqueFd fd;
  std::size_t size = 0;
  timespec modified{};
};

/// Opens a regular file for reading. A symbolic link is refused: replacing it would cut it off.
/// What it is, and who may change it, is asked of the open file and its open folder. A file that is not there
/// must be in such a folder too, since who may change the folder may have taken it away.
/// \return kNotFound, kPermissionDenied (by the system, or by strict modes), kIoError
Result<OpenedFile> open_file(const std::filesystem::path& file, StrictModes strict_modes = StrictModes::kOn,
                             Sensitivity sensitivity = Sensitivity::kPublic);

/// The whole content of an open file.
/// \param file  for errors
/// \return kLimitExceeded, kIoError
Result<std::string> read_open_file(const OpenedFile& open, const std::filesystem::path& file,
                                   Sensitivity sensitivity = Sensitivity::kPublic);

/// The whole content of a file.
/// \return what open_file returns; kLimitExceeded
Result<std::string> read_file(const std::filesystem::path& file, StrictModes strict_modes = StrictModes::kOn,
                              Sensitivity sensitivity = Sensitivity::kPublic);

/// Mode of a file that only its owner may read.
inline constexpr unsigned kPrivateMode = 0600;

/// Replaces a file by `content`, or leaves it as it was: temporary file (`<file>.tmp`), fsync, rename, fsync
/// of the folder. Success means that it is on the disk. Where only the last step fails, the file is replaced
/// all the same, and the error says so. The caller holds the file's lock.
/// \return what check_file_size returns; kPermissionDenied, kIoError
/// \param backup  where the version before is kept; empty: nowhere
/// \param mode    of the file, whatever the process's umask
Result<void> replace_file(const std::filesystem::path& file, std::string_view content,
                          const std::filesystem::path& backup = {}, unsigned mode = kPrivateMode);

/// Writes a content by pieces. \return what kept it from going on; of writing itself others tell
using FileWriter = std::function<Result<void>(const WriteBytes& write)>;

/// Removes a temporary file unless it has been put in place.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::filesystem::path path) : path_(std::move(path)) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  TemporaryFile(TemporaryFile&& other) noexcept
      : path_(std::move(other.path_)), is_placed_(std::exchange(other.is_placed_, true)) {}
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile();

  const std::filesystem::path& path() const { return path_; }

  Result<void> place(const std::filesystem::path& as);
  /// For when it holds what must not be lost.
  void leave() { is_placed_ = true; }

 private:
  std::filesystem::path path_;
  bool is_placed_ = false;
};

/// What a file is to hold next: on the disk, under a temporary name. replace_file in two steps, between which
/// others can be taken; without the second nothing has happened.
class NextFile {
 public:
  /// \return what replace_file returns, and what `content` does
  static Result<NextFile> write(const std::filesystem::path& file, const FileWriter& content,
                                unsigned mode = kPrivateMode);

  /// Where it is until it is placed.
  const std::filesystem::path& path() const { return temporary_.path(); }

  /// As place_file.
  Result<void> place(const std::filesystem::path& backup);

 private:
  NextFile(std::filesystem::path file, TemporaryFile temporary)
      : file_(std::move(file)), temporary_(std::move(temporary)) {}

  std::filesystem::path file_;
  TemporaryFile temporary_;
};

/// The two halves of replace_file, for who has to know which failed: all but the fsync of the folder, and
/// that.
Result<void> place_file(const std::filesystem::path& file, std::string_view content,
                        const std::filesystem::path& backup = {}, unsigned mode = kPrivateMode);
Result<void> sync_replaced(const std::filesystem::path& file);

/// replace_file of what is written by pieces.
Result<void> replace_file(const std::filesystem::path& file, const FileWriter& content);

/// Puts `next`, a file of the same folder that is on the disk already, in the place of `file`. There is a
/// `file` at every moment. The caller holds the lock of `file`.
/// \param backup  where the version before is kept
Result<void> promote_file(const std::filesystem::path& next, const std::filesystem::path& file,
                          const std::filesystem::path& backup);

/// Removes a file, if it is there, for good. The caller holds the lock that goes with it.
Result<void> remove_file(const std::filesystem::path& file);

/// Makes a folder that only its owner may enter (0700), or finds it there. Its parent must exist.
/// \return kPermissionDenied  it is a symbolic link; kIoError  it is no folder
Result<void> make_private_folder(const std::filesystem::path& folder);

/// Makes a folder that others may enter and read (0755), or finds one there as it is.
/// \return as make_private_folder
Result<void> make_public_folder(const std::filesystem::path& folder);

/// Finds a private folder, which strict modes then look at.
/// \return kNotFound; kPermissionDenied  it is a symbolic link, or others may change it; kIoError  it is no folder
Result<void> check_private_folder(const std::filesystem::path& folder, StrictModes strict_modes);

/// Writes a file that must not be there yet, mode 0600, or nothing.
/// \return kAlreadyExists
Result<void> create_file(const std::filesystem::path& file, std::string_view content);
Result<void> create_file(const std::filesystem::path& file, const FileWriter& content);

/// What is in a folder, to be gone through. \param error  why it cannot be: no interruption by a signal
std::filesystem::directory_iterator iterate(const std::filesystem::path& folder, std::error_code& error);

/// False where nothing has that name. What cannot be asked may be there, and the next who opens it says why
/// not.
bool may_be_there(const std::filesystem::path& path);

/// `file` with more at the end of its name.
std::filesystem::path with_suffix(const std::filesystem::path& file, std::string_view suffix);

/// The folder that `file` is in: of a mere name the working folder.
std::filesystem::path folder_of(const std::filesystem::path& file);

/// Lets a file or folder that root made belong to the owner of what is at `like`, or of the folder of that.
/// Any other user keeps what it made.
Result<void> keep_owner(int fd, const std::filesystem::path& like);

/// The error of a system call that could not `what` `file`.
Error file_error(std::string_view what, const std::filesystem::path& file, int error);

}  // namespace vipauth
