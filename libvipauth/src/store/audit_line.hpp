#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <vipauth/json.hpp>

namespace vipauth {

/// Longest line that is read. What is written is shorter by far: AuditEvent bounds all it holds.
inline constexpr std::size_t kMaxAuditLine = std::size_t{1} << 20;

/// Where a chain stands: the number and the hash of its last line.
struct AuditLink {
  std::uint64_t seq = 0;
  std::string hash = std::string(64, '0');
  friend bool operator==(const AuditLink&, const AuditLink&) = default;
};

/// A whole line of an audit file: `{"seq":N,"prev":"<hash of line N-1>",...,"hash":"<hash>"}`. The hash is
/// the SHA-256 of the line's bytes before `,"hash":`.
struct AuditLine {
  std::uint64_t seq = 0;
  std::string prev;
  std::string hash;
  Json document;

  AuditLink link() const { return {seq, hash}; }
};

/// The line, without a newline, that follows `last`, which becomes its link.
/// \param event  an object
std::string format_audit_line(const Json& event, AuditLink& last);

/// True for what ends as a whole line does: its writer was not killed in the midst of it.
bool ends_as_audit_line(std::string_view text);

/// Nothing where it is not a line that format_audit_line wrote, or not as it wrote it.
std::optional<AuditLine> parse_audit_line(std::string_view line);

/// The name of the file that begins with that line: in the order of names the files are in the order of
/// lines.
std::string audit_file_name(std::uint64_t first_seq);
std::optional<std::uint64_t> parse_audit_file_name(std::string_view name);

}  // namespace vipauth
