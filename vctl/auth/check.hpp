#pragma once

#include <optional>
#include <string>
#include <vector>

#include "context.hpp"

namespace vipauth::vctl::auth {

struct CheckConnectOptions {
  std::optional<std::string>
      credentials;  ///< CURVE: the key; PLAIN: the user name, whose password is asked for
  std::optional<std::string> domain;
  std::optional<std::string> address;
  std::optional<std::string> mechanism;
};

struct CheckCallOptions {
  std::string user_id;
  std::string method;                    ///< IDENTITY.METHOD: the last dot splits
  std::optional<std::string> arguments;  ///< a JSON object
  std::optional<std::vector<std::string>> required;
};

struct CheckTopicOptions {
  std::string user_id;
  std::string topic;
};

// One question each: prints the decision and why. Exit kExitDone for allowed, kExitDenied for refused,
// kExitFailed where the policy cannot be loaded.
// --json: {"allowed": false, "reason": "...", "user_id": "...", "message": "...", "source": ["/allow/3"],
//          "explanation": ["..."], "missing": ["CAP"], "grant": ["vctl auth ..."]}

int check_connect(const CheckConnectOptions& options, const Context& context);
int check_call(const CheckCallOptions& options, const Context& context);
int check_publish(const CheckTopicOptions& options, const Context& context);
int check_receive(const CheckTopicOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
