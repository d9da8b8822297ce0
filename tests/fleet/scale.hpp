#pragma once

#include <cstddef>
#include <string>

namespace vipauth::fleet_drill {

/// Measures what a fleet of so many records costs, and prints it as a table. \param program  this one
int run_scale(std::size_t records, const std::string& program);

/// One bus of it, in a process of its own: prints what it measures.
/// \param edits  has it followed an edit, and made one
int run_scale_bus(const std::string& address, const std::string& home, bool edits);

}  // namespace vipauth::fleet_drill
