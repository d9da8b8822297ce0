#include <vipauth/audit_event.hpp>

#include <utility>

#include "base/sha256.hpp"
#include "model/bounded_change.hpp"
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

/// Longest field of a record whose change is cut: escaped, four of them leave room for as many.
constexpr std::size_t kMaxFieldBytes = 128;

Json bounded_field(const Json& value) {
  if (value.is_string()) return bounded_text(value.as_string(), kMaxFieldBytes);
  std::string text = value.dump();
  return text.size() <= kMaxFieldBytes ? value : Json(bounded_text(text, kMaxFieldBytes));
}

/// Whose record it is, and which peer's.
Json names_of_record(const Json& record) {
  if (!record.is_object()) return bounded_field(record);
  Json::Object out;
  for (const char* const name : {"user_id", "credentials", "address", "identity"}) {
    if (const Json* value = record.find(name)) out.push_back({name, bounded_field(*value)});
  }
  return out;
}

/// A change that is too large without what makes it so. Nobody hides a peer by what else its record holds.
Json bounded_change(const Json& change) {
  const std::string text = change.dump();
  if (text.size() <= AuditEvent::kMaxChangeBytes) return change;
  Json out = cut_change(text.size(), sha256_hex(text));
  if (!change.is_object()) return out;
  for (const char* const list : {"allow", "deny"}) {
    const Json* records = change.find(list);
    if (records == nullptr || !records->is_array()) continue;
    RecordNames names;
    for (const Json& record : records->as_array()) names.add(record);
    out.set(list, names.take());
  }
  return out;
}

}  // namespace

Json cut_change(std::size_t bytes, std::string sha256) {
  return Json::Object{
      {"cut", true}, {"bytes", static_cast<std::int64_t>(bytes)}, {"sha256", std::move(sha256)}};
}

void RecordNames::add(const Json& record) {
  if (is_full_) return;
  Json names = names_of_record(record);
  const std::size_t bytes = names.dump().size() + 1;  // and a comma
  is_full_ = bytes > room_;
  if (is_full_) return;
  room_ -= bytes;
  names_.push_back(std::move(names));
}

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
