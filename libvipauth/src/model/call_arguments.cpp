#include <vipauth/call_arguments.hpp>

#include <algorithm>

namespace vipauth {

Result<CallArguments> CallArguments::parse(std::string_view json) {
  auto parsed = Json::parse(json);
  if (!parsed) return parsed.error();
  if (!parsed->is_object()) {
    return Error{ErrorCode::kInvalidArgument,
                 "arguments must be an object of parameter names, not " + std::string(parsed->kind_name()),
                 ""};
  }
  return CallArguments(std::move(parsed->as_object()));
}

const Json* CallArguments::find(std::string_view parameter) const noexcept {
  const auto found = std::find_if(arguments_.begin(), arguments_.end(),
                                  [&](const Json::Member& member) { return member.name == parameter; });
  return found == arguments_.end() ? nullptr : &found->value;
}

}  // namespace vipauth
