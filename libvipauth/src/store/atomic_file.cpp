#include "store/atomic_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <thread>

#include "base/retried.hpp"

namespace vipauth {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kPrivateFolder = 0700;
constexpr mode_t kPublicFolder = 0755;

ErrorCode code_of(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR: return ErrorCode::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP: return ErrorCode::kPermissionDenied;
    default: return ErrorCode::kIoError;
  }
}

Error failure(std::string_view what, const fs::path& file, int error = errno) {
  return file_error(what, file, error);
}

Result<UniqueFd> open_file(const fs::path& file, int flags, std::string_view what,
                           mode_t mode = kPrivateMode) {
  UniqueFd fd(retried([&] { return ::open(file.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode); }));
  if (!fd) return failure(what, file);
  return fd;
}

Result<void> write_all(int fd, std::string_view content, const fs::path& file) {
  while (!content.empty()) {
    const ssize_t written = retried([&] { return ::write(fd, content.data(), content.size()); });
    if (written < 0) return failure("write", file);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Error too_large(const fs::path& file) {
  return Error{ErrorCode::kLimitExceeded,
               "\"" + file.string() + "\" would be larger than " + std::to_string(kMaxFileBytes) +
                   " bytes, which nobody reads: it stays as it is",
               ""};
}

FileWriter writer_of(std::string_view text) {
  return [text](const WriteBytes& write) -> Result<void> {
    write(text);
    return {};
  };
}

/// Writes what `content` does, no more than can be read again.
Result<void> write_pieces(int fd, const FileWriter& content, const fs::path& temporary,
                          const fs::path& file) {
  std::size_t size = 0;
  Result<void> written;
  const WriteBytes write = [&](std::string_view piece) {
    size += piece.size();
    written = size > kMaxFileBytes ? Result<void>(too_large(file)) : write_all(fd, piece, temporary);
    return written.has_value();
  };
  auto made = content(write);
  return written ? made : written;
}

/// Writes and syncs a new file under the temporary name; a left-over of that name goes first.
Result<void> write_temporary(const fs::path& temporary, const FileWriter& content, const fs::path& owner_from,
                             mode_t mode = kPrivateMode) {
  if (::unlink(temporary.c_str()) != 0 && errno != ENOENT) return failure("remove", temporary);
  auto fd = open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, "create", mode);
  if (!fd) return fd.error();
  if (auto owned = keep_owner(fd->get(), owner_from); !owned) return owned.error();
  // Of which the umask may have taken some. A file system that has no modes refuses.
  if (::fchmod(fd->get(), mode) != 0 && errno != EPERM && errno != EOPNOTSUPP) {
    return failure("set the mode of", temporary);
  }
  if (auto written = write_pieces(fd->get(), content, temporary, owner_from); !written) {
    return written.error();
  }
  if (retried([&] { return ::fsync(fd->get()); }) != 0) return failure("sync", temporary);
  if (!fd->close()) return failure("close", temporary);
  return {};
}

UniqueFd open_folder(const fs::path& folder, int flags) {
  return UniqueFd(retried([&] { return ::open(folder.c_str(), flags | O_DIRECTORY | O_CLOEXEC); }));
}

/// The folder, unlike the file, may be reached by a symbolic link.
Result<void> sync_folder(const fs::path& folder) {
  const UniqueFd fd = open_folder(folder, O_RDONLY);
  if (!fd) return failure("open", folder);
  if (retried([&] { return ::fsync(fd.get()); }) != 0) return failure("sync", folder);
  return {};
}

using Block = std::array<char, 1 << 16>;

Result<void> copy_blocks(int fd, const fs::path& file, const WriteBytes& write) {
  Block block;
  while (true) {
    const ssize_t count = retried([&] { return ::read(fd, block.data(), block.size()); });
    if (count < 0) return failure("read", file);
    if (count == 0 || !write({block.data(), static_cast<std::size_t>(count)})) return {};
  }
}

/// Keeps the present version of `file` under another name; at no moment is there none of that name.
Result<void> keep_backup(const fs::path& file, const fs::path& backup) {
  TemporaryFile temporary(with_suffix(backup, ".tmp"));
  if (::unlink(temporary.path().c_str()) != 0 && errno != ENOENT) return failure("remove", temporary.path());
  if (::link(file.c_str(), temporary.path().c_str()) != 0) {
    if (errno == ENOENT) return {};
    // A file system without hard links.
    const auto present = open_file(file, StrictModes::kOff);
    if (!present) return present.error();
    const FileWriter copy = [&](const WriteBytes& write) {
      return copy_blocks(present->fd.get(), file, write);
    };
    if (auto written = write_temporary(temporary.path(), copy, file); !written) return written.error();
  }
  if (auto placed = temporary.place(backup); !placed) return placed;
  // Where the backup was the same file already, renaming has left both names.
  ::unlink(temporary.path().c_str());
  return {};
}

bool swap_files(const fs::path& a, const fs::path& b) {
  return ::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0;
}

/// Puts `temporary` in the place of `file`, whose present version is kept as `backup`. The two are swapped in
/// one step, so that there is always a `file`, and a kill leaves no other temporary name behind.
Result<void> place_with_backup(TemporaryFile& temporary, const fs::path& file, const fs::path& backup) {
  if (swap_files(temporary.path(), file)) {
    auto kept = temporary.place(backup);
    if (kept || swap_files(temporary.path(), file)) return kept;  // if not kept, nothing has happened
    temporary.leave();
    return Error{kept.error().code,
                 "the change of \"" + file.string() + "\" is in place, and the version before is \"" +
                     temporary.path().string() + "\": move it away; " + kept.error().message,
                 ""};
  }
  if (errno != ENOENT) {  // a file system that cannot swap
    if (auto kept = keep_backup(file, backup); !kept) return kept.error();
  }
  return temporary.place(file);
}

/// The folder of a file, open for no more than looking.
Result<UniqueFd> open_folder_of(const fs::path& file, std::string_view what) {
  UniqueFd fd = open_folder(folder_of(file), O_PATH);
  if (!fd) return failure(what, file);
  return fd;
}

/// Opens a file of an open folder.
Result<UniqueFd> open_in(const UniqueFd& folder, const fs::path& file, int flags, std::string_view what) {
  UniqueFd fd(retried(
      [&] { return ::openat(folder.get(), file.filename().c_str(), flags | O_CLOEXEC | O_NOFOLLOW); }));
  if (!fd) return failure(what, file);
  return fd;
}

Result<std::string> read_by_blocks(int fd, std::size_t expected, const fs::path& file, Block& block) {
  std::string content;
  if (expected <= kMaxFileBytes) content.reserve(expected + 1);
  while (std::max(expected, content.size()) <= kMaxFileBytes) {
    const ssize_t count = retried([&] { return ::read(fd, block.data(), block.size()); });
    if (count < 0) return failure("read", file);
    if (count == 0) return content;
    content.append(block.data(), static_cast<std::size_t>(count));
  }
  return Error{ErrorCode::kLimitExceeded, "\"" + file.string() + "\" is larger than 1 GiB", ""};
}

}  // namespace

Error file_error(std::string_view what, const fs::path& file, int error) {
  const std::string why = error == ELOOP ? "it is a symbolic link; put the file itself there"
                                         : std::generic_category().message(error);
  return Error{code_of(error), "cannot " + std::string(what) + " \"" + file.string() + "\": " + why, ""};
}

fs::directory_iterator iterate(const fs::path& folder, std::error_code& error) {
  fs::directory_iterator out(folder, error);
  while (error == std::errc::interrupted) out = fs::directory_iterator(folder, error);
  return out;
}

bool may_be_there(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() != fs::file_type::not_found;
}

fs::path with_suffix(const fs::path& file, std::string_view suffix) {
  fs::path out = file;
  out += suffix;
  return out;
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

// An administrator (root) who edits a service's file must not take it away from the service.
Result<void> keep_owner(int fd, const fs::path& like) {
  if (::geteuid() != 0) return {};
  struct stat before{};
  if (::lstat(like.c_str(), &before) != 0 && ::stat(folder_of(like).c_str(), &before) != 0) return {};
  if (::fchown(fd, before.st_uid, before.st_gid) != 0) return failure("give the owner back to", like);
  return {};
}

namespace {

/// Opens a lock, or makes it. Only one that is made here is given to the owner of `file`: what was there
/// before may be a second name of any file.
Result<UniqueFd> open_lock(const fs::path& lock, const fs::path& file) {
  auto made = open_file(lock, O_RDWR | O_CREAT | O_EXCL, "lock");
  if (made) {
    if (auto owned = keep_owner(made->get(), file); !owned) return owned.error();
    return made;
  }
  auto fd = open_file(lock, O_RDWR | O_NONBLOCK, "lock");
  if (!fd) return fd.error().code == ErrorCode::kNotFound ? std::move(made) : std::move(fd);
  struct stat status{};
  if (::fstat(fd->get(), &status) != 0) return failure("lock", lock);
  if (!S_ISREG(status.st_mode) || status.st_nlink != 1) {
    return Error{
        ErrorCode::kPermissionDenied,
        "cannot lock \"" + lock.string() + "\": it is not a regular file of this name only; remove it", ""};
  }
  return fd;
}

}  // namespace

Result<FileLock> FileLock::acquire(const fs::path& file, std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds kBetweenTries{5};
  const fs::path lock = with_suffix(file, ".lock");
  auto fd = open_lock(lock, file);
  if (!fd) return fd.error();
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (::flock(fd->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return failure("lock", lock);
    if (std::chrono::steady_clock::now() >= deadline) {
      return Error{ErrorCode::kBusy, "another process holds \"" + lock.string() + "\": try again", ""};
    }
    std::this_thread::sleep_for(kBetweenTries);
  }
  return FileLock(std::move(*fd));
}

Result<OpenedFile> open_file(const fs::path& file, StrictModes strict_modes, Sensitivity sensitivity) {
  const auto folder = open_folder_of(file, "read");
  if (!folder) return folder.error();
  struct stat folder_status{};
  if (::fstat(folder->get(), &folder_status) != 0) return failure("read", file);
  const auto check_folder = [&]() -> Result<void> {
    if (strict_modes == StrictModes::kOff) return {};
    return check_folder_modes(folder_status, folder_of(file), ::geteuid(), has_private_group(folder_status));
  };

  auto fd = open_in(*folder, file, O_RDONLY | O_NONBLOCK, "read");
  if (!fd && fd.error().code == ErrorCode::kNotFound) {
    if (auto checked = check_folder(); !checked) return checked.error();
  }
  if (!fd) return fd.error();
  struct stat status{};
  if (::fstat(fd->get(), &status) != 0) return failure("read", file);
  if (!S_ISREG(status.st_mode)) {
    return Error{ErrorCode::kIoError, "cannot read \"" + file.string() + "\": it is not a regular file", ""};
  }
  if (strict_modes == StrictModes::kOn) {
    auto checked = check_file_modes(status, file, sensitivity, folder_status.st_uid, ::geteuid(),
                                    has_private_group(status));
    if (!checked) return checked.error();
  }
  if (auto checked = check_folder(); !checked) return checked.error();
  return OpenedFile{*std::move(fd), static_cast<std::size_t>(status.st_size), status.st_mtim};
}

Result<std::string> read_open_file(const OpenedFile& open, const fs::path& file, Sensitivity sensitivity) {
  if (::lseek(open.fd.get(), 0, SEEK_SET) != 0) return failure("read", file);
  Block block;
  auto content = read_by_blocks(open.fd.get(), open.size, file, block);
  if (sensitivity == Sensitivity::kSecret) ::explicit_bzero(block.data(), block.size());
  return content;
}

Result<std::string> read_file(const fs::path& file, StrictModes strict_modes, Sensitivity sensitivity) {
  const auto open = open_file(file, strict_modes, sensitivity);
  if (!open) return open.error();
  return read_open_file(*open, file, sensitivity);
}

Result<void> check_file_size(const fs::path& file, std::string_view content) {
  if (content.size() <= kMaxFileBytes) return {};
  return too_large(file);
}

TemporaryFile::~TemporaryFile() {
  if (!is_placed_) ::unlink(path_.c_str());
}

Result<void> TemporaryFile::place(const fs::path& as) {
  if (::rename(path_.c_str(), as.c_str()) != 0) return failure("replace", as);
  is_placed_ = true;
  return {};
}

Result<NextFile> NextFile::write(const fs::path& file, const FileWriter& content, unsigned mode) {
  struct stat status{};
  if (::lstat(file.c_str(), &status) == 0 && S_ISLNK(status.st_mode)) return failure("replace", file, ELOOP);
  NextFile next(file, TemporaryFile(with_suffix(file, ".tmp")));
  if (auto written = write_temporary(next.path(), content, file, mode); !written) return written.error();
  return next;
}

Result<void> NextFile::place(const fs::path& backup) {
  return backup.empty() ? temporary_.place(file_) : place_with_backup(temporary_, file_, backup);
}

Result<void> place_file(const fs::path& file, std::string_view content, const fs::path& backup,
                        unsigned mode) {
  if (auto readable = check_file_size(file, content); !readable) return readable;
  auto next = NextFile::write(file, writer_of(content), mode);
  if (!next) return next.error();
  return next->place(backup);
}

Result<void> sync_replaced(const fs::path& file) {
  auto synced = sync_folder(folder_of(file));
  if (synced) return synced;
  return Error{synced.error().code,
               "the change of \"" + file.string() +
                   "\" is in place, but may not survive a power cut: " + synced.error().message,
               ""};
}

Result<void> replace_file(const fs::path& file, std::string_view content, const fs::path& backup,
                          unsigned mode) {
  if (auto placed = place_file(file, content, backup, mode); !placed) return placed;
  return sync_replaced(file);
}

Result<void> replace_file(const fs::path& file, const FileWriter& content) {
  auto next = NextFile::write(file, content);
  if (!next) return next.error();
  if (auto placed = next->place({}); !placed) return placed;
  return sync_replaced(file);
}

Result<void> remove_file(const fs::path& file) {
  if (::unlink(file.c_str()) == 0) return sync_replaced(file);
  const int error = errno;
  if (error == ENOENT) return sync_replaced(file);  // it may be gone since a moment ago
  if (error == ENOTDIR) return {};
  return failure("remove", file, error);
}

Result<void> promote_file(const fs::path& next, const fs::path& file, const fs::path& backup) {
  if (auto kept = keep_backup(file, backup); !kept) return kept.error();
  if (::rename(next.c_str(), file.c_str()) != 0) return failure("replace", file);
  return sync_replaced(file);
}

namespace {

Result<void> make_folder(const fs::path& folder, mode_t mode) {
  const bool is_new = ::mkdir(folder.c_str(), mode) == 0;
  if (!is_new && errno != EEXIST) return failure("make", folder);
  const UniqueFd fd = open_folder(folder, O_RDONLY | O_NOFOLLOW);
  if (!fd) {
    struct stat status{};
    const bool is_link = ::lstat(folder.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
    return is_link ? Error{ErrorCode::kPermissionDenied,
                           "\"" + folder.string() + "\" is a symbolic link; put the folder itself there", ""}
                   : failure("open", folder);
  }
  if (!is_new) return {};
  struct stat made{};
  if (::fstat(fd.get(), &made) != 0) return failure("make", folder);
  if (made.st_uid != ::geteuid()) {
    return Error{
        ErrorCode::kPermissionDenied,
        "\"" + folder.string() + "\" belongs to somebody else, who put it there while it was made: remove it",
        ""};
  }
  // Of which the umask may have taken some. Of the open folder: what has its name may be a link by now.
  if (::fchmod(fd.get(), mode) != 0) return failure("set the mode of", folder);
  if (auto owned = keep_owner(fd.get(), folder_of(folder) / "."); !owned) return owned.error();
  return sync_folder(folder_of(folder));
}

}  // namespace

Result<void> make_private_folder(const fs::path& folder) { return make_folder(folder, kPrivateFolder); }
Result<void> make_public_folder(const fs::path& folder) { return make_folder(folder, kPublicFolder); }

Result<void> check_private_folder(const fs::path& folder, StrictModes strict_modes) {
  const UniqueFd fd = open_folder(folder, O_RDONLY | O_NOFOLLOW);
  struct stat status{};
  if (!fd || ::fstat(fd.get(), &status) != 0) {
    const int error = errno;
    struct stat link{};
    const bool is_link = ::lstat(folder.c_str(), &link) == 0 && S_ISLNK(link.st_mode);
    return file_error("open", folder, is_link ? ELOOP : error);
  }
  if (strict_modes == StrictModes::kOff) return {};
  return check_folder_modes(status, folder, ::geteuid(), has_private_group(status));
}

Result<void> create_file(const fs::path& file, std::string_view content) {
  return create_file(file, writer_of(content));
}

Result<void> create_file(const fs::path& file, const FileWriter& content) {
  TemporaryFile temporary(with_suffix(file, ".tmp"));
  if (auto written = write_temporary(temporary.path(), content, file); !written) return written.error();
  const auto exists = [&] {
    return Error{ErrorCode::kAlreadyExists, "\"" + file.string() + "\" already exists", ""};
  };
  // At no moment has it two names, of which a kill would leave both.
  const auto& path = temporary.path();
  if (::renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, file.c_str(), RENAME_NOREPLACE) == 0) {
    temporary.leave();
    return sync_folder(folder_of(file));
  }
  if (errno == EEXIST) return exists();
  if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) return failure("make", file);
  // A file system that cannot do that; and one without hard links.
  if (::link(path.c_str(), file.c_str()) != 0) {
    if (errno == EEXIST || may_be_there(file)) return exists();
    if (auto placed = temporary.place(file); !placed) return placed.error();
  }
  return sync_folder(folder_of(file));
}

}  // namespace vipauth
