#pragma once

#include <memory>

#include <vipauth/csr_store.hpp>
#include <vipauth/live_policy.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// The names that no agent of another platform may ask for, as the policy in force has them: identities and
/// user_ids of records, active or not, and the platform's own. Source: semantics 7.
VIPAUTH_EXPORT CsrStore::Taken names_in(std::shared_ptr<const LivePolicy> policy);

}  // namespace vipauth
