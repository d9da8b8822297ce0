#pragma once

#include <optional>
#include <string_view>

#include <vipauth/json.hpp>

namespace vipauth {

/// Whom `{user_id}` and `{identity}` stand for in a restriction.
struct TemplateSubject {
  std::string_view user_id;
  std::string_view identity;  ///< empty: the record gives none
};

/// A restriction that is nothing but the name of its subject: it is compared, not expanded.
enum class SelfName { kNone, kUserId, kIdentity };
SelfName self_name_of(const Json& constraint);

/// The name that the subject has for it; empty: it has none, or one that would be taken for a pattern.
std::string_view name_of(const TemplateSubject& subject, SelfName self);

/// The same where `constraint` is the name itself, or the template for it: records that say the same of
/// themselves share it.
SelfName self_name_in(const Json& constraint, const TemplateSubject& subject);
std::string_view template_of(SelfName self) noexcept;  ///< "{user_id}", "{identity}"

/// True where `constraint` holds `{user_id}` or `{identity}` in any of its strings.
bool has_template(const Json& constraint);

/// `constraint` with the subject's names in it; inside a `/pattern/` they are escaped, so that a name is
/// never a pattern. Nothing where it asks for an identity and there is none, or where a name would make a
/// pattern of what is none: such a grant does not count.
/// Source: semantics 4.
std::optional<Json> expand_template(const Json& constraint, const TemplateSubject& subject);

}  // namespace vipauth
