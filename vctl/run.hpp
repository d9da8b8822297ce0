#pragma once

#include <span>
#include <string>

#include "env.hpp"

namespace vipauth::vctl {

/// The whole program but main(): runs the command line `arguments` (without the name of the program).
/// \return the exit code
int run(std::span<const std::string> arguments, Env& env);

}  // namespace vipauth::vctl
