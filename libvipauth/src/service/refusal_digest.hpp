#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include <vipauth/audit_event.hpp>
#include <vipauth/json.hpp>

namespace vipauth {

/// Keeps refusals from flooding an audit log: of each, the first of an interval is passed on at once, and at
/// the end of the interval a copy of it that says how often it came again. Beyond a number of different ones
/// they are only counted. Strangers, whom anybody can be, have a number of their own, so that they cannot
/// crowd out what known users are refused.
class RefusalDigest {
 public:
  struct Limits {
    std::size_t strangers = 100;
    std::size_t refusals = 1000;
  };
  explicit RefusalDigest(Limits limits)
      : strangers_{limits.strangers, {}, {}}, users_{limits.refusals, {}, {}} {}

  /// True where the event is to be written now. What allows, and what is no refusal of a peer, always is.
  bool take(const AuditEvent& event);

  bool empty() const noexcept { return repeated_ == 0; }
  /// What was held back. The next interval begins.
  std::vector<Json> close(Timestamp now);

 private:
  struct Repeated {
    AuditEvent first;
    std::uint64_t more = 0;
    Timestamp last;
  };
  struct Table {
    std::size_t most = 0;
    std::unordered_map<std::string, Repeated> seen;
    struct {
      std::uint64_t count = 0;
      Timestamp first;
      Timestamp last;
    } rest;
  };

  bool take(const AuditEvent& event, Table& table);

  Table strangers_;
  Table users_;
  std::uint64_t repeated_ = 0;
};

}  // namespace vipauth
