#pragma once

#include <optional>
#include <span>
#include <string>

#include <vipauth/call_arguments.hpp>
#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// A parameter of an RPC method, as Python declares it.
struct Parameter {
  enum class Kind {
    kPositional,     ///< by position or by name
    kKeywordOnly,    ///< after `*`
    kVarPositional,  ///< `*args`: takes the surplus positional arguments, as a list
    kVarKeyword,     ///< `**kwargs`: takes the surplus named arguments, as an object
  };

  std::string name;
  Kind kind = Kind::kPositional;
  std::optional<Json> default_value;
  friend bool operator==(const Parameter&, const Parameter&) = default;
};

/// The arguments of a call as JSON-RPC carries them, apart. Views of what they were split from.
struct SplitParams {
  const Json::Array& positional;
  const Json::Object& named;
};

/// Splits a list by position, an object by name, null for none, or VOLTTRON's
/// `{"*args": [...], "**kwargs": {...}}`.
/// \return kInvalidArgument  of another form
VIPAUTH_EXPORT Result<SplitParams> split_params(const Json& params);

/// Binds a call's arguments to the callee's declared parameters, defaults included, as Python would.
/// \return kInvalidArgument  a missing, surplus, unknown or twice given argument
/// Source: semantics 5; Python's inspect.getcallargs.
VIPAUTH_EXPORT Result<CallArguments> bind_arguments(std::span<const Parameter> parameters,
                                                    const Json::Array& positional, const Json::Object& named);

}  // namespace vipauth
