#pragma once

#include <cstddef>

#include <vipauth/audit_log.hpp>

#include "service/repeat_key.hpp"
#include "service/repeat_table.hpp"

namespace vipauth {

/// What RepeatDigest is for refusals, for who is let in. It needs no event to know a repeat. Of a table one
/// user gets a share: a record with a pattern is a user of any number of keys.
class AcceptedDigest {
 public:
  struct Limits {
    std::size_t per_key = 60;        ///< authentications of one key or name that are written singly
    std::size_t in_all = 10'000;     ///< those of all, beside the first of each
    std::size_t keys_per_user = 20;  ///< different keys of one user
  };
  explicit AcceptedDigest(Limits limits) : limits_(limits) {}

  /// Counts who is not to be written singly. False for the others, and where the event is needed to tell.
  bool count(const AuditLog::AcceptedPeer& peer);

  /// An event that count() does not count. True where it is to be written now.
  bool take(const AuditEvent& event);

  /// What was held back. The next interval begins.
  RepeatTable close();

 private:
  SeededDigest key_of(const AuditLog::AcceptedPeer& peer);
  bool may_write(const RepeatTable::Repeated& repeated) const;
  void count_other_key(const AuditLog::AcceptedPeer& peer);

  Limits limits_;
  std::size_t again_ = 0;  // written singly, beside the first of each
  RepeatTable table_;
  RepeatKey key_{AuditEvent::kMaxTextBytes};
};

}  // namespace vipauth
