#pragma once

#include <memory>
#include <string>

#include <vipauth/policy_store.hpp>
#include <vipauth/result.hpp>

#include "context.hpp"

namespace vipauth::vctl {

/// Opens what a fleet shares, by the address that --store gives.
/// \return kUnsupported  this program was built without such stores
Result<std::shared_ptr<PolicyStore>> open_store(const Context& context, const std::string& address);

/// For a service on a home that others write: what it reads is empty, and each edit has this error.
std::shared_ptr<PolicyStore> refusing_store(Error why);

}  // namespace vipauth::vctl
