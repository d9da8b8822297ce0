#pragma once

#include <functional>
#include <thread>

namespace vipauth::web {

/// Starts a thread on which no signal handler of the embedder's runs.
/// \throws std::system_error
std::thread start_quiet_thread(std::function<void()> body);

}  // namespace vipauth::web
