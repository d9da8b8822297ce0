#pragma once

#include <string>

#include "command.hpp"

namespace vipauth::vctl {

// What a shell reads to complete command lines of the program, made from its tree of commands.

/// For bash: to be sourced, or installed as bash-completion/completions/vctl.
std::string bash_completion(const Command& root);

/// For zsh: to be installed as site-functions/_vctl.
std::string zsh_completion(const Command& root);

}  // namespace vipauth::vctl
