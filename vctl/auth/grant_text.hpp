#pragma once

#include <string>
#include <vector>

#include <vipauth/capability_resolver.hpp>
#include <vipauth/json.hpp>

namespace vipauth::vctl::auth {

/// "x=1 and y matching /a.*/"; empty for none.
std::string restrictions_text(const std::vector<Restriction>& restrictions);

/// {"x": 1, "y": "/a.*/"}, or null for none.
Json restrictions_json(const std::vector<Restriction>& restrictions);

/// What a user's grants of some capabilities allow together.
struct Reach {
  bool has_all = true;               ///< holds each of them
  std::vector<std::string> source;   ///< where the grants come from, each once
  std::vector<HeldGrant> only_with;  ///< grants of those that are held with restrictions alone
};

Reach reach_of(const CapabilityResolver& capabilities, const std::string& user_id,
               const std::vector<std::string>& required);

/// "can_set: x=1 or x=2"; several capabilities with a semicolon between.
std::string only_with_text(const std::vector<HeldGrant>& grants);
/// [{"capability": "can_set", "restrictions": {"x": 1}}]
Json only_with_json(const std::vector<HeldGrant>& grants);

}  // namespace vipauth::vctl::auth
