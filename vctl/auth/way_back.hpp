#pragma once

#include <string>
#include <string_view>

#include <vipauth/key_store.hpp>
#include <vipauth/policy.hpp>

namespace vipauth::vctl::auth {

/// Whether an allow record that is understood has this key.
bool has_record(const Policy& policy, const CurveKey& key);

/// What to type so that the agent, whose key store holds `key` without a record, has a key with one.
std::string way_back(const Policy& policy, std::string_view identity, const KeyStore& store,
                     const CurveKey& key);

}  // namespace vipauth::vctl::auth
