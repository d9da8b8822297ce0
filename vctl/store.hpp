#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <vipauth/policy_store.hpp>
#include <vipauth/result.hpp>

#include "context.hpp"

namespace vipauth::vctl {

/// Opens what a fleet shares, by the address that --store gives.
/// \return kUnsupported  this program was built without such stores
Result<std::shared_ptr<PolicyStore>> open_store(const Context& context, const std::string& address);

struct PushedToStore {
  bool written = false;
  std::optional<std::size_t> changed;  ///< keys, where the store has such
  bool resumed = false;                ///< a push that had been broken off
};
using PushTold = std::function<void(std::size_t done, std::size_t total)>;

/// Makes the store that --store names hold this, however large it is.
/// \return what EtcdStore::push returns
Result<PushedToStore> push_to_store(const Context& context, const Policy& policy, const TopicDocument& topics,
                                    const EditOptions& options, const PushTold& told);

/// What stands in the store that --store names without counting: `location` is the key.
/// \return what EtcdStore::problems returns
Result<std::vector<Error>> store_problems(const Context& context);

/// For a service on a home that others write: what it reads is empty, and each edit has this error.
std::shared_ptr<PolicyStore> refusing_store(Error why);

}  // namespace vipauth::vctl
