#pragma once

#include <optional>
#include <string>

#include "context.hpp"

namespace vipauth::vctl::auth {

struct WhoCanCallOptions {
  std::string method;                    ///< IDENTITY.METHOD: the last dot splits
  std::optional<std::string> arguments;  ///< a JSON object; none: whatever the arguments
};

struct WhoCanTopicOptions {
  std::string topic;
};

// Lists the users who may, with where that comes from. Without arguments of the call, a user who may call
// with some is listed, with the restrictions.
// --json: {"requires": ["CAP"], "users": [{"user_id": "A", "source": ["/roles/x"],
//          "only_with": [{"capability": "CAP", "restrictions": {"x": 1}}]}]}

int who_can_call(const WhoCanCallOptions& options, const Context& context);
int who_can_publish(const WhoCanTopicOptions& options, const Context& context);
int who_can_receive(const WhoCanTopicOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
