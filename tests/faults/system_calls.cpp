// The functions of libc that change files, in front of libc's own: the program's definitions come first, also
// for the libraries that it uses. Each makes the system call itself.

#undef _FORTIFY_SOURCE  // its inline functions would stand in the way of those below

#include "system_calls.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <optional>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <dirent.h>
#include <dlfcn.h>

namespace vipauth::test {
namespace {

namespace fs = std::filesystem;

using Kind = SystemCalls::Kind;
using What = SystemCalls::Fault::What;
using PowerCut = SystemCalls::PowerCut;

constexpr int kMostFds = 1024;

/// A change of names that its folder has not been synced for.
struct NameChange {
  enum class How { kMade, kRemoved, kRenamed, kSwapped };
  How how;
  std::string folder;
  std::string name;
  std::string from;   // of a renaming
  std::string saved;  // where what was replaced or removed is, as long as it can come back
};

/// What of a file was written and not synced.
struct Unsynced {
  std::string path;  // below /proc/self/fd: of the file whatever its name
  off_t synced = 0;
  int fd = -1;  // our own
};

struct State {
  std::mutex mutex;
  std::string root;
  std::string undo;
  SystemCalls::Fault fault;
  PowerCut power_cut = PowerCut::kNone;
  std::size_t count = 0;
  SystemCalls::Hit hit;
  int sticky_error = 0;
  std::array<std::string, kMostFds> fds;  // the path of each open one; empty: not ours
  std::size_t open = 0;
  std::string careless;
  std::vector<NameChange> changes;
  std::map<std::pair<dev_t, ino_t>, Unsynced> unsynced;
  std::size_t saved = 0;
};

std::atomic<bool> is_on{false};

State& state() {
  static auto* the_state = new State;  // outlives all that closes files at the end
  return *the_state;
}

long call(long number, auto... arguments) { return ::syscall(number, arguments...); }

// ---- What a power cut leaves ----

bool keeps_account() { return state().power_cut != PowerCut::kNone; }

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

bool exists(const std::string& path) {
  struct stat status{};
  return call(SYS_newfstatat, AT_FDCWD, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/// Keeps what has a name that is about to be lost.
std::string save(const std::string& path) {
  if (!keeps_account() || !exists(path)) return {};
  const std::string saved = state().undo + "/" + std::to_string(++state().saved);
  return call(SYS_linkat, AT_FDCWD, path.c_str(), AT_FDCWD, saved.c_str(), 0) == 0 ? saved : std::string();
}

void note(NameChange change) {
  if (!keeps_account()) return;
  change.folder = folder_of(change.name);
  state().changes.push_back(std::move(change));
}

void rename_now(const std::string& from, const std::string& to, unsigned flags = 0) {
  static_cast<void>(call(SYS_renameat2, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags));
}

void take_back(const NameChange& change) {
  switch (change.how) {
    case NameChange::How::kMade:
      if (call(SYS_unlinkat, AT_FDCWD, change.name.c_str(), 0) != 0) {
        std::error_code ignored;  // a folder: what is in it goes too
        is_on = false;
        fs::remove_all(change.name, ignored);
      }
      break;
    case NameChange::How::kRemoved: rename_now(change.saved, change.name); break;
    case NameChange::How::kRenamed:
      rename_now(change.name, change.from);
      if (!change.saved.empty()) rename_now(change.saved, change.name);
      break;
    case NameChange::How::kSwapped: rename_now(change.from, change.name, RENAME_EXCHANGE); break;
  }
}

/// Before a write: from here on the file has more than the disk.
void note_write(int fd) {
  if (!keeps_account()) return;
  struct stat status{};
  if (call(SYS_fstat, fd, &status) != 0) return;
  const auto [place, is_new] = state().unsynced.try_emplace({status.st_dev, status.st_ino});
  if (!is_new) return;
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  place->second.synced = status.st_size;
  // Opened anew, and not a copy, which would share its lock.
  place->second.fd = static_cast<int>(call(SYS_openat, AT_FDCWD, path.c_str(), O_RDWR | O_CLOEXEC, 0));
}

void note_sync(int fd) {
  if (!keeps_account()) return;
  struct stat status{};
  if (call(SYS_fstat, fd, &status) != 0) return;
  if (S_ISDIR(status.st_mode)) {
    const std::string folder = state().fds[static_cast<std::size_t>(fd)];
    std::erase_if(state().changes, [&](const NameChange& change) { return change.folder == folder; });
    return;
  }
  const auto found = state().unsynced.find({status.st_dev, status.st_ino});
  if (found == state().unsynced.end()) return;
  call(SYS_close, found->second.fd);
  state().unsynced.erase(found);
}

void lose_what_is_not_synced() {
  State& now = state();
  for (const auto& [inode, file] : now.unsynced) {
    struct stat status{};
    if (call(SYS_fstat, file.fd, &status) != 0) continue;
    const off_t more = std::max<off_t>(status.st_size - file.synced, 0);
    const off_t kept = now.power_cut == PowerCut::kTearsData ? file.synced + more / 2 : file.synced;
    static_cast<void>(call(SYS_ftruncate, file.fd, std::min(kept, status.st_size)));
    if (now.power_cut != PowerCut::kTearsData || more < 2) continue;
    const std::string zeros(static_cast<std::size_t>(std::min<off_t>(more / 2, 16)), '\0');
    const off_t last = kept - static_cast<off_t>(zeros.size());
    static_cast<void>(call(SYS_pwrite64, file.fd, zeros.data(), zeros.size(), last));
  }
  std::size_t stays = 0;
  if (now.power_cut == PowerCut::kTearsData) stays = now.changes.size();
  if (now.power_cut == PowerCut::kHalf) stays = now.changes.size() / 2;
  for (std::size_t i = now.changes.size(); i > stays; --i) take_back(now.changes[i - 1]);
}

// ---- Whether a call is hit ----

[[noreturn]] void die() {
  if (keeps_account()) lose_what_is_not_synced();
  ::_exit(SystemCalls::kKilled);
}

struct Verdict {
  int error = 0;
  bool half = false;
  bool kills_halfway = false;
};

bool can_fail_with(Kind kind, int error) {
  const auto& errors = SystemCalls::errors_of(kind);
  return std::find(errors.begin(), errors.end(), error) != errors.end();
}

/// Counts a call. The caller holds the mutex.
Verdict judge(Kind kind, const char* call_name, const std::string& path) {
  State& now = state();
  ++now.count;
  if (now.sticky_error != 0 && can_fail_with(kind, now.sticky_error)) return {now.sticky_error};
  if (now.fault.what == What::kNothing || now.count != now.fault.at) return {};
  now.hit.happened = true;
  now.hit.kind = kind;
  now.hit.name = std::string(call_name) + " of \"" + path + "\"";
  switch (now.fault.what) {
    case What::kFails:
    case What::kFailsOn: {
      const auto& errors = SystemCalls::errors_of(kind);
      now.hit.has_error = now.fault.error < errors.size();
      if (!now.hit.has_error) return {};
      now.hit.error = errors[now.fault.error];
      if (now.fault.what == What::kFailsOn && now.hit.error != EINTR) now.sticky_error = now.hit.error;
      return {now.hit.error};
    }
    case What::kDoesHalf:
      now.hit.has_error = kind == Kind::kWrite || kind == Kind::kRead;
      return {0, now.hit.has_error};
    case What::kKillsHalfway:
      now.hit.has_error = kind == Kind::kWrite;
      if (now.hit.has_error) return {0, true, true};
      return {};
    case What::kKills: die();
    case What::kMeanwhile:
      is_on = false;
      now.fault.meanwhile();
      is_on = true;
      return {};
    case What::kNothing: break;
  }
  return {};
}

/// The whole path, of what is below the folder; else nothing.
std::optional<std::string> ours(int folder, const char* path) {
  if (path == nullptr) return std::nullopt;
  std::string whole = path;
  if (path[0] != '/') {
    if (folder < 0 || folder >= kMostFds || state().fds[static_cast<std::size_t>(folder)].empty())
      return std::nullopt;
    whole = state().fds[static_cast<std::size_t>(folder)] + "/" + path;
  }
  while (whole.ends_with("/.")) whole.resize(whole.size() - 2);
  if (whole.size() > 1 && whole.ends_with('/')) whole.pop_back();
  const std::string& root = state().root;
  if (!whole.starts_with(root) || (whole.size() > root.size() && whole[root.size()] != '/'))
    return std::nullopt;
  return whole;
}

std::optional<std::string> ours(int fd) {
  if (fd < 0 || fd >= kMostFds || state().fds[static_cast<std::size_t>(fd)].empty()) return std::nullopt;
  return state().fds[static_cast<std::size_t>(fd)];
}

template <typename T>
T failed(int error) {
  errno = error;
  return static_cast<T>(-1);
}

/// A call that changes or asks something by a path or an open file.
template <typename Find, typename Before, typename Do, typename After>
int guarded(Kind kind, const char* name, const Find& find, const Before& before, const Do& make,
            const After& after) {
  if (!is_on) return static_cast<int>(make());
  const std::lock_guard lock(state().mutex);
  const auto path = find();
  if (!path) return static_cast<int>(make());
  if (const Verdict verdict = judge(kind, name, *path); verdict.error != 0) return failed<int>(verdict.error);
  auto noted = before(*path);
  const int result = static_cast<int>(make());
  if (result == 0) after(*path, noted);
  return result;
}

template <typename Find, typename Do>
int guarded(Kind kind, const char* name, const Find& find, const Do& make) {
  return guarded(
      kind, name, find, [](const std::string&) { return 0; }, make, [](const std::string&, int) {});
}

int open_at(int folder, const char* path, int flags, mode_t mode) {
  const auto make = [&] { return static_cast<int>(call(SYS_openat, folder, path, flags, mode)); };
  if (!is_on) return make();
  const std::lock_guard lock(state().mutex);
  const auto whole = ours(folder, path);
  if (!whole) return make();
  const bool creates = (flags & O_CREAT) != 0;
  // A folder may be reached by a link where it is not made here.
  if ((flags & O_CLOEXEC) == 0 || (flags & (O_NOFOLLOW | O_DIRECTORY)) == 0) state().careless = *whole;
  const Verdict verdict = judge(creates ? Kind::kCreate : Kind::kOpen, creates ? "create" : "open", *whole);
  if (verdict.error != 0) return failed<int>(verdict.error);
  const bool is_new = creates && !exists(*whole);
  const int fd = make();
  if (fd < 0 || fd >= kMostFds) return fd;
  if (is_new) note({NameChange::How::kMade, {}, *whole, {}, {}});
  if (state().fds[static_cast<std::size_t>(fd)].empty()) ++state().open;
  state().fds[static_cast<std::size_t>(fd)] = *whole;
  return fd;
}

int close_it(int fd) {
  if (!is_on) return static_cast<int>(call(SYS_close, fd));
  const std::lock_guard lock(state().mutex);
  const auto path = ours(fd);
  if (!path) return static_cast<int>(call(SYS_close, fd));
  const Verdict verdict = judge(Kind::kClose, "close", *path);
  const int result = static_cast<int>(call(SYS_close, fd));  // it is closed, whatever close says
  state().fds[static_cast<std::size_t>(fd)].clear();
  --state().open;
  return verdict.error != 0 ? failed<int>(verdict.error) : result;
}

ssize_t write_it(int fd, const void* data, std::size_t size, const auto& make) {
  if (!is_on) return make(size);
  const std::lock_guard lock(state().mutex);
  const auto path = ours(fd);
  if (!path) return make(size);
  static_cast<void>(data);
  const Verdict verdict = judge(Kind::kWrite, "write", *path);
  if (verdict.error != 0) return failed<ssize_t>(verdict.error);
  note_write(fd);
  const ssize_t written = make(verdict.half ? (size + 1) / 2 : size);
  if (verdict.kills_halfway) die();
  return written;
}

ssize_t read_it(int fd, std::size_t size, const auto& make) {
  if (!is_on) return make(size);
  const std::lock_guard lock(state().mutex);
  const auto path = ours(fd);
  if (!path) return make(size);
  const Verdict verdict = judge(Kind::kRead, "read", *path);
  if (verdict.error != 0) return failed<ssize_t>(verdict.error);
  return make(verdict.half ? (size + 1) / 2 : size);
}

int sync_it(int fd, long number) {
  if (!is_on) return static_cast<int>(call(number, fd));
  const std::lock_guard lock(state().mutex);
  const auto path = ours(fd);
  if (!path) return static_cast<int>(call(number, fd));
  if (const Verdict verdict = judge(Kind::kSync, "sync", *path); verdict.error != 0)
    return failed<int>(verdict.error);
  note_sync(fd);
  return 0;
}

int rename_at(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  std::string from_path;
  const auto find = [&] {
    from_path = ours(from_folder, from).value_or(from);
    return ours(to_folder, to);
  };
  const bool swaps = (flags & RENAME_EXCHANGE) != 0;
  return guarded(
      flags == 0 ? Kind::kRename : Kind::kRenameSpecially, swaps ? "swap" : "rename", find,
      [&](const std::string& path) { return swaps ? std::string() : save(path); },
      [&] { return call(SYS_renameat2, from_folder, from, to_folder, to, flags); },
      [&](const std::string& path, const std::string& saved) {
        note({swaps ? NameChange::How::kSwapped : NameChange::How::kRenamed, {}, path, from_path, saved});
      });
}

int link_at(int from_folder, const char* from, int to_folder, const char* to, int flags) {
  return guarded(
      Kind::kLink, "link", [&] { return ours(to_folder, to); }, [](const std::string&) { return 0; },
      [&] { return call(SYS_linkat, from_folder, from, to_folder, to, flags); },
      [&](const std::string& path, int) { note({NameChange::How::kMade, {}, path, {}, {}}); });
}

int symlink_at(const char* target, int folder, const char* path) {
  return guarded(
      Kind::kLink, "symlink", [&] { return ours(folder, path); }, [](const std::string&) { return 0; },
      [&] { return call(SYS_symlinkat, target, folder, path); },
      [&](const std::string& whole, int) { note({NameChange::How::kMade, {}, whole, {}, {}}); });
}

int unlink_at(int folder, const char* path, int flags) {
  return guarded(
      Kind::kUnlink, "unlink", [&] { return ours(folder, path); },
      [](const std::string& whole) { return save(whole); },
      [&] { return call(SYS_unlinkat, folder, path, flags); },
      [&](const std::string& whole, const std::string& saved) {
        if (!saved.empty()) note({NameChange::How::kRemoved, {}, whole, {}, saved});
      });
}

int mkdir_at(int folder, const char* path, mode_t mode) {
  return guarded(
      Kind::kMakeFolder, "mkdir", [&] { return ours(folder, path); }, [](const std::string&) { return 0; },
      [&] { return call(SYS_mkdirat, folder, path, mode); },
      [&](const std::string& whole, int) { note({NameChange::How::kMade, {}, whole, {}, {}}); });
}

int look_at(int folder, const char* path, struct stat* status, int flags) {
  return guarded(
      Kind::kLook, "stat", [&] { return ours(folder, path); },
      [&] { return call(SYS_newfstatat, folder, path, status, flags); });
}

template <typename T>
T* next_function(const char* name) {
  return reinterpret_cast<T*>(::dlsym(RTLD_NEXT, name));
}

DIR* list_folder(int fd, const auto& open) {
  if (is_on) {
    const std::lock_guard lock(state().mutex);
    if (const auto path = ours(fd)) {
      if (const Verdict verdict = judge(Kind::kList, "list", *path); verdict.error != 0) {
        errno = verdict.error;
        return nullptr;
      }
      // Closed by closedir(), which does not go through here.
      state().fds[static_cast<std::size_t>(fd)].clear();
      --state().open;
    }
  }
  return open();
}

}  // namespace

void SystemCalls::begin(const fs::path& folder, const fs::path& undo_folder, const Fault& fault,
                        PowerCut power_cut) {
  State& now = state();
  now.root = folder.string();
  now.undo = undo_folder.string();
  now.fault = fault;
  now.power_cut = power_cut;
  now.count = 0;
  now.hit = {};
  now.sticky_error = 0;
  now.fds.fill({});
  now.open = 0;
  now.careless.clear();
  now.changes.clear();
  now.unsynced.clear();
  now.saved = 0;
  is_on = true;
}

SystemCalls::Hit SystemCalls::end() {
  is_on = false;
  return state().hit;
}

std::size_t SystemCalls::count() { return state().count; }
std::size_t SystemCalls::count_open() { return state().open; }
std::string SystemCalls::careless_open() { return state().careless; }

void SystemCalls::cut_power() {
  is_on = false;
  lose_what_is_not_synced();
}

const std::vector<int>& SystemCalls::errors_of(Kind kind) {
  static const std::vector<int> opening{EIO, EINTR, EACCES, EMFILE};
  static const std::vector<int> creating{ENOSPC, EINTR, EDQUOT, EROFS, EACCES, EIO};
  static const std::vector<int> reading{EIO, EINTR};
  static const std::vector<int> writing{ENOSPC, EINTR, EDQUOT, EIO};
  static const std::vector<int> syncing{EIO, EINTR, ENOSPC, EDQUOT};
  static const std::vector<int> naming{ENOSPC, EROFS, EDQUOT, EACCES, EIO};
  static const std::vector<int> naming_specially{EOPNOTSUPP, EINVAL, ENOSPC, EROFS, EDQUOT, EACCES, EIO};
  static const std::vector<int> linking{EOPNOTSUPP, ENOSPC, EROFS, EDQUOT, EACCES, EIO};
  static const std::vector<int> removing{EACCES, EROFS, EIO};
  static const std::vector<int> changing{EIO, EROFS, EPERM};
  static const std::vector<int> truncating{EIO, EINTR};
  static const std::vector<int> closing{EIO, EINTR, ENOSPC, EDQUOT};
  static const std::vector<int> locking{ENOLCK, EINTR};
  static const std::vector<int> looking{EIO, EACCES};
  static const std::vector<int> listing{EIO, EMFILE};
  switch (kind) {
    case Kind::kOpen: return opening;
    case Kind::kCreate: return creating;
    case Kind::kRead: return reading;
    case Kind::kWrite: return writing;
    case Kind::kSync: return syncing;
    case Kind::kClose: return closing;
    case Kind::kRename:
    case Kind::kMakeFolder: return naming;
    case Kind::kRenameSpecially: return naming_specially;
    case Kind::kLink: return linking;
    case Kind::kUnlink: return removing;
    case Kind::kTruncate: return truncating;
    case Kind::kChangeMode:
    case Kind::kChangeOwner: return changing;
    case Kind::kLock: return locking;
    case Kind::kLook: return looking;
    case Kind::kList: return listing;
  }
  return reading;
}

}  // namespace vipauth::test

// ---- In front of libc ----

// NOLINTBEGIN(bugprone-reserved-identifier,readability-inconsistent-declaration-parameter-name,cert-dcl37-c,cert-dcl51-cpp,cert-dcl50-cpp,readability-identifier-naming)

using namespace vipauth::test;  // NOLINT(google-build-using-namespace): one file, of one job

namespace {

mode_t mode_in(int flags, va_list arguments) {
  const bool has_mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return has_mode ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_in(flags, arguments);
  va_end(arguments);
  return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_in(flags, arguments);
  va_end(arguments);
  return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_in(flags, arguments);
  va_end(arguments);
  return open_at(folder, path, flags, mode);
}

int openat64(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_in(flags, arguments);
  va_end(arguments);
  return open_at(folder, path, flags, mode);
}

// What a program that is built with _FORTIFY_SOURCE calls in their place.
int __open_2(const char* path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int __open64_2(const char* path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int __openat_2(int folder, const char* path, int flags) { return open_at(folder, path, flags, 0); }
int __openat64_2(int folder, const char* path, int flags) { return open_at(folder, path, flags, 0); }

int close(int fd) { return close_it(fd); }

ssize_t write(int fd, const void* data, size_t size) {
  return write_it(fd, data, size,
                  [&](size_t most) { return static_cast<ssize_t>(call(SYS_write, fd, data, most)); });
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  return write_it(fd, data, size, [&](size_t most) {
    return static_cast<ssize_t>(call(SYS_pwrite64, fd, data, most, offset));
  });
}

ssize_t read(int fd, void* data, size_t size) {
  return read_it(fd, size, [&](size_t most) { return static_cast<ssize_t>(call(SYS_read, fd, data, most)); });
}

ssize_t pread(int fd, void* data, size_t size, off_t offset) {
  return read_it(
      fd, size, [&](size_t most) { return static_cast<ssize_t>(call(SYS_pread64, fd, data, most, offset)); });
}

ssize_t __read_chk(int fd, void* data, size_t size, size_t /*room*/) { return read(fd, data, size); }
ssize_t __pread_chk(int fd, void* data, size_t size, off_t offset, size_t /*room*/) {
  return pread(fd, data, size, offset);
}

int fsync(int fd) { return sync_it(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_it(fd, SYS_fdatasync); }

int rename(const char* from, const char* to) noexcept { return rename_at(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  return rename_at(from_folder, from, to_folder, to, 0);
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  return rename_at(from_folder, from, to_folder, to, flags);
}

int link(const char* from, const char* to) noexcept { return link_at(AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) noexcept {
  return link_at(from_folder, from, to_folder, to, flags);
}
int symlink(const char* target, const char* path) noexcept { return symlink_at(target, AT_FDCWD, path); }

int unlink(const char* path) noexcept { return unlink_at(AT_FDCWD, path, 0); }
int unlinkat(int folder, const char* path, int flags) noexcept { return unlink_at(folder, path, flags); }
int rmdir(const char* path) noexcept { return unlink_at(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdir(const char* path, mode_t mode) noexcept { return mkdir_at(AT_FDCWD, path, mode); }
int mkdirat(int folder, const char* path, mode_t mode) noexcept { return mkdir_at(folder, path, mode); }

int ftruncate(int fd, off_t size) noexcept {
  return guarded(
      Kind::kTruncate, "truncate", [&] { return ours(fd); }, [&] { return call(SYS_ftruncate, fd, size); });
}

int fchmod(int fd, mode_t mode) noexcept {
  return guarded(
      Kind::kChangeMode, "chmod", [&] { return ours(fd); }, [&] { return call(SYS_fchmod, fd, mode); });
}

int fchown(int fd, uid_t user, gid_t group) noexcept {
  return guarded(
      Kind::kChangeOwner, "chown", [&] { return ours(fd); },
      [&] { return call(SYS_fchown, fd, user, group); });
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"  // it has the name of a struct
int flock(int fd, int operation) noexcept {
  return guarded(
      Kind::kLock, "lock", [&] { return ours(fd); }, [&] { return call(SYS_flock, fd, operation); });
}
#pragma GCC diagnostic pop

int stat(const char* path, struct stat* status) noexcept { return look_at(AT_FDCWD, path, status, 0); }
int lstat(const char* path, struct stat* status) noexcept {
  return look_at(AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}
int fstatat(int folder, const char* path, struct stat* status, int flags) noexcept {
  return look_at(folder, path, status, flags);
}
int fstat(int fd, struct stat* status) noexcept {
  return guarded(Kind::kLook, "stat", [&] { return ours(fd); }, [&] { return call(SYS_fstat, fd, status); });
}

DIR* fdopendir(int fd) {
  static auto* next = next_function<DIR*(int)>("fdopendir");
  return list_folder(fd, [&] { return next(fd); });
}

}  // extern "C"

// NOLINTEND(bugprone-reserved-identifier,readability-inconsistent-declaration-parameter-name,cert-dcl37-c,cert-dcl51-cpp,cert-dcl50-cpp,readability-identifier-naming)
