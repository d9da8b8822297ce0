#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <vipauth/clock.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// A version of a file that an edit replaced.
struct Generation {
  std::uint64_t number = 0;  ///< of a later edit it is greater
  Timestamp time;            ///< when the edit was
  std::string who;           ///< who edited
  std::string command;       ///< by what; may be empty
  std::uintmax_t bytes = 0;  ///< the size of the version before the edit
};

/// The versions of a file before its last edits, in the folder `history/<file>` beside it.
///
/// Every edit by AuthFile or TopicsFile adds one; automatic ones in a row are one (see EditNote). What other
/// programs write is kept when the next edit replaces it. The newest kMaxGenerations are kept, fewer where
/// they would take more than kMaxBytes, but always one. Edits on behalf of peers take half of either at most.
class FileHistory {
 public:
  static constexpr std::size_t kMaxGenerations = 20;
  static constexpr std::uintmax_t kMaxBytes = std::uintmax_t{256} << 20;

  explicit FileHistory(std::filesystem::path file, StrictModes strict_modes = StrictModes::kOn)
      : file_(std::move(file)), strict_modes_(strict_modes) {}

  /// The newest first; of a file without history none.
  /// \param warnings  takes a line for each that is left out since its note is damaged
  /// \return kPermissionDenied, kIoError  also where one of them cannot be read
  VIPAUTH_EXPORT Result<std::vector<Generation>> list(std::vector<std::string>* warnings = nullptr) const;

  /// The bytes of one.
  /// \return kNotFound  there is none of that number; kParseError  its note is damaged;
  ///         kPermissionDenied, kIoError
  VIPAUTH_EXPORT Result<std::string> read(std::uint64_t number) const;

 private:
  std::filesystem::path file_;
  StrictModes strict_modes_;
};

}  // namespace vipauth
