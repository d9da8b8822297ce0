#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/file_edit.hpp>
#include <vipauth/file_history.hpp>

#include "store/file_content.hpp"

namespace vipauth {

/// The folder with the history of one file: of each generation `N.json`, the bytes, and `N.note.json`, who
/// replaced them and when. One without a note is half-made, and does not count; neither does the newest while
/// it holds what the file holds: its edit did not come to its end, or was taken back by hand.
///
/// Changes are made under the lock of the file.
class HistoryFolder {
 public:
  /// \return kNotFound  there is none; kPermissionDenied  it is a symbolic link, or strict modes refuse it
  static Result<HistoryFolder> open(const std::filesystem::path& file, StrictModes strict_modes);
  /// The same, made where there is none.
  static Result<HistoryFolder> open_or_make(const std::filesystem::path& file, StrictModes strict_modes);

  /// Whole generations, newest first.
  /// \param warnings  takes a line for each that is left out since its note is damaged
  /// \return kPermissionDenied, kIoError  also of one note only: what cannot be read may well be whole
  Result<std::vector<Generation>> list(std::vector<std::string>* warnings = nullptr) const;
  /// \return kNotFound; kParseError  its note is damaged; kPermissionDenied, kIoError
  Result<FileContent> read(std::uint64_t number) const;

  /// Keeps a copy of the present version of the file before it is replaced. It takes the place of a newest
  /// generation that holds the same.
  /// \param content  what was read of the file; of one that is not there, what stands for that
  /// \param next  what the file will hold
  /// \return the number
  Result<std::uint64_t> keep(const FileContent& content, const FileContent& next, const EditNote& note,
                             Timestamp now) const;
  /// To be called when the file has been replaced: makes automatic edits in a row one, and removes what is
  /// too old, too much, or half-made. What cannot be removed stays, and so does what cannot be read.
  /// \return warnings
  std::vector<std::string> settle(std::uint64_t number) const;
  /// To be called when the file was not replaced.
  void discard(std::uint64_t number) const;

 private:
  HistoryFolder(std::filesystem::path file, std::filesystem::path folder, StrictModes strict_modes)
      : file_(std::move(file)), folder_(std::move(folder)), strict_modes_(strict_modes) {}

  std::filesystem::path data_path(std::uint64_t number) const;
  std::filesystem::path note_path(std::uint64_t number) const;
  Result<std::vector<std::filesystem::path>> names() const;
  /// \return kNotFound  half of it is missing; and what read() returns
  Result<Generation> find(std::uint64_t number) const;
  Result<std::vector<Generation>> whole(std::vector<std::string>* warnings = nullptr) const;
  /// Lets the automatic edit before stand for this one too, where the file has not changed between them.
  void fold(std::uint64_t number) const;
  bool holds(const Generation& generation, const FileContent& content) const;

  std::filesystem::path file_;
  std::filesystem::path folder_;
  StrictModes strict_modes_;
};

/// What FileHistory::read reads. \return what that returns
Result<FileContent> read_generation(const std::filesystem::path& file, StrictModes strict_modes,
                                    std::uint64_t number);

}  // namespace vipauth
