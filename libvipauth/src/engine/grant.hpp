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
  std::optional<Pattern> pattern = {};  ///< where the constraint is one
  SelfName self = SelfName::kNone;      ///< where it is the name of who holds the grant

  bool accepts(const Json& argument, const TemplateSubject& holder = {}) const;
  bool accepts_text(std::string_view text, const TemplateSubject& holder = {}) const;
  /// The constraint as it is for that holder.
  Json constraint_for(const TemplateSubject& holder) const;
};

/// A capability that somebody holds, ready to be checked.
struct Grant {
  std::string capability;
  std::vector<CompiledRestriction> restrictions;
  std::shared_ptr<const std::string> source;  ///< "/roles/admin"; null: the holder's record
  bool names_holder = false;                  ///< some restriction is the name of who holds it

  /// False where a restriction is a name that the holder does not have.
  bool counts_for(const TemplateSubject& holder) const;
};

/// Compiles a capability for a subject. Nothing where it grants nothing: a pattern that does not compile, or
/// a template that asks for an identity where there is none. What is nothing but the subject's name stays a
/// template: the grant is the same for all, and its holder is named when it is checked.
std::optional<Grant> compile_grant(const Capability& capability, const TemplateSubject& subject,
                                   std::shared_ptr<const std::string> source);

/// What a grant says to a call, from the worst to the best.
struct GrantVerdict {
  enum class Kind { kUnknownParameter, kRejected, kAccepted };
  Kind kind = Kind::kAccepted;
  const CompiledRestriction* restriction = nullptr;  ///< the first that does not accept
};

GrantVerdict check_call(const Grant& grant, const CallArguments& arguments, const TemplateSubject& holder);
/// Only restrictions on `topic` count (semantics 6).
GrantVerdict check_topic(const Grant& grant, std::string_view topic, const TemplateSubject& holder);

}  // namespace vipauth
