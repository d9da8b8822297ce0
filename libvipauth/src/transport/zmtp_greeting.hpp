#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include <vipauth/result.hpp>

namespace vipauth {

/// What of a greeting tells the mechanism, in bytes.
inline constexpr std::size_t kGreetingBytes = 32;

/// The security mechanism in the beginning of a greeting, whatever the server sent.
/// \return kUnavailable  not that many bytes, not a greeting of ZMTP 3, or a mechanism of other than `[A-Z0-9_.-]`
/// Source: ZeroMQ RFC 37 (ZMTP 3.1), greeting.
Result<std::string> mechanism_in_greeting(std::string_view greeting);

/// The security mechanism that a server greets with, over a connection made for this alone: "CURVE", "NULL".
/// It is told before the server has seen what the client wants, so that nobody hangs up for that.
/// \param endpoint  of TCP
/// \return what mechanism_in_greeting returns of what came in that time; kInvalidArgument  no such endpoint
Result<std::string> greeted_mechanism(void* zmq_context, const std::string& endpoint,
                                      std::chrono::milliseconds timeout);

}  // namespace vipauth
