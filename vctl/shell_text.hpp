#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vipauth::vctl {

/// A word as a shell must be given it: as it is where that is safe, else in quotes. Characters that a
/// terminal would obey are written as $'\x1b', which bash and zsh read.
std::string shell_quote(std::string_view word);

/// A `vctl auth` command to copy into a shell. No value is taken for an option, whatever it begins with:
/// names stand behind "--", which is left out where nothing needs it, and a value behind its option's name.
std::string shell_command(const std::vector<std::string>& arguments);

}  // namespace vipauth::vctl
