#pragma once

#include <string>
#include <vector>

#include "context.hpp"

namespace vipauth::vctl::auth {

struct RemoveOptions {
  std::vector<std::string> indices;  ///< as `list` shows them
  bool is_sure = false;              ///< do not ask
};

/// Removes allow records, having shown them and asked; no answer is no.
/// --json: {"removed": [{"index": 3, "record": {...}}]}
int remove(const RemoveOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
