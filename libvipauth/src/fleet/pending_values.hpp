#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <vipauth/pending_store.hpp>
#include <vipauth/result.hpp>

namespace vipauth::fleet {

/// The longest value of a pending request that is read.
inline constexpr std::size_t kMaxPendingBytes = 4096;

/// The value of "pending/<site>/<id>": a stranger who waits there, with the members of pending.json. The site
/// is not in it: the key says it.
std::string pending_value(const PendingRequest& request);

/// Reads such a value, which a site has written: what is approved becomes a record, so nothing in it may be a
/// pattern, or empty, and its name is a UUID, as a bus gives it, and nobody's whom an administrator knows.
/// \return kParseError       no JSON
/// \return kLimitExceeded    longer than kMaxPendingBytes
/// \return kInvalidArgument  a member is missing or has a wrong form; `location` is a JSON Pointer ("/credentials")
Result<PendingRequest> parse_pending(std::string_view text);

}  // namespace vipauth::fleet
