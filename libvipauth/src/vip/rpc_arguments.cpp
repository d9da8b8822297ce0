#include "vip/rpc_arguments.hpp"

#include <utility>

namespace vipauth {

Parameter required(std::string name) { return {std::move(name), Parameter::Kind::kPositional, std::nullopt}; }

Parameter with_default(std::string name, Json value) {
  return {std::move(name), Parameter::Kind::kPositional, std::move(value)};
}

Parameter keyword(std::string name, Json value) {
  return {std::move(name), Parameter::Kind::kKeywordOnly, std::move(value)};
}

Error invalid_argument(std::string_view name, std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message), std::string(name)};
}

Result<std::string> text_of(const CallArguments& arguments, std::string_view name) {
  const Json& value = *arguments.find(name);
  if (!value.is_string()) return invalid_argument(name, "must be a string");
  return value.as_string();
}

Result<bool> flag_of(const CallArguments& arguments, std::string_view name) {
  const Json& value = *arguments.find(name);
  if (!value.is_bool()) return invalid_argument(name, "must be true or false");
  return value.as_bool();
}

Result<std::vector<std::string>> names_of(const CallArguments& arguments, std::string_view name) {
  const Json& value = *arguments.find(name);
  std::vector<std::string> out;
  for (const Json& item : value.is_array() ? value.as_array() : Json::Array{value}) {
    if (!item.is_string()) return invalid_argument(name, "must be names");
    out.push_back(item.as_string());
  }
  return out;
}

Result<std::optional<std::string>> optional_text_of(const CallArguments& arguments, std::string_view name) {
  if (arguments.find(name)->is_null()) return std::optional<std::string>();
  auto value = text_of(arguments, name);
  if (!value) return value.error();
  return std::optional(*std::move(value));
}

Result<std::optional<std::vector<std::string>>> optional_names_of(const CallArguments& arguments,
                                                                  std::string_view name) {
  if (arguments.find(name)->is_null()) return std::optional<std::vector<std::string>>();
  auto value = names_of(arguments, name);
  if (!value) return value.error();
  return std::optional(*std::move(value));
}

}  // namespace vipauth
