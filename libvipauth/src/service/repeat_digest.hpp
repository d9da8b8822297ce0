#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <vipauth/audit_event.hpp>
#include <vipauth/json.hpp>

namespace vipauth {

/// Keeps peers from flooding an audit log: what repeats within an interval is passed on a few times, then
/// counted, and at the end of the interval told with its number.
///
/// Strangers, whom anybody can be, denied keys, wrong passwords, known users who are refused, and who is let
/// in have tables of their own: none can crowd out the others. Of a table one source address, or one user,
/// gets a share: a record with a pattern is a user of any number of keys. What is beyond the table is one
/// number for each reason.
class RepeatDigest {
 public:
  struct Limits {
    std::size_t strangers = 100;     ///< different refused authentications: denied, by password, others, each
    std::size_t per_address = 20;    ///< those of one source address
    std::size_t refusals = 1000;     ///< different refusals of users
    std::size_t per_user = 50;       ///< those of one user
    std::size_t accepted = 60;       ///< authentications of one key or name that were accepted
    std::size_t keys_per_user = 20;  ///< different keys of one user among them
  };
  explicit RepeatDigest(Limits limits) : limits_(limits) {}

  /// True where the event is to be written now. What no peer causes always is.
  bool take(const AuditEvent& event);

  /// What was held back. The next interval begins.
  std::vector<Json> close(Timestamp now);

 private:
  struct Repeated {
    AuditEvent first;
    std::size_t written = 0;
    std::uint64_t more = 0;
    Timestamp since;  // of those that were held back
    Timestamp last;
  };
  struct Table {
    std::unordered_map<std::string, Repeated> seen;
    std::map<std::optional<Reason>, Repeated> rest;          // by reason
    std::unordered_map<std::string, std::size_t> singly_of;  // by whose share it is, those that were written
  };

  static void hold_back(const AuditEvent& event, Repeated& repeated);
  static bool take(const AuditEvent& event, std::string key, std::size_t most, std::size_t singly,
                   Table& table);
  /// Who has a share of a table, and what is counted where it is used up.
  struct Share {
    std::string owner;
    std::size_t keys = 0;  ///< different ones of this owner; 0 is as 1
    AuditEvent others;
  };
  static bool take_of(Share share, const AuditEvent& event, std::string key, std::size_t most,
                      std::size_t singly, Table& table);
  bool take_refusal(const AuditEvent& event);
  bool take_stranger(const AuditEvent& event);
  bool take_accepted(const AuditEvent& event);

  Limits limits_;
  Table strangers_;
  Table denied_;
  Table passwords_;
  Table users_;
  Table accepted_;
};

}  // namespace vipauth
