#include "auth/record_fields.hpp"

#include <utility>

#include <vipauth/authenticator.hpp>

#include "auth/advice.hpp"
#include "prompt.hpp"
#include "value_text.hpp"

namespace vipauth::vctl::auth {
namespace {

/// One pattern, or a JSON list of them. A text that is no JSON is a pattern, be it "[::1]".
Json parse_patterns_text(std::string_view text) {
  if (text.empty()) return {};
  if (text.starts_with('[')) {
    if (auto list = parse_loose_json(text)) return std::move(*list);
  }
  return text;
}

Result<Json> parse_enabled_text(std::string_view text) {
  const std::string answer = to_lower(text);
  if (answer.empty() || answer == "true") return Json(true);
  if (answer == "false") return Json(false);
  return Error{ErrorCode::kInvalidArgument, "Please enter True or False", ""};
}

Result<Json> parse_mechanism_text(std::string_view text) {
  if (text.empty()) return Json(to_string(Mechanism::kCurve));
  if (parse_mechanism(text)) return Json(text);
  return Error{ErrorCode::kInvalidArgument, R"(mechanism must be either "NULL", "PLAIN" or "CURVE")", ""};
}

Result<Json> parse_form(std::string_view name, std::string_view text, Mechanism mechanism) {
  if (name == "domain" || name == "address") return parse_patterns_text(text);
  if (name == "capabilities") return parse_capabilities_text(text);
  if (name == "roles" || name == "groups") {
    auto names = parse_names_text(text);
    if (!names) return names.error();
    return Json::strings(*names);
  }
  if (name == "mechanism") return parse_mechanism_text(text);
  if (name == "enabled") return parse_enabled_text(text);
  if (name == "credentials" && mechanism == Mechanism::kNull && !text.empty()) {
    return Error{ErrorCode::kInvalidArgument, "mechanism NULL has no credentials", ""};
  }
  return text.empty() ? Json() : Json(text);
}

}  // namespace

Result<Json> parse_field(std::string_view name, std::string_view text, Mechanism mechanism) {
  auto value = parse_form(name, text, mechanism);
  if (!value || name == "mechanism") return value;

  // A record of nothing but this field tells whether it can be.
  const Mechanism probe_mechanism = name == "credentials" ? mechanism : Mechanism::kNull;
  const Json probe(Json::Object{{"mechanism", to_string(probe_mechanism)}, {std::string(name), *value}});
  const auto record = AuthRecord::parse(probe);
  if (record) return value;
  Error error = record.error();
  if (const std::string place = json_pointer("", name); error.location.starts_with(place)) {
    error.location.erase(0, place.size());
  }
  if (name == "credentials") {
    if (const auto hint = half_slash_hint(text)) error.message += "; " + *hint;
  }
  return error;
}

Mechanism mechanism_of(const Json& record) {
  const Json* mechanism = record.find("mechanism");
  if (mechanism == nullptr || !mechanism->is_string()) return Mechanism::kCurve;
  return parse_mechanism(mechanism->as_string()).value_or(Mechanism::kCurve);
}

Result<void> set_field(Json& record, const std::string& name, std::string_view text) {
  auto value = parse_field(name, text, mechanism_of(record));
  if (!value) return value.error();
  record.set(name, std::move(*value));
  return {};
}

bool may_be_empty(std::string_view name) {
  return name == "capabilities" || name == "roles" || name == "groups" || name == "comments";
}

Error at_option(const std::string& name, const Error& error) { return error.at("--" + name); }

bool ask_password(const Context& context, Json& record) {
  Question password;
  password.prompt = "credentials []: ";
  password.is_secret = true;
  password.take = [&](const Answer& answer) { return set_field(record, "credentials", answer.text); };
  return ask(context, password);
}

Error end_of_input() {
  return Error{ErrorCode::kInvalidArgument, "the input ended before the last answer: nothing is written", ""};
}

Result<void> hash_credentials(Json& record) {
  const Json* mechanism = record.find("mechanism");
  Json* credentials = record.find("credentials");
  if (mechanism == nullptr || credentials == nullptr || !credentials->is_string() ||
      !(*mechanism == Json(to_string(Mechanism::kPlain)))) {
    return {};
  }
  auto hash = hash_password(credentials->as_string());
  if (!hash) return hash.error();
  *credentials = std::move(*hash);
  return {};
}

}  // namespace vipauth::vctl::auth
