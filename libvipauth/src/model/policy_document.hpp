#pragma once

#include <optional>

#include <vipauth/policy.hpp>

#include "text/json_items.hpp"
#include "text/json_parts.hpp"

namespace vipauth {

/// The document of a policy, part by part, so that no second copy of it need be in memory.
class PolicyDocument {
 public:
  /// Hands over what Policy::to_json returns.
  static void hand_over(const Policy& policy, JsonPartSink& sink);

  /// Reads an auth.json of the present version by blocks: what Policy::parse makes of it.
  /// \return nothing  as stream_policy
  static std::optional<Policy> read(const ReadBytes& read);

 private:
  class Reader;
};

}  // namespace vipauth
