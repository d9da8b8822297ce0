#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include "engine/lint_report.hpp"

namespace vipauth {
namespace {

/// The index in "/allow/3".
std::size_t index_of(std::string_view pointer) {
  std::size_t index = 0;
  const std::string_view digits = pointer.substr(pointer.rfind('/') + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), index);
  return index;
}

void check_widened(LintReport& report) {
  for (const std::string& user : report.users) {
    const std::vector<HeldGrant> grants = report.resolver->grants_of(user);
    for (auto begin = grants.begin(); begin != grants.end();) {
      const std::string& name = begin->capability.name;
      const auto end = std::find_if(begin, grants.end(),
                                    [&](const HeldGrant& grant) { return grant.capability.name != name; });
      const auto is_restricted = [](const HeldGrant& grant) {
        return !grant.capability.restrictions.empty();
      };
      const auto narrow = std::find_if(begin, end, is_restricted);
      const auto wide = std::find_if_not(begin, end, is_restricted);
      if (narrow != end && wide != end) {
        report.warning(
            {LintSection::kAllow, index_of(report.resolver->records_of(user).front()), ""},
            {"widened-grant",
             quoted(user) + " holds " + quoted(name) + " restricted by " + narrow->source +
                 ", and without restrictions by " + wide->source + ": the restrictions mean nothing",
             "take one of the two away"});
      }
      begin = end;
    }
  }
}

void check_methods(LintReport& report, std::size_t i, const AuthRecord& record) {
  constexpr std::string_view kField = "/rpc_method_authorizations";
  const MethodAuthorizations& methods = record.rpc_method_authorizations;
  if (methods.ill_typed) {
    report.error({LintSection::kAllow, i, std::string(kField)},
                 {"bad-methods",
                  record.identity.empty() ? "must map methods to lists of capabilities"
                                          : "must map methods to lists of capabilities: every call to " +
                                                quoted(record.identity) + " is refused",
                  "mend it: an object of lists of names"});
    return;
  }
  const bool requires_something =
      std::any_of(methods.methods.begin(), methods.methods.end(), [](const auto& method) {
        return std::any_of(method.second.begin(), method.second.end(),
                           [](const std::string& name) { return !name.empty(); });
      });
  if (!requires_something) return;
  if (record.identity.empty()) {
    report.warning({LintSection::kAllow, i, std::string(kField)},
                   {"methods-without-identity",
                    "the record has no identity: nothing of this is ever required",
                    "give the record the identity of the agent",
                    {"update", std::to_string(i), "--identity", "IDENTITY"}});
    return;
  }
  if (!report.resolver) return;
  for (const auto& [method, names] : methods.methods) {
    if (names.size() == 1 && names.front().empty()) continue;
    std::vector<std::string> missing;
    for (const std::string& name : names) {
      if (!report.holders.contains(name)) missing.push_back(quoted(name));
    }
    if (missing.empty()) continue;
    report.warning(
        {LintSection::kAllow, i, json_pointer(kField, method)},
        {"unheld-requirement",
         "nobody can call " + quoted(record.identity + "." + method) + ": nobody holds " + some_of(missing),
         "grant it to whoever should call the method"});
  }
}

}  // namespace

void lint_capabilities(LintReport& report) {
  if (report.resolver) {
    check_widened(report);
  } else {
    report.error({LintSection::kAllow, index_of(report.resolver.error().location), ""},
                 {"too-many-grants", report.resolver.error().message + ": the whole file is not put in force",
                  "give the user fewer roles and capabilities"});
  }
  const auto& entries = report.policy.allow();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].record) check_methods(report, i, *entries[i].record);
  }
}

}  // namespace vipauth
