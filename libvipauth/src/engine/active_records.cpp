#include "engine/active_records.hpp"

#include "engine/policy_index.hpp"

namespace vipauth {

std::vector<bool> active_allow_records(const Policy& policy, Timestamp now) {
  return activity_at(*index_of(policy), now).allow;
}

}  // namespace vipauth
