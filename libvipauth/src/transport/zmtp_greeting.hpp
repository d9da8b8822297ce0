#pragma once

#include <chrono>
#include <string>

#include <vipauth/result.hpp>

namespace vipauth {

/// The security mechanism that a server greets with, over a connection made for this alone: "CURVE", "NULL".
/// It is told before the server has seen what the client wants, so that nobody hangs up for that.
/// \param endpoint  of TCP
/// \return kUnavailable  no greeting of ZMTP 3 in that time; kInvalidArgument  no such endpoint
/// Source: ZeroMQ RFC 37 (ZMTP 3.1), greeting.
Result<std::string> greeted_mechanism(void* zmq_context, const std::string& endpoint,
                                      std::chrono::milliseconds timeout);

}  // namespace vipauth
