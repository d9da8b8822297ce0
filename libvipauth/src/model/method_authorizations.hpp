#pragma once

#include <vipauth/auth_record.hpp>
#include <vipauth/json.hpp>

namespace vipauth {

/// Reads the field `rpc_method_authorizations` of a record, be the others understood or not (semantics 2 and
/// 5).
MethodAuthorizations parse_method_authorizations(const Json& json);

}  // namespace vipauth
