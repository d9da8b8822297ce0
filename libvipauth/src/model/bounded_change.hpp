#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include <vipauth/audit_event.hpp>

namespace vipauth {

// What an audit line holds of a change that is longer than AuditEvent::kMaxChangeBytes.

/// Its length, and its hash; the names of its records follow as "allow" and "deny".
/// \param bytes, sha256  of what Json::dump writes of it
Json cut_change(std::size_t bytes, std::string sha256);

/// As many records of one list, from the first, as there is room for: whose they are, and which peer's.
class RecordNames {
 public:
  void add(const Json& record);
  Json::Array take() { return std::move(names_); }

 private:
  std::size_t room_ = (AuditEvent::kMaxChangeBytes - 256) / 2;  // of two lists
  bool is_full_ = false;
  Json::Array names_;
};

}  // namespace vipauth
