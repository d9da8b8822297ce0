#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

#include "store/atomic_file.hpp"
#include "text/json_items.hpp"

namespace vipauth {

/// What a file holds, to be read any number of times, also when another has taken its name: a small one is
/// kept in memory, a large one is held open.
class FileContent {
 public:
  static constexpr std::size_t kSmallBytes = std::size_t{1} << 20;

  /// \return what open_file and read_open_file return
  static Result<FileContent> open(std::filesystem::path path, StrictModes strict_modes);
  /// What stands for a file that is not there.
  static FileContent of(std::string text);

  std::size_t size() const noexcept { return text_ ? text_->size() : file_.size; }

  /// Reads from the beginning; a file that is too large cannot be read. The content outlives what is
  /// returned.
  ReadBytes reader() const;
  /// All of it. \return what read_open_file returns
  Result<std::string> text() const;
  /// Writes all of it. \return what went wrong in reading; `write` tells itself what went wrong there
  FileWriter writer() const;
  /// SHA-256 as 64 small hexadecimal digits. \return kIoError
  Result<std::string> sha256() const;
  /// False also where one of them cannot be read.
  bool is_same_as(const FileContent& other) const;

  /// \return kBusy  somebody has written into a large file since it was opened, rather than replace it; kIoError
  Result<void> check_as_opened() const;

 private:
  FileContent(std::filesystem::path path, OpenedFile file) : path_(std::move(path)), file_(std::move(file)) {}

  std::filesystem::path path_;
  OpenedFile file_;
  std::optional<std::string> text_;  // of a small one
};

}  // namespace vipauth
