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
/// in have tables of their own: none can crowd out the others. Of a table of refusals one source address, or
/// one user, gets a share. What is beyond the table is one number for each reason.
class RepeatDigest {
 public:
  struct Limits {
    std::size_t strangers = 100;   ///< different refused authentications: denied, by password, others, each
    std::size_t per_address = 20;  ///< those of one source address
    std::size_t refusals = 1000;   ///< different refusals of users
    std::size_t per_user = 50;     ///< those of one user
    std::size_t accepted = 60;     ///< authentications of one key or name that were accepted
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
  static bool take_of(const std::string& owner, std::size_t share, const AuditEvent& event, AuditEvent others,
                      std::size_t most, Table& table);
  bool take_refusal(const AuditEvent& event);
  bool take_stranger(const AuditEvent& event);

  Limits limits_;
  Table strangers_;
  Table denied_;
  Table passwords_;
  Table users_;
  Table accepted_;
};

}  // namespace vipauth
