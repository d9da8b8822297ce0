#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <thread>

#include <vipauth/result.hpp>

#include "base/unique_fd.hpp"

namespace vipauth {

/// A thread that tells which files of a folder have been written, replaced or removed, and that keeps
/// appointments. A handler that throws for want of memory is told again.
///
/// It watches the folder, not the files: a file that is replaced by rename is another file. A folder that
/// goes away is watched again when it is back. Source: inotify(7).
class FolderWatcher {
 public:
  struct Handler {
    /// These files changed since the last call. An empty set: events were lost, anything may have changed.
    std::function<void(const std::set<std::string>&)> on_change;
    /// Called after every wake-up. \return how long to sleep at most; negative: until something happens
    std::function<std::chrono::milliseconds()> on_wake;
  };

  FolderWatcher();
  FolderWatcher(const FolderWatcher&) = delete;
  FolderWatcher& operator=(const FolderWatcher&) = delete;
  ~FolderWatcher();

  /// Starts the thread; at most once.
  /// \return kNotFound, kPermissionDenied, kIoError
  Result<void> start(const std::filesystem::path& folder, Handler handler);
  /// Waits for the thread's end. Not to be called by a handler.
  void stop();

  /// Makes the thread, if there is one, call on_wake soon. May be called from any thread.
  void wake() const;

 private:
  Result<void> watch();
  void run(const std::stop_token& stop);
  void wait(std::chrono::milliseconds patience) const;
  std::chrono::milliseconds tell();
  void take_events();

  std::filesystem::path folder_;
  Handler handler_;
  UniqueFd inotify_;
  UniqueFd wake_up_;
  int watch_ = -1;           // the thread's own, once it runs
  bool has_missed_ = false;  // too: something may have changed that was not told
  std::jthread thread_;
};

}  // namespace vipauth
