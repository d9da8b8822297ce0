#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include <vipauth/file_edit.hpp>
#include <vipauth/policy.hpp>
#include <vipauth/policy_document_sink.hpp>
#include <vipauth/policy_sink.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// auth.json on disk.
///
/// Every edit is one transaction: lock, read again, change, write a temporary file (0600), fsync, rename,
/// fsync the folder; the version before is kept as `auth.json.bak`, and in the history (FileHistory). A file
/// that cannot be read, or is of a newer major version, is refused and left untouched. Any number of
/// processes may edit at once.
///
/// A file of an older version is read as what it means in the present one. The first edit writes it so, and
/// keeps the original, byte for byte, as `auth.json.<version>.bak`.
class AuthFile {
 public:
  using Change = std::function<Result<void>(Policy&)>;
  /// Looks at what a restoration would replace, and by what.
  using Check = std::function<Result<void>(const Policy& present, const Policy& former)>;
  using EditReport = vipauth::EditReport;
  /// Hands over a text in pieces to `write`, until that returns false.
  using Text = std::function<Result<void>(const std::function<bool(std::string_view)>& write)>;
  /// Hands over a file part by part, as load_parts().
  using LoadParts = std::function<Result<void>(const std::function<PolicySink&()>& make_sink)>;

  explicit AuthFile(std::filesystem::path path, StrictModes strict_modes = StrictModes::kOn)
      : path_(std::move(path)), strict_modes_(strict_modes) {}

  const std::filesystem::path& path() const noexcept { return path_; }
  StrictModes strict_modes() const noexcept { return strict_modes_; }

  /// Reads the file; never writes.
  /// \return kNotFound      there is no such file
  /// \return kParseError    not JSON: `location` is "auth.json:LINE:COLUMN"
  /// \return kUnsupported   a newer major version
  /// \return kPermissionDenied  the file may not be read, or strict modes refuse it
  /// \return kInvalidArgument, kIoError
  VIPAUTH_EXPORT Result<Policy> load() const;

  /// The same, part by part, which for a large file of the present version takes no more memory than its
  /// largest record.
  /// \param make_sink  called for each sink that is needed: where another is asked for, the one before is
  /// worth
  ///                   nothing
  /// \return what load() returns
  VIPAUTH_EXPORT Result<void> load_parts(const std::function<PolicySink&()>& make_sink) const;
  /// The same of the document, as it was written. On an error what the sink was given is worth nothing.
  /// \return what load() returns; kUnsupported  the file is of an older version: it is not read by parts
  VIPAUTH_EXPORT Result<void> load_document(PolicyDocumentSink& sink) const;

  /// Reads the file again under its lock (a missing one is empty), lets `change` edit it, and writes it if
  /// the change succeeded and changed something. What is acknowledged by success is on the disk. A large file
  /// is read and written part by part: beside the policy there is no second copy of it in memory.
  /// \return what load() returns but kNotFound; what `change` returns; kBusy without the lock in time, or where
  ///         somebody who does not ask for the lock wrote into a large file meanwhile;
  ///         kLimitExceeded  the file would be too large to be read again
  VIPAUTH_EXPORT Result<EditReport> edit(const Change& change, const EditOptions& options = {}) const;

  /// Makes the file this text, which need not be in memory as a whole: it is read, part by part, before it
  /// takes the file's name. It is written also where the file says the same.
  /// \param present_is_known  the caller has read the file as it is, or written it: it is not read again to
  /// see
  ///                          that no comments, and no older version, are lost
  /// \param check  looks at what was written; its error keeps the file as it is
  /// \return what edit() and `check` return; kInvalidArgument  the text is no auth.json of the present version
  VIPAUTH_EXPORT Result<EditReport> replace(const Text& text, bool present_is_known,
                                            const std::function<Result<void>(const LoadParts&)>& check = {},
                                            const EditOptions& options = {}) const;

  /// Reads a former version of the file.
  /// \return what FileHistory::read and load() return
  VIPAUTH_EXPORT Result<Policy> load_generation(std::uint64_t number) const;

  /// Writes a former version of the file again, byte for byte, as an edit of its own, so that it can itself
  /// be undone. A former version that is not understood is refused.
  /// \param check  called under the lock; its error keeps the file as it is
  /// \return what edit() and load_generation() return
  VIPAUTH_EXPORT Result<EditReport> restore(std::uint64_t number, const Check& check = {},
                                            const EditOptions& options = {}) const;

 private:
  std::filesystem::path path_;
  StrictModes strict_modes_;
};

}  // namespace vipauth
