#pragma once

#include <string>
#include <string_view>

#include <vipauth/export.hpp>

namespace vipauth {

/// What went wrong, for a program. The text for a person is Error::message.
enum class ErrorCode {
  kInvalidArgument,   ///< an argument, field or frame is not of the form that it must have
  kParseError,        ///< a text is not well-formed (JSON, key, pattern, time)
  kUnsupported,       ///< well-formed, but of a version or kind that this library does not handle
  kLimitExceeded,     ///< larger than a documented limit
  kNotFound,          ///< a named thing (file, record, role, request) does not exist
  kAlreadyExists,     ///< a name or key is taken
  kConflict,          ///< the change would contradict what is there
  kBusy,              ///< not now: somebody else holds the lock and went on holding it, or it was too often
  kPermissionDenied,  ///< the operating system, or the policy, refuses it to who asks
  kIoError,           ///< the operating system failed (disk full, read error, socket)
  kUnavailable,       ///< a needed facility is missing here (libzmq without CURVE)
};

VIPAUTH_EXPORT std::string_view to_string(ErrorCode code) noexcept;

/// A failure: never a refusal, which is a Decision.
///
/// `message` is for people: lower case, no full stop, input in quotes, never a secret.
/// `location` says where: "auth.json:3:14", "auth.json: /allow/3/credentials", "--credentials", or nothing.
struct Error {
  ErrorCode code = ErrorCode::kInvalidArgument;
  std::string message;
  std::string location;

  /// "location: message", or just the message.
  VIPAUTH_EXPORT std::string to_string() const;

  /// The same error, seen from further out: `place` is put before the location.
  /// JSON Pointers join ("/allow/3" + "/roles"); anything else is separated by ": ".
  VIPAUTH_EXPORT Error at(std::string_view place) const;
};

}  // namespace vipauth
