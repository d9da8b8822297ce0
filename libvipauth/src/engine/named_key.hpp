#pragma once

#include <string_view>

#include <vipauth/curve_key.hpp>
#include <vipauth/policy.hpp>

namespace vipauth {

/// True where the credentials of a record, the key itself or a pattern, name this key: active or not, for
/// whatever place, and understood or not.
bool names_key(const Policy::Entry& entry, const CurveKey& key);

}  // namespace vipauth
