#include "store/audit_line.hpp"

#include <charconv>
#include <cstdio>
#include <limits>

#include "base/sha256.hpp"

namespace vipauth {
namespace {

constexpr std::size_t kHashDigits = 64;
constexpr std::string_view kHashMember = ",\"hash\":\"";
constexpr std::string_view kEnd = "\"}";
constexpr std::size_t kTailBytes = kHashMember.size() + kHashDigits + kEnd.size();
constexpr std::string_view kFilePrefix = "audit-";
constexpr std::string_view kFileSuffix = ".jsonl";
constexpr std::size_t kFileDigits = 20;

std::optional<std::uint64_t> parse_number(std::string_view digits) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool is_whole = error == std::errc() && end == digits.data() + digits.size();
  // The JSON of a greater one could not be written.
  return is_whole && number <= std::numeric_limits<std::int64_t>::max() ? std::optional(number)
                                                                        : std::nullopt;
}

}  // namespace

std::string format_audit_line(const Json& event, AuditLink& last) {
  Json::Object members{{"seq", static_cast<std::int64_t>(last.seq + 1)}, {"prev", last.hash}};
  members.insert(members.end(), event.as_object().begin(), event.as_object().end());
  std::string line = Json(std::move(members)).dump();
  line.pop_back();
  last = {last.seq + 1, sha256_hex(line)};
  line.append(kHashMember).append(last.hash).append(kEnd);
  return line;
}

bool ends_as_audit_line(std::string_view text) {
  return text.size() > kTailBytes && text.ends_with(kEnd) &&
         text.substr(text.size() - kTailBytes).starts_with(kHashMember);
}

std::optional<AuditLine> parse_audit_line(std::string_view line) {
  if (line.size() > kMaxAuditLine || !ends_as_audit_line(line)) return std::nullopt;
  const std::string_view hashed = line.substr(0, line.size() - kTailBytes);
  const std::string_view tail = line.substr(hashed.size());
  AuditLine out;
  out.hash = tail.substr(kHashMember.size(), kHashDigits);
  if (out.hash != sha256_hex(hashed)) return std::nullopt;
  auto document = Json::parse(line);
  if (!document || !document->is_object()) return std::nullopt;
  const Json* seq = document->find("seq");
  const Json* prev = document->find("prev");
  if (seq == nullptr || !seq->is_number() || prev == nullptr || !prev->is_string()) return std::nullopt;
  const auto number = parse_number(seq->as_number().digits);
  if (!number || *number == 0) return std::nullopt;
  out.seq = *number;
  out.prev = prev->as_string();
  out.document = std::move(*document);
  return out;
}

std::string audit_file_name(std::uint64_t first_seq) {
  const std::string digits = std::to_string(first_seq);
  return std::string(kFilePrefix) + std::string(kFileDigits - digits.size(), '0') + digits +
         std::string(kFileSuffix);
}

std::optional<std::uint64_t> parse_audit_file_name(std::string_view name) {
  if (name.size() != kFilePrefix.size() + kFileDigits + kFileSuffix.size()) return std::nullopt;
  if (!name.starts_with(kFilePrefix) || !name.ends_with(kFileSuffix)) return std::nullopt;
  const std::string_view digits = name.substr(kFilePrefix.size(), kFileDigits);
  return digits.find_first_not_of("0123456789") == std::string_view::npos ? parse_number(digits)
                                                                          : std::nullopt;
}

}  // namespace vipauth
