#pragma once

// What ZAP handlers are loaded with. The same code asks each of them, whatever it is written in: it is in a
// library that Python opens, too.

#include <cstddef>

// NOLINTBEGIN(readability-identifier-naming): C's way, for Python's ctypes

/// Asks the ZAP handler of a libzmq context for so long, by one DEALER with 64 requests in flight, each of
/// another of the first `records` keys.
/// \return answers a second; negative: something was refused, or is not ZAP
extern "C" double zap_load(void* context, std::size_t records, double seconds);

/// Has 50 clients connect at once to a CURVE server of that context, and waits for the first answer of each.
/// \return seconds; negative: somebody got none
extern "C" double handshake_load(void* context);

// NOLINTEND(readability-identifier-naming)
