#include "engine/named_key.hpp"

#include <variant>

#include <vipauth/pattern.hpp>

namespace vipauth {
namespace {

bool names_key(const Credentials& credentials, const CurveKey& key) {
  if (const auto* literal = std::get_if<CurveKey>(&credentials)) return *literal == key;
  const auto* pattern = std::get_if<Pattern>(&credentials);
  return pattern != nullptr && pattern->matches(key.to_base64url());
}

/// The same of a record that is not understood, perhaps for another reason.
bool names_key(const Json& source, const CurveKey& key) {
  const Json* credentials = source.is_object() ? source.find("credentials") : nullptr;
  if (credentials == nullptr || !credentials->is_string()) return false;
  const std::string& text = credentials->as_string();
  if (Pattern::looks_like_regex(text)) {
    const auto pattern = Pattern::parse(text);
    return pattern && pattern->matches(key.to_base64url());
  }
  const auto literal = CurveKey::parse(text);
  return literal && *literal == key;
}

}  // namespace

bool names_key(const Policy::Entry& entry, const CurveKey& key) {
  return entry.record ? names_key(entry.record->credentials, key) : names_key(entry.source, key);
}

}  // namespace vipauth
