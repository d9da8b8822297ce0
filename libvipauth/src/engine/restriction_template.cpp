#include "engine/restriction_template.hpp"

#include <algorithm>

#include <vipauth/pattern.hpp>

namespace vipauth {
namespace {

constexpr std::string_view kUserId = "{user_id}";
constexpr std::string_view kIdentity = "{identity}";

bool mentions(std::string_view text, std::string_view name) {
  return text.find(name) != std::string_view::npos;
}

std::optional<Json> expand_text(const std::string& text, const TemplateSubject& subject) {
  if (mentions(text, kIdentity) && subject.identity.empty()) return std::nullopt;
  const bool is_pattern = Pattern::looks_like_regex(text);
  const auto value = [&](std::string_view name) {
    return is_pattern ? Pattern::quote(name) : std::string(name);
  };
  // One pass over the text as written: a user who is called "{identity}" is not expanded again.
  std::string out;
  std::string_view rest = text;
  while (!rest.empty()) {
    if (rest.starts_with(kUserId)) {
      out += value(subject.user_id);
      rest.remove_prefix(kUserId.size());
    } else if (rest.starts_with(kIdentity)) {
      out += value(subject.identity);
      rest.remove_prefix(kIdentity.size());
    } else {
      out += rest.front();
      rest.remove_prefix(1);
    }
  }
  if (!is_pattern && Pattern::looks_like_regex(out)) return std::nullopt;
  return Json(std::move(out));
}

}  // namespace

SelfName self_name_of(const Json& constraint) {
  if (!constraint.is_string()) return SelfName::kNone;
  if (constraint.as_string() == kUserId) return SelfName::kUserId;
  return constraint.as_string() == kIdentity ? SelfName::kIdentity : SelfName::kNone;
}

std::string_view name_of(const TemplateSubject& subject, SelfName self) {
  const std::string_view name = self == SelfName::kUserId ? subject.user_id : subject.identity;
  return Pattern::looks_like_regex(name) ? std::string_view() : name;
}

SelfName self_name_in(const Json& constraint, const TemplateSubject& subject) {
  const SelfName written = self_name_of(constraint);
  if (written != SelfName::kNone || !constraint.is_string() || has_template(constraint)) return written;
  const std::string& text = constraint.as_string();
  if (text.empty()) return SelfName::kNone;
  for (const SelfName self : {SelfName::kIdentity, SelfName::kUserId}) {
    if (text == name_of(subject, self)) return self;
  }
  return SelfName::kNone;
}

std::string_view template_of(SelfName self) noexcept {
  return self == SelfName::kUserId ? kUserId : kIdentity;
}

bool has_template(const Json& constraint) {
  if (constraint.is_string())
    return mentions(constraint.as_string(), kUserId) || mentions(constraint.as_string(), kIdentity);
  if (constraint.is_array()) {
    return std::any_of(constraint.as_array().begin(), constraint.as_array().end(), has_template);
  }
  return constraint.is_object() &&
         std::any_of(constraint.as_object().begin(), constraint.as_object().end(),
                     [](const Json::Member& member) { return has_template(member.value); });
}

std::optional<Json> expand_template(const Json& constraint, const TemplateSubject& subject) {
  if (constraint.is_string()) return expand_text(constraint.as_string(), subject);
  Json out = constraint;
  if (out.is_array()) {
    for (Json& item : out.as_array()) {
      auto expanded = expand_template(item, subject);
      if (!expanded) return std::nullopt;
      item = std::move(*expanded);
    }
  } else if (out.is_object()) {
    for (Json::Member& member : out.as_object()) {
      auto expanded = expand_template(member.value, subject);
      if (!expanded) return std::nullopt;
      member.value = std::move(*expanded);
    }
  }
  return out;
}

}  // namespace vipauth
