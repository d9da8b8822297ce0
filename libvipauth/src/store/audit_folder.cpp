#include "store/audit_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "base/sha256.hpp"
#include "store/atomic_file.hpp"

namespace vipauth {
namespace {

namespace fs = std::filesystem;

/// Enough for the last line, and what a killed writer left of a batch.
constexpr std::uintmax_t kTailBytes = 2 * kMaxAuditLine;

Result<std::string> read_range(int fd, std::uintmax_t from, std::uintmax_t to, const fs::path& file) {
  if (to - from > kMaxFileBytes) {
    return Error{ErrorCode::kLimitExceeded, "\"" + file.string() + "\" is larger than 1 GiB", ""};
  }
  std::string out(static_cast<std::size_t>(to - from), '\0');
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t count = ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(from + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_error("read", file, errno);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  out.resize(done);
  return out;
}

/// Where the whole lines of a file end.
struct FileEnd {
  std::optional<AuditLink> link;  ///< of the last whole line
  std::string rest;               ///< what comes behind it, without a newline at the end
  bool lacks_newline = false;     ///< of the file's last line, whole or not
};

FileEnd end_of(std::string_view text) {
  FileEnd out;
  out.lacks_newline = !text.empty() && text.back() != '\n';
  if (!text.empty() && !out.lacks_newline) text.remove_suffix(1);
  std::size_t stop = text.size();
  while (true) {
    const std::size_t newline = stop == 0 ? std::string_view::npos : text.rfind('\n', stop - 1);
    const std::size_t start = newline == std::string_view::npos ? 0 : newline + 1;
    const auto line = parse_audit_line(text.substr(start, stop - start));
    if (line) out.link = line->link();
    if (line || newline == std::string_view::npos) {
      out.rest = text.substr(line ? std::min(stop + 1, text.size()) : 0);
      return out;
    }
    stop = newline;
  }
}

Result<FileEnd> read_file_end(const fs::path& file) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (!fd || ::fstat(fd.get(), &status) != 0) return file_error("open", file, errno);
  const auto size = static_cast<std::uintmax_t>(status.st_size);
  const std::uintmax_t from = size > kTailBytes ? size - kTailBytes : 0;
  const auto tail = read_range(fd.get(), from, size, file);
  if (!tail) return tail.error();
  FileEnd end = end_of(*tail);
  if (end.link || from == 0) return end;
  const auto whole = read_range(fd.get(), 0, size, file);
  if (!whole) return whole.error();
  return end_of(*whole);
}

Json own_event(const char* kind, Timestamp now) {
  return Json::Object{{"time", format_timestamp(now)}, {"kind", kind}};
}

}  // namespace

Result<AuditFolder> AuditFolder::open(fs::path folder, Limits limits, StrictModes strict_modes) {
  if (auto good = check_private_folder(folder, strict_modes); !good) return good.error();
  return AuditFolder(std::move(folder), limits, strict_modes);
}

Result<AuditFolder> AuditFolder::open_or_make(fs::path folder, Limits limits, StrictModes strict_modes) {
  if (auto made = make_private_folder(folder); !made) return made.error();
  return open(std::move(folder), limits, strict_modes);
}

Result<std::vector<std::uint64_t>> AuditFolder::list(const fs::path& folder) {
  std::vector<std::uint64_t> out;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (const auto first = parse_audit_file_name(entry->path().filename().string())) out.push_back(*first);
  }
  if (error) return file_error("read", folder, error.value());
  std::sort(out.begin(), out.end());
  return out;
}

Result<void> AuditFolder::open_active(std::uint64_t first_seq, bool is_new) {
  const fs::path file = folder_ / audit_file_name(first_seq);
  const int flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (is_new ? O_CREAT | O_EXCL : 0);
  UniqueFd fd(::open(file.c_str(), flags, kPrivateMode));
  if (!fd) return file_error(is_new ? "create" : "open", file, errno);
  if (is_new) {
    if (auto owned = keep_owner(fd.get(), folder_ / "."); !owned) return owned;
  }
  struct stat status{};
  struct stat folder_status{};
  if (::fstat(fd.get(), &status) != 0) return file_error("open", file, errno);
  if (!S_ISREG(status.st_mode) || status.st_nlink != 1) {
    return Error{ErrorCode::kPermissionDenied,
                 "\"" + file.string() + "\" is not a regular file of this name only: move it away", ""};
  }
  if (strict_modes_ == StrictModes::kOn && ::stat(folder_.c_str(), &folder_status) == 0) {
    auto checked = check_file_modes(status, file, Sensitivity::kPublic, folder_status.st_uid, ::geteuid(),
                                    has_private_group(status));
    if (!checked) return checked;
  }
  active_ = {first_seq, std::move(fd), status.st_ino, static_cast<std::uintmax_t>(status.st_size)};
  return {};
}

/// Sets the active file and the line that the next one follows. `text` becomes what has to be written first.
Result<void> AuditFolder::find_end(Timestamp now, std::string& text, AuditLink& link) {
  const auto files = list(folder_);
  if (!files) return files.error();
  if (active_.fd && !files->empty() && files->back() == active_.first_seq) {
    struct stat status{};
    const fs::path file = folder_ / audit_file_name(active_.first_seq);
    if (::lstat(file.c_str(), &status) == 0 && status.st_ino == active_.inode &&
        std::cmp_equal(status.st_size, active_.bytes)) {
      link = head_;
      return {};
    }
  }
  // Somebody else has written since.
  if (is_unsynced_) {
    if (auto synced = sync(); !synced) return synced;
  }
  active_ = {};
  if (!files->empty()) {
    if (auto opened = open_active(files->back(), false); !opened) return opened;
  }
  return read_end(now, text, link);
}

/// Finds the last whole line, in the newest file that has one.
Result<void> AuditFolder::read_end(Timestamp now, std::string& text, AuditLink& link) {
  const auto files = list(folder_);
  if (!files) return files.error();
  std::optional<AuditLink> found;
  std::string torn;  // of the newest file
  for (auto first = files->rbegin(); first != files->rend() && !found; ++first) {
    auto end = read_file_end(folder_ / audit_file_name(*first));
    if (!end) return end.error();
    found = std::move(end->link);
    if (*first != active_.first_seq) continue;
    torn = std::move(end->rest);
    if (end->lacks_newline) text = "\n";
  }
  link = found.value_or(AuditLink{});
  const bool is_rolled_back = link.seq < head_.seq || (link.seq == head_.seq && link.hash != head_.hash);
  if (is_rolled_back) link = head_;
  if (is_rolled_back || !torn.empty()) {
    Json event = own_event("recovery", now);
    event.set("message",
              is_rolled_back
                  ? "lines that were written before are no longer there"
                  : "what stands before is no whole line: a writer was killed, or somebody changed it");
    event.set("torn_bytes", static_cast<std::int64_t>(torn.size()));
    if (!torn.empty()) event.set("sha256", sha256_hex(torn));
    text += format_audit_line(event, link) + "\n";
  }
  return {};
}

std::uint64_t AuditFolder::first_to_keep(const std::vector<std::uint64_t>& files) const {
  if (files.empty()) return 1;
  const bool is_too_many = limits_.files > 0 && files.size() > limits_.files;
  return is_too_many ? files[files.size() - limits_.files] : files.front();
}

void AuditFolder::remove_before(std::uint64_t first_seq) const {
  const auto files = list(folder_);
  if (!files) return;
  for (const std::uint64_t first : *files) {
    if (first < first_seq) ::unlink((folder_ / audit_file_name(first)).c_str());
  }
}

/// Begins a new file.
Result<void> AuditFolder::rotate(const AuditLink& last) {
  if (active_.fd && ::fdatasync(active_.fd.get()) != 0) {
    return file_error("sync", folder_ / audit_file_name(active_.first_seq), errno);
  }
  is_unsynced_ = false;
  if (auto opened = open_active(last.seq + 1, true); !opened) return opened;
  return sync_replaced(folder_ / audit_file_name(last.seq + 1));
}

Result<void> AuditFolder::append(const std::vector<Json>& events, Timestamp now,
                                 std::chrono::milliseconds patience) {
  const auto lock = FileLock::acquire(lock_stem(folder_), patience);
  if (!lock) return lock.error();
  std::string text;
  AuditLink link;
  if (auto found = find_end(now, text, link); !found) return found;
  std::uint64_t keep_from = 0;
  const bool is_full = active_.bytes >= limits_.file_bytes && text.empty();
  if (!active_.fd || is_full) {
    if (auto rotated = rotate(text.empty() ? link : head_); !rotated) return rotated;
    if (is_full) {
      const auto files = list(folder_);
      if (!files) return files.error();
      keep_from = first_to_keep(*files);
      Json event = own_event("rotation", now);
      event.set("removed_through", static_cast<std::int64_t>(keep_from - 1));
      text = format_audit_line(event, link) + "\n";
    }
  }
  for (const Json& event : events) text += format_audit_line(event, link) + "\n";

  const fs::path file = folder_ / audit_file_name(active_.first_seq);
  std::string_view left = text;
  while (!left.empty()) {
    const ssize_t written = ::write(active_.fd.get(), left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      // If this fails too, the next append finds half a line.
      static_cast<void>(::ftruncate(active_.fd.get(), static_cast<off_t>(active_.bytes)) == 0);
      active_ = {};
      return file_error("write", file, error);
    }
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  active_.bytes += text.size();
  head_ = link;
  is_unsynced_ = true;
  // After a power cut, what is gone would look like somebody's doing without the line that tells of it.
  if (keep_from > 1 && sync()) remove_before(keep_from);
  return {};
}

Result<void> AuditFolder::sync() {
  if (!is_unsynced_ || !active_.fd) return {};
  if (::fdatasync(active_.fd.get()) != 0) {
    return file_error("sync", folder_ / audit_file_name(active_.first_seq), errno);
  }
  is_unsynced_ = false;
  return {};
}

}  // namespace vipauth
