#include "service/folder_watcher.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <system_error>

#include "base/quiet_threads.hpp"

namespace vipauth {
namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t kEvents =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr milliseconds kRetry{500};

Error failure(const std::filesystem::path& folder, int error = errno) {
  const ErrorCode code = error == ENOENT || error == ENOTDIR ? ErrorCode::kNotFound
                         : error == EACCES || error == EPERM ? ErrorCode::kPermissionDenied
                                                             : ErrorCode::kIoError;
  const std::string hint = error == ENOSPC   ? " (raise fs.inotify.max_user_watches)"
                           : error == EMFILE ? " (raise fs.inotify.max_user_instances)"
                                             : "";
  return Error{
      code, "cannot watch \"" + folder.string() + "\": " + std::generic_category().message(error) + hint, ""};
}

int to_poll_timeout(milliseconds patience) {
  constexpr milliseconds kLongest = std::chrono::hours(1);
  return patience.count() < 0 ? -1 : static_cast<int>(std::min(patience, kLongest).count());
}

}  // namespace

FolderWatcher::FolderWatcher() : wake_up_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

FolderWatcher::~FolderWatcher() { stop(); }

Result<void> FolderWatcher::start(const std::filesystem::path& folder, Handler handler) {
  folder_ = folder;
  handler_ = std::move(handler);
  inotify_ = UniqueFd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify_ || !wake_up_) return failure(folder);
  if (auto watching = watch(); !watching) return watching;
  const SignalsBlocked blocked;  // signals are for the embedder's threads
  try {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  } catch (const std::system_error& error) {
    return Error{ErrorCode::kIoError, std::string("cannot start the thread that watches: ") + error.what(),
                 ""};
  }
  return {};
}

void FolderWatcher::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  wake();
  thread_.join();
}

void FolderWatcher::wake() const {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the thread is awake.
  [[maybe_unused]] const ssize_t written = ::write(wake_up_.get(), &one, sizeof one);
}

Result<void> FolderWatcher::watch() {
  watch_ = ::inotify_add_watch(inotify_.get(), folder_.c_str(), kEvents);
  if (watch_ < 0) return failure(folder_);
  return {};
}

void FolderWatcher::run(const std::stop_token& stop) {
  milliseconds patience{0};
  while (!stop.stop_requested()) {
    try {
      patience = tell();
    } catch (const std::exception&) {  // no memory: what changed is read again when there may be some
      has_missed_ = true;
      patience = kRetry;
    }
    if (watch_ < 0 && (patience.count() < 0 || patience > kRetry)) patience = kRetry;
    wait(patience);
  }
}

void FolderWatcher::wait(milliseconds patience) const {
  pollfd fds[] = {{inotify_.get(), POLLIN, 0}, {wake_up_.get(), POLLIN, 0}};
  ::poll(fds, 2, to_poll_timeout(patience));
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t drained = ::read(wake_up_.get(), &count, sizeof count);
}

/// \return how long to sleep at most
milliseconds FolderWatcher::tell() {
  if (watch_ < 0 && watch()) has_missed_ = true;
  take_events();
  return handler_.on_wake();
}

void FolderWatcher::take_events() {
  std::set<std::string> names;
  bool lost = has_missed_;
  has_missed_ = true;  // unless all of this has been told
  alignas(inotify_event) char buffer[16 * 1024];
  for (ssize_t length = 0; (length = ::read(inotify_.get(), buffer, sizeof buffer)) > 0;) {
    for (const char* at = buffer; at < buffer + length;) {
      inotify_event event{};
      std::memcpy(&event, at, sizeof event);
      if ((event.mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0 && watch_ >= 0) {
        ::inotify_rm_watch(inotify_.get(), watch_);
        watch_ = -1;
      }
      lost = lost || (event.mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF)) != 0;
      if (event.len > 0) names.emplace(at + sizeof event);
      at += sizeof event + event.len;
    }
  }
  if (lost) {
    handler_.on_change({});
  } else if (!names.empty()) {
    handler_.on_change(names);
  }
  has_missed_ = false;
}

}  // namespace vipauth
