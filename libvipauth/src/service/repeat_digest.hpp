#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <vipauth/audit_event.hpp>
#include <vipauth/json.hpp>

#include "service/repeat_table.hpp"

namespace vipauth {

/// Keeps peers from flooding an audit log: what repeats within an interval is passed on a few times, then
/// counted, and at the end of the interval told with its number.
///
/// Strangers, whom anybody can be, denied keys, wrong passwords and known users who are refused have tables
/// of their own: none can crowd out the others. Of a table one source address, or one user, gets a share.
/// What is beyond the table is one number for each reason. AcceptedDigest does the same for who is let in.
class RepeatDigest {
 public:
  struct Limits {
    std::size_t strangers = 100;   ///< different refused authentications: denied, by password, others, each
    std::size_t per_address = 20;  ///< those of one source address
    std::size_t refusals = 1000;   ///< different refusals of users
    std::size_t per_user = 50;     ///< those of one user
  };
  explicit RepeatDigest(Limits limits) : limits_(limits) {}

  /// True where the event is to be written now. What no peer causes always is, and who is let in.
  bool take(const AuditEvent& event);

  /// What was held back. The next interval begins.
  std::vector<Json> close(Timestamp now);

 private:
  static bool take(const AuditEvent& event, const SeededDigest& key, std::size_t most, std::size_t singly,
                   RepeatTable& table);
  /// Who has a share of a table, and what is counted where it is used up.
  struct Share {
    std::string owner;
    std::size_t keys = 0;  ///< different ones of this owner; 0 is as 1
    AuditEvent others;
  };
  static bool take_of(Share share, const AuditEvent& event, const SeededDigest& key, std::size_t most,
                      std::size_t singly, RepeatTable& table);
  bool take_refusal(const AuditEvent& event);
  bool take_stranger(const AuditEvent& event);

  Limits limits_;
  RepeatTable strangers_;
  RepeatTable denied_;
  RepeatTable passwords_;
  RepeatTable users_;
};

}  // namespace vipauth
