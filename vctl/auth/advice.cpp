#include "auth/advice.hpp"

#include <utility>

#include <vipauth/pattern.hpp>

namespace vipauth::vctl::auth {
namespace {

void check(std::string_view what, const std::string& text, std::vector<std::string>& warnings) {
  if (const auto hint = half_slash_hint(text)) {
    warnings.push_back(std::string(what) + " '" + text + "' is compared as plain text: " + *hint);
  }
}

}  // namespace

std::optional<std::string> half_slash_hint(std::string_view text) {
  const auto intent = Pattern::likely_intent(text);
  if (!intent) return std::nullopt;
  return "a regular expression has a slash at both ends: '" + *intent + "'";
}

std::vector<std::string> half_slashed(const std::vector<Capability>& capabilities) {
  std::vector<std::string> warnings;
  for (const Capability& capability : capabilities) {
    for (const Restriction& restriction : capability.restrictions) {
      if (!restriction.constraint.is_string()) continue;
      check("restriction \"" + restriction.parameter + "\" of capability \"" + capability.name + "\"",
            restriction.constraint.as_string(), warnings);
    }
  }
  return warnings;
}

std::vector<std::string> half_slashed(const AuthRecord& record) {
  std::vector<std::string> warnings;
  for (const Pattern& pattern : record.domain) check("domain", pattern.text(), warnings);
  for (const Pattern& pattern : record.address) check("address", pattern.text(), warnings);
  for (std::string& warning : half_slashed(record.capabilities)) warnings.push_back(std::move(warning));
  return warnings;
}

std::vector<std::string> unknown_names(const Policy& policy, const AuthRecord& record) {
  std::vector<std::string> warnings;
  for (const std::string& role : record.roles) {
    if (policy.find_role(role) == nullptr) {
      warnings.push_back("role \"" + role + "\" does not exist: it grants nothing yet");
    }
  }
  for (const std::string& group : record.groups) {
    if (policy.find_group(group) == nullptr) {
      warnings.push_back("group \"" + group + "\" does not exist: it grants nothing yet");
    }
  }
  return warnings;
}

std::vector<std::string> advice_about(const Policy& policy, const AuthRecord& record) {
  std::vector<std::string> out = half_slashed(record);
  for (std::string& warning : unknown_names(policy, record)) out.push_back(std::move(warning));
  if (record.mechanism == Mechanism::kNull && record.address.empty() && record.domain.empty()) {
    out.emplace_back(
        "the record lets everybody in who connects without a key: give it an address, or a domain");
  }
  return out;
}

}  // namespace vipauth::vctl::auth
