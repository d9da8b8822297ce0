#include "scale.hpp"

namespace vipauth::fleet_drill {

int run_scale(std::size_t records) { return records > 0 ? 0 : 1; }

}  // namespace vipauth::fleet_drill
