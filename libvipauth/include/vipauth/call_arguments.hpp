#pragma once

#include <string_view>
#include <utility>

#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// The arguments of an RPC call by parameter name, defaults filled in.
class CallArguments {
 public:
  CallArguments() = default;
  explicit CallArguments(Json::Object arguments) : arguments_(std::move(arguments)) {}

  /// Reads a JSON object. Duplicate members are refused.
  /// \return kParseError or kInvalidArgument
  VIPAUTH_EXPORT static Result<CallArguments> parse(std::string_view json);

  /// nullptr where the call has no such parameter.
  VIPAUTH_EXPORT const Json* find(std::string_view parameter) const noexcept;

  const Json::Object& all() const noexcept { return arguments_; }

 private:
  Json::Object arguments_;
};

}  // namespace vipauth
