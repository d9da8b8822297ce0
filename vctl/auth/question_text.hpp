#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <vipauth/call_arguments.hpp>
#include <vipauth/result.hpp>

#include "auth/checker.hpp"

namespace vipauth::vctl::auth {

// Questions as users write them.

/// Reads a JSON object, in the loose form too: the arguments of a call by name.
Result<CallArguments> parse_arguments_text(std::string_view text);

/// Most bytes of a line with a question.
inline constexpr std::size_t kMaxQuestionBytes = std::size_t{1} << 20;

/// Answers a question that is written as a JSON object: see check_batch.
/// \return kInvalidArgument  it is no question; `location` is the JSON Pointer of what is wrong
Result<Finding> answer_question(const Checker& checker, Json question);

/// The error, with the number of the line in front of its place: "line 3", or "line 3:14" where the error
/// says which column.
Error at_line(Error error, std::size_t number);

}  // namespace vipauth::vctl::auth
