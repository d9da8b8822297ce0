#include "fleet/fleet_guard.hpp"

#include <vipauth/auth_record.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/json.hpp>

namespace vipauth::fleet {
namespace {

std::string text_of(const Json& object, std::string_view name) {
  const Json* member = object.find(name);
  return member != nullptr && member->is_string() ? member->as_string() : std::string();
}

}  // namespace

FleetGuard FleetGuard::of(const EditOptions& options) {
  return {make_user_id(), editor_of(options.note), options.note.command, format_timestamp(options.clock()),
          false};
}

FleetGuard FleetGuard::parse(std::string_view text) {
  const auto json = Json::parse(text);
  if (!json || !json->is_object()) return {};
  const Json* partial = json->find("partial");
  return {text_of(*json, "edit"), text_of(*json, "who"), text_of(*json, "command"), text_of(*json, "time"),
          partial != nullptr && *partial == Json(true)};
}

std::string FleetGuard::to_text() const {
  Json out = Json::Object{
      {"edit", Json(edit)}, {"who", Json(who)}, {"command", Json(command)}, {"time", Json(time)}};
  if (partial) out.set("partial", Json(true));
  return out.dump();
}

}  // namespace vipauth::fleet
