#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vipauth/json.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// A line of the audit log: its number, counted through all files from 1, and its hash.
///
/// Noted elsewhere, where whoever may write to the log may not, it proves that of what is there up to it
/// nothing has changed, and nothing is missing between. What is missing before the first line was rotated
/// away if a line up to the anchor says so; a line behind it may be anybody's: see
/// AuditReport::unproven_through.
struct AuditAnchor {
  std::uint64_t seq = 0;
  std::string hash;  ///< 64 small hexadecimal digits

  /// Reads "SEQ:HASH". \return kParseError
  VIPAUTH_EXPORT static Result<AuditAnchor> parse(std::string_view text);
  VIPAUTH_EXPORT std::string to_string() const;
  friend bool operator==(const AuditAnchor&, const AuditAnchor&) = default;
};

/// What came out of checking an audit log.
struct AuditReport {
  struct Finding {
    std::string file;
    std::uint64_t line = 0;  ///< of the file, from 1; 0: the file as a whole
    std::string message;
  };

  std::uint64_t lines = 0;      ///< whole ones
  std::uint64_t first_seq = 0;  ///< lines before it were rotated away
  AuditAnchor head;             ///< the last line, for noting elsewhere
  /// Lines up to this one are gone, and only lines behind the anchor say that they were rotated away: who may
  /// write to the log may have removed them. 0: there are none, or there is no anchor.
  std::uint64_t unproven_through = 0;
  /// Edits, gaps, lines that are out of order: at most AuditTrail::kMostFindings.
  std::vector<Finding> problems;
  /// Lines that a writer was killed in the midst of: no evidence was there that is lost, and all before is
  /// whole.
  std::vector<Finding> torn;

  bool is_whole() const noexcept { return problems.empty(); }
};

/// The files of an audit log, for who reads them; they may be written meanwhile.
class AuditTrail {
 public:
  static constexpr std::size_t kMostFindings = 100;

  explicit AuditTrail(std::filesystem::path folder, StrictModes strict_modes = StrictModes::kOn)
      : folder_(std::move(folder)), strict_modes_(strict_modes) {}

  /// Follows the chain through all files. Lines that are missing at the end leave no trace in the files: only
  /// an anchor shows that.
  /// \param anchor  a line that must be there
  /// \return kNotFound  there is no such folder, or no audit file in it; kPermissionDenied, kIoError
  VIPAUTH_EXPORT Result<AuditReport> verify(const std::optional<AuditAnchor>& anchor = std::nullopt) const;

  /// Hands over each whole line, the oldest first. It does not check the chain.
  /// \return how many lines were left out, since they are not whole; or what verify() returns
  VIPAUTH_EXPORT Result<std::uint64_t> read(const std::function<void(const Json& line)>& take) const;

 private:
  std::filesystem::path folder_;
  StrictModes strict_modes_;
};

}  // namespace vipauth
