#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/call_arguments.hpp>
#include <vipauth/capability.hpp>
#include <vipauth/pattern.hpp>

#include "engine/restriction_template.hpp"

namespace vipauth {

/// A restriction, ready to be checked.
struct CompiledRestriction {
  std::string parameter;
  Json constraint;
  std::optional<Pattern> pattern;  ///< where the constraint is one

  bool accepts(const Json& argument) const;
  bool accepts_text(std::string_view text) const;
};

/// A capability that somebody holds, ready to be checked.
struct Grant {
  std::string capability;
  std::vector<CompiledRestriction> restrictions;
  std::shared_ptr<const std::string> source;  ///< "/roles/admin"
};

/// Compiles a capability for a subject. Nothing where it grants nothing: a pattern that does not compile, or
/// a template that asks for an identity where there is none.
std::optional<Grant> compile_grant(const Capability& capability, const TemplateSubject& subject,
                                   std::shared_ptr<const std::string> source);

/// What a grant says to a call, from the worst to the best.
struct GrantVerdict {
  enum class Kind { kUnknownParameter, kRejected, kAccepted };
  Kind kind = Kind::kAccepted;
  const CompiledRestriction* restriction = nullptr;  ///< the first that does not accept
};

GrantVerdict check_call(const Grant& grant, const CallArguments& arguments);
/// Only restrictions on `topic` count (semantics 6).
GrantVerdict check_topic(const Grant& grant, std::string_view topic);

}  // namespace vipauth
