#pragma once

#include <string>

#include "command.hpp"

namespace vipauth::vctl {

/// The manual page vctl(1) in man(7)'s form, made from the tree of commands.
std::string manual_page(const Command& root);

}  // namespace vipauth::vctl
