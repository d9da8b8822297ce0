#include "engine/grant.hpp"

namespace vipauth {

bool CompiledRestriction::accepts(const Json& argument) const {
  if (!pattern) return argument == constraint;
  return argument.is_string() && accepts_text(argument.as_string());
}

bool CompiledRestriction::accepts_text(std::string_view text) const {
  if (pattern) return is_valid_utf8(text) && pattern->matches(text);
  return constraint.is_string() && constraint.as_string() == text;
}

std::optional<Grant> compile_grant(const Capability& capability, const TemplateSubject& subject,
                                   std::shared_ptr<const std::string> source) {
  Grant grant{capability.name, {}, std::move(source)};
  for (const Restriction& restriction : capability.restrictions) {
    auto constraint = expand_template(restriction.constraint, subject);
    if (!constraint) return std::nullopt;
    CompiledRestriction compiled{restriction.parameter, std::move(*constraint), std::nullopt};
    if (compiled.constraint.is_string() && Pattern::looks_like_regex(compiled.constraint.as_string())) {
      auto pattern = Pattern::parse(compiled.constraint.as_string());
      if (!pattern) return std::nullopt;
      compiled.pattern = std::move(*pattern);
    }
    grant.restrictions.push_back(std::move(compiled));
  }
  return grant;
}

GrantVerdict check_call(const Grant& grant, const CallArguments& arguments) {
  for (const CompiledRestriction& restriction : grant.restrictions) {
    const Json* argument = arguments.find(restriction.parameter);
    if (argument == nullptr) return {GrantVerdict::Kind::kUnknownParameter, &restriction};
    if (!restriction.accepts(*argument)) return {GrantVerdict::Kind::kRejected, &restriction};
  }
  return {};
}

GrantVerdict check_topic(const Grant& grant, std::string_view topic) {
  for (const CompiledRestriction& restriction : grant.restrictions) {
    if (restriction.parameter == "topic" && !restriction.accepts_text(topic)) {
      return {GrantVerdict::Kind::kRejected, &restriction};
    }
  }
  return {};
}

}  // namespace vipauth
