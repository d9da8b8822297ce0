#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/checker.hpp"

namespace vipauth::vctl::auth {

/// What a person wants to know beyond a decision.
struct Explanation {
  std::vector<std::string>
      places;                      ///< of each source of the Finding: which record, role, group or rule it is
  std::vector<std::string> notes;  ///< what else explains it: "record 3 is disabled"
  std::vector<std::string> missing;  ///< required capabilities that are not held
  /// Commands of which each alone would allow it, as arguments of `vctl auth`: at most kMostCommands, the
  /// narrowest first. Words in capitals are for the user to fill in.
  std::vector<std::vector<std::string>> commands;

  static constexpr std::size_t kMostCommands = 3;
};

/// \param pending_user_id  by which the peer waits for a decision, where it does
Explanation explain_connect(const Checker& checker, const ConnectQuestion& question, const Finding& finding,
                            const std::optional<std::string>& pending_user_id);
Explanation explain_call(const Checker& checker, const CallQuestion& question, const Finding& finding);
/// \param rules  those that were asked
Explanation explain_topic(const Checker& checker, const std::string& user_id, const std::string& topic,
                          const std::vector<TopicRule>& rules, const Finding& finding);

/// Which record, role, group or rule a place of the files is: `role "setter", which record 1 has`. Empty for
/// a place that says everything itself.
/// \param user_id  through whose records a role is held
std::string describe_place(const Checker& checker, const std::optional<std::string>& user_id,
                           const std::string& place);

}  // namespace vipauth::vctl::auth
