#include <vipauth/version.hpp>

#include "c/c_handles.hpp"

namespace vipauth::c {
namespace {

struct LastError {
  std::string message;
  std::string location;
  vipauth_error error{VIPAUTH_OK, "", ""};
};

LastError& last_error() noexcept {
  thread_local LastError last;
  return last;
}

vipauth_code code_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidArgument: return VIPAUTH_INVALID_ARGUMENT;
    case ErrorCode::kParseError: return VIPAUTH_PARSE_ERROR;
    case ErrorCode::kUnsupported: return VIPAUTH_UNSUPPORTED;
    case ErrorCode::kLimitExceeded: return VIPAUTH_LIMIT_EXCEEDED;
    case ErrorCode::kNotFound: return VIPAUTH_NOT_FOUND;
    case ErrorCode::kAlreadyExists: return VIPAUTH_ALREADY_EXISTS;
    case ErrorCode::kConflict: return VIPAUTH_CONFLICT;
    case ErrorCode::kBusy: return VIPAUTH_BUSY;
    case ErrorCode::kPermissionDenied: return VIPAUTH_PERMISSION_DENIED;
    case ErrorCode::kIoError: return VIPAUTH_IO_ERROR;
    case ErrorCode::kUnavailable: return VIPAUTH_UNAVAILABLE;
  }
  return VIPAUTH_INTERNAL;
}

void remember(vipauth_code code, std::string_view message, std::string_view location) noexcept {
  LastError& last = last_error();
  try {
    last.message = message;
    last.location = location;
    last.error = {code, last.message.c_str(), last.location.c_str()};
  } catch (...) {
    last.error = {VIPAUTH_OUT_OF_MEMORY, "out of memory", ""};
  }
}

}  // namespace

void remember(const Error& error) noexcept { remember(code_of(error.code), error.message, error.location); }

void remember(vipauth_code code, std::string_view message) noexcept { remember(code, message, ""); }

}  // namespace vipauth::c

extern "C" {

unsigned vipauth_abi(void) { return VIPAUTH_ABI; }

const char* vipauth_version(void) { return VIPAUTH_VERSION; }

const vipauth_error* vipauth_last_error(void) { return &vipauth::c::last_error().error; }
}
