#include "fleet/fleet_guard.hpp"

#include <vipauth/auth_record.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/json.hpp>

namespace vipauth::fleet {
namespace {

constexpr std::size_t kMaxBytes = 8192;
constexpr std::size_t kMaxTextBytes = 255;
constexpr std::string_view kBoth = "both";

std::string for_a_log(std::string text) {
  if (text.size() > kMaxTextBytes) text.resize(kMaxTextBytes);
  while (!is_valid_utf8(text)) text.pop_back();  // a character that was cut in two
  std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  return text;
}

std::string text_of(const Json& object, std::string_view name) {
  const Json* member = object.find(name);
  if (member == nullptr || !member->is_string()) return {};
  return for_a_log(member->as_string());
}

/// Where the edit was of both scopes.
std::string site_of(const Json& object) {
  return text_of(object, "scopes") == kBoth ? text_of(object, "site") : std::string();
}

}  // namespace

FleetGuard FleetGuard::of(const EditOptions& options) {
  return {.edit = make_user_id(),
          .who = for_a_log(editor_of(options.note)),
          .command = for_a_log(options.note.command),
          .time = format_timestamp(options.clock())};
}

FleetGuard FleetGuard::parse(std::string_view text) {
  if (text.size() > kMaxBytes) return {};
  const auto json = Json::parse(text);
  if (!json || !json->is_object()) return {};
  const Json* partial = json->find("partial");
  return {.edit = text_of(*json, "edit"),
          .who = text_of(*json, "who"),
          .command = text_of(*json, "command"),
          .time = text_of(*json, "time"),
          .partial = partial != nullptr && *partial == Json(true),
          .with_site = site_of(*json)};
}

std::string FleetGuard::to_text() const {
  Json out = Json::Object{
      {"edit", Json(edit)}, {"who", Json(who)}, {"command", Json(command)}, {"time", Json(time)}};
  if (partial) out.set("partial", Json(true));
  if (!with_site.empty()) {
    out.set("scopes", Json(kBoth));
    out.set("site", Json(with_site));
  }
  return out.dump();
}

}  // namespace vipauth::fleet
