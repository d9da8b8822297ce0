#include "engine/grant.hpp"

#include <algorithm>
#include <utility>

namespace vipauth {

bool CompiledRestriction::accepts(const Json& argument, const TemplateSubject& holder) const {
  if (!pattern && self == SelfName::kNone) return argument == constraint;
  return argument.is_string() && accepts_text(argument.as_string(), holder);
}

bool CompiledRestriction::accepts_text(std::string_view text, const TemplateSubject& holder) const {
  if (self != SelfName::kNone) return text == name_of(holder, self);
  if (pattern) return is_valid_utf8(text) && pattern->matches(text);
  return constraint.is_string() && constraint.as_string() == text;
}

Json CompiledRestriction::constraint_for(const TemplateSubject& holder) const {
  return self == SelfName::kNone ? constraint : Json(name_of(holder, self));
}

bool Grant::counts_for(const TemplateSubject& holder) const {
  return std::none_of(restrictions.begin(), restrictions.end(), [&](const auto& restriction) {
    return restriction.self != SelfName::kNone && name_of(holder, restriction.self).empty();
  });
}

std::optional<Grant> compile_grant(const Capability& capability, const TemplateSubject& subject,
                                   std::shared_ptr<const std::string> source) {
  Grant grant{capability.name, {}, std::move(source)};
  for (const Restriction& restriction : capability.restrictions) {
    const SelfName self = self_name_of(restriction.constraint);
    if (self != SelfName::kNone) {
      grant.names_holder = true;
      grant.restrictions.push_back({restriction.parameter, restriction.constraint, std::nullopt, self});
      continue;
    }
    auto constraint = expand_template(restriction.constraint, subject);
    if (!constraint) return std::nullopt;
    CompiledRestriction compiled{restriction.parameter, std::move(*constraint)};
    if (compiled.constraint.is_string() && Pattern::looks_like_regex(compiled.constraint.as_string())) {
      auto pattern = Pattern::parse(compiled.constraint.as_string());
      if (!pattern) return std::nullopt;
      compiled.pattern = std::move(*pattern);
    }
    grant.restrictions.push_back(std::move(compiled));
  }
  return grant;
}

GrantVerdict check_call(const Grant& grant, const CallArguments& arguments, const TemplateSubject& holder) {
  for (const CompiledRestriction& restriction : grant.restrictions) {
    const Json* argument = arguments.find(restriction.parameter);
    if (argument == nullptr) return {GrantVerdict::Kind::kUnknownParameter, &restriction};
    if (!restriction.accepts(*argument, holder)) return {GrantVerdict::Kind::kRejected, &restriction};
  }
  return {};
}

GrantVerdict check_topic(const Grant& grant, std::string_view topic, const TemplateSubject& holder) {
  for (const CompiledRestriction& restriction : grant.restrictions) {
    if (restriction.parameter == "topic" && !restriction.accepts_text(topic, holder)) {
      return {GrantVerdict::Kind::kRejected, &restriction};
    }
  }
  return {};
}

}  // namespace vipauth
