#pragma once

#include <vector>

#include <vipauth/clock.hpp>
#include <vipauth/policy.hpp>

namespace vipauth {

/// Which allow records of `policy` count at `now`: understood, enabled, within their time, and not denied as
/// a whole (by an active deny record of the same mechanism, without domain and address, that matches the
/// literal credentials). One flag for each record, in file order. Source: semantics 2.
std::vector<bool> active_allow_records(const Policy& policy, Timestamp now);

}  // namespace vipauth
