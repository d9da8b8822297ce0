#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <vipauth/policy.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// auth.json on disk.
///
/// Every edit is one transaction: lock, read again, change, write a temporary file (0600), fsync, rename,
/// fsync the folder; the version before is kept as `auth.json.bak`. A file that cannot be read, or is of a
/// newer major version, is refused and left untouched. Any number of processes may edit at once.
class AuthFile {
 public:
  using Change = std::function<Result<void>(Policy&)>;

  /// What an edit did beside the change itself, for the operator to know.
  struct EditReport {
    bool written = false;               ///< false: the change changed nothing
    std::vector<std::string> warnings;  ///< "comments ... are kept in auth.json.commented.bak"
  };

  explicit AuthFile(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const noexcept { return path_; }

  /// Reads the file; never writes.
  /// \return kNotFound      there is no such file
  /// \return kParseError    not JSON: `location` is "auth.json:LINE:COLUMN"
  /// \return kUnsupported   a newer major version
  /// \return kInvalidArgument, kPermissionDenied, kIoError
  VIPAUTH_EXPORT Result<Policy> load() const;

  /// Reads the file again under its lock (a missing one is empty), lets `change` edit it, and writes it if
  /// the change succeeded and changed something. What is acknowledged by success is on the disk.
  /// \return what load() returns but kNotFound; what `change` returns; kBusy after `patience` without the lock
  VIPAUTH_EXPORT Result<EditReport> edit(const Change& change,
                                         std::chrono::milliseconds patience = std::chrono::seconds(60)) const;

 private:
  std::filesystem::path path_;
};

}  // namespace vipauth
