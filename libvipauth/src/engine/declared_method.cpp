#include <vipauth/declared_method.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/string_hash.hpp"
#include "text/control_characters.hpp"

namespace vipauth {
namespace {

using Limits = DeclarationLimits;

Error invalid(std::string message, std::string location) {
  return Error{ErrorCode::kInvalidArgument, std::move(message), std::move(location)};
}

Error too_many(std::string_view what, std::size_t limit, std::string location) {
  return Error{ErrorCode::kLimitExceeded, "more than " + std::to_string(limit) + " " + std::string(what),
               std::move(location)};
}

/// Adds up what a declaration makes us keep.
class Meter {
 public:
  Result<void> name(std::string_view text, std::string_view what, const std::string& location) {
    if (text.empty() || has_control_character(text) || !is_valid_utf8(text)) {
      return invalid(std::string(what) + " must have a name, without control characters", location);
    }
    if (text.size() > Limits::kMaxNameBytes) {
      return too_many("bytes in the name of " + std::string(what), Limits::kMaxNameBytes, location);
    }
    return bytes(text.size());
  }

  Result<void> bytes(std::size_t count) {
    total_ += count;
    if (total_ > Limits::kMaxBytes) return too_many("bytes in all", Limits::kMaxBytes, "");
    return {};
  }

 private:
  std::size_t total_ = 0;
};

Result<void> check_parameters(const std::vector<Parameter>& parameters, Meter& meter,
                              const std::string& location) {
  if (parameters.size() > Limits::kMaxParameters) {
    return too_many("parameters", Limits::kMaxParameters, location);
  }
  std::size_t var_positional = 0;
  std::size_t var_keyword = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& parameter = parameters[i];
    if (auto named = meter.name(parameter.name, "a parameter", location); !named) return named;
    const auto same = [&](const Parameter& other) { return other.name == parameter.name; };
    if (std::any_of(parameters.begin(), parameters.begin() + static_cast<std::ptrdiff_t>(i), same)) {
      return invalid("a parameter is declared twice", location);
    }
    var_positional += parameter.kind == Parameter::Kind::kVarPositional ? 1U : 0U;
    var_keyword += parameter.kind == Parameter::Kind::kVarKeyword ? 1U : 0U;
    if (!parameter.default_value) continue;
    if (auto counted = meter.bytes(parameter.default_value->dump().size()); !counted) return counted;
  }
  if (var_positional > 1 || var_keyword > 1) {
    return invalid("a method takes surplus arguments once", location);
  }
  return {};
}

Result<void> check_method(const DeclaredMethod& method, Meter& meter, const std::string& location) {
  if (auto named = meter.name(method.name, "a method", location); !named) return named;
  if (method.capabilities.size() > Limits::kMaxCapabilities) {
    return too_many("capabilities", Limits::kMaxCapabilities, location);
  }
  for (const std::string& capability : method.capabilities) {
    if (auto named = meter.name(capability, "a capability", location); !named) return named;
  }
  return method.parameters ? check_parameters(*method.parameters, meter, location) : Result<void>();
}

void add_each_once(std::vector<std::string> names, std::vector<std::string>& out) {
  for (std::string& name : names) {
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(std::move(name));
  }
}

Result<Parameter::Kind> parse_kind(const Json* json) {
  static constexpr std::pair<std::string_view, Parameter::Kind> kKinds[] = {
      {"POSITIONAL_OR_KEYWORD", Parameter::Kind::kPositional},
      {"POSITIONAL_ONLY", Parameter::Kind::kPositional},
      {"KEYWORD_ONLY", Parameter::Kind::kKeywordOnly},
      {"VAR_POSITIONAL", Parameter::Kind::kVarPositional},
      {"VAR_KEYWORD", Parameter::Kind::kVarKeyword}};
  if (json == nullptr) return Parameter::Kind::kPositional;
  for (const auto& [name, kind] : kKinds) {
    if (json->is_string() && json->as_string() == name) return kind;
  }
  return invalid("must be a kind of parameter, such as \"POSITIONAL_OR_KEYWORD\"", "/kind");
}

Result<std::vector<Parameter>> parse_parameters(const Json& json) {
  if (!json.is_object()) return invalid("must map names to parameters", "");
  // The checks look at each pair: what is too much is refused before.
  if (json.as_object().size() > Limits::kMaxParameters) {
    return too_many("parameters", Limits::kMaxParameters, "");
  }
  std::vector<Parameter> out;
  for (const Json::Member& member : json.as_object()) {
    const std::string location = json_pointer("", member.name);
    if (!member.value.is_object()) return invalid("must be an object", location);
    auto kind = parse_kind(member.value.find("kind"));
    if (!kind) return kind.error().at(location);
    const Json* value = member.value.find("default");
    out.push_back({member.name, *kind, value == nullptr ? std::nullopt : std::optional<Json>(*value)});
  }
  return out;
}

Result<std::vector<std::string>> parse_capability_names(const Json& json) {
  if (!json.is_array()) return invalid("must be a list of capabilities", "");
  if (json.as_array().size() > Limits::kMaxCapabilities) {
    return too_many("capabilities", Limits::kMaxCapabilities, "");
  }
  std::vector<std::string> out;
  for (const Json& name : json.as_array()) {
    if (!name.is_string()) return invalid("must be a list of capabilities", "");
    out.push_back(name.as_string());
  }
  return out;
}

Result<DeclaredMethod> parse_method(const std::string& name, const Json& json) {
  DeclaredMethod out{name, std::nullopt, {}};
  const Json* capabilities = json.is_object() ? json.find("capabilities") : &json;
  if (capabilities != nullptr) {
    auto names = parse_capability_names(*capabilities);
    if (!names) return names.error();
    out.capabilities = std::move(*names);
  }
  if (const Json* params = json.is_object() ? json.find("params") : nullptr) {
    auto parameters = parse_parameters(*params);
    if (!parameters) return parameters.error().at("/params");
    out.parameters = std::move(*parameters);
  }
  return out;
}

}  // namespace

Result<std::vector<DeclaredMethod>> check_declaration(std::vector<DeclaredMethod> methods) {
  std::vector<DeclaredMethod> out;
  StringMap<std::size_t> places;
  Meter meter;
  for (DeclaredMethod& method : methods) {
    const std::string location = is_valid_utf8(method.name) ? json_pointer("", method.name) : std::string();
    if (auto good = check_method(method, meter, location); !good) return good.error();
    const auto [place, is_new] = places.try_emplace(method.name, out.size());
    if (is_new) {
      if (out.size() >= Limits::kMaxMethods) return too_many("methods", Limits::kMaxMethods, "");
      DeclaredMethod& added = out.emplace_back();
      added.name = std::move(method.name);
      added.parameters = std::move(method.parameters);
      add_each_once(std::move(method.capabilities), added.capabilities);
      continue;
    }
    DeclaredMethod& known = out[place->second];
    if (known.parameters && method.parameters) {
      return invalid("a method has one list of parameters", location);
    }
    if (method.parameters) known.parameters = std::move(method.parameters);
    add_each_once(std::move(method.capabilities), known.capabilities);
    if (known.capabilities.size() > Limits::kMaxCapabilities) {
      return too_many("capabilities", Limits::kMaxCapabilities, location);
    }
  }
  return out;
}

Result<std::vector<DeclaredMethod>> parse_declaration(const Json& json) {
  if (!json.is_object()) return invalid("must map methods to lists of capabilities", "");
  if (json.as_object().size() > Limits::kMaxMethods) return too_many("methods", Limits::kMaxMethods, "");
  std::vector<DeclaredMethod> methods;
  for (const Json::Member& member : json.as_object()) {
    auto method = parse_method(member.name, member.value);
    if (!method) return method.error().at(json_pointer("", member.name));
    methods.push_back(std::move(*method));
  }
  return check_declaration(std::move(methods));
}

}  // namespace vipauth
