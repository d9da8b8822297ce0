#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include <vipauth/clock.hpp>
#include <vipauth/json.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

#include "base/unique_fd.hpp"
#include "store/audit_line.hpp"

namespace vipauth {

/// The folder with the audit files of a home, for who appends to it. Any number of processes may, each with
/// an object of its own; the chain of lines goes through all files. Not thread-safe.
///
/// What a killed writer left of a line is ended by a newline, and the next line says so. Where the files hold
/// less than this object has written, it goes on from what it wrote, so that the gap shows.
class AuditFolder {
 public:
  struct Limits {
    std::uintmax_t file_bytes = std::uintmax_t{64}
                                << 20;  ///< a file that would grow larger is the last of its name
    std::size_t files = 16;             ///< beyond, the oldest goes; 0: none ever goes
  };

  /// \return kNotFound  there is no such folder; kPermissionDenied  it is a symbolic link, or strict modes refuse it
  static Result<AuditFolder> open(std::filesystem::path folder, Limits limits, StrictModes strict_modes);
  /// The same, made where there is none.
  static Result<AuditFolder> open_or_make(std::filesystem::path folder, Limits limits,
                                          StrictModes strict_modes);

  /// Adds a line for each event, all or none. They are on the disk after sync(), unless that fails: what the
  /// disk did not take once, it may have lost, though it takes more.
  /// \param now  of lines that it adds itself, about rotation and damage
  /// \return kBusy  another process held the lock for all of `patience`; kPermissionDenied, kIoError
  Result<void> append(const std::vector<Json>& events, Timestamp now, std::chrono::milliseconds patience);
  Result<void> sync();

  /// The last line that this object has seen.
  const AuditLink& head() const noexcept { return head_; }

  /// The numbers in the names of the audit files, in order.
  static Result<std::vector<std::uint64_t>> list(const std::filesystem::path& folder);
  /// Of which the lock is taken.
  static std::filesystem::path lock_stem(const std::filesystem::path& folder) { return folder / "audit"; }

 private:
  /// The file that lines go to.
  struct Active {
    std::uint64_t first_seq = 0;
    UniqueFd fd;
    ino_t inode = 0;
    std::uintmax_t bytes = 0;
  };

  AuditFolder(std::filesystem::path folder, Limits limits, StrictModes strict_modes)
      : folder_(std::move(folder)), limits_(limits), strict_modes_(strict_modes) {}

  Result<void> append_lines(const std::vector<Json>& events, Timestamp now);
  void forget_end();
  Result<void> find_end(Timestamp now, std::string& text, AuditLink& link);
  Result<void> read_end(Timestamp now, std::string& text, AuditLink& link);
  Result<void> open_active(std::uint64_t first_seq, bool is_new);
  Result<void> rotate(const AuditLink& last);
  std::uint64_t first_to_keep(const std::vector<std::uint64_t>& files) const;
  void remove_before(std::uint64_t first_seq) const;

  std::filesystem::path folder_;
  Limits limits_;
  StrictModes strict_modes_;
  Active active_;
  AuditLink head_;
  bool is_unsynced_ = false;
  std::optional<Error> sync_problem_;  // that nobody has been told of yet
};

}  // namespace vipauth
