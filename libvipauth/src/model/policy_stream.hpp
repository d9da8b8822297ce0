#pragma once

#include <vipauth/policy_sink.hpp>

#include "text/json_items.hpp"

namespace vipauth {

/// Reads an auth.json of the present version by blocks, and hands over its parts.
/// \return false  it is of another version, or there is something else about it that only Policy can take, or
///                refuse, with its reasons. What the sink was given is worth nothing then
bool stream_policy(const ReadBytes& read, PolicySink& sink);

}  // namespace vipauth
