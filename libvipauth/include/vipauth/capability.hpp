#pragma once

#include <string>
#include <vector>

#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// One condition of a grant: the call's `parameter` must satisfy `constraint`.
/// A `/pattern/` accepts only strings; any other constraint is JSON equality (semantics 5).
struct Restriction {
  std::string parameter;
  Json constraint;
};

/// A capability as somebody is given it: a name, and the restrictions that must all hold.
struct Capability {
  std::string name;
  std::vector<Restriction> restrictions;
};

/// Reads each form in which auth.json writes capabilities: a name, a list of names and maps, or a map from
/// name to null or restrictions. Null is none. Every grant is kept: the same name twice is two grants.
/// \return kInvalidArgument  a wrong type; `location` is a JSON Pointer relative to `json`
/// Source: semantics 4; VOLTTRON auth_entry.py, build_capabilities_field.
VIPAUTH_EXPORT Result<std::vector<Capability>> parse_capabilities(const Json& json);

}  // namespace vipauth
