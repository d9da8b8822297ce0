#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <vipauth/audit_event.hpp>
#include <vipauth/json.hpp>

#include "base/hash.hpp"
#include "base/string_hash.hpp"

namespace vipauth {

/// What has happened in an interval of an audit log, by what makes events the same.
struct RepeatTable {
  struct Repeated {
    std::size_t written = 0;
    std::uint64_t more = 0;
    Timestamp since;  // of those that were held back
    Timestamp last;
    std::unique_ptr<AuditEvent> first;  // apart: the numbers of thousands are to stay in the cache

    explicit Repeated(AuditEvent event = {}) : first(std::make_unique<AuditEvent>(std::move(event))) {}
    void hold_back(Timestamp time) {
      if (more++ == 0) since = time;
      last = time;
    }
  };

  struct Hash {
    std::size_t operator()(const SeededDigest& digest) const noexcept { return digest[0]; }
  };

  std::unordered_map<SeededDigest, Repeated, Hash> seen;
  std::map<std::optional<Reason>, Repeated> rest;  // by reason
  StringMap<std::size_t> singly_of;                // by whose share it is, those that were written

  /// Counts what there is no room for, by its reason.
  void hold_back_rest(AuditEvent::Kind kind, std::optional<bool> allowed, std::optional<Reason> reason,
                      Timestamp time);

  /// Adds what was held back, which is then gone.
  void move_lines_to(std::vector<Json>& out, Timestamp now);
};

}  // namespace vipauth
