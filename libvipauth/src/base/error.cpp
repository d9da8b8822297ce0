#include <vipauth/error.hpp>

namespace vipauth {

std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidArgument: return "invalid_argument";
    case ErrorCode::kParseError: return "parse_error";
    case ErrorCode::kUnsupported: return "unsupported";
    case ErrorCode::kLimitExceeded: return "limit_exceeded";
    case ErrorCode::kNotFound: return "not_found";
    case ErrorCode::kAlreadyExists: return "already_exists";
    case ErrorCode::kConflict: return "conflict";
    case ErrorCode::kBusy: return "busy";
    case ErrorCode::kPermissionDenied: return "permission_denied";
    case ErrorCode::kIoError: return "io_error";
    case ErrorCode::kUnavailable: return "unavailable";
  }
  return "unknown";
}

std::string Error::to_string() const { return location.empty() ? message : location + ": " + message; }

Error Error::at(std::string_view place) const {
  Error moved = *this;
  if (place.empty()) return moved;
  if (location.empty()) {
    moved.location = place;
    return moved;
  }
  const bool joins_pointers = place.front() == '/' && location.front() == '/';
  const bool joins_position = location.front() >= '0' && location.front() <= '9';  // "LINE:COLUMN"
  moved.location = std::string(place) + (joins_pointers ? "" : joins_position ? ":" : ": ") + location;
  return moved;
}

}  // namespace vipauth
