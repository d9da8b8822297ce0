#pragma once

#include <functional>
#include <string>

namespace vipauth {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

/// Receives log lines, without time and level. Called from any thread.
using LogSink = std::function<void(LogLevel, const std::string&)>;

}  // namespace vipauth
