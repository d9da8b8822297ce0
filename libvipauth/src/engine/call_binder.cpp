#include <vipauth/call_binder.hpp>

#include <algorithm>

namespace vipauth {
namespace {

Error mismatch(std::string message) { return Error{ErrorCode::kInvalidArgument, std::move(message), ""}; }

const Parameter* find_kind(std::span<const Parameter> parameters, Parameter::Kind kind) {
  const auto found =
      std::find_if(parameters.begin(), parameters.end(), [&](const Parameter& p) { return p.kind == kind; });
  return found == parameters.end() ? nullptr : &*found;
}

/// Fills positional parameters from the left; what is left over goes to `*args`, or is too much.
Result<void> bind_positional(std::span<const Parameter> parameters, const Json::Array& positional,
                             Json& bound) {
  std::size_t used = 0;
  for (const Parameter& parameter : parameters) {
    if (parameter.kind != Parameter::Kind::kPositional || used == positional.size()) continue;
    bound.set(parameter.name, positional[used++]);
  }
  const Parameter* rest = find_kind(parameters, Parameter::Kind::kVarPositional);
  if (rest != nullptr) {
    bound.set(rest->name,
              Json(Json::Array(positional.begin() + static_cast<std::ptrdiff_t>(used), positional.end())));
  } else if (used < positional.size()) {
    return mismatch("takes " + std::to_string(used) + " positional arguments, but " +
                    std::to_string(positional.size()) + " were given");
  }
  return {};
}

Result<void> bind_named(std::span<const Parameter> parameters, const Json::Object& named, Json& bound) {
  Json::Object surplus;
  for (const Json::Member& argument : named) {
    const bool declared = std::any_of(parameters.begin(), parameters.end(), [&](const Parameter& p) {
      return p.name == argument.name &&
             (p.kind == Parameter::Kind::kPositional || p.kind == Parameter::Kind::kKeywordOnly);
    });
    if (!declared) {
      surplus.push_back(argument);
    } else if (bound.find(argument.name) != nullptr) {
      return mismatch("got multiple values for argument \"" + argument.name + "\"");
    } else {
      bound.set(argument.name, argument.value);
    }
  }
  const Parameter* rest = find_kind(parameters, Parameter::Kind::kVarKeyword);
  if (rest != nullptr) {
    bound.set(rest->name, Json(std::move(surplus)));
  } else if (!surplus.empty()) {
    return mismatch("got an unexpected argument \"" + surplus.front().name + "\"");
  }
  return {};
}

}  // namespace

Result<SplitParams> split_params(const Json& params) {
  static const Json::Array kNoPositional;
  static const Json::Object kNoNamed;
  if (params.is_null()) return SplitParams{kNoPositional, kNoNamed};
  if (params.is_array()) return SplitParams{params.as_array(), kNoNamed};
  if (!params.is_object()) return mismatch("arguments must be a list or an object");
  const Json* args = params.find("*args");
  const Json* kwargs = params.find("**kwargs");
  if (args == nullptr && kwargs == nullptr) return SplitParams{kNoPositional, params.as_object()};
  // Nothing else may stand beside them: what the callee would make of it is not known.
  const std::size_t known = (args != nullptr ? 1U : 0U) + (kwargs != nullptr ? 1U : 0U);
  if ((args != nullptr && !args->is_array()) || (kwargs != nullptr && !kwargs->is_object()) ||
      params.as_object().size() != known) {
    return mismatch(R"(must be {"*args": [...], "**kwargs": {...}})");
  }
  return SplitParams{args != nullptr ? args->as_array() : kNoPositional,
                     kwargs != nullptr ? kwargs->as_object() : kNoNamed};
}

Result<CallArguments> bind_arguments(std::span<const Parameter> parameters, const Json::Array& positional,
                                     const Json::Object& named) {
  Json bound{Json::Object()};
  if (auto done = bind_positional(parameters, positional, bound); !done) return done.error();
  if (auto done = bind_named(parameters, named, bound); !done) return done.error();
  for (const Parameter& parameter : parameters) {
    if (bound.find(parameter.name) != nullptr) continue;
    if (!parameter.default_value) return mismatch("missing argument \"" + parameter.name + "\"");
    bound.set(parameter.name, *parameter.default_value);
  }
  return CallArguments(std::move(bound.as_object()));
}

}  // namespace vipauth
