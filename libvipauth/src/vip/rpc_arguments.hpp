#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/call_arguments.hpp>
#include <vipauth/call_binder.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

// What a method takes.

Parameter required(std::string name);
Parameter with_default(std::string name, Json value);
Parameter keyword(std::string name, Json value = {});

// The arguments of a call that was bound to them. \return kInvalidArgument  of another type; `location` is
// the name

Error invalid_argument(std::string_view name, std::string message);
Result<std::string> text_of(const CallArguments& arguments, std::string_view name);
Result<bool> flag_of(const CallArguments& arguments, std::string_view name);
/// A list of texts, or one.
Result<std::vector<std::string>> names_of(const CallArguments& arguments, std::string_view name);

// The same where null stands for nothing.

Result<std::optional<std::string>> optional_text_of(const CallArguments& arguments, std::string_view name);
Result<std::optional<std::vector<std::string>>> optional_names_of(const CallArguments& arguments,
                                                                  std::string_view name);

}  // namespace vipauth
