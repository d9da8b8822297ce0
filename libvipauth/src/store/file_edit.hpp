#pragma once

#include <filesystem>
#include <functional>
#include <string_view>
#include <utility>

#include <vipauth/file_edit.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

#include "store/atomic_file.hpp"
#include "store/file_content.hpp"

namespace vipauth {

/// What the name of a peer that edits begins with, told from a user of the system by the colon, which no such
/// user has in its name.
inline constexpr std::string_view kPeerEditor = "peer:";

/// What an edited file held before.
struct PresentFile {
  bool exists = false;
  const FileContent& content;  ///< of one that is not there, what stands for that in its history
  bool had_comments = false;   ///< which writing loses
};

/// One edit of a file that has a history: holds its lock from the beginning to the end.
class EditTransaction {
 public:
  /// \return what FileLock::acquire returns
  static Result<EditTransaction> begin(std::filesystem::path file, const EditOptions& options,
                                       StrictModes strict_modes);

  /// Keeps the version before, in the history and as `<file>.bak`, and writes `next`. Comments that it loses
  /// are kept once as `<file>.commented.bak`. A history that cannot be kept is a warning: taking a right from
  /// somebody must not fail for it.
  /// \param check  looks at what was written before it takes the file's name; its error leaves all as it was
  /// \return what `check` and replace_file return; kBusy  somebody has written into the present version since it was read;
  ///         nothing has happened then, unless the message says that the change is in place, which its
  ///         history tells too
  Result<EditReport> commit(const PresentFile& present, const FileWriter& next,
                            const std::function<Result<void>(const FileContent&)>& check = {}) const;

 private:
  EditTransaction(FileLock lock, std::filesystem::path file, const EditOptions& options,
                  StrictModes strict_modes)
      : lock_(std::move(lock)), file_(std::move(file)), options_(&options), strict_modes_(strict_modes) {}

  FileLock lock_;
  std::filesystem::path file_;
  const EditOptions* options_;
  StrictModes strict_modes_;
};

/// Keeps `content`, byte for byte, under the name `stem` + ".bak", or where a file with other content has
/// that name, `stem` + ".2.bak" and so on.
/// \return where it is
Result<std::filesystem::path> keep_original(const std::filesystem::path& stem, const FileContent& content);

}  // namespace vipauth
