#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/capability_resolver.hpp>
#include <vipauth/lint.hpp>

#include "base/string_hash.hpp"

namespace vipauth {

/// The parts of the files, in the order of a report.
enum class LintSection { kAllow, kDeny, kGroups, kRoles, kWriteProtect, kReadProtect };

/// An item of a part, and what in it: "/credentials", or nothing.
struct LintPlace {
  LintSection section = LintSection::kAllow;
  std::size_t index = 0;
  std::string tail;
};

/// What a check says of a place.
struct LintText {
  std::string_view check;
  std::string message;
  std::string remedy;
  std::vector<std::string> command = {};
};

/// What the checks share: the files, which records count, who holds what, and the findings.
class LintReport {
 public:
  LintReport(const Policy& a_policy, const TopicRules& topic_rules, Timestamp time);

  const Policy& policy;
  const TopicRules& rules;
  const Timestamp now;
  const std::shared_ptr<const PolicyIndex> index;
  const std::shared_ptr<const Activity> activity;
  const std::vector<bool>& active;  ///< of each allow record
  /// Nothing where the policy could not be put in force for the number of somebody's grants.
  const Result<CapabilityResolver> resolver;
  std::vector<std::string> users;               ///< of the resolver
  StringMap<std::vector<std::size_t>> holders;  ///< capability -> indices into users, ascending

  void error(const LintPlace& place, LintText text);
  void warning(const LintPlace& place, LintText text);

  /// "/allow/3/credentials".
  std::string pointer(const LintPlace& place) const;

  /// The findings, in the order of the files.
  std::vector<LintFinding> take();

 private:
  struct Item {
    LintSection section = LintSection::kAllow;
    std::size_t index = 0;
    LintFinding finding;
  };
  void add(LintSeverity severity, const LintPlace& place, LintText text);

  std::vector<Item> items_;
};

/// A name of the file, in quotes.
std::string quoted(std::string_view name);

/// "/allow/0, /allow/4 and 7 more".
std::string some_of(const std::vector<std::string>& names);

/// What is wrong with a `/pattern/`, however often it is asked.
class PatternCheck {
 public:
  /// Why it does not compile; nothing for a good one and for a literal.
  const std::optional<std::string>& problem(const std::string& text);
  /// What VOLTTRON makes of it, where that is something else; nothing for a literal.
  static std::optional<std::string> difference_to_volttron(std::string_view text);
  /// A pattern that means the same in both; for one with a difference.
  static std::string same_in_both(std::string_view text);

 private:
  StringMap<std::optional<std::string>> problems_;
};

// The checks, by what they look at.

void lint_problems(LintReport& report);      ///< what was not understood
void lint_records(LintReport& report);       ///< each record by itself
void lint_peers(LintReport& report);         ///< records that meet the same peers
void lint_names(LintReport& report);         ///< roles, groups, user ids, identities
void lint_capabilities(LintReport& report);  ///< grants and what methods require
void lint_topics(LintReport& report);        ///< protected_topics.json

}  // namespace vipauth
