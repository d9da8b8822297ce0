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

/// True where `constraint` holds `{user_id}` or `{identity}` in any of its strings.
bool has_template(const Json& constraint);

/// `constraint` with the subject's names in it; inside a `/pattern/` they are escaped, so that a name is
/// never a pattern. Nothing where it asks for an identity and there is none: such a grant does not count.
/// Source: semantics 4.
std::optional<Json> expand_template(const Json& constraint, const TemplateSubject& subject);

}  // namespace vipauth
