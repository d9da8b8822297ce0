#pragma once

#include <cstddef>

namespace vipauth::fleet_drill {

/// Measures what a fleet of so many records costs, and prints it as rows of a table.
int run_scale(std::size_t records);

}  // namespace vipauth::fleet_drill
