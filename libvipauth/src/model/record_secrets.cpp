#include <vipauth/record_secrets.hpp>

#include <vipauth/auth_record.hpp>
#include <vipauth/curve_key.hpp>
#include <vipauth/pattern.hpp>

namespace vipauth {
namespace {

constexpr std::string_view kPassword = "(password)";
constexpr std::string_view kUnclear = "(neither a key nor a pattern: not shown)";

}  // namespace

std::optional<std::string_view> password_stand_in(const Policy::Entry& entry) {
  if (entry.record && entry.record->mechanism == Mechanism::kCurve)
    return std::nullopt;  // a key or a pattern
  const Json& source = entry.source;
  const Json* credentials = source.find("credentials");
  if (credentials == nullptr || credentials->is_null()) return std::nullopt;
  const Json* mechanism = source.find("mechanism");
  const bool is_curve = mechanism == nullptr || *mechanism == Json(to_string(Mechanism::kCurve));
  const bool is_text = credentials->is_string();
  if (!is_curve || (is_text && credentials->as_string().starts_with("$argon2"))) return kPassword;
  const bool is_public = is_text && (CurveKey::parse(credentials->as_string()) ||
                                     Pattern::looks_like_regex(credentials->as_string()));
  if (is_public) return std::nullopt;
  return kUnclear;  // perhaps the password of a record whose mechanism was forgotten
}

Json without_passwords(const Policy::Entry& entry) {
  Json shown = entry.source;
  if (const auto stand_in = password_stand_in(entry)) shown.set("credentials", *stand_in);
  return shown;
}

bool is_password_stand_in(const Json& credentials) {
  return credentials.is_string() &&
         (credentials.as_string() == kPassword || credentials.as_string() == kUnclear);
}

}  // namespace vipauth
