#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <vipauth/clock.hpp>
#include <vipauth/decision.hpp>
#include <vipauth/json.hpp>

namespace vipauth {

/// Something that an auditor will want to know. It never holds a password, the hash of one, or a secret key.
///
/// What does not apply is empty. Text may come from a peer: any bytes, of any length; to_json bounds it.
struct AuditEvent {
  enum class Kind {
    kAuthentication,  ///< a peer asked to be let in
    kRefusal,         ///< a user was refused a call, a topic or a name
    kChange,          ///< a file of the home was edited
    kPolicy,          ///< other files were put in force, or could not be
    kStart,           ///< a service began to write
    kStop,            ///< it ended in good order
  };
  /// Longest text of a field, and longest before or after, in bytes.
  static constexpr std::size_t kMaxTextBytes = 1024;
  static constexpr std::size_t kMaxRefusalTextBytes = 256;  ///< the same of what was refused
  static constexpr std::size_t kMaxChangeBytes = 8192;

  Kind kind = Kind::kAuthentication;
  Timestamp time;
  std::optional<bool> allowed;  ///< of what asks or tries
  std::optional<Reason> reason;

  // Who asked, and what
  std::string user_id;
  std::string mechanism;
  std::string credentials;  ///< CURVE: the public key; PLAIN: the user name
  std::string domain;
  std::string address;
  std::string question;  ///< of a refusal: "sender", "call", "publish", "receive"
  std::string subject;   ///< the name, the method, or the topic
  std::string callee;
  std::string message;  ///< what the peer may be told, or what is wrong

  // Who changed what
  std::string who;
  std::string command;
  std::string file;              ///< "auth.json"
  std::uint64_t generation = 0;  ///< of the policy that was put in force
  std::string digest;            ///< of the whole content: see docs/formats.md
  Json before;                   ///< what differs, as it was
  Json after;                    ///< of the first content in force that is large, what to_json holds of it

  std::uint64_t repeats = 0;  ///< how often more the same was seen
};

VIPAUTH_EXPORT std::string_view to_string(AuditEvent::Kind kind) noexcept;  ///< "authentication", ...

/// One flat object of what is not empty, `time` and `kind` first. Text that is too long is cut, what is not
/// UTF-8 is escaped, and a before or after that is too large is replaced by its size and hash, and of as many
/// of its records as there is room for by user_id, credentials, address and identity.
VIPAUTH_EXPORT Json to_json(const AuditEvent& event);

}  // namespace vipauth
