#include <vipauth/audit_event.hpp>

#include "base/hash.hpp"
#include "text/utf8_prefix.hpp"

namespace vipauth {
namespace {

/// As much of it as fits, in a form that JSON can hold.
std::string bounded_text(std::string_view text, std::size_t most) {
  const bool is_cut = text.size() > most;
  const bool is_utf8 = is_valid_utf8(text);
  std::string out;
  if (is_utf8) {
    out = utf8_prefix(text, most);
  } else {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (const char c : text.substr(0, most)) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x80) {
        out += c;
      } else {
        out += {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 0xfU]};
      }
    }
  }
  if (is_cut) out += "...";
  return out;
}

Json bounded_change(const Json& change) {
  const std::string text = change.dump();
  if (text.size() <= AuditEvent::kMaxChangeBytes) return change;
  return Json::Object{
      {"cut", true}, {"bytes", static_cast<std::int64_t>(text.size())}, {"sha256", sha256_hex(text)}};
}

}  // namespace

std::string_view to_string(AuditEvent::Kind kind) noexcept {
  switch (kind) {
    case AuditEvent::Kind::kAuthentication: return "authentication";
    case AuditEvent::Kind::kRefusal: return "refusal";
    case AuditEvent::Kind::kChange: return "change";
    case AuditEvent::Kind::kPolicy: return "policy";
    case AuditEvent::Kind::kStart: return "start";
    case AuditEvent::Kind::kStop: return "stop";
  }
  return "authentication";
}

Json to_json(const AuditEvent& event) {
  Json::Object out{{"time", format_timestamp(event.time)}, {"kind", to_string(event.kind)}};
  if (event.allowed) out.push_back({"allowed", *event.allowed});
  if (event.reason) out.push_back({"reason", to_string(*event.reason)});
  const bool is_refused = event.kind == AuditEvent::Kind::kRefusal ||
                          (event.kind == AuditEvent::Kind::kAuthentication && event.allowed == false);
  const std::size_t most = is_refused ? AuditEvent::kMaxRefusalTextBytes : AuditEvent::kMaxTextBytes;
  const auto add = [&](const char* name, const std::string& text) {
    if (!text.empty()) out.push_back({name, bounded_text(text, most)});
  };
  add("user_id", event.user_id);
  add("mechanism", event.mechanism);
  add("credentials", event.credentials);
  add("domain", event.domain);
  add("address", event.address);
  add("question", event.question);
  add("callee", event.callee);
  add("subject", event.subject);
  add("message", event.message);
  add("who", event.who);
  add("command", event.command);
  add("file", event.file);
  if (event.generation > 0) out.push_back({"generation", static_cast<std::int64_t>(event.generation)});
  add("digest", event.digest);
  if (!event.before.is_null()) out.push_back({"before", bounded_change(event.before)});
  if (!event.after.is_null()) out.push_back({"after", bounded_change(event.after)});
  if (event.repeats > 0) out.push_back({"repeats", static_cast<std::int64_t>(event.repeats)});
  return out;
}

}  // namespace vipauth
