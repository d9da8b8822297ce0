#pragma once

#include <string_view>

#include <vipauth/capability_resolver.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/method_registry.hpp>
#include <vipauth/policy.hpp>
#include <vipauth/result.hpp>

#include "engine/grant.hpp"

namespace vipauth {

/// A held capability with its patterns compiled, for covers(). Templates are filled in already.
Grant ready_to_cover(const Capability& held);

/// True where everything that `granted` allows is allowed by `held`, too: the same capability, and each
/// restriction of `held` is one of `granted`, or `granted` wants a value there that it accepts.
bool covers(const Grant& held, const Capability& granted);

/// Is nothing given by the records that `after` has behind those of `before`, were they active, that
/// `user_id` does not hold by `before`? Are their names nobody's, be it denied, their keys not denied, and
/// their roles, groups and capabilities such as give something now, so that nothing wakes later?
/// \return kPermissionDenied, with what; what CapabilityResolver::create returns
Result<void> check_no_more_than_held(const Policy& before, const Policy& after, std::string_view user_id,
                                     Timestamp now);

/// Are the keys that `after` allows behind those of `before` named by no allow record yet, and those that it
/// denies by none that stays? By a record that is active or not, by a pattern too. Such a decision would
/// change what was decided about somebody else.
/// \return kPermissionDenied
Result<void> check_keys_are_new(const Policy& before, const Policy& after);

/// Has no agent registered under the names that `after` allows behind those of `before`? Who comes back from
/// the deny list keeps what it had.
/// \return kPermissionDenied
Result<void> check_names_are_unregistered(const Policy& before, const Policy& after,
                                          const MethodRegistry& registered);

/// Does each allow record of another user stay as it is, those that are not understood too?
/// \return kPermissionDenied
Result<void> check_others_stay(const Policy& before, const Policy& after, std::string_view user_id);

}  // namespace vipauth
