#pragma once

#include <string_view>

#include <vipauth/capability_resolver.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/policy.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// True where everything that `granted` allows is allowed by `held`, too: the same capability, and each
/// restriction of `held` is one of `granted`, or `granted` wants a value there that it accepts.
bool covers(const Capability& held, const Capability& granted);

/// Is nothing given by the records that `after` has behind those of `before`, were they active, that
/// `user_id` does not hold by `before`? Are their names nobody's, be it denied, their keys not denied, and
/// their roles, groups and capabilities such as count now, so that nothing wakes later?
/// \return kPermissionDenied, with what; what CapabilityResolver::create returns
Result<void> check_no_more_than_held(const Policy& before, const Policy& after, std::string_view user_id,
                                     Timestamp now);

/// Are the keys that `after` allows behind those of `before` in no allow record yet, active or not, and those
/// that it denies in none that stays? Such a decision would change what was decided about somebody else.
/// \return kPermissionDenied
Result<void> check_keys_are_new(const Policy& before, const Policy& after);

}  // namespace vipauth
