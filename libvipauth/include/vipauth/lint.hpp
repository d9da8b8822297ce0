#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <vipauth/clock.hpp>
#include <vipauth/policy.hpp>
#include <vipauth/topic_rules.hpp>

namespace vipauth {

enum class LintSeverity {
  kError,    ///< a part of the file cannot do what it says, or lets everybody in
  kWarning,  ///< it works, and is probably not meant
};

/// "error", "warning".
VIPAUTH_EXPORT std::string_view to_string(LintSeverity severity) noexcept;

/// Something in the files of a home that an administrator should look at.
struct LintFinding {
  LintSeverity severity = LintSeverity::kWarning;
  std::string check;  ///< which check found it: one of lint_checks()
  std::string file;   ///< "auth.json", "protected_topics.json", below "certificates/", or a key of a fleet
  std::string place;  ///< JSON Pointer from the file's root: "/allow/3/credentials"; or a certificate's name
  std::string message;  ///< what is wrong, and what follows from it; never a secret
  std::string remedy;   ///< how to mend it
  /// The arguments of a `vctl auth` command that mends it, unquoted; words in capitals are for the user to
  /// fill in. Names of the file stand behind "--" or as the value of an option. Empty where there is none.
  std::vector<std::string> command;
};

/// A check that lint() or lint_certificates() makes.
struct LintCheck {
  std::string_view name;  ///< stable, for scripts: "shadowed-record"
  std::string_view description;
};

/// All of them, sorted by name.
VIPAUTH_EXPORT std::vector<LintCheck> lint_checks();

/// Looks for mistakes in what was understood, and lists what was not. Findings are in the order of the files:
/// allow, deny, groups and roles, then the topic rules.
///
/// The time grows as the size of the files. Where that would need every pair to be compared, it looks at a
/// bounded number of them, and may find less: of many records of one key, of many patterns, of many sets of
/// capabilities that topics require. Source: semantics, wherever they say that lint reports.
VIPAUTH_EXPORT std::vector<LintFinding> lint(const Policy& policy, const TopicRules& rules, Timestamp now);

}  // namespace vipauth
