#pragma once

#include <vipauth/audit_event.hpp>

namespace vipauth {

/// Takes what is to be audited: AuditLog, or an embedder's own.
///
/// Called from any thread, before the peer has its answer: be quick, never wait, never throw.
class AuditSink {
 public:
  AuditSink() = default;
  AuditSink(const AuditSink&) = delete;
  AuditSink& operator=(const AuditSink&) = delete;
  virtual ~AuditSink() = default;

  virtual void write(const AuditEvent& event) noexcept = 0;
};

}  // namespace vipauth
