#pragma once

#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include <vipauth.h>

#include <vipauth/auth_service.hpp>
#include <vipauth/decision.hpp>
#include <vipauth/result.hpp>
#include <vipauth/session.hpp>
#include <vipauth/zap_server.hpp>

// What the handles of the C interface stand for.

struct vipauth_service {
  vipauth::AuthService service;
  std::string server_key = {};
};

struct vipauth_zap {
  vipauth::ZapServer server;
};

struct vipauth_session {
  vipauth::Session session;
};

struct vipauth_decision {
  vipauth::Decision decision;
  std::string reason = {};
};

namespace vipauth::c {

/// Keeps an error for vipauth_last_error(). Never throws: without memory it keeps that.
void remember(const Error& error) noexcept;
void remember(vipauth_code code, std::string_view message) noexcept;

inline Error is_missing(std::string_view what) {
  return Error{ErrorCode::kInvalidArgument, "must not be NULL", std::string(what)};
}

/// Runs what stands behind a function of the C interface. What it throws is remembered.
/// \return what `body` returns, or `failed`
template <typename T, typename Body>
T guarded(T failed, Body body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    remember(VIPAUTH_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    remember(VIPAUTH_INTERNAL, error.what());
  } catch (...) {
    remember(VIPAUTH_INTERNAL, "something was thrown that is no exception");
  }
  return failed;
}

/// Remembers why it failed. \return `failed`
template <typename T>
T fail(T failed, const Error& error) {
  remember(error);
  return failed;
}

/// 1, or 0 with the error remembered.
inline int done(const Result<void>& result) { return result ? 1 : fail(0, result.error()); }

}  // namespace vipauth::c
