#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "base/unique_fd.hpp"

namespace vipauth {

/// What tells one state of a file from another without reading it.
struct FileVersion {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t changed = 0;  // nanoseconds
  bool operator==(const FileVersion&) const = default;

  /// The one that is there; nothing where there is none.
  static std::optional<FileVersion> of(const std::filesystem::path& file);

  /// Whether it is old enough to be known by its time: what was written just now may be replaced within the
  /// same tick of the file system's clock, by a file that has the number of this one.
  bool is_settled() const;
};

/// What a path leads to, held so that while this lives no other file can be taken for it, whatever number the
/// file system gives that.
class HeldFile {
 public:
  HeldFile() = default;  ///< of no file
  static HeldFile at(const std::filesystem::path& path);

  /// Whether the path still leads to it, as it was then; or still to nothing.
  bool is_still_at(const std::filesystem::path& path) const;

 private:
  UniqueFd file_;  // none also where there are no descriptors left
  std::optional<FileVersion> version_;
};

}  // namespace vipauth
