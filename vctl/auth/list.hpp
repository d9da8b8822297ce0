#pragma once

#include "context.hpp"

namespace vipauth::vctl::auth {

/// Lists the allow records, those that are not understood too.
/// --json: {"records": [{"index": 0, "record": {...}, "problem": "..."}]}; `problem` where it is not
/// understood
int list(const Context& context);

}  // namespace vipauth::vctl::auth
