#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include <vipauth/result.hpp>

namespace vipauth {

/// A moment in UTC, to the millisecond.
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

/// Where "now" comes from. Injected, so that tests own the time. May be called from any thread.
using Clock = std::function<Timestamp()>;

VIPAUTH_EXPORT Timestamp system_now();

/// Reads "2026-11-21T21:30:00Z", with up to three decimals of a second. Only UTC ("Z") is accepted.
/// \return kParseError  with the form that is expected
/// Source: RFC 3339, section 5.6.
VIPAUTH_EXPORT Result<Timestamp> parse_timestamp(std::string_view text);

/// Writes the form that parse_timestamp reads, without decimals when they are zero.
VIPAUTH_EXPORT std::string format_timestamp(Timestamp time);

}  // namespace vipauth
