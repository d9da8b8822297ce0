#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <vipauth/result.hpp>

#include "context.hpp"

namespace vipauth::vctl {

/// What was answered to a question.
struct Answer {
  enum class Kind {
    kNone,   ///< nothing was typed
    kClear,  ///< "clear", and yes to the question whether that is meant
    kText,
  };
  Kind kind = Kind::kNone;
  std::string text;  ///< without space around it
};

/// A question for a value.
struct Question {
  std::string prompt;      ///< as printed: "user_id []: "
  bool is_secret = false;  ///< a terminal does not show what is typed
  std::function<Result<void>(const Answer& answer)>
      take;  ///< an error is printed, and the question asked again
};

/// Asks until the answer is taken. False at the end of input.
bool ask(const Context& context, const Question& question);

/// Asks until the answer is yes or no, in any case; nothing typed is `preset`. Nothing at the end of input.
std::optional<bool> ask_yes_no(const Context& context, std::string_view question, bool preset);

}  // namespace vipauth::vctl
