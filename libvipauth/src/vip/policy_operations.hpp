#pragma once

#include <vipauth/json.hpp>
#include <vipauth/policy.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// How the fields of a changed record are told.
enum class RecordForm {
  kWhole,    ///< all of them, as VOLTTRON's method takes them
  kChanges,  ///< those that changed: the rest stays (`keep_rest`)
};

/// The operations of `auth_file` that make `after` of `before`: `[{"method": ..., "params": {...}}, ...]`.
/// \return kUnsupported  records are removed and others changed or moved at once; something else than records, roles and
///                       groups differs
Result<Json::Array> policy_operations(const Policy& before, const Policy& after, RecordForm form);

}  // namespace vipauth
