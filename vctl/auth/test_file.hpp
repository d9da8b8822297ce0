#pragma once

#include <string>

#include "context.hpp"

namespace vipauth::vctl::auth {

struct TestFileOptions {
  std::string file;  ///< "-": the standard input
};

/// Compares decisions with a file of expected ones: the lines of check_batch with "allowed", and optionally
/// "reason" and, for connect, "user_id". Blank lines, and those that begin with `//` or `#`, are skipped.
///
///     {"check":"publish","user_id":"A","topic":"devices/a","allowed":false,"reason":"missing_capability"}
///     {"check":"connect","credentials":["<43 characters>"],"allowed":true,"user_id":"A"}
/// Exit kExitDone when all came out as expected; a line that cannot be read counts as failed, and so does a
/// file without any.
/// --json: {"passed": 12, "failed": [{"line": 3, "expected": {"allowed": true}, "came": {...} or null,
///          "error": "..."}]}; `came` as `check` prints it, `error` of a line that cannot be read
int test_file(const TestFileOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
