#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

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

}  // namespace vipauth
