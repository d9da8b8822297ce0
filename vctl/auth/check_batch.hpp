#pragma once

#include <optional>
#include <string>

#include "context.hpp"

namespace vipauth::vctl::auth {

struct CheckBatchOptions {
  std::optional<std::string> file;  ///< "-": the standard input
};

/// Answers one JSON object a line by one JSON object a line, in order, by a policy that is compiled once. A
/// line that cannot be read is answered by {"error": "..."}.
///
///     {"check":"connect","domain":"vip","address":"127.0.0.1","mechanism":"CURVE","credentials":["<43
///     characters>"]}
///     {"check":"call","user_id":"A","callee":"B","method":"m","arguments":{"temp":70},"required":["CAP"]}
///     {"check":"publish","user_id":"A","topic":"devices/a"}          {"check":"receive", ...}
/// `domain`, `address`, `mechanism`, `arguments` and `required` may be left out.
/// Exit kExitDone when every line could be read, whatever was decided.
int check_batch(const CheckBatchOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
