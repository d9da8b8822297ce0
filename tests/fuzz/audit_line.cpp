// Audit lines: one as it stands in a file, one that is made of an object, and one of an event with any texts
// in it.
#include "store/audit_line.hpp"

#include <vipauth/audit_event.hpp>

#include "base/sha256.hpp"
#include "fuzz.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;

namespace {

void check_line(std::string_view line) {
  const auto parsed = parse_audit_line(line);
  if (!parsed) return;
  require(line.size() <= kMaxAuditLine && ends_as_audit_line(line) && parsed->seq > 0);
  require(parsed->hash.size() == 64 &&
          parsed->hash.find_first_not_of("0123456789abcdef") == std::string::npos);
  // Any byte that is another makes it none.
  for (std::size_t i = 0; i < line.size(); i += 1 + line.size() / 16) {
    std::string other(line);
    other[i] = static_cast<char>(other[i] ^ 1);
    require(!parse_audit_line(other).has_value(), other);
  }
  require(!parse_audit_line(line.substr(0, line.size() - 1)).has_value());
}

/// With the hash that fits, so that what follows it is tried too.
void check_hashed(std::string_view beginning) {
  check_line(std::string(beginning) + ",\"hash\":\"" + sha256_hex(beginning) + "\"}");
}

void check_written(const Json& event) {
  AuditLink link{41, std::string(64, 'a')};
  for (int times = 0; times < 2; ++times) {
    const AuditLink before = link;
    const std::string line = format_audit_line(event, link);
    require(line.find('\n') == std::string::npos && link.seq == before.seq + 1);
    const bool is_odd =
        event.find("seq") != nullptr || event.find("prev") != nullptr || event.find("hash") != nullptr;
    const auto parsed = parse_audit_line(line);
    if (is_odd || line.size() > kMaxAuditLine) continue;
    require(parsed.has_value(), line);
    require(parsed->seq == link.seq && parsed->hash == link.hash && parsed->prev == before.hash);
    check_line(line);
  }
}

void check_event(std::string_view text) {
  const auto parts = parts_of(text);
  const auto part = [&](std::size_t i) {
    return i < parts.size() ? std::string(parts[i]) : std::string(text);
  };
  AuditEvent event;
  event.kind = static_cast<AuditEvent::Kind>(text.size() % 6);
  event.allowed = text.size() % 3 != 0;
  event.user_id = part(0);
  event.credentials = part(1);
  event.domain = part(2);
  event.address = part(3);
  event.subject = part(4);
  event.message = part(5);
  event.before = Json(Json::Object{{"allow", Json::Array{Json::Object{{"user_id", part(0)}}}}});
  event.after = Json(part(2));
  for (int i = 0; i < 6; ++i) event.command += part(6);
  const Json json = to_json(event);
  const std::string dumped = json.dump();
  require(Json::parse(dumped).has_value(), dumped);
  require(dumped.size() < 11 * 6 * (AuditEvent::kMaxTextBytes + 3) + 3 * AuditEvent::kMaxChangeBytes);
  check_written(json);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  check_line(text);
  check_hashed(text);
  if (const auto json = Json::parse(text); json && json->is_object()) check_written(*json);
  check_event(text);
  if (const auto seq = parse_audit_file_name(text)) require_same(audit_file_name(*seq), text);
  return 0;
}
