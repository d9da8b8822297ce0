#include "auth/grant_text.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <vipauth/pattern.hpp>
#include <vipauth/python_repr.hpp>

namespace vipauth::vctl::auth {
namespace {

void add_once(std::vector<std::string>& list, const std::string& item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

}  // namespace

std::string restrictions_text(const std::vector<Restriction>& restrictions) {
  std::string out;
  for (const Restriction& restriction : restrictions) {
    const Json& constraint = restriction.constraint;
    const bool is_pattern = constraint.is_string() && Pattern::looks_like_regex(constraint.as_string());
    out += (out.empty() ? "" : " and ") + restriction.parameter + (is_pattern ? " matching " : "=") +
           (is_pattern ? python_str(constraint) : python_repr(constraint));
  }
  return out;
}

Json restrictions_json(const std::vector<Restriction>& restrictions) {
  if (restrictions.empty()) return {};
  Json::Object out;
  for (const Restriction& restriction : restrictions)
    out.push_back({restriction.parameter, restriction.constraint});
  return out;
}

Reach reach_of(const CapabilityResolver& capabilities, const std::string& user_id,
               const std::vector<std::string>& required) {
  Reach reach;
  for (const std::string& name : required) {
    std::vector<HeldGrant> grants = capabilities.grants_of(user_id, name);
    reach.has_all = reach.has_all && !grants.empty();
    for (const HeldGrant& grant : grants) add_once(reach.source, grant.source);
    const bool is_free = std::any_of(grants.begin(), grants.end(), [](const HeldGrant& grant) {
      return grant.capability.restrictions.empty();
    });
    if (!is_free) std::move(grants.begin(), grants.end(), std::back_inserter(reach.only_with));
  }
  return reach;
}

std::string only_with_text(const std::vector<HeldGrant>& grants) {
  std::string out;
  for (std::size_t i = 0; i < grants.size(); ++i) {
    const Capability& capability = grants[i].capability;
    const bool goes_on = i > 0 && grants[i - 1].capability.name == capability.name;
    out += goes_on ? " or " : (i == 0 ? "" : "; ") + capability.name + ": ";
    out += restrictions_text(capability.restrictions);
  }
  return out;
}

Json only_with_json(const std::vector<HeldGrant>& grants) {
  Json::Array out;
  for (const HeldGrant& grant : grants) {
    out.emplace_back(Json::Object{{"capability", grant.capability.name},
                                  {"restrictions", restrictions_json(grant.capability.restrictions)}});
  }
  return out;
}

}  // namespace vipauth::vctl::auth
